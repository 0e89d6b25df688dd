import Annotations
import Boxes
import Foundation

import struct Annotations.Annotation

/// COCO: an "instances" file for boxes with categories, a "captions" file beside it.
enum COCOExchange {
    private static let instances = "annotations.json", captions = "captions.json", pictures = "images"

    /// A COCO "captions" file.
    struct Captions: Codable {
        struct Caption: Codable {
            var id: Int, image_id: Int
            var caption: String
        }

        var images: [COCOImage] = []
        var annotations: [Caption] = []
    }

    static func write(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        let names = try CategoryNames.sorted(of: set)
        let ids = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0 + 1) })
        var dataset = COCODataset(categories: names.enumerated().map { COCOCategory(id: $0 + 1, name: $1) })
        var texts = Captions(), report = ExchangeReport()
        try output.forEachSample(
            of: set, pictures: pictures,
            losing: [.captionPhrases, .phrases, .descriptions, .expressions, .conversations, .absent], &report
        ) { annotation, report in
            let image = COCOImage(
                id: dataset.images.count + 1, fileName: annotation.fileName, width: annotation.width,
                height: annotation.height)
            dataset.images.append(image)
            texts.images.append(image)
            for region in annotation.regions {
                guard let category = region.category.flatMap({ ids[$0] }) else {
                    report.leaveOut("regions without a category")
                    continue
                }
                dataset.annotations.append(
                    COCOAnnotation(
                        id: dataset.annotations.count + 1, imageID: image.id, categoryID: category, box: region.box,
                        score: region.score))
                report.regions += 1
            }
            if let caption = annotation.caption {
                texts.annotations.append(
                    .init(id: texts.annotations.count + 1, image_id: image.id, caption: caption.text))
            }
        }
        try dataset.write(to: output.url.appendingPathComponent(instances))
        try output.write(JSONEncoder.lines.encode(texts), to: captions)
        return report
    }

    // MARK: In

    /// Sets that differ in their files' names and in how they name categories.
    enum Dialect {
        case coco, lvis, objects365

        func file(in place: URL) throws -> URL {
            switch self {
            case .coco:
                let own = place.appendingPathComponent(instances)
                if place.isFolder, FileManager.default.fileExists(atPath: own.path) { return own }
                return try place.onlyFile("\(instances) or instances_*.json") { $0.isJSON("instances") }
            case .lvis: return try place.onlyFile("lvis*.json") { $0.isJSON("lvis") }
            case .objects365:
                return try place.onlyFile("zhiyuan_objv2_*.json") { $0.isJSON("zhiyuan") || $0.isJSON("objects365") }
            }
        }

        /// `alarm_clock` of LVIS in words; Objects365 leaves spaces behind names.
        func name(_ category: COCOCategory) -> String {
            switch self {
            case .coco: category.name
            case .lvis: category.name.replacing("_", with: " ")
            case .objects365: category.name.trimmingCharacters(in: .whitespaces)
            }
        }

        /// What was looked for in vain; nil where every picture was searched for every category.
        func absent(in image: COCOImage, _ categories: [Int: COCOCategory]) -> [String]? {
            if self != .lvis && image.negativeCategoryIDs == nil { return nil }
            return (image.negativeCategoryIDs ?? []).compactMap { categories[$0].map(name) }
        }
    }

    static func read(_ place: URL, _ dialect: Dialect, _ importer: RecordImporter) throws {
        let file = try dialect.file(in: place)
        let lists = try COCOLists(file, importer)
        let texts = try captionTexts(beside: file, importer)
        for index in 0..<lists.imageCount {
            var place = "\(file.path), images[\(index)]"
            try importer.record(place) {
                let image = try lists.image(at: index)
                place = "\(file.path), image \(image.id)"
                let objects = try lists.objects(of: image, importer)
                let picture = try importer.picture(named: image.pictureName, declared: (image.width, image.height))
                var regions: [Region] = []
                for object in objects {
                    if object.isCrowd {
                        importer.leaveOut("crowd regions")
                        continue
                    }
                    try importer.part("\(file.path), annotation \(object.id)") {
                        regions.append(
                            Region(
                                id: regions.count, box: try importer.checked(object.box, in: picture),
                                score: importer.score(object.score),
                                category: lists.categories[object.categoryID].map(dialect.name)))
                    }
                }
                let own = try texts?.records(of: COCOLists.Owned(image_id: image.id).owner) ?? []
                let captions = try own.map { try JSONDecoder.lenient(Captions.Caption.self, from: $0.bytes).caption }
                    .filter { !$0.isEmpty }
                importer.leaveOut("further captions of a picture", max(0, captions.count - 1))
                try importer.add(
                    picture, caption: captions.first.map { GroundedCaption(text: $0) }, regions: regions,
                    absent: dialect.absent(in: image, lists.categories))
            }
        }
    }

    /// Captions by image; nil where there is no such file.
    private static func captionTexts(beside file: URL, _ importer: RecordImporter) throws -> RecordIndex? {
        // As COCO names them: instances_val2017.json and captions_val2017.json.
        let name = file.lastPathComponent
        let partner = name.hasPrefix("instances") ? "captions" + name.dropFirst("instances".count) : captions
        let place = file.deletingLastPathComponent().appendingPathComponent(partner)
        guard FileManager.default.fileExists(atPath: place.path) else { return nil }
        var index = RecordIndex(try ExchangeError.reading { try RandomAccessFile(path: place.path) })
        try JSONElements.forEach(in: place, members: ["annotations"]) { element in
            try importer.part("\(place.path), annotations[\(element.number)]") {
                let owner = try JSONDecoder.lenient(COCOLists.Owned.self, from: element.bytes).owner
                try index.add(element.extent, of: owner)
            }
        }
        index.sort()
        return index
    }
}

extension String {
    /// Whether it is a JSON file's name with a beginning.
    fileprivate func isJSON(_ beginning: String) -> Bool { hasPrefix(beginning) && hasSuffix(".json") }
}

extension COCOImage {
    /// The file's name with as many folders as are known: LVIS gives an address alone, whose last folder tells `train2017` from `val2017`.
    var pictureName: String {
        get throws {
            if let fileName { return fileName }
            guard let address = cocoURL.flatMap({ URL(string: $0)?.pathComponents.suffix(2).joined(separator: "/") }),
                !address.isEmpty
            else { throw RecordProblem(.name, "it has no file name") }
            return address
        }
    }
}

enum CategoryNames {
    /// Every category that a region of the set has, in alphabetical order.
    static func sorted(of set: any AnnotationSet) throws -> [String] {
        var names: Set<String> = []
        for index in 0..<set.count {
            for region in try set.annotation(at: index).regions { if let name = region.category { names.insert(name) } }
        }
        return names.sorted()
    }
}
