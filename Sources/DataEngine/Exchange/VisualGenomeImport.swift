import Annotations
import Boxes
import Foundation

/// Visual Genome: `image_data.json` with the pictures, `objects.json` and `region_descriptions.json` with what is in them.
///
/// An object's first name is its category; a region's sentence is its description. What is named is not all there is, so nothing counts as
/// absent.
enum VisualGenomeImport {
    private static let pictures = "image_data.json", objects = "objects.json", regions = "region_descriptions.json"

    private struct Picture: Decodable {
        let image_id: Int
        let url: String?
        let width: Int?, height: Int?
    }

    /// An element of a list by picture. The older files call the picture `id`.
    private struct Owned: Decodable {
        let image_id: Int?, id: Int?
    }

    private struct Objects: Decodable {
        struct Object: Decodable {
            let object_id: Int?
            let x: Double, y: Double, w: Double, h: Double
            let names: [String]?
        }

        let objects: [Lossy<Object>]
    }

    private struct Regions: Decodable {
        struct Sentence: Decodable {
            let region_id: Int?
            let x: Double, y: Double, width: Double, height: Double
            let phrase: String
        }

        let regions: [Lossy<Sentence>]
    }

    /// A part that may be faulty without its whole being so.
    private struct Lossy<Value: Decodable>: Decodable {
        let result: Result<Value, any Error>

        init(from decoder: any Decoder) { result = Result { try Value(from: decoder) } }
    }

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let folder = place.isFolder ? place : place.deletingLastPathComponent()
        let lists = try [objects, regions].map { try index(folder.appendingPathComponent($0), importer) }
        if lists.allSatisfy({ $0 == nil }) {
            throw ExchangeError.unusableFile(path: folder.path, reason: "holds neither \(objects) nor \(regions)")
        }
        let file = folder.appendingPathComponent(pictures)
        try JSONElements.forEach(in: file) { element in
            try importer.record("\(file.path), image \(element.number)") {
                let record = try JSONDecoder().decode(Picture.self, from: Data(element.bytes))
                let address = record.url.flatMap { URL(string: $0)?.pathComponents.suffix(2).joined(separator: "/") }
                let declared = record.width.flatMap { width in record.height.map { (width, $0) } }
                let picture = try importer.picture(named: address ?? "\(record.image_id).jpg", declared: declared)
                var found: [Region] = []
                let owner = UInt64(bitPattern: Int64(record.image_id))
                for (extent, bytes) in try lists[0]?.records(of: owner) ?? [] {
                    let place = "\(folder.appendingPathComponent(objects).path), byte \(extent.offset)"
                    for (number, part) in try JSONDecoder().decode(Objects.self, from: Data(bytes)).objects.enumerated()
                    {
                        try importer.part("\(place), object \(number)") {
                            let object = try part.result.get()
                            let box = try importer.checked(
                                Box(x: object.x, y: object.y, width: object.w, height: object.h), in: picture)
                            let name = object.names?.lazy.map { $0.trimmingCharacters(in: .whitespaces) }.first {
                                !$0.isEmpty
                            }
                            guard let name else { throw RecordProblem(.text, "it has no name") }
                            found.append(Region(id: found.count, box: box, category: name))
                        }
                    }
                }
                for (extent, bytes) in try lists[1]?.records(of: owner) ?? [] {
                    let place = "\(folder.appendingPathComponent(regions).path), byte \(extent.offset)"
                    for (number, part) in try JSONDecoder().decode(Regions.self, from: Data(bytes)).regions.enumerated()
                    {
                        try importer.part("\(place), region \(number)") {
                            let region = try part.result.get()
                            let box = try importer.checked(
                                Box(x: region.x, y: region.y, width: region.width, height: region.height), in: picture)
                            let text = region.phrase.trimmingCharacters(in: .whitespacesAndNewlines)
                            if text.isEmpty { throw RecordProblem(.text, "its phrase is empty") }
                            found.append(Region(id: found.count, box: box, description: text))
                        }
                    }
                }
                try importer.add(picture, regions: found, absent: [])
            }
        }
    }

    /// - Returns: nil where there is no such file
    private static func index(_ url: URL, _ importer: RecordImporter) throws -> RecordIndex? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        var index = RecordIndex(try ExchangeError.reading { try RandomAccessFile(path: url.path) })
        try JSONElements.forEach(in: url) { element in
            try importer.part("\(url.path), element \(element.number)") {
                let owned = try JSONDecoder().decode(Owned.self, from: Data(element.bytes))
                guard let id = owned.image_id ?? owned.id else { throw RecordProblem(.unreadable, "it names no image") }
                try index.add(element.extent, of: UInt64(bitPattern: Int64(id)))
            }
        }
        index.sort()
        return index
    }
}
