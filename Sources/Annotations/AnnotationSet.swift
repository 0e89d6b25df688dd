import Crypto
import Foundation

/// Annotated pictures that can be read by number, from any thread. Memory does not grow with pictures and texts.
public protocol AnnotationSet: Sendable {
    var count: Int { get }

    /// - Throws: `AnnotationsError`.
    func annotation(at index: Int) throws -> Annotation

    /// The annotation with the bytes of its picture.
    /// - Throws: `AnnotationsError`.
    func sample(at index: Int) throws -> AnnotatedSample

    /// File and line or member, for messages.
    func place(of index: Int) -> String
}

/// An annotation and the bytes of its picture.
public struct AnnotatedSample: Sendable, Hashable {
    public var annotation: Annotation
    public var picture: [UInt8]

    public init(annotation: Annotation, picture: [UInt8]) {
        (self.annotation, self.picture) = (annotation, picture)
    }
}

public enum AnnotationSets {
    /// Opens a folder: what the data engine wrote (``AnnotationShards``), or pictures with a list (``AnnotationFolder``).
    /// - Throws: `AnnotationsError` naming what is missing or damaged.
    public static func open(_ folder: URL) throws -> any AnnotationSet {
        let files = FileManager.default
        if files.fileExists(atPath: folder.appendingPathComponent(AnnotationShards.folderName).path) {
            return try AnnotationShards(folder)
        }
        if files.fileExists(atPath: folder.appendingPathComponent(AnnotationFolder.listName).path) {
            return try AnnotationFolder(folder)
        }
        throw AnnotationsError.unusableFile(
            path: folder.path,
            reason: "holds neither \(AnnotationShards.folderName)/, as the data engine writes, nor "
                + "\(AnnotationFolder.listName)")
    }
}

extension Annotation {
    /// The picture's file name: key and extension.
    public var fileName: String { "\(key).\(format)" }

    /// SHA-256 of a picture's bytes in hexadecimal digits, as ``sha256`` has it.
    public static func digest(of picture: [UInt8]) -> String { SHA256.hash(data: picture).hexadecimal }

    /// The annotation with its picture.
    /// - Throws: `AnnotationsError.badRecord` naming `place` where the bytes are not those that were annotated.
    func sample(_ picture: [UInt8], place: @autoclosure () -> String) throws(AnnotationsError) -> AnnotatedSample {
        // Other programs may leave the sum out.
        guard sha256.isEmpty || Self.digest(of: picture) == sha256 else {
            throw .badRecord(
                place: place(),
                problem: RecordProblem(
                    .unusablePicture, "the picture '\(fileName)' is not the one that was annotated: its SHA-256 differs"
                ))
        }
        return AnnotatedSample(annotation: self, picture: picture)
    }

    /// - Throws: `AnnotationsError.badRecord` naming `place`.
    static func decoded(_ bytes: [UInt8], place: @autoclosure () -> String) throws(AnnotationsError) -> Annotation {
        do {
            return try JSONDecoder().decode(Annotation.self, from: Data(bytes))
        } catch {
            throw .badRecord(place: place(), problem: RecordProblem(decoding: error, "is no annotation: "))
        }
    }
}

extension RecordProblem {
    /// What is wrong with a record that could not be decoded: the problem and its place in one line.
    package init(decoding error: any Error, _ beginning: String = "") {
        guard let error = error as? DecodingError else {
            self.init(.unreadable, "\(beginning)\(error)")
            return
        }
        let (text, context) =
            switch error {
            case .keyNotFound(let key, let context): ("'\(key.stringValue)' is missing", context)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.debugDescription, context)
            @unknown default: ("it is unreadable", DecodingError.Context(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        let isBox = path.contains(Region.CodingKeys.box.rawValue)
        self.init(
            isBox ? .boxForm : .unreadable, beginning + (path.isEmpty ? "" : path.joined(separator: ".") + ": ") + text)
    }
}

extension Digest {
    /// Two digits a byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
