import Annotations
import Boxes
import Foundation
import Imaging

import struct Annotations.Annotation

/// Takes records of another form one by one: finds their pictures, judges boxes and texts, hands good ones to the sink and keeps account.
final class RecordImporter {
    /// What an earlier run of the same import did before it ended.
    struct Start {
        /// Records that were taken or left out.
        var records = 0
        var report = ExchangeReport()
        /// Of the pictures that were taken.
        var keys: [String] = []
    }

    let settings: ImportSettings
    private let place: URL
    private(set) var report: ExchangeReport
    private var sink: any AnnotationSink
    private var keys = KeyMaker()
    private(set) var recordCount = 0
    private let start: Int
    private let onRecord: (Int, ExchangeReport) throws -> Void
    private let pictureFolders: [URL]

    /// - Parameters:
    ///   - place: a folder or a file of the other form
    ///   - onRecord: called after each record with the number of records and the account so far
    init(
        place: URL, settings: ImportSettings, sink: any AnnotationSink, start: Start = Start(),
        onRecord: @escaping (Int, ExchangeReport) throws -> Void = { _, _ in }
    ) {
        (self.place, self.settings, self.sink, self.onRecord) = (place, settings, sink, onRecord)
        (self.start, report) = (start.records, start.report)
        for key in start.keys { keys.take(key) }
        let folder = place.isFolder ? place : place.deletingLastPathComponent()
        let given = settings.pictures.map { URL(fileURLWithPath: $0, isDirectory: true) }
        pictureFolders = [given, folder.appendingPathComponent("images"), folder].compactMap { $0 }
    }

    /// - Throws: `ExchangeError.unusableFile` where everything was faulty: the file is of another form, or the pictures are elsewhere.
    func finish() throws -> ExchangeReport {
        if report.pictures == 0, report.records.issueCount > 0 {
            throw ExchangeError.unusableFile(
                path: place.path, reason: "gives no picture that can be used: \(report.records)")
        }
        try sink.finish()
        return report
    }

    // MARK: Judgement

    /// Whether what is read now was taken or left out, and noted, by an earlier run.
    private var isKnown: Bool { recordCount < start }

    /// A part of a record that cannot be used.
    func note(_ place: String, _ problem: RecordProblem) throws {
        if isKnown { return }
        if settings.refusesBadRecords { throw ExchangeError.badRecord(place: place, problem: problem) }
        report.records.note(place, problem)
    }

    func leaveOut(_ what: String, _ count: Int = 1) {
        if !isKnown { report.leaveOut(what, count) }
    }

    /// Runs what is needed for one picture's record. What it throws of faulty input is noted.
    func record(_ place: @autoclosure () -> String, _ body: () throws -> Void) throws {
        if isKnown {
            recordCount += 1
            return
        }
        try part(place(), body)
        recordCount += 1
        try onRecord(recordCount, report)
    }

    /// Runs what is needed for a part of a record, or of a file before its records. What it throws of faulty input is noted.
    func part(_ place: @autoclosure () -> String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let problem as RecordProblem {
            try note(place(), problem)
        } catch AnnotationsError.badRecord(let place, let problem) {
            try note(place, problem)
        } catch AnnotationsError.unusableFile(let path, let reason) {
            let isThere = FileManager.default.fileExists(atPath: path)
            try note(place(), RecordProblem(isThere ? .unusablePicture : .missingPicture, "\(path) \(reason)"))
        } catch let error as DecodingError {
            try note(place(), RecordProblem(decoding: error))
        }
    }

    /// A box within the picture: rounding over an edge is cut off.
    /// - Throws: `RecordProblem` for any other that reaches out, and for one without area.
    func checked(_ box: Box?, in picture: ImportedPicture) throws -> Box {
        guard let box, box.isFinite else { throw RecordProblem(.boxForm, "the box is not four finite numbers") }
        guard box.isValid else { throw RecordProblem(.boxForm, "the box \(box) has its corners in the wrong order") }
        guard box.area > 0 else { throw RecordProblem(.boxArea, "the box \(box) has no area") }
        let inner = box.clipped(toWidth: Double(picture.width), height: Double(picture.height))
        let reach = zip(box.values(.xyxy), inner.values(.xyxy)).map { abs($0 - $1) }.max() ?? 0
        if inner.area > 0, reach <= Region.overhang { return inner }
        if settings.cutsBoxes, inner.area >= 0.5 * box.area {
            leaveOut("parts of boxes beyond the picture")
            return inner
        }
        throw RecordProblem(
            .boxRange, "the box \(box) reaches out of the picture of \(picture.width) x \(picture.height)")
    }

    /// A score, nil where there is none or it means nothing.
    func score(_ value: Double?) -> Double? { value.flatMap { (0...1).contains($0) ? $0 : nil } }

