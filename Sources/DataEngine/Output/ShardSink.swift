import Annotations
import Foundation

/// Writes annotated pictures into shards, one after the other: memory does not grow with their number, and what was written last can be lost
/// without harm to the shards before.
///
///     let sink = try ShardSink(OutputFolder(url))
///     try sink.add(annotation, picture: bytes)    // and so on
///     try sink.finish()                           // index.jsonl and shards.json appear
public final class ShardSink: AnnotationSink {
    /// When a shard is full.
    public struct Limits: Codable, Sendable, Equatable {
        public var pictures = 1000
        public var bytes = 1 << 30

        public init() {}
    }

    /// The shards that are complete.
    public private(set) var shards: [ShardSummary]
    private let folder: OutputFolder
    private let limits: Limits
    private var writer: ShardWriter?

    /// - Parameter shards: those that an earlier sink completed in this folder; files of others are removed
    /// - Throws: `EngineError.inaccessible`.
    public init(_ folder: OutputFolder, limits: Limits = Limits(), after shards: [ShardSummary] = []) throws {
        (self.folder, self.limits, self.shards) = (folder, limits, shards)
        try OutputFolder.make(folder.shards)
        let kept = Set(shards.flatMap { [$0.name, folder.lines(of: $0).lastPathComponent] })
        try OutputFolder.accessing(folder.shards) {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.shards.path)
            where !kept.contains(name) {
                try FileManager.default.removeItem(at: folder.shards.appendingPathComponent(name))
            }
        }
    }

    /// - Throws: `EngineError.inaccessible`, such as when the disk is full.
    public func add(_ annotation: Annotation, picture: [UInt8]) throws {
        try OutputFolder.accessing(folder.shards) {
            if writer == nil {
                writer = try ShardWriter(folder: folder.shards, name: String(format: "%06d", shards.count))
            }
            try writer?.add(annotation, picture: picture)
        }
    }

    /// Completes the shard under way if it is full.
    /// - Returns: whether it was
    @discardableResult
    public func closeIfFull() throws -> Bool {
        guard let writer, writer.samples >= limits.pictures || writer.bytes >= limits.bytes else { return false }
        try close()
        return true
    }

    /// Completes the shard under way and writes the index.
    public func finish() throws {
        try close()
        try OutputIndex.write(shards, in: folder)
    }

    private func close() throws {
        try OutputFolder.accessing(folder.shards) {
            if let summary = try writer?.finish() { shards.append(summary) }
        }
        writer = nil
    }
}
