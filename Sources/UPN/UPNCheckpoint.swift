// Loading: model folders of this package and the released `.pth`. Reference: upn.md, sections 2 and 3.

import Checkpoints
import Foundation
import Torch
import TorchNN
import VisionEncoders

extension UniversalProposalNetwork {
    /// Loads a network.
    ///
    /// - Parameters:
    ///   - url: a folder with `config.json` and `model.safetensors`, or a checkpoint file (`upn_large.pth`) beside which a `config.json`
    ///     may lie; without one the released sizes are assumed.
    ///   - dtype: of the weights; nil keeps the file's.
    /// - Throws: `CheckpointError`, `ConfigurationError`, or `LoadReport` naming every tensor that does not fit.
    public static func load(_ url: URL, device: Device = .cpu, dtype: DType? = .float32) throws
        -> UniversalProposalNetwork
    {
        let archive = try TensorArchives.open(at: url)
        let isFolder = (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
        let folder = isFolder ? url : url.deletingLastPathComponent()
        let configuration = try readConfiguration(folder.appendingPathComponent("config.json")) ?? .large
        let store = ParameterStore(
            archive, device: device, dtype: dtype, rename: UPNCheckpointKeys.rename(archive.tensorNames))
        let network = try UniversalProposalNetwork(configuration, store.weights)
        try store.checkComplete(ignoring: UPNCheckpointKeys.isRedundant)
        return network
    }

    private static func readConfiguration(_ url: URL) throws -> UPNConfiguration? {
        guard let data = try? Data(contentsOf: url) else { return nil }
        do {
            return try JSONDecoder().decode(UPNConfiguration.self, from: data)
        } catch let error as DecodingError {
            throw ConfigurationError("\(url.path) is no UPN configuration: \(error.readable)")
        }
    }

    /// A copy with another operating point.
    ///
    /// Queries are told apart by the places that they start from, not by their content, so a network can be run with more of them
    /// than it was trained with: their contents repeat.
    /// - Parameters:
    ///   - queryCount: at least as many as the network has; nil keeps them.
    ///   - minimumScore: see ``UPNConfiguration/minimumScore``; nil keeps it.
    ///   - overlapLimit: see ``UPNConfiguration/overlapLimit``; nil keeps it.
    /// - Throws: `ConfigurationError` for fewer queries or numbers out of range.
    public func adapted(queryCount: Int? = nil, minimumScore: Double? = nil, overlapLimit: Double? = nil) throws
        -> UniversalProposalNetwork
    {
        var changed = configuration
        changed.queryCount = queryCount ?? configuration.queryCount
        changed.minimumScore = minimumScore ?? configuration.minimumScore
        changed.overlapLimit = overlapLimit ?? configuration.overlapLimit
        try ConfigurationError.require(
            changed.queryCount >= configuration.queryCount,
            "UPN: \(changed.queryCount) queries are fewer than the \(configuration.queryCount) of the network")
        let copy = try UniversalProposalNetwork(
            changed, ParameterStore(device: levelEmbedding.device, dtype: levelEmbedding.dtype).weights)
        let rows = try Tensor((0..<changed.queryCount).map { $0 % configuration.queryCount }).to(
            device: levelEmbedding.device)
        try withoutGradients {
            for (own, new) in zip(weights.entries, copy.weights.entries) {
                let isShared = own.tensor.shape == new.tensor.shape
                try new.tensor.copy(from: isShared ? own.tensor : own.tensor.selected(0, rows))
            }
        }
        return copy
    }

    /// Writes `config.json` and `model.safetensors` into a folder.
    /// - Parameter dtype: of the written weights; nil keeps theirs.
    public func save(to folder: URL, dtype: DType? = nil) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(encoder.encode(configuration), to: folder.appendingPathComponent("config.json"))
        let tensors = try weights.entries.map { ($0.name, try $0.tensor.detached().to(dtype: dtype)) }
        try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent("model.safetensors"))
    }
}

/// How names of the released checkpoint relate to the model's.
public enum UPNCheckpointKeys {
    /// The shared box head's copies, by preference: the released loader leaves the last one in place.
    private static let boxHead = "bbox_embed.0."

    /// The name in a checkpoint for a name in the model.
    public static func rename(_ names: [String]) -> (String) -> String {
        // Copies of the head in the order in which upstream's loader overwrites them.
        let heads = names.filter { $0.hasSuffix(".layers.0.weight") && isBoxHeadCopy($0) }
            .map { String($0.dropLast("layers.0.weight".count)) }
        let top = heads.filter { $0.hasPrefix("bbox_embed.") }.max { number($0) < number($1) }
        let source = top ?? heads.max { number($0) < number($1) } ?? boxHead
        return { name in name.hasPrefix(boxHead) ? source + name.dropFirst(boxHead.count) : name }
    }

    private static func number(_ prefix: String) -> Int {
        prefix.split(separator: ".").last.flatMap { Int($0) } ?? 0
    }

    /// `bbox_embed.N.…` or `transformer.decoder.bbox_embed.N.…`
    private static func isBoxHeadCopy(_ name: String) -> Bool {
        for prefix in ["bbox_embed.", "transformer.decoder.bbox_embed."] where name.hasPrefix(prefix) {
            let number = name.dropFirst(prefix.count).prefix { $0 != "." }
            return !number.isEmpty && number.allSatisfy(\.isNumber)
        }
        return false
    }

    /// Names in a checkpoint that the model does not need: copies of the box head, tables that are recomputed, a head without
    /// effect, and whole families that the model does not have (what a trainer left behind). Unknown names inside a family that
    /// it has point to a wrong configuration and are reported.
    public static func isRedundant(_ name: String) -> Bool {
        name.hasSuffix(".relative_position_index") || name.hasPrefix("transformer.decoder.ref_point_head_point.")
            || isBoxHeadCopy(name) || !["backbone.", "input_proj.", "transformer."].contains { name.hasPrefix($0) }
    }
}
