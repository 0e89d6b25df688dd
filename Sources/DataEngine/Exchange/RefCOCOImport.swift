import Annotations
import Boxes
import Checkpoints
import Foundation

/// RefCOCO, RefCOCO+ and RefCOCOg: referring expressions for objects of COCO.
///
/// Published are `refs(SPLITTER).p`, a pickle of references, and `instances.json` with the boxes. References are also read as a JSON list,
/// and as a file in COCO's form with an image entry for each expression, which is its `caption`. An object's first expression belongs to its
/// region; each further one is a region of its own with the same box.
enum RefCOCOImport {
    private static let instances = "instances.json"

    private struct Reference: Decodable {
        struct Sentence: Decodable {
            let sent: String?, raw: String?
        }

        let image_id: Int, ann_id: Int
        let split: String?
        let sentences: [Sentence]

        var expressions: [String] {
            sentences.compactMap { ($0.sent ?? $0.raw)?.trimmingCharacters(in: .whitespacesAndNewlines) }.filter {
                !$0.isEmpty
            }
        }
    }

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = try place.onlyFile("refs(*).p or refs*.json") { name in
            name.hasPrefix("refs") && [".p", ".pkl", ".json"].contains(where: name.hasSuffix)
        }
        if file.pathExtension == "json", try isObject(file) { return try readCaptions(file, importer) }
        let references = try chosen(try references(in: file, importer), file, importer)
        let lists = try COCOLists(file.deletingLastPathComponent().appendingPathComponent(instances), importer)
        for index in 0..<lists.imageCount {
            try importer.record("\(lists.path), images[\(index)]") {
                let image = try lists.image(at: index)
                guard let own = references[image.id] else {
                    importer.leaveOut("pictures without expressions of the split")
                    return
                }
                try add(image, own, lists, importer)
            }
        }
    }

    private static func add(
        _ image: COCOImage, _ references: [Reference], _ lists: COCOLists, _ importer: RecordImporter
    ) throws {
        let picture = try importer.picture(named: image.pictureName, declared: (image.width, image.height))
        var regions: [Region] = [], numbers: [Int: Int] = [:]
        for object in try lists.objects(of: image, importer) {
            if object.isCrowd {
                importer.leaveOut("crowd regions")
                continue
            }
            try importer.part("\(lists.path), annotation \(object.id)") {
                let box = try importer.checked(object.box, in: picture)
                numbers[object.id] = regions.count
                regions.append(
                    Region(id: regions.count, box: box, category: lists.categories[object.categoryID]?.name))
            }
        }
        for reference in references {
            guard let number = numbers[reference.ann_id] else {
                try importer.note(
                    "\(lists.path), image \(image.id)",
                    RecordProblem(.reference, "an expression names annotation \(reference.ann_id), which is not there"))
                continue
            }
            for expression in reference.expressions { regions.refer(to: number, by: expression) }
        }
        try importer.add(picture, regions: regions)
    }

    // MARK: References

    private static func references(in file: URL, _ importer: RecordImporter) throws -> [Reference] {
        var found: [Reference] = []
        if file.pathExtension == "json" {
            try JSONElements.forEach(in: file) { element in
                try importer.part("\(file.path), reference \(element.number)") {
                    found.append(try JSONDecoder().decode(Reference.self, from: Data(element.bytes)))
                }
            }
            return found
        }
        let data: PickledData
        do {
            data = try PickledData(contentsOf: file)
        } catch let error as CheckpointError {
            throw ExchangeError.unusableFile(path: file.path, reason: error.message)
        }
        // Some copies keep the list in a dictionary.
        let list: PickledData? = if case .dictionary(let members) = data { members["refs"] } else { data }
        guard case .list(let elements)? = list else {
            throw ExchangeError.unusableFile(path: file.path, reason: "is no list of references")
        }
        let encoder = JSONEncoder(), decoder = JSONDecoder()
        for (number, element) in elements.enumerated() {
            try importer.part("\(file.path), reference \(number)") {
                found.append(try decoder.decode(Reference.self, from: try encoder.encode(element)))
            }
        }
        return found
    }

    /// The references of the split that is asked for, by image.
    /// - Throws: `ExchangeError.invalidSetting` where that is not said: training on what is tested on would go unnoticed.
    private static func chosen(
        _ references: [Reference], _ file: URL, _ importer: RecordImporter
    ) throws -> [Int: [Reference]] {
        let counts = Dictionary(references.map { ($0.split ?? "", 1) }, uniquingKeysWith: +)
        let listed = counts.sorted { $0.key < $1.key }.map { "\($0) (\($1))" }.joined(separator: ", ")
        let wanted = importer.settings.split
        if wanted == nil && counts.count > 1 {
            throw ExchangeError.invalidSetting(
                name: "split", reason: "\(file.path) holds several: \(listed); name one of them, or 'all'")
        }
        if let wanted, wanted != "all", counts[wanted] == nil {
            throw ExchangeError.invalidSetting(
                name: "split", reason: "\(file.path) has no split '\(wanted)'; it holds \(listed)")
        }
        let chosen = references.filter { wanted == nil || wanted == "all" || $0.split == wanted }
        importer.leaveOut("references of other splits", references.count - chosen.count)
        return Dictionary(grouping: chosen, by: \.image_id)
    }

    private static func isObject(_ file: URL) throws -> Bool {
        let start = try ExchangeError.reading {
            let bytes = try RandomAccessFile(path: file.path)
            return try bytes.bytes(at: 0, count: min(1024, bytes.count))
        }
        return start.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) } == UInt8(ascii: "{")
    }

    // MARK: Expressions as captions

    /// Entries with the same picture become one record. Only what is referred to has boxes, so nothing counts as absent.
    private static func readCaptions(_ file: URL, _ importer: RecordImporter) throws {
        let lists = try COCOLists(file, importer)
        var entries: [String: [Int]] = [:], names: [String] = []
        for index in 0..<lists.imageCount {
            try importer.part("\(file.path), images[\(index)]") {
                let name = try lists.image(at: index).pictureName
                if entries[name] == nil { names.append(name) }
                entries[name, default: []].append(index)
            }
        }
        for name in names {
            try importer.record("\(file.path), picture \(name)") {
                var picture: ImportedPicture?, regions: [Region] = []
                for index in entries[name] ?? [] {
                    let image = try lists.image(at: index)
                    let shown = try picture ?? importer.picture(named: name, declared: (image.width, image.height))
                    picture = shown
                    try importer.part("\(file.path), image \(image.id)") {
                        guard let expression = image.caption, !expression.isEmpty else {
                            throw RecordProblem(.text, "it has no caption, which would be its expression")
                        }
                        for object in try lists.objects(of: image, importer) {
                            let box = try importer.checked(object.box, in: shown)
                            let known = regions.firstIndex { $0.box == box }
                            if known == nil {
                                let name = lists.categories[object.categoryID]?.name
                                // What the published files call all of them.
                                regions.append(
                                    Region(id: regions.count, box: box, category: name == "object" ? nil : name))
                            }
                            regions.refer(to: known ?? regions.count - 1, by: expression)
                        }
                    }
                }
                if let picture { try importer.add(picture, regions: regions, absent: []) }
            }
        }
    }
}

extension [Region] {
    /// Gives a region an expression, or, where it has one, another region with the same box.
    fileprivate mutating func refer(to number: Int, by expression: String) {
        let box = self[number].box
        if contains(where: { $0.box == box && $0.referringExpression == expression }) { return }
        if self[number].referringExpression == nil {
            self[number].referringExpression = expression
        } else {
            append(Region(id: count, box: box, referringExpression: expression))
        }
    }
}