    // MARK: Pictures

    /// Finds and decodes a picture by the name that a record gives it.
    ///
    /// Other machines' folders are not here, so the name's beginnings are left out one by one: `images/v1/patch0/a.jpg` is also found as
    /// `patch0/a.jpg` and as `a.jpg`.
    /// - Throws: `RecordProblem`.
    func picture(named name: String, declared: (width: Int, height: Int)? = nil) throws -> ImportedPicture {
        let parts = name.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard let last = parts.last, !parts.contains("..") else {
            throw RecordProblem(.name, "'\(name)' is no name of a picture")
        }
        var places = settings.pictures == nil && name.hasPrefix("/") ? [URL(fileURLWithPath: name)] : []
        for start in parts.indices {
            let rest = parts[start...].joined(separator: "/")
            places += pictureFolders.map { $0.appendingPathComponent(rest) }
        }
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0.path) && !$0.isFolder }) else {
            throw RecordProblem(.missingPicture, "there is no picture '\(name)'")
        }
        guard let bytes = try? Data(contentsOf: file) else {
            throw RecordProblem(.unusablePicture, "\(file.path) cannot be read")
        }
        return try ImportedPicture([UInt8](bytes), name: last, declared: declared)
    }

    // MARK: Results

    /// Adds a picture with what was found about it.
    func add(
        _ picture: ImportedPicture, key: String? = nil, caption: GroundedCaption? = nil, regions: [Region],
        conversation: [GroundedTurn] = [], absent: [String]? = nil
    ) throws {
        let told = regions.map(\.withoutBlankTexts), regions = told.map(\.region)
        leaveOut("blank texts", told.reduce(0) { $0 + $1.count })
        let annotation = Annotation(
            key: key ?? picture.stem, source: settings.source, format: picture.format,
            sha256: Annotation.digest(of: picture.bytes), width: picture.width, height: picture.height,
            caption: caption, regions: regions, conversation: conversation.isEmpty ? nil : conversation, absent: absent)
        try hand(annotation, picture.bytes)
    }

    /// Adds an annotation that is already in our form.
    func add(whole annotation: Annotation, picture bytes: [UInt8]) throws {
        let picture = try ImportedPicture(
            bytes, name: annotation.fileName, declared: (annotation.width, annotation.height))
        var annotation = annotation
        (annotation.format, annotation.sha256) = (picture.format, Annotation.digest(of: picture.bytes))
        try hand(annotation, picture.bytes)
    }

    private func hand(_ annotation: Annotation, _ bytes: [UInt8]) throws {
        var annotation = annotation
        let name = annotation.key
        annotation.key = KeyMaker.plain(name)
        if let problem = annotation.problems.first { throw problem }
        // Only pictures that are taken use up a key: a later run knows no others.
        annotation.key = keys.key(for: name)
        try sink.add(annotation, picture: bytes)
        report.pictures += 1
        report.regions += annotation.regions.count
    }
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
    /// - Throws: `RecordProblem`.
    init(_ bytes: [UInt8], name: String, declared: (width: Int, height: Int)? = nil) throws {
        let image: Image
        do {
            image = try Image(decoding: bytes)
        } catch {
            throw RecordProblem(.unusablePicture, "\(name): \(error)")
        }
        if let declared, declared != (image.width, image.height) {
            throw RecordProblem(
                .pictureSize,
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

    /// Notes a key that was given out before.
    mutating func take(_ key: String) { taken.insert(key.stableHash) }

    mutating func key(for name: String) -> String {
        let base = Self.plain(name)
        var key = base, number = 1
        while !taken.insert(key.stableHash).inserted {
            number += 1
            key = "\(base)-\(number)"
        }
        return key
    }

    /// A name with other characters in place of those that a key cannot have. Names of files in archives have room for 100.
    static func plain(_ name: String) -> String {
        let plain = String(
            name.unicodeScalars.prefix(80).map { scalar -> Character in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                return isPlain || scalar == "-" || scalar == "_" ? Character(scalar) : "_"
            })
        return plain.isEmpty ? "picture" : plain
    }
}

extension URL {
    var isFolder: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The only file of the folder whose name fits; the file itself where it is one.
    ///
    /// - Parameter description: what the names look like, for messages
    /// - Throws: `ExchangeError.unusableFile` for none or several.
    func onlyFile(_ description: String, where fits: (String) -> Bool) throws -> URL {
        guard isFolder else { return self }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter(fits).sorted()
        if names.count == 1 { return appendingPathComponent(names[0]) }
        throw ExchangeError.unusableFile(
            path: path,
            reason: names.isEmpty
                ? "holds no \(description)" : "holds \(names.joined(separator: ", ")); name the file that is meant")
    }
}
