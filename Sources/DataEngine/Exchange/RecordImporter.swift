import Annotations
import Boxes
import Foundation
import Imaging

import struct Annotations.Annotation

/// Takes records of another form one by one: finds their pictures, judges boxes and texts, hands good ones to the sink and keeps account.
final class RecordImporter {
    let settings: ImportSettings
    private(set) var report = ExchangeReport()
    private var sink: any AnnotationSink
    private var keys = KeyMaker()
    private let pictureFolders: [URL]

    /// - Parameter place: a folder or a file of the other form
    init(place: URL, settings: ImportSettings, sink: any AnnotationSink) {
        (self.settings, self.sink) = (settings, sink)
        let folder = place.isFolder ? place : place.deletingLastPathComponent()
        let given = settings.pictures.map { URL(fileURLWithPath: $0, isDirectory: true) }
        pictureFolders = [given, folder.appendingPathComponent("images"), folder].compactMap { $0 }
    }

    func finish() throws -> ExchangeReport {
        try sink.finish()
        return report
    }

    // MARK: Judgement

    /// A part of a record that cannot be used.
    func note(_ place: String, _ reason: String) throws {
        if settings.refusesBadRecords { throw ExchangeError.badRecord(place: place, reason: reason) }
        report.records.note(place, reason)
    }

    func leaveOut(_ what: String, _ count: Int = 1) { report.leaveOut(what, count) }

    /// Runs what is needed for one record. What it throws of faulty input is noted.
    func record(_ place: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let fault as RecordFault {
            try note(place, fault.reason)
        } catch AnnotationSetError.badRecord(let place, let reason) {
            try note(place, reason)
        } catch AnnotationSetError.unusableFile(let path, let reason) {
            try note(place, "\(path) \(reason)")
        } catch let error as DecodingError {
            try note(place, error.inWords)
        }
    }

    /// A box within the picture: rounding over an edge is cut off.
    /// - Throws: `RecordFault` for any other that reaches out, and for one without area.
    func checked(_ box: Box?, in picture: ImportedPicture) throws -> Box {
        guard let box, box.isValid else { throw RecordFault("the box is not four finite numbers in order") }
        let inner = box.clipped(toWidth: Double(picture.width), height: Double(picture.height))
        guard inner.area > 0 else { throw RecordFault("the box \(box) shows nothing of the picture") }
        let reach = zip(box.values(.xyxy), inner.values(.xyxy)).map { abs($0 - $1) }.max() ?? 0
        guard reach <= Region.overhang else {
            throw RecordFault("the box \(box) reaches out of the picture of \(picture.width) x \(picture.height)")
        }
        return inner
    }

    /// A score, nil where there is none or it means nothing.
    func score(_ value: Double?) -> Double? { value.flatMap { (0...1).contains($0) ? $0 : nil } }

    // MARK: Pictures

