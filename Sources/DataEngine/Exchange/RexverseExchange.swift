import Annotations
import Boxes
import Checkpoints
import Foundation

import struct Annotations.Annotation

/// Rexverse-2M as it is published: a file of pictures, one a line (`name`, tab, base64), and files of annotations (the byte at which the
/// picture's line begins, tab, JSON), each with a `.lineidx` of the bytes at which its lines begin.
///
/// The publication has `0_500000_image_part_N.tsv`, `0_500000_one_sentence.annotation.tsv` (phrases and descriptions) and
/// `0_500000_referring.annotations.tsv` (referring expressions). The JSON is `{"boxes": [{"bbox": [x, y, w, h], "phrase": …, "caption": …}]}`
/// in the authors' loaders for this family of files; its exact fields for this set could not be looked at, so reading takes the names that
/// are usual and leaves the rest.
enum RexverseExchange {
    /// What a file of annotations says about regions.
    private enum Kind: CaseIterable {
        case sentences, references

        /// In the file's name.
        var mark: String { self == .sentences ? "one_sentence" : "referring" }
        var fileName: String { mark + ".annotations.tsv" }
    }

    private static let pictures = "image.tsv"

    /// A region in the JSON.
    private struct Entry: Codable {
        var bbox: [Double]
        var phrase: String?, caption: String?, category: String?
        var score: Double?
    }

    private struct Row: Codable {
        var boxes: [Entry]
        var caption: String?
    }

    // MARK: Out

    static func write(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        var report = ExchangeReport()
        let images = try LineFile(output.url.appendingPathComponent(pictures))
        let files = try Kind.allCases.map { try ($0, LineFile(output.url.appendingPathComponent($0.fileName))) }
        for index in 0..<set.count {
            let sample = try set.sample(at: index), annotation = sample.annotation
            let start = images.position
            try images.add("\(annotation.fileName)\t" + Data(sample.picture).base64EncodedString())
            for (kind, file) in files {
                let entries = annotation.regions.compactMap { entry(kind, $0) }
                if entries.isEmpty && kind == .references { continue }
                let row = Row(boxes: entries, caption: annotation.caption?.text)
                try file.add("\(start)\t" + String(decoding: JSONEncoder.lines.encode(row), as: UTF8.self))
            }
            report.pictures += 1
            report.regions += annotation.regions.count
            report.leaveOut([.captionPhrases, .conversations, .absent], of: annotation)
        }
        for file in [images] + files.map(\.1) { try file.finish() }
        return report
    }

    private static func entry(_ kind: Kind, _ region: Region) -> Entry? {
        let box = region.box.values(.xywh)
        switch kind {
        case .sentences:
            return Entry(
                bbox: box, phrase: region.phrase, caption: region.description, category: region.category,
                score: region.score)
        case .references:
            return region.referringExpression.map { Entry(bbox: box, caption: $0) }
        }
    }

    /// A file of lines and the list of where they begin.
    private final class LineFile {
        private let file: AtomicFile, index: AtomicFile

        init(_ url: URL) throws {
            file = try AtomicFile(replacing: url)
            index = try AtomicFile(replacing: URL(fileURLWithPath: url.path + ".lineidx"))
        }

        var position: Int { file.count }

        func add(_ line: String) throws {
            try index.write("\(position)\n")
            try file.write(line + "\n")
        }

        func finish() throws {
            try file.commit()
            try index.commit()
        }
    }

