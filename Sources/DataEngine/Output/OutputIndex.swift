import Checkpoints
import Foundation
import GRDB

/// The index of all shards: `index.jsonl` with a line for each sample and `shards.json` with a record for each shard.
public struct OutputIndex: Sendable {
    private let folder: OutputFolder

    public init(_ folder: OutputFolder) { self.folder = folder }

    /// Writes the index when every part of the run is complete.
    /// - Returns: whether it is
    @discardableResult
    public func writeIfComplete() throws -> Bool {
        var shards: [ShardSummary] = []
        for part in try folder.parts() {
            let state = folder.state(of: part)
            guard FileManager.default.fileExists(atPath: state.path) else { return false }
            guard let found = try EngineStore(state).shardsIfComplete() else { return false }
            shards += found
        }
        try Self.write(shards, in: folder)
        return true
    }

    /// Writes the index of shards that are all there is.
    static func write(_ shards: [ShardSummary], in folder: OutputFolder) throws {
        let shards = shards.sorted { $0.name < $1.name }
        try OutputFolder.accessing(folder.index) {
            try AtomicFile.write(to: folder.index) { file in
                for shard in shards { try file.write(Data(contentsOf: folder.lines(of: shard))) }
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try OutputFolder.accessing(folder.shardList) {
            try AtomicFile.write(encoder.encode(shards) + Data("\n".utf8), to: folder.shardList)
        }
    }
}

extension EngineStore {
    /// The shards of the part, or nil while pictures are open.
    func shardsIfComplete() throws -> [ShardSummary]? {
        try readNow { database in
            let isWalked =
                try String.fetchOne(database, sql: "SELECT value FROM note WHERE name = 'walked'") != nil
            let open = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM item WHERE state = 'open'") ?? 0
            guard isWalked, open == 0 else { return nil }
            return try Row.fetchAll(
                database, sql: "SELECT name, bytes, sha256, samples FROM shard WHERE samples > 0 ORDER BY name"
            )
            .map { ShardSummary(name: $0["name"], bytes: $0["bytes"], sha256: $0["sha256"], samples: $0["samples"]) }
        }
    }
}
