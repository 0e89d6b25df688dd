// Loading model folders in Hugging Face form.

import Checkpoints
import Foundation
import Torch
import TorchNN
import VisionEncoders

extension GroundingDINONetwork {
    /// Loads `config.json` and the safetensors of a folder.
    ///
    /// - Parameter dtype: of the weights; nil keeps the file's.
    /// - Throws: `CheckpointError`, `ConfigurationError`, `LanguageModelError`, or `LoadReport` naming every tensor that does not fit.
    public static func load(_ folder: URL, device: Device = .cpu, dtype: DType? = .float32) throws
        -> GroundingDINONetwork
    {
        guard let configuration = try readJSON("config.json", in: folder, as: GroundingDINOConfiguration.self) else {
            throw CheckpointError(
                .missingFile, path: folder.appendingPathComponent("config.json").path,
                "there is no such file; give the folder of a Grounding DINO model.")
        }
        return try load(configuration, from: TensorArchives.open(at: folder), device: device, dtype: dtype)
    }

    /// Builds a network from tensors under Hugging Face's names. On the meta device nothing is read: names and shapes are compared.
    public static func load(
        _ configuration: GroundingDINOConfiguration, from source: any TensorSource, device: Device = .cpu,
        dtype: DType? = .float32
    ) throws -> GroundingDINONetwork {
        typealias Keys = GroundingDINOCheckpointKeys
        // At first without memory: sizes that are not the file's could ask for any amount of it.
        if device.kind != .meta { _ = try load(configuration, from: source, device: .meta) }
        let joined = JoinedTensors(source, joining: SwinCheckpointKeys.joined, below: Keys.backbone)
        let rename = Keys.rename(source.tensorNames, sharesBoxHead: configuration.sharesBoxHead)
        let store = ParameterStore(joined, device: device, dtype: dtype, rename: rename)
        let network = try GroundingDINONetwork(configuration, store.weights)
        try store.checkComplete(ignoring: Keys.isRedundant)
        return network
    }
}

/// How names of Hugging Face's checkpoints relate to the network's. Those that are not here are the same.
enum GroundingDINOCheckpointKeys {
    /// Below it stand `SwinCheckpointKeys`.
    static let backbone = "model.backbone.conv_encoder.model."

    /// Names of the encoder's deformable layers, ours and theirs.
    private static let deformableLayer = [
        (".deformable_layer.norm1.", ".deformable_layer.self_attn_layer_norm."),
        (".deformable_layer.linear1.", ".deformable_layer.fc1."),
        (".deformable_layer.linear2.", ".deformable_layer.fc2."),
        (".deformable_layer.norm2.", ".deformable_layer.final_layer_norm."),
    ]

    /// Where the box heads stand, by preference: the decoder holds the same ones once more, and writers keep one of each.
    private static let boxHeads = ["bbox_embed.", "model.decoder.bbox_embed."]

    /// The name in a checkpoint, which has these names, for a name in the network.
    static func rename(_ names: [String], sharesBoxHead: Bool) -> (String) -> String {
        let heads = Set(names.filter(isBoxHead).compactMap { $0.components(separatedBy: ".layers.").first })
        func head(_ index: Substring) -> String {
            let known = boxHeads.map { $0 + index }.first(where: heads.contains)
            return known ?? (sharesBoxHead ? heads.min() : nil) ?? boxHeads[0] + index
        }
        return { name in
            if name.hasPrefix(backbone) {
                return backbone + SwinCheckpointKeys.rename(String(name.dropFirst(backbone.count)))
            }
            if name.hasPrefix(boxHeads[0]) {
                let parts = name.split(separator: ".", maxSplits: 2)
                return head(parts[1]) + "." + parts[2]
            }
            return deformableLayer.reduce(name) { $0.replacing($1.0, with: $1.1) }
        }
    }

    private static func isBoxHead(_ name: String) -> Bool { boxHeads.contains { name.hasPrefix($0) } }

    /// Names in a checkpoint that the network does not need: copies of the box heads, tables that are computed, and BERT's pooler.
    static func isRedundant(_ name: String) -> Bool {
        isBoxHead(name) || SwinCheckpointKeys.isRedundant(name) || name.hasSuffix(".position_ids")
            || name.hasPrefix("model.text_backbone.pooler.")
    }
}

/// Reads a JSON file of a model folder; nil where there is none.
/// - Throws: `ConfigurationError` naming file and field.
func readJSON<Value: Decodable>(_ name: String, in folder: URL, as type: Value.Type) throws -> Value? {
    let url = folder.appendingPathComponent(name)
    guard let data = try? Data(contentsOf: url) else { return nil }
    do {
        return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
        throw ConfigurationError("\(url.path): \(error.readable)")
    } catch let error as ConfigurationError {
        throw ConfigurationError("\(url.path): \(error.message)")
    }
}
