// Qwen2 (arXiv 2407.10671), the language model: a decoder with rotary positions, grouped heads and SwiGLU.
// Reference: chatrex-mllm.md, section 9 ("LLM"). Embeddings [B, T, D] -> hidden states [B, T, D] -> logits [B, T, V].

import Torch
import TorchNN

/// Sizes of a Qwen2 model, as in its `config.json`.
public struct Qwen2Configuration: Codable, Sendable, Equatable {
    public var width: Int
    public var hiddenWidth: Int
    public var layerCount: Int
    public var headCount: Int
    public var keyValueHeadCount: Int
    public var vocabularySize: Int
    public var ropeTheta: Double
    public var normEpsilon: Double
    public var maxPositions: Int
    public var tiesEmbeddings: Bool

    enum CodingKeys: String, CodingKey {
        case width = "hidden_size"
        case hiddenWidth = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case keyValueHeadCount = "num_key_value_heads"
        case vocabularySize = "vocab_size"
        case ropeTheta = "rope_theta"
        case normEpsilon = "rms_norm_eps"
        case maxPositions = "max_position_embeddings"
        case tiesEmbeddings = "tie_word_embeddings"
    }

    public init(
        width: Int, hiddenWidth: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int, vocabularySize: Int,
        ropeTheta: Double = 1e6, normEpsilon: Double = 1e-6, maxPositions: Int = 32768, tiesEmbeddings: Bool = false
    ) {
        (self.width, self.hiddenWidth, self.layerCount) = (width, hiddenWidth, layerCount)
        (self.headCount, self.keyValueHeadCount, self.vocabularySize) = (headCount, keyValueHeadCount, vocabularySize)
        (self.ropeTheta, self.normEpsilon, self.maxPositions) = (ropeTheta, normEpsilon, maxPositions)
        self.tiesEmbeddings = tiesEmbeddings
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            hiddenWidth: try values.decode(Int.self, forKey: .hiddenWidth),
            layerCount: try values.decode(Int.self, forKey: .layerCount),
            headCount: try values.decode(Int.self, forKey: .headCount),
            keyValueHeadCount: try values.decodeIfPresent(Int.self, forKey: .keyValueHeadCount)
                ?? values.decode(Int.self, forKey: .headCount),
            vocabularySize: try values.decode(Int.self, forKey: .vocabularySize),
            ropeTheta: try values.decodeIfPresent(Double.self, forKey: .ropeTheta) ?? 1e6,
            normEpsilon: try values.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? 1e-6,
            maxPositions: try values.decodeIfPresent(Int.self, forKey: .maxPositions) ?? 32768,
            tiesEmbeddings: try values.decodeIfPresent(Bool.self, forKey: .tiesEmbeddings) ?? false)
    }

    public static let qwen25_3B = Qwen2Configuration(
        width: 2048, hiddenWidth: 11008, layerCount: 36, headCount: 16, keyValueHeadCount: 2, vocabularySize: 151936,
        tiesEmbeddings: true)
    public static let qwen25_7B = Qwen2Configuration(
        width: 3584, hiddenWidth: 18944, layerCount: 28, headCount: 28, keyValueHeadCount: 4, vocabularySize: 152064)

    /// Channels of one head.
    public var headWidth: Int { width / headCount }

    /// - Throws: `LanguageModelError` when sizes do not divide or are out of range.
    public func validate() throws {
        let numbers = [width, hiddenWidth, layerCount, headCount, keyValueHeadCount, vocabularySize, maxPositions]
        guard numbers.allSatisfy({ (1...100_000_000).contains($0) }), width % headCount == 0, headWidth % 2 == 0,
            headCount % keyValueHeadCount == 0, ropeTheta > 0, normEpsilon > 0
        else {
            throw LanguageModelError.configuration(
                "width \(width) must divide into \(headCount) heads of even size, these into \(keyValueHeadCount) key-value heads, "
                    + "and all sizes must be positive")
        }
    }
}

/// Names below the given place: `model.embed_tokens`, `model.layers.{i}`, `model.norm`, `lm_head` (unless tied).
public final class Qwen2: Module {
    public let configuration: Qwen2Configuration
    public let embedding: Embedding
    let layers: [Qwen2Layer]
    let norm: RMSNorm
    let head: Tensor
    /// Whether layers keep their inputs alone for the backward pass and are computed again in it, see `recomputed`.
    public var recomputesActivations = false
    private let rotary: RotaryTable