    // MARK: In

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        guard place.isFolder else {
            throw ExchangeError.unusableFile(path: place.path, reason: "is no folder; name the one with the .tsv files")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path).filter { $0.hasSuffix(".tsv") }
            .sorted()
        let lists = names.filter { $0.contains("annotation") }
        let parts = names.filter { $0.contains("image") && !$0.contains("annotation") }
        guard !lists.isEmpty, !parts.isEmpty else {
            throw ExchangeError.unusableFile(
                path: place.path, reason: "needs *image*.tsv and *annotation*.tsv, as Rexverse-2M is published")
        }
        // Where the rows about a picture are; rows themselves stay in the files.
        var rows: [Int: [(file: Int, start: Int, length: Int)]] = [:]
        let files = try lists.map { try TextLines([place.appendingPathComponent($0)]) }
        for (number, file) in files.enumerated() {
            try file.forEachLine { line, start in
                let place = "\(lists[number]), byte \(start)"
                try importer.part(place) {
                    guard let tab = line.firstIndex(of: UInt8(ascii: "\t")),
                        let picture = Int(String(decoding: line[..<tab], as: UTF8.self))
                    else { throw RecordProblem(.unreadable, "it does not begin with the place of a picture") }
                    rows[picture, default: []].append((number, start + tab + 1, line.count - tab - 1))
                }
            }
        }
        let images = try TextLines(parts.map { place.appendingPathComponent($0) })
        try images.forEachLine { line, start in
            let place = "\(parts[0]), byte \(start)"
            try importer.record(place) {
                guard let own = rows[start] else {
                    importer.leaveOut("pictures without annotations")
                    return
                }
                let columns = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
                guard columns.count == 2, let bytes = decoded(columns[1]) else {
                    throw RecordProblem(.unusablePicture, "it is no picture in base64 after a name")
                }
                let name = String(decoding: columns[0], as: UTF8.self)
                let picture = try ImportedPicture(
                    bytes, name: name.split(separator: "/").last.map(String.init) ?? "picture")
                var reader = RegionReader(picture: picture, importer: importer)
                for row in own {
                    let text = try files[row.file].bytes(at: row.start, length: row.length)
                    let place = "\(lists[row.file]), byte \(row.start)"
                    try importer.part(place) {
                        try reader.read(text, isReferring: lists[row.file].contains("refer"), place)
                    }
                }
                try importer.add(
                    picture, caption: reader.caption.map { GroundedCaption(text: $0) }, regions: reader.regions)
            }
        }
    }

    /// The older files write the bytes as Python prints them: `b'…'`.
    private static func decoded(_ column: ArraySlice<UInt8>) -> [UInt8]? {
        var text = column
        if text.starts(with: "b'".utf8) { text = text.dropFirst(2).dropLast() }
        while let last = text.last, last == 13 || last == 32 { text = text.dropLast() }
        return Data(base64Encoded: Data(text)).map { [UInt8]($0) }
    }

    /// Gathers the regions of a picture from several files: the same box is the same region.
    private struct RegionReader {
        let picture: ImportedPicture
        let importer: RecordImporter
        var caption: String?
        var regions: [Region] = []
        private var numbers: [[Double]: Int] = [:]

        init(picture: ImportedPicture, importer: RecordImporter) {
            (self.picture, self.importer) = (picture, importer)
        }

        mutating func read(_ json: [UInt8], isReferring: Bool, _ place: String) throws {
            guard let value = try? JSONSerialization.jsonObject(with: Data(json)) else {
                throw RecordProblem(.unreadable, "it is no JSON")
            }
            let object = value as? [String: Any] ?? [:]
            let list = ["boxes", "annotations", "objects", "regions"].lazy.compactMap { object[$0] as? [Any] }.first
            guard let entries = list ?? value as? [Any] else {
                throw RecordProblem(.unreadable, "it has no list of boxes")
            }
            caption = caption ?? text(object, ["caption", "image_caption"])
            for (number, entry) in entries.enumerated() {
                guard let entry = entry as? [String: Any] else {
                    throw RecordProblem(.boxForm, "box \(number) is no object")
                }
                let fault = Result { try add(entry, isReferring) }
                try importer.part("\(place), box \(number)") { try fault.get() }
            }
        }

        private mutating func add(_ entry: [String: Any], _ isReferring: Bool) throws {
            let numbers = (entry["bbox"] ?? entry["box"]) as? [Any] ?? []
            let values = numbers.compactMap { ($0 as? NSNumber)?.doubleValue }
            let box = try importer.checked(
                try? Box(values, format: importer.settings.rexverseBoxes), in: picture)
            let at = region(at: box, key: values)
            regions[at].score = regions[at].score ?? importer.score((entry["score"] as? NSNumber)?.doubleValue)
            func take(_ path: WritableKeyPath<Region, String?>, _ names: [String]) {
                regions[at][keyPath: path] = regions[at][keyPath: path] ?? text(entry, names)
            }
            take(\.category, ["category", "category_name", "name", "label"])
            let sentences = ["caption", "one_sentence", "sentence", "description", "region_caption"]
            if isReferring {
                take(\.referringExpression, ["referring", "referring_expression", "ref"] + sentences + ["phrase"])
            } else {
                take(\.phrase, ["phrase", "short_phrase"])
                take(\.description, sentences)
            }
        }

        private mutating func region(at box: Box, key: [Double]) -> Int {
            if let known = numbers[key] { return known }
            numbers[key] = regions.count
            regions.append(Region(id: regions.count, box: box))
            return regions.count - 1
        }

        private func text(_ object: [String: Any], _ names: [String]) -> String? {
            names.lazy.compactMap { object[$0] as? String }.first { !$0.isEmpty }
        }
    }
}

/// Lines of files that are read as if they were one.
private struct TextLines {
    private let data: [Data]
    private let path: String

    init(_ files: [URL]) throws(ExchangeError) {
        path = files.first?.path ?? ""
        do {
            data = try files.map { try Data(contentsOf: $0, options: .alwaysMapped) }
        } catch {
            throw .unusableFile(path: path, reason: "cannot be read: \(error)")
        }
    }

    /// Calls `body` with every line that is not empty and the byte at which it begins.
    func forEachLine(_ body: ([UInt8], Int) throws -> Void) throws {
        // What a file ends with may go on in the next one.
        var rest: [UInt8] = [], start = 0, position = 0
        for piece in data {
            try piece.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
                var from = 0
                while from < bytes.count, let base = bytes.baseAddress,
                    let found = memchr(base + from, 0x0A, bytes.count - from)
                {
                    let end = UnsafeRawPointer(found) - base
                    rest += bytes[from..<end]
                    if !rest.isEmpty { try body(rest, start) }
                    rest.removeAll(keepingCapacity: true)
                    from = end + 1
                    start = position + from
                }
                rest += bytes[from...]
            }
            position += piece.count
        }
        if !rest.isEmpty { try body(rest, start) }
    }

    /// Bytes of the first file.
    func bytes(at start: Int, length: Int) throws -> [UInt8] {
        guard let piece = data.first, start >= 0, length >= 0, start + length <= piece.count else {
            throw RecordProblem(.unreadable, "it lies beyond the file's end")
        }
        return [UInt8](piece[(piece.startIndex + start)..<(piece.startIndex + start + length)])
    }
}
