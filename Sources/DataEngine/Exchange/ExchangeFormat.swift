import Annotations
import Boxes
import Foundation

import struct Annotations.Annotation

/// Forms of annotated pictures that other programs read and write.
public enum ExchangeFormat: String, CaseIterable, Codable, Sendable {
    /// `annotations.json` (instances) and `captions.json`, pictures in `images/`.
    case coco
    /// `data.yaml`, `labels/*.txt`, pictures in `images/`: also what the package `supervision` reads.
    case yolo
    /// `data.json` with conversations, pictures in `images/`.
    case llava
    /// `tasks.json` to import into Label Studio, pictures in `images/`.
    case labelStudio = "label-studio"
    /// `samples.json`, pictures in `data/`: FiftyOne's own JSON form.
    case fiftyOne = "fiftyone"
    /// Tab-separated lines with pictures and annotations, as Rexverse-2M is published.
    case rexverse
    /// `annotations.jsonl` and `pictures/`: everything that an annotation says.
    case folder

    /// What a set loses on its way through this form and back, for the documentation and the log.
    public var loses: String {
        switch self {
        case .coco:
            "phrases, descriptions, referring expressions, where a caption's phrases stand, conversations, region ids"
        case .yolo: "everything but boxes and categories; boxes keep six digits of the picture's sides"
        case .llava: "scores, region ids"
        case .labelStudio: "where a caption's phrases stand, conversations, region ids"
        case .fiftyOne: "where a caption's phrases stand, conversations"
        case .rexverse: "where a caption's phrases stand, conversations, region ids"
        case .folder: "nothing"
        }
    }
}

/// How records are taken from another form.
public struct ImportSettings: Codable, Sendable, Equatable {
    /// Whether one bad record ends the import. Otherwise bad ones are left out and reported.
    public var refusesBadRecords = false
    /// Where pictures lie, if not beside the file.
    public var pictures: String?
    /// What `Annotation.source` says.
    public var source = "import"
    /// How boxes are written in Rexverse's files.
    public var rexverseBoxes = BoxFormat.xywh

    public init() {}
}

/// How annotations are written in another form.
public struct ExportSettings: Codable, Sendable, Equatable {
    /// Stands before the file name in the addresses of pictures that Label Studio is given; the default is its local file storage.
    public var labelStudioPrefix = "/data/local-files/?d=images/"
    /// Names the set where a form has a place for it.
    public var name = "chatrex"

    public init() {}
}

/// What went through, and what did not.
public struct ExchangeReport: Codable, Sendable, Hashable, CustomStringConvertible {
    public var pictures = 0, regions = 0
    /// What the other form has no place for, or this one: how often, by name.
    public var leftOut: [String: Int] = [:]
    /// Bad records and bad parts of records.
    public var records = RecordReport()

    public init() {}

    mutating func leaveOut(_ what: String, _ count: Int = 1) {
        if count > 0 { leftOut[what, default: 0] += count }
    }

    public var description: String {
        var lines = ["\(pictures) pictures with \(regions) regions"]
        if !leftOut.isEmpty {
            lines.append(
                "left out: " + leftOut.sorted { $0.key < $1.key }.map { "\($1) \($0)" }.joined(separator: ", "))
        }
        if records.issueCount > 0 { lines.append("\(records.issueCount) faulty:\n\(records)") }
        return lines.joined(separator: "\n")
    }
}

/// Annotated pictures from and to other forms.
public enum AnnotationExchange {
    /// Reads another form into a sink, picture by picture.
    ///
    /// - Parameters:
    ///   - place: the folder, or its main file
    ///   - sink: finished at the end; when this throws, it is not
    /// - Throws: `ExchangeError`; what the sink throws.
    public static func importRecords(
        _ format: ExchangeFormat, from place: URL, into sink: any AnnotationSink,
        settings: ImportSettings = ImportSettings()
    ) throws -> ExchangeReport {
        let importer = RecordImporter(place: place, settings: settings, sink: sink)
        switch format {
        case .coco: try COCOExchange.read(place, importer)
        case .yolo: try YOLOExchange.read(place, importer)
        case .llava: try LLaVAExchange.read(place, importer)
        case .labelStudio: try LabelStudioExchange.read(place, importer)
        case .fiftyOne: try FiftyOneExchange.read(place, importer)
        case .rexverse: try RexverseExchange.read(place, importer)
        case .folder: try readFolder(place, importer)
        }
        return try importer.finish()
    }

    /// Writes annotated pictures in another form into a new or empty folder.
    ///
    /// - Throws: `ExchangeError` where the folder cannot be written to or is not empty, `AnnotationSetError` for a set that cannot be read.
    public static func exportRecords(
        _ set: any AnnotationSet, as format: ExchangeFormat, to folder: URL,
        settings: ExportSettings = ExportSettings()
    ) throws -> ExchangeReport {
        let output = try ExportFolder(folder)
        switch format {
        case .coco: return try COCOExchange.write(set, to: output)
        case .yolo: return try YOLOExchange.write(set, to: output)
        case .llava: return try LLaVAExchange.write(set, to: output)
        case .labelStudio: return try LabelStudioExchange.write(set, to: output, settings: settings)
        case .fiftyOne: return try FiftyOneExchange.write(set, to: output, settings: settings)
        case .rexverse: return try RexverseExchange.write(set, to: output)
        case .folder: return try writeFolder(set, to: output)
        }
    }

    private static func readFolder(_ place: URL, _ importer: RecordImporter) throws {
        let set = try AnnotationSets.open(place)
        for index in 0..<set.count {
            try importer.record(set.place(of: index)) {
                let sample = try set.sample(at: index)
                try importer.add(whole: sample.annotation, picture: sample.picture, place: set.place(of: index))
            }
        }
    }

    private static func writeFolder(_ set: any AnnotationSet, to output: ExportFolder) throws -> ExchangeReport {
        var sink = try AnnotationFolderSink(output.url), report = ExchangeReport()
        for index in 0..<set.count {
            let sample = try set.sample(at: index)
            try sink.add(sample.annotation, picture: sample.picture)
            report.pictures += 1
            report.regions += sample.annotation.regions.count
        }
        try sink.finish()
        return report
    }
}

/// Why an exchange ended.
public enum ExchangeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file or folder that cannot be read, or is not of the form that was named.
    case unusableFile(path: String, reason: String)
    /// The first bad record, where bad records are refused.
    case badRecord(place: String, reason: String)
    case unwritable(path: String, reason: String)
    /// A setting that nothing can be made with.
    case invalidSetting(name: String, reason: String)

    public var description: String {
        switch self {
        case .unusableFile(let path, let reason): "\(path): \(reason)"
        case .badRecord(let place, let reason):
            "\(place): \(reason). Nothing was imported; leave bad records out to go on without it."
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .invalidSetting(let name, let reason): "setting '\(name)': \(reason)"
        }
    }
}
