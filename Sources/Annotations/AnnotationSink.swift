import Boxes
import Foundation

/// Takes annotated pictures one by one: shards, a folder, a model's training.
public protocol AnnotationSink {
    mutating func add(_ annotation: Annotation, picture: [UInt8]) throws
    /// Makes what was added whole. Call it once, after the last `add`.
    mutating func finish() throws
}

/// Writes the neutral form that ``AnnotationFolder`` reads. The list gets its name at the end, so that a half-written folder is none.
public struct AnnotationFolderSink: AnnotationSink {
    private let folder: URL
    private let list: FileHandle
    private let temporary: URL
    private let encoder = JSONEncoder.lines

    /// - Parameter folder: made where it is missing; must not hold a list yet
    /// - Throws: `AnnotationsError.unusableFile`.
    public init(_ folder: URL) throws {
        self.folder = folder
        let files = FileManager.default
        let final = folder.appendingPathComponent(AnnotationFolder.listName)
        temporary = folder.appendingPathComponent("." + AnnotationFolder.listName)
        if files.fileExists(atPath: final.path) {
            throw AnnotationsError.unusableFile(path: final.path, reason: "is there already; name another folder")
        }
        do {
            try files.createDirectory(
                at: folder.appendingPathComponent(AnnotationFolder.pictureFolder), withIntermediateDirectories: true)
            try Data().write(to: temporary)
            list = try FileHandle(forWritingTo: temporary)
        } catch {
            throw AnnotationsError.unusableFile(path: folder.path, reason: "cannot be written to: \(error)")
        }
    }

    public mutating func add(_ annotation: Annotation, picture: [UInt8]) throws {
        guard annotation.hasPlainNames else {
            throw AnnotationsError.badRecord(
                place: annotation.key, problem: .init(.name, "key or format is no plain name"))
        }
        let place = folder.appendingPathComponent(AnnotationFolder.pictureFolder).appendingPathComponent(
            annotation.fileName)
        do {
            try Data(picture).write(to: place)
            try list.write(contentsOf: encoder.encode(annotation) + Data("\n".utf8))
        } catch {
            throw AnnotationsError.unusableFile(path: place.path, reason: "cannot be written: \(error)")
        }
    }

    public mutating func finish() throws {
        do {
            try list.synchronize()
            try list.close()
            try FileManager.default.moveItem(
                at: temporary, to: folder.appendingPathComponent(AnnotationFolder.listName))
        } catch {
            throw AnnotationsError.unusableFile(path: folder.path, reason: "cannot be finished: \(error)")
        }
    }
}
