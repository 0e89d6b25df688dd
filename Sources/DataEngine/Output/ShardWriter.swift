// Shards of annotated pictures in WebDataset form: KEY.jpg and KEY.json side by side in a tar archive, with an index beside it.

import Annotations
import Boxes
import Checkpoints
import Crypto
import Foundation

/// A line of the index: where a sample's members are within its shard.
public struct ShardIndexEntry: Codable, Sendable, Equatable {
    /// Bytes of a member: `[offset, length]`.
    public typealias Extent = [Int]

    public var key: String
    /// File name of the archive.
    public var shard: String
    /// Of the picture's bytes.
    public var sha256: String
    public var width: Int, height: Int
    public var regions: Int
    public var picture: Extent, annotation: Extent
}

/// A complete shard.
public struct ShardSummary: Codable, Sendable, Equatable {
    /// File name of the archive.
    public var name: String
    public var bytes: Int
    /// Of the archive.
    public var sha256: String
    public var samples: Int
}

/// Writes one shard. Archive and index get their names when they are complete, the archive last; the same samples give the same bytes.
public struct ShardWriter {
    private let folder: URL
    private let name: String
    private var archive: TarWriter
    private var entries: [ShardIndexEntry] = []
    private let encoder = JSONEncoder.lines

    /// - Parameter name: of the archive, without `.tar`
    public init(folder: URL, name: String) throws {
        (self.folder, self.name) = (folder, name)
        archive = try TarWriter(folder.appendingPathComponent(name + ".tar"))
    }

    public var samples: Int { entries.count }
    /// Bytes so far.
    public var bytes: Int { archive.count }

    /// Adds a picture with its annotation.
    public mutating func add(_ annotation: Annotation, picture: [UInt8]) throws {
        let text = try encoder.encode(annotation)
        let pictureStart = try archive.add("\(annotation.key).\(annotation.format)", picture)
        let textStart = try archive.add("\(annotation.key).json", text)
        entries.append(
            ShardIndexEntry(
                key: annotation.key, shard: name + ".tar", sha256: annotation.sha256, width: annotation.width,
                height: annotation.height, regions: annotation.regions.count,
                picture: [pictureStart, picture.count], annotation: [textStart, text.count]))
    }

    /// Ends the shard: `NAME.jsonl` and `NAME.tar` appear.
    public mutating func finish() throws -> ShardSummary {
        var lines = Data()
        for entry in entries { lines += try encoder.encode(entry) + Data("\n".utf8) }
        try AtomicFile.write(lines, to: folder.appendingPathComponent(name + ".jsonl"))
        try archive.finish()
        let url = folder.appendingPathComponent(name + ".tar")
        return ShardSummary(
            name: name + ".tar", bytes: archive.count, sha256: try Self.digest(of: url), samples: entries.count)
    }

    /// SHA-256 of a file, in hexadecimal digits.
    static func digest(of url: URL) throws -> String {
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        var hash = SHA256()
        while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { hash.update(data: part) }
        return hash.finalize().hexadecimal
    }
}
