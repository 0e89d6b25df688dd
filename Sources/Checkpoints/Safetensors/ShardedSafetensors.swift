import Foundation

/// A model split over several safetensors files, as `model.safetensors.index.json` lists them.
public struct ShardedSafetensors: TensorArchive {
    /// Where the index was found.
    public let url: URL
    /// The shards, by the names that the index uses.
    public let shards: [String: SafetensorsFile]
    /// Every tensor's name, in the order of the index.
    public let names: [String]

    private let shardOfTensor: [String: String]

    /// Opens the index and every shard, and checks that they agree.
    ///
    /// - Throws: `CheckpointError`; kind `missingShards` names every shard that is not there, `indexMismatch` every
    ///   tensor that is not in the shard that the index names, or that is in a shard unknown to the index.
    public init(index url: URL) throws {
        let weightMap = try Self.weightMap(of: url)
        let folder = url.deletingLastPathComponent()
        let shardNames = Set(weightMap.map(\.shard)).sorted()

        let missing = shardNames.filter {
            !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
        guard missing.isEmpty else {
            throw CheckpointError(
                .missingShards(missing), path: url.path,
                "\(missing.count) of \(shardNames.count) shards are missing: \(missing.abbreviated(limit: 20)).")
        }
        var shards: [String: SafetensorsFile] = [:]
        for name in shardNames { shards[name] = try SafetensorsFile(url: folder.appendingPathComponent(name)) }

        self.url = url
        self.shards = shards
        names = weightMap.map(\.tensor)
        shardOfTensor = Dictionary(uniqueKeysWithValues: weightMap.map { ($0.tensor, $0.shard) })
        try checkAgreement()
    }

    /// The tensor called `name`, or nil when there is none.
    public func record(named name: String) -> TensorRecord? {
        shardOfTensor[name].flatMap { shards[$0] }?.record(named: name)
    }

    private static func weightMap(of url: URL) throws -> [(tensor: String, shard: String)] {
        let path = url.path
        let file = try MappedFile(url: url)
        guard file.count <= SafetensorsHeader.maximumByteCount else {
            throw CheckpointError(.limitExceeded, path: path, "an index of \(file.count) bytes is too large.")
        }
        let document = try file.withBytes { try StrictJSON(parsing: $0, path: path) }
        guard let members = document.objectMembers?.first(where: { $0.key == "weight_map" })?.value.objectMembers else {
            throw CheckpointError(.malformed, path: path, "the index has no \"weight_map\" object.")
        }
        return try members.map { member in
            guard let shard = member.value.stringValue, staysInFolder(shard) else {
                throw CheckpointError(
                    .malformed, path: path,
                    "the shard of '\(member.key)' is not a relative path inside the model's folder.")
            }
            return (member.key, shard)
        }
    }

    /// Whether a shard's path has no step out of the folder. Where a file there links to does not matter: download
    /// caches keep their files elsewhere and link to them.
    private static func staysInFolder(_ path: String) -> Bool {
        guard !path.contains("\0"), !path.contains("\\") else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !["", ".", ".."].contains($0)
        }
    }

    private func checkAgreement() throws {
        let absent = names.filter { record(named: $0) == nil }
        let unlisted = shards.keys.sorted().flatMap { shard in
            shards[shard]?.names.filter { shardOfTensor[$0] != shard } ?? []
        }
        guard absent.isEmpty, unlisted.isEmpty else {
            var parts: [String] = []
            if !absent.isEmpty { parts.append("not in the shard it names: \(absent.abbreviated())") }
            if !unlisted.isEmpty { parts.append("in a shard it does not name: \(unlisted.abbreviated())") }
            throw CheckpointError(
                .indexMismatch(absent + unlisted), path: url.path,
                """
                the index disagrees with its shards; \(parts.joined(separator: "; ")). Do the files come \
                from one model?
                """
            )
        }
    }
}
