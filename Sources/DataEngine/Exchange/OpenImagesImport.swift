import Annotations
import Boxes
import Foundation

/// Open Images: `*-annotations-bbox.csv` with shares of the sides, the table of class descriptions beside it, pictures named by their ids.
///
/// Not every picture was searched for every class, so only the labels that people found absent (confidence 0 in
/// `*-annotations-human-imagelabels*.csv`, where that file is beside the boxes) count as absent.
enum OpenImagesImport {
    private static let ending = "annotations-bbox.csv"

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = try place.onlyFile("*-\(ending)") { $0.hasSuffix(ending) }
        let names = try classNames(beside: file)
        let boxes = try Rows(file, required: ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"], importer)
        let labels = try labelFile(beside: file).map {
            try Rows($0, required: ["ImageID", "LabelName", "Confidence"], importer)
        }
        for id in boxes.ids {
            try importer.record("\(file.path), image \(id)") {
                let picture = try importer.picture(named: id + ".jpg")
                var regions: [Region] = []
                for (extent, row) in try boxes.rows(of: id) {
                    try importer.part("\(file.path), image \(id), byte \(extent.offset)") {
                        if row("IsGroupOf") == "1" {
                            importer.leaveOut("groups")
                            return
                        }
                        let sides = ["XMin", "YMin", "XMax", "YMax"].compactMap { row($0).flatMap(Double.init) }
                        let box = try? Box(sides, format: .xyxy).scaled(
                            x: Double(picture.width), y: Double(picture.height))
                        // Half a pixel of a large picture is more than the digits of a share can tell.
                        let inner = try importer.checked(box, in: picture)
                        guard let label = row("LabelName"), let name = names[label] else {
                            throw RecordProblem(
                                .reference, "the class descriptions do not know '\(row("LabelName") ?? "")'")
                        }
                        regions.append(Region(id: regions.count, box: inner, category: name))
                    }
                }
                let denied = try labels?.rows(of: id).filter { $0.row("Confidence").flatMap(Double.init) == 0 } ?? []
                let absent = denied.compactMap { $0.row("LabelName").flatMap { names[$0] } }
                try importer.add(picture, regions: regions, absent: absent.sorted())
            }
        }
    }

    /// Names of classes by their ids, `/m/011k07` and the like.
    private static func classNames(beside file: URL) throws -> [String: String] {
        let folder = file.deletingLastPathComponent()
        let found = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
            $0.contains("class-descriptions") && $0.hasSuffix(".csv")
        }.sorted()
        // The classes that have boxes are enough, and their file is the small one.
        guard let name = found.first(where: { $0.contains("boxable") }) ?? found.first else {
            throw ExchangeError.unusableFile(path: folder.path, reason: "holds no *class-descriptions*.csv")
        }
        let place = folder.appendingPathComponent(name).path
        var lines = LineReader(try ExchangeError.reading { try RandomAccessFile(path: place) })
        var names: [String: String] = [:]
        // Older files have no line of names.
        while let line = try ExchangeError.reading({ try lines.next() }) {
            let fields = CSVTable.fields(of: line.bytes ?? [])
            if fields.count >= 2, fields[0].hasPrefix("/") { names[fields[0]] = fields[1] }
        }
        if names.isEmpty { throw ExchangeError.unusableFile(path: place, reason: "describes no classes") }
        return names
    }

    /// `oidv6-train-annotations-human-imagelabels.csv` or `train-annotations-human-imagelabels-boxable.csv` for a file of boxes of `train`.
    private static func labelFile(beside file: URL) -> URL? {
        let folder = file.deletingLastPathComponent(), own = file.lastPathComponent
        guard let split = ["train", "validation", "test"].first(where: own.contains) else { return nil }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        return names.first { $0.contains(split) && $0.contains("human-imagelabels") && $0.hasSuffix(".csv") }.map {
            folder.appendingPathComponent($0)
        }
    }

    /// The rows of a table by their image; they stay in the file.
    private struct Rows {
        private let table: CSVTable
        private var index: RecordIndex
        /// In the order in which they come first.
        private(set) var ids: [String] = []

        init(_ url: URL, required: [String], _ importer: RecordImporter) throws {
            var table = try CSVTable(url, required: required)
            var index = RecordIndex(try ExchangeError.reading { try RandomAccessFile(path: url.path) })
            var ids: [String] = [], known: Set<UInt64> = []
            while let row = try table.next() {
                try importer.part("\(url.path), line \(row.number)") {
                    guard let id = table.value("ImageID", of: row.fields), !id.isEmpty else {
                        throw RecordProblem(.unreadable, "it names no image")
                    }
                    try index.add(row.extent, of: id.stableHash)
                    if known.insert(id.stableHash).inserted { ids.append(id) }
                }
            }
            index.sort()
            (self.table, self.index, self.ids) = (table, index, ids)
        }

        func rows(of id: String) throws -> [(extent: FileExtent, row: (String) -> String?)] {
            try index.records(of: id.stableHash).compactMap { extent, bytes in
                let fields = CSVTable.fields(of: bytes)
                // Two ids may have the same hash.
                guard table.value("ImageID", of: fields) == id else { return nil }
                return (extent, { table.value($0, of: fields) })
            }
        }
    }
}
