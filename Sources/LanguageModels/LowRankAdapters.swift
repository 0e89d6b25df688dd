// LoRA (Hu et al. 2021, arXiv 2106.09685) for the language model: the named linear layers rest, and what changes them is trained.

import Checkpoints
import Foundation
import Torch
import TorchNN

/// Which layers of a language model get a low-rank update, and of what size.
public struct LowRankConfiguration: Codable, Sendable, Equatable {
    /// Rank of each update; 0 for none.
    public var rank = 0
    /// Updates are scaled by `alpha / rank`.
    public var alpha = 16.0
    /// Share of an update's inputs that is dropped in training.
    public var dropout = 0.0
    /// Names of linear layers as they stand in the checkpoint, such as `q_proj`.
    public var targets = Self.layerNames

    /// Linear layers of a Qwen2 block.
    public static let layerNames = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

    public init(
        rank: Int = 0, alpha: Double = 16, dropout: Double = 0, targets: [String] = Self.layerNames
    ) {
        (self.rank, self.alpha, self.dropout, self.targets) = (rank, alpha, dropout, targets)
    }

    public var isOn: Bool { rank > 0 }
}

/// The low-rank updates of a language model. While they exist the model's layers add them to their outputs.
public final class LowRankAdapters {
    public let configuration: LowRankConfiguration
    private let store: ParameterStore
    private let layers: [(linear: Linear, update: LowRankUpdate)]

    /// Puts updates beside a model's layers, drawn with libtorch's generator; the model computes what it did before until they are
    /// trained.
    public init(_ configuration: LowRankConfiguration, for model: Qwen2) throws {
        self.configuration = configuration
        let store = ParameterStore(device: model.embedding.weight.device)
        let targets = Set(configuration.targets)
        layers = try model.layers.flatMap(\.linears).filter { targets.contains(Self.name(of: $0)) }.map { linear in
            let update = try LowRankUpdate(
                rank: configuration.rank, alpha: configuration.alpha, dropout: configuration.dropout,
                of: linear.weight, linear.weights.path.split(separator: ".").reduce(store.weights) { $0 / String($1) })
            linear.update = update
            return (linear, update)
        }
        self.store = store
    }

    private static func name(of linear: Linear) -> String {
        linear.weights.path.split(separator: ".").last.map(String.init) ?? ""
    }

    /// What is trained, by names such as `model.layers.0.self_attn.q_proj.lora_A.weight`.
    public var namedParameters: [(name: String, tensor: Tensor)] { store.entries.map { ($0.name, $0.tensor) } }

    /// Whether updates drop a part of their inputs; off while a model is evaluated.
    public func setDropout(_ isOn: Bool) {
        for layer in layers { layer.update.dropsInputs = isOn }
    }

    /// The weights that a model without updates needs to compute the same, made when they are asked for: by name.
    public var mergedWeights: [String: () throws -> Tensor] {
        Dictionary(
            uniqueKeysWithValues: layers.map { layer in
                (layer.linear.weights.path + ".weight", { try layer.update.merged(into: layer.linear.weight) })
            })
    }

    /// Writes `adapter_config.json` and `adapter_model.safetensors` as PEFT reads them.
    /// - Parameter base: the model that the updates belong to, as PEFT is to name it; nil for none.
    public func save(to folder: URL, base: String? = nil) throws {
        struct File: Encodable {
            var peftType = "LORA", taskType = "CAUSAL_LM", bias = "none"
            var base: String?
            var rank: Int, alpha: Double, dropout: Double, targets: [String]
            var inferenceMode = true, fanInFanOut = false

            enum CodingKeys: String, CodingKey {
                case peftType = "peft_type"
                case taskType = "task_type"
                case bias
                case base = "base_model_name_or_path"
                case rank = "r"
                case alpha = "lora_alpha"
                case dropout = "lora_dropout"
                case targets = "target_modules"
                case inferenceMode = "inference_mode"
                case fanInFanOut = "fan_in_fan_out"
            }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = File(
            base: base, rank: configuration.rank, alpha: configuration.alpha, dropout: configuration.dropout,
            targets: configuration.targets)
        try AtomicFile.write(encoder.encode(file), to: folder.appendingPathComponent("adapter_config.json"))
        try SafetensorsWriter.write(
            namedParameters.map { (Self.peftPrefix + $0.name, try $0.tensor.detached().converted(to: .float32)) },
            to: folder.appendingPathComponent("adapter_model.safetensors"))
    }

    /// What PEFT puts before the name of a layer.
    private static let peftPrefix = "base_model.model."
}

extension Qwen2Layer {
    var linears: [Linear] { [q, k, v, o, gate, up, down] }
}
