import Foundation

/// Pictures in `pictures/` and one annotation a line in `annotations.jsonl`: the neutral form, for other programs to read and write.
public struct AnnotationFolder: AnnotationSet {
    static let listName = "annotations.jsonl"
    static let pictureFolder = "pictures"

    private let folder: URL
    private let list: RandomAccessFile
    /// Where every line begins, and where the last one ends.
    private let starts: [Int]

    /// - Throws: `AnnotationsError.unusableFile`.
    public init(_ folder: URL) throws {
        self.folder = folder
        list = try RandomAccessFile(path: folder.appendingPathComponent(Self.listName).path)
        var starts = [0]
        let piece = 1 << 20
        for offset in stride(from: 0, to: list.count, by: piece) {
            let bytes = try list.bytes(at: offset, count: min(piece, list.count - offset))
            for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
                starts.append(offset + index + 1)
            }
        }
        // A last line without its line feed counts as well.
        if starts[starts.count - 1] != list.count { starts.append(list.count) }
        self.starts = starts
    }

    public var count: Int { starts.count - 1 }

    public func annotation(at index: Int) throws -> Annotation {
        let bytes = try list.bytes(at: starts[index], count: starts[index + 1] - starts[index])
        return try Annotation.decoded(bytes, place: place(of: index))
    }

    public func sample(at index: Int) throws -> AnnotatedSample {
        let annotation = try annotation(at: index)
        guard annotation.hasPlainNames else {
            throw AnnotationsError.badRecord(
                place: place(of: index), problem: .init(.name, "key or format is no plain name"))
        }
        let path = folder.appendingPathComponent(Self.pictureFolder).appendingPathComponent(annotation.fileName).path
        let file = try RandomAccessFile(path: path)
        return try annotation.sample(file.bytes(at: 0, count: file.count), place: place(of: index))
    }

    public func place(of index: Int) -> String { "\(list.path), line \(index + 1)" }
}
