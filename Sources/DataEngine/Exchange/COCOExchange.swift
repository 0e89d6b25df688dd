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
        try output.forEachSample(of: set, pictures: pictures, &report) { annotation, report in
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
            report.leaveOut("conversations", annotation.conversation == nil ? 0 : 1)
        }
        try dataset.write(to: output.url.appendingPathComponent(instances))
        try output.write(Annotation.encoder.encode(texts), to: captions)
        return report
    }

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = place.isFolder ? place.appendingPathComponent(instances) : place
        let raw = try COCODataset(contentsOf: file)
        let judgement = raw.validate()
        for issue in judgement.issues { try importer.note("\(file.path), \(issue.record)", "\(issue.problem)") }
        let dataset = raw.removingRecords(namedIn: judgement)
        let names = Dictionary(uniqueKeysWithValues: dataset.categories.map { ($0.id, $0.name) })
        let objects = Dictionary(grouping: dataset.annotations, by: \.imageID)
        let texts = try captionTexts(beside: file)
        for image in dataset.images {
            let place = "\(file.path), image \(image.id)"
            try importer.record(place) {
                let address = image.cocoURL.flatMap { $0.split(separator: "/").last.map(String.init) }
                guard let name = image.fileName ?? address else { throw RecordFault("it has no file name") }
                let picture = try importer.picture(named: name, declared: (image.width, image.height))
                var regions: [Region] = []
                for object in objects[image.id] ?? [] {
                    if object.isCrowd {
                        importer.leaveOut("crowd regions")
                        continue
                    }
                    try importer.record("\(file.path), annotation \(object.id)") {
                        regions.append(
                            Region(
                                id: regions.count, box: try importer.checked(object.box, in: picture),
                                score: importer.score(object.score), category: names[object.categoryID]))
                    }
                }
                let own = texts[image.id] ?? []
                importer.leaveOut("further captions of a picture", max(0, own.count - 1))
                try importer.add(
                    picture, caption: own.first.map { GroundedCaption(text: $0) }, regions: regions, place: place)
            }
        }
    }

    /// Captions by image; none where there is no such file.
    private static func captionTexts(beside file: URL) throws -> [Int: [String]] {
        // As COCO names them: instances_val2017.json and captions_val2017.json.
        let name = file.lastPathComponent
        let partner = name.hasPrefix("instances") ? "captions" + name.dropFirst("instances".count) : captions
        let place = file.deletingLastPathComponent().appendingPathComponent(partner)
        guard FileManager.default.fileExists(atPath: place.path) else { return [:] }
        do {
            let texts = try JSONDecoder().decode(Captions.self, from: Data(contentsOf: place))
            return Dictionary(grouping: texts.annotations.filter { !$0.caption.isEmpty }, by: \.image_id)
                .mapValues { $0.map(\.caption) }
        } catch {
            throw ExchangeError.unusableFile(path: place.path, reason: "is no file of captions: \(error)")
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
