import Crypto
import Foundation

/// Annotated pictures that can be read by number, from any thread. Memory does not grow with pictures and texts.
public protocol AnnotationSet: Sendable {
    var count: Int { get }

    /// - Throws: `AnnotationSetError`.
    func annotation(at index: Int) throws -> Annotation

    /// The annotation with the bytes of its picture.
    /// - Throws: `AnnotationSetError`.
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
    /// - Throws: `AnnotationSetError` naming what is missing or damaged.
    public static func open(_ folder: URL) throws -> any AnnotationSet {
        let files = FileManager.default
        if files.fileExists(atPath: folder.appendingPathComponent(AnnotationShards.folderName).path) {
            return try AnnotationShards(folder)
        }
        if files.fileExists(atPath: folder.appendingPathComponent(AnnotationFolder.listName).path) {
            return try AnnotationFolder(folder)
        }
        throw AnnotationSetError.unusableFile(
            path: folder.path,
            reason: "holds neither \(AnnotationShards.folderName)/, as the data engine writes, nor "
                + "\(AnnotationFolder.listName)")
    }
}

extension Annotation {
    /// The picture's file name: key and extension.
    public var fileName: String { "\(key).\(format)" }

    /// SHA-256 of a picture's bytes in hexadecimal digits, as ``sha256`` has it.
    public static func digest(of picture: [UInt8]) -> String {
        SHA256.hash(data: picture).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// An encoder that writes the same bytes for the same annotation.
    public static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// - Throws: `AnnotationSetError.badRecord` naming `place`.
    static func decoded(_ bytes: [UInt8], place: @autoclosure () -> String) throws(AnnotationSetError) -> Annotation {
        do {
            return try JSONDecoder().decode(Annotation.self, from: Data(bytes))
        } catch {
            throw .badRecord(place: place(), reason: "is no annotation: \(readable(error))")
        }
    }

    private static func readable(_ error: any Error) -> String {
        func at(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            return path.isEmpty ? "" : " at \(path.joined(separator: "."))"
        }
        return switch error as? DecodingError {
        case .keyNotFound(let key, let context): "'\(key.stringValue)' is missing\(at(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription + at(context)
        default: "\(error)"
        }
    }
}
