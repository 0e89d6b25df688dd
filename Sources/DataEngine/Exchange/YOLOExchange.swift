import Annotations
import Boxes
import ChatRex
import Foundation
import Yams

import struct Annotations.Annotation

/// YOLO: a text file for each picture, a line for each box, and `data.yaml` with the names of the classes.
enum YOLOExchange {
    private static let names = "data.yaml", pictures = "images", labels = "labels"

    static func write(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        // Names that differ by case alone would be one class to the writer of labels.
        var seen: Set<String> = []
        let names = try CategoryNames.sorted(of: set).filter { seen.insert($0.lowercased()).inserted }
        var report = ExchangeReport()
        try FileManager.default.createDirectory(
            at: output.url.appendingPathComponent(labels), withIntermediateDirectories: true)
        try output.forEachSample(
            of: set, pictures: pictures,
            losing: [.captions, .phrases, .descriptions, .expressions, .conversations, .absent], &report
        ) { annotation, report in
            let groups = annotation.regions.compactMap { region in
                region.category.map { category in
                    let object = GroundedAnswer.Object(index: region.id, box: region.box, score: region.score ?? 1)
                    return GroundedAnswer.Group(phrase: category, range: 0..<0, objects: [object])
                }
            }
            let lines = GroundedAnswer(rawText: "", text: "", groups: groups).yoloLabels(
                names: names, width: annotation.width, height: annotation.height)
            try output.write(Data(lines.utf8), to: "\(labels)/\(annotation.key).txt")
            report.regions += groups.count
            report.leaveOut("regions without a category", annotation.regions.count - groups.count)
        }
        let list = names.enumerated().map { "  \($0): \(quoted($1))" }.joined(separator: "\n")
        let text = "path: .\ntrain: \(pictures)\nval: \(pictures)\nnc: \(names.count)\nnames:\n\(list)\n"
        try output.write(Data(text.utf8), to: Self.names)
        return report
    }

    /// A YAML text that is nothing else, whatever it spells.
    private static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: " "
            default: String(scalar)
            }
        }
        return "\"\(plain.joined())\""
    }

    static func read(_ place: URL, _ importer: RecordImporter) throws {
        let file = place.isFolder ? place.appendingPathComponent(names) : place
        let description = try Description(file)
        for folder in description.pictureFolders {
            let labels = labelFolder(of: folder)
            let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in found.sorted() where !name.hasPrefix(".") {
                let path = folder.appendingPathComponent(name).path
                try importer.record(path) {
                    guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
                        throw RecordProblem(.unusablePicture, "it cannot be read")
                    }
                    let picture = try ImportedPicture([UInt8](bytes), name: name)
                    let regions = try regions(
                        in: labels.appendingPathComponent(picture.stem + ".txt"), description.names, picture, importer)
                    try importer.add(picture, regions: regions)
                }
            }
        }
    }

    /// What `data.yaml` says.
    private struct Description {
        var names: [Int: String]
        var pictureFolders: [URL]

        init(_ file: URL) throws {
            func bad(_ reason: String) -> ExchangeError { .unusableFile(path: file.path, reason: reason) }
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { throw bad("cannot be read") }
            let root: Node?
            do { root = try Yams.compose(yaml: text) } catch { throw bad("is no YAML: \(error)") }
            if let list = root?["names"]?.sequence {
                names = Dictionary(uniqueKeysWithValues: list.enumerated().map { ($0, $1.string ?? "\($0)") })
            } else if let table = root?["names"]?.mapping {
                names = [:]
                for (key, value) in table { if let id = key.int { names[id] = value.string } }
            } else {
                throw bad("has no list 'names'")
            }
            let folder = file.deletingLastPathComponent()
            let base = root?["path"]?.string.map { URL(fileURLWithPath: $0, relativeTo: folder) } ?? folder
            var found: [URL] = []
            for split in ["train", "val", "valid", "test"] {
                guard let value = root?[split] else { continue }
                for name in value.sequence.map({ $0.compactMap(\.string) }) ?? [value.string].compactMap({ $0 }) {
                    // Roboflow writes ../train/images where train/images is meant.
                    let tries =
                        [base, folder].map { $0.appendingPathComponent(name) }
                        + [folder.appendingPathComponent(name.replacingOccurrences(of: "../", with: ""))]
                    guard let place = tries.first(where: \.isFolder)?.standardizedFileURL else { continue }
                    if !found.contains(where: { $0.path == place.path }) { found.append(place) }
                }
            }
            let usual = folder.appendingPathComponent(pictures)
            if found.isEmpty && usual.isFolder { found = [usual] }
            if found.isEmpty { throw bad("names no folder of pictures that is there") }
            pictureFolders = found
        }
    }

    /// `labels` in place of the last `images` of the path.
    private static func labelFolder(of folder: URL) -> URL {
        var parts = folder.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if let index = parts.lastIndex(of: pictures) { parts[index] = labels }
        return URL(fileURLWithPath: parts.joined(separator: "/"), isDirectory: true)
    }

    private static func regions(
        in file: URL, _ names: [Int: String], _ picture: ImportedPicture, _ importer: RecordImporter
    ) throws -> [Region] {
        // A picture without anything has no file.
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        var regions: [Region] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            try importer.part("\(file.path), line \(number + 1)") {
                guard let kind = Int(words[0]) else {
                    throw RecordProblem(.unreadable, "it does not begin with a class's number")
                }
                guard let name = names[kind] else { throw RecordProblem(.reference, "there is no class \(kind)") }
                let numbers = words.dropFirst().compactMap { Double($0) }
                guard numbers.count == words.count - 1 else {
                    throw RecordProblem(.boxForm, "it holds what is no number")
                }
                let box = try box(numbers).scaled(x: Double(picture.width), y: Double(picture.height))
                regions.append(
                    Region(
                        id: regions.count, box: try importer.checked(box, in: picture),
                        score: numbers.count == 5 ? importer.score(numbers[4]) : nil, category: name))
            }
        }
        return regions
    }

    /// Four numbers of a box, five with a score, or an outline's corners.
    private static func box(_ numbers: [Double]) throws -> Box {
        if numbers.count == 4 || numbers.count == 5 { return try Box(Array(numbers.prefix(4)), format: .cxcywh) }
        guard numbers.count >= 6, numbers.count % 2 == 0 else {
            throw RecordProblem(.boxForm, "it has \(numbers.count) numbers, which is neither a box nor an outline")
        }
        let xs = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
        let ys = stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] }
        return Box(x1: xs.min() ?? 0, y1: ys.min() ?? 0, x2: xs.max() ?? 0, y2: ys.max() ?? 0)
    }
}