    /// Finds and decodes a picture by the name that a record gives it.
    /// - Throws: `RecordFault`.
    func picture(named name: String, declared: (width: Int, height: Int)? = nil) throws -> ImportedPicture {
        let parts = name.split(separator: "/", omittingEmptySubsequences: true)
        guard !parts.isEmpty, !parts.contains("..") else { throw RecordFault("'\(name)' is no name of a picture") }
        var places = pictureFolders.map { $0.appendingPathComponent(name) }
        // Other machines' paths: the file's own name is what can be found here.
        places += pictureFolders.map { $0.appendingPathComponent(String(parts[parts.count - 1])) }
        if settings.pictures == nil, name.hasPrefix("/") { places.insert(URL(fileURLWithPath: name), at: 0) }
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0.path) && !$0.isFolder }) else {
            throw RecordFault("there is no picture '\(name)'")
        }
        guard let bytes = try? Data(contentsOf: file) else { throw RecordFault("\(file.path) cannot be read") }
        return try ImportedPicture([UInt8](bytes), name: String(parts[parts.count - 1]), declared: declared)
    }

    // MARK: Results

    /// Adds a picture with what was found about it.
    func add(
        _ picture: ImportedPicture, key: String? = nil, caption: GroundedCaption? = nil, regions: [Region],
        conversation: [GroundedTurn] = [], place: String
    ) throws {
        let annotation = Annotation(
            key: keys.key(for: key ?? picture.stem), source: settings.source, format: picture.format,
            sha256: Annotation.digest(of: picture.bytes), width: picture.width, height: picture.height,
            caption: caption, regions: regions, conversation: conversation.isEmpty ? nil : conversation)
        try hand(annotation, picture.bytes, place)
    }

    /// Adds an annotation that is already in our form.
    func add(whole annotation: Annotation, picture bytes: [UInt8], place: String) throws {
        let picture = try ImportedPicture(
            bytes, name: annotation.fileName, declared: (annotation.width, annotation.height))
        var annotation = annotation
        annotation.key = keys.key(for: annotation.key)
        (annotation.format, annotation.sha256) = (picture.format, Annotation.digest(of: picture.bytes))
        try hand(annotation, picture.bytes, place)
    }

    private func hand(_ annotation: Annotation, _ bytes: [UInt8], _ place: String) throws {
        if let problem = annotation.problems.first { throw RecordFault(problem) }
        try sink.add(annotation, picture: bytes)
        report.pictures += 1
        report.regions += annotation.regions.count
    }
}

/// Why a record, or a part of one, is of no use.
struct RecordFault: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// A picture of a record: decoded once, so that its size is known to be true.
struct ImportedPicture {
    let bytes: [UInt8]
    /// File name's extension.
    let format: String
    let width: Int, height: Int
    /// The file's name without extension.
    let stem: String

    /// - Parameter declared: the side lengths that the record states
    /// - Throws: `RecordFault`.
    init(_ bytes: [UInt8], name: String, declared: (width: Int, height: Int)? = nil) throws {
        let image: Image
        do {
            image = try Image(decoding: bytes)
        } catch {
            throw RecordFault("\(name): \(error)")
        }
        if let declared, declared != (image.width, image.height) {
            throw RecordFault(
                "\(name) is \(image.width) x \(image.height) as shown, but the record says \(declared.width) x \(declared.height)"
            )
        }
        (width, height) = (image.width, image.height)
        stem = String(name.lastIndex(of: ".").map { name[..<$0] } ?? name[...])
        switch ImageFormat(sniffing: bytes) {
        case .jpeg: (self.bytes, format) = (bytes, "jpg")
        case .png: (self.bytes, format) = (bytes, "png")
        case .webp: (self.bytes, format) = (bytes, "webp")
        default: (self.bytes, format) = (try image.encoded(as: .png), "png")
        }
    }
}

/// Makes keys of letters, digits, `-` and `_` that differ from each other.
struct KeyMaker {
    /// Hashes of the keys that were given out: a false alarm costs no more than a number behind a key.
    private var taken: Set<UInt64> = []

    mutating func key(for name: String) -> String {
        let plain = String(
            name.unicodeScalars.prefix(120).map { scalar -> Character in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                return isPlain || scalar == "-" || scalar == "_" ? Character(scalar) : "_"
            })
        let base = plain.isEmpty ? "picture" : plain
        var key = base, number = 1
        while !taken.insert(Self.hash(key)).inserted {
            number += 1
            key = "\(base)-\(number)"
        }
        return key
    }

    /// FNV-1a.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension URL {
    var isFolder: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

extension DecodingError {
    /// The problem and its place in one line.
    var inWords: String {
        let (text, context) =
            switch self {
            case .keyNotFound(let key, let context): ("'\(key.stringValue)' is missing", context)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.debugDescription, context)
            @unknown default: ("it is unreadable", Context(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return path.isEmpty ? text : "\(path.joined(separator: ".")): \(text)"
    }
}