    public init(_ configuration: Qwen2Configuration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let initial = Initializer.normal(deviation: 0.02)
        embedding = try Embedding(
            configuration.vocabularySize, configuration.width, weights / "model" / "embed_tokens", initializer: initial)
        layers = try (0..<configuration.layerCount).map {
            try Qwen2Layer(configuration, weights / "model" / "layers" / $0)
        }
        norm = try RMSNorm(configuration.width, epsilon: configuration.normEpsilon, weights / "model" / "norm")
        head =
            configuration.tiesEmbeddings
            ? embedding.weight
            : try (weights / "lm_head").parameter(
                "weight", [configuration.vocabularySize, configuration.width], initial)
        rotary = RotaryTable(headWidth: configuration.headWidth, theta: configuration.ropeTheta)
        super.init(weights)
    }

    /// Runs the layers over whole sequences.
    ///
    /// - Parameters:
    ///   - embeddings: [B, T, D]
    ///   - positions: int64 [B, T]; 0, 1, … when nil.
    ///   - mask: boolean [B, 1, T, T], true where position t may look at s. Causal when nil.
    ///   - observe: sees the input of every layer, for tests and probes.
    /// - Returns: normed hidden states [B, T, D]
    public func callAsFunction(
        _ embeddings: Tensor, positions: Tensor? = nil, mask: Tensor? = nil, observe: ((Int, Tensor) -> Void)? = nil
    ) throws -> Tensor {
        let (_, t, _) = try embeddings.shape3()
        let rotation =
            try positions.map { try rotary.rotation(at: $0, dtype: embeddings.dtype) }
            ?? rotary.rotation(from: 0, count: t, dtype: embeddings.dtype, device: embeddings.device)
        var x = embeddings
        for (index, layer) in layers.enumerated() {
            observe?(index, x)
            x = try recomputed([x], if: recomputesActivations) { inputs in
                try layer(inputs[0], rotation) { queries, keys, values in
                    try layer.attention(queries, keys, values, mask: mask, isCausal: mask == nil && t > 1)
                }
            }
        }
        return try norm(x)
    }

    /// Runs the layers over the next positions of sequences of any lengths. Everything but attention is done for all positions at once.
    ///
    /// - Parameter sequences: embeddings [T, D] of what comes next in each, and its cache, which grows by T.
    /// - Returns: normed hidden states, those of the first sequence first: [sum of T, D]
    public func callAsFunction(continuing sequences: [(rows: Tensor, cache: KeyValueCache)]) throws -> Tensor {
        let x = try Tensor.concatenated(sequences.map(\.rows)).unsqueezed(0)  // [1, sum of T, D]
        let parts = try sequences.map { rows, cache in
            try cache.reserve(rows.size(0))
            return try CachedPart(cache, count: rows.size(0), mask: mask(rows.size(0), after: cache.length, x.device))
        }
        let positions = parts.flatMap { $0.start..<$0.start + $0.count }
        let rotation = try rotary.rotation(
            at: Tensor(positions, shape: [1, positions.count]).to(device: x.device), dtype: x.dtype)
        let hidden = try layers.enumerated().reduce(x) { x, layer in
            try layer.element(x, rotation) { queries, keys, values in
                var offset = 0
                let mixed = try parts.map { part in
                    defer { offset += part.count }
                    func own(_ all: Tensor) throws -> Tensor {
                        parts.count == 1 ? all : try all.narrowed(2, from: offset, count: part.count)
                    }
                    let (allKeys, allValues) = try part.cache.layers[layer.offset].append(
                        keys: own(keys), values: own(values), at: part.start)  // [1, K, S, Dh]
                    return try layer.element.attention(
                        own(queries), allKeys.to(dtype: queries.dtype), allValues.to(dtype: queries.dtype),
                        mask: part.mask, isCausal: part.start == 0 && part.count > 1)
                }
                return try mixed.count == 1 ? mixed[0] : Tensor.concatenated(mixed, dimension: 2)
            }
        }
        for part in parts { part.cache.advance(by: part.count) }
        return try norm(hidden)[0]
    }

    /// The positions of one sequence among those of a call.
    private struct CachedPart {
        let cache: KeyValueCache, start: Int, count: Int
        let mask: Tensor?

        init(_ cache: KeyValueCache, count: Int, mask: Tensor?) {
            (self.cache, start, self.count, self.mask) = (cache, cache.length, count, mask)
        }
    }

    /// True where new position t (slot start + t) may look, [1, 1, T, start + T]; nil where all may look anywhere or attention is
    /// causal by itself.
    private func mask(_ count: Int, after start: Int, _ device: Device) throws -> Tensor? {
        if start == 0 || count == 1 { return nil }
        return try Tensor.ones([count, start + count], dtype: .bool, device: device).lowerTriangle(diagonal: start)[
            .new, .new]
    }

    /// [.., D] -> [.., V]
    public func logits(_ hidden: Tensor) throws -> Tensor { try hidden.linear(head) }
}

/// Attention and SwiGLU, each behind an RMS norm.
final class Qwen2Layer: Module {
    let inputNorm: RMSNorm, postNorm: RMSNorm
    let q: Linear, k: Linear, v: Linear, o: Linear
    let gate: Linear, up: Linear, down: Linear
    let headCount: Int, keyValueHeadCount: Int, headWidth: Int

    init(_ c: Qwen2Configuration, _ weights: Weights) throws {
        (headCount, keyValueHeadCount, headWidth) = (c.headCount, c.keyValueHeadCount, c.headWidth)
        let initial = Initializer.normal(deviation: 0.02)
        // Residual branches start smaller the deeper the network, as in GPT-2.
        let residual = Initializer.normal(deviation: 0.02 / Double(2 * c.layerCount).squareRoot())
        let keys = c.keyValueHeadCount * c.headWidth
        inputNorm = try RMSNorm(c.width, epsilon: c.normEpsilon, weights / "input_layernorm")
        postNorm = try RMSNorm(c.width, epsilon: c.normEpsilon, weights / "post_attention_layernorm")
        let attention = weights / "self_attn", mlp = weights / "mlp"
        q = try Linear(c.width, c.width, attention / "q_proj", initializer: initial, biasInitializer: .zeros)
        k = try Linear(c.width, keys, attention / "k_proj", initializer: initial, biasInitializer: .zeros)
        v = try Linear(c.width, keys, attention / "v_proj", initializer: initial, biasInitializer: .zeros)
        o = try Linear(c.width, c.width, bias: false, attention / "o_proj", initializer: residual)
        gate = try Linear(c.width, c.hiddenWidth, bias: false, mlp / "gate_proj", initializer: initial)
        up = try Linear(c.width, c.hiddenWidth, bias: false, mlp / "up_proj", initializer: initial)
        down = try Linear(c.hiddenWidth, c.width, bias: false, mlp / "down_proj", initializer: residual)
        super.init(weights)
    }

    /// [B, T, D] -> [B, T, D]
    /// - Parameter attend: mixes values [B, K, T, Dh] by rotated queries [B, H, T, Dh] and keys [B, K, T, Dh] into [B, H, T, Dh]
    func callAsFunction(
        _ x: Tensor, _ rotation: RotaryTable.Rotation, attend: (Tensor, Tensor, Tensor) throws -> Tensor
    ) throws -> Tensor {
        let (b, t, d) = try x.shape3()
        let y = try inputNorm(x)
        func heads(_ x: Tensor, _ count: Int) throws -> Tensor {
            try x.reshaped(b, t, count, headWidth).transposed(1, 2)
        }
        let mixed = try attend(
            rotation.applied(to: heads(q(y), headCount)), rotation.applied(to: heads(k(y), keyValueHeadCount)),
            heads(v(y), keyValueHeadCount))
        let x = try x + o(mixed.transposed(1, 2).reshaped(b, t, d))
        let z = try postNorm(x)
        return try x + down(gate(z).silu() * up(z))
    }

    func attention(_ queries: Tensor, _ keys: Tensor, _ values: Tensor, mask: Tensor?, isCausal: Bool) throws -> Tensor
    {
        try scaledDotProductAttention(
            queries, keys, values, mask: mask, isCausal: isCausal, groupedHeads: keyValueHeadCount < headCount)
    }
}
