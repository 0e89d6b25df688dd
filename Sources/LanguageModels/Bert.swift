// BERT (arXiv 1810.04805), an encoder of texts: post-norm transformer blocks over word, position and segment embeddings.
// Names and sizes are those of Hugging Face's checkpoints. Token ids [B, T] -> hidden states [B, T, D].

import Torch
import TorchNN

/// Sizes of a BERT model, as in its `config.json`.
public struct BertConfiguration: Codable, Sendable, Equatable {
    public var vocabularySize: Int
    public var width: Int
    public var layerCount: Int
    public var headCount: Int
    public var hiddenWidth: Int
    public var maxPositions: Int
    public var segmentCount: Int
    public var normEpsilon: Double

    enum CodingKeys: String, CodingKey {
        case vocabularySize = "vocab_size"
        case width = "hidden_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case hiddenWidth = "intermediate_size"
        case maxPositions = "max_position_embeddings"
        case segmentCount = "type_vocab_size"
        case normEpsilon = "layer_norm_eps"
    }

    /// Sizes; those not given are BERT base's.
    public init(
        vocabularySize: Int = 30522, width: Int = 768, layerCount: Int = 12, headCount: Int = 12,
        hiddenWidth: Int = 3072, maxPositions: Int = 512, segmentCount: Int = 2, normEpsilon: Double = 1e-12
    ) {
        (self.vocabularySize, self.width, self.layerCount) = (vocabularySize, width, layerCount)
        (self.headCount, self.hiddenWidth, self.maxPositions) = (headCount, hiddenWidth, maxPositions)
        (self.segmentCount, self.normEpsilon) = (segmentCount, normEpsilon)
    }

    /// Reads a `config.json`, which may leave out what is as in BERT base.
    public init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        let base = BertConfiguration()
        func int(_ key: CodingKeys, _ size: KeyPath<BertConfiguration, Int>) throws -> Int {
            try file.decodeIfPresent(Int.self, forKey: key) ?? base[keyPath: size]
        }
        self.init(
            vocabularySize: try int(.vocabularySize, \.vocabularySize), width: try int(.width, \.width),
            layerCount: try int(.layerCount, \.layerCount), headCount: try int(.headCount, \.headCount),
            hiddenWidth: try int(.hiddenWidth, \.hiddenWidth), maxPositions: try int(.maxPositions, \.maxPositions),
            segmentCount: try int(.segmentCount, \.segmentCount),
            normEpsilon: try file.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? base.normEpsilon)
    }

    /// - Throws: `LanguageModelError` when sizes do not divide or are out of range.
    public func validate() throws {
        let sizes = [vocabularySize, width, layerCount, headCount, hiddenWidth, maxPositions, segmentCount]
        guard sizes.allSatisfy({ (1...10_000_000).contains($0) }), width % headCount == 0, normEpsilon > 0 else {
            throw LanguageModelError.configuration(
                "BERT: width \(width) must divide into \(headCount) heads, and all sizes must be positive")
        }
    }
}

/// Names below the given place: `embeddings`, `encoder.layer.{i}`. The pooler of a checkpoint is not used.
public final class Bert: Module {
    public let configuration: BertConfiguration
    let words: Embedding, positions: Embedding, segments: Embedding
    let norm: LayerNorm
    let blocks: [BertBlock]

    public init(_ configuration: BertConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let embeddings = weights / "embeddings", width = configuration.width
        let initializer = Initializer.normal(deviation: 0.02)
        words = try Embedding(
            configuration.vocabularySize, width, embeddings / "word_embeddings", initializer: initializer)
        positions = try Embedding(
            configuration.maxPositions, width, embeddings / "position_embeddings", initializer: initializer)
        segments = try Embedding(
            configuration.segmentCount, width, embeddings / "token_type_embeddings", initializer: initializer)
        norm = try LayerNorm(width, epsilon: configuration.normEpsilon, embeddings / "LayerNorm")
        blocks = try (0..<configuration.layerCount).map {
            try BertBlock(configuration, weights / "encoder" / "layer" / $0)
        }
        super.init(weights)
    }

    /// - Parameters:
    ///   - ids: [B, T]
    ///   - mask: which tokens may be attended to, bool, [B, T] or, by query, [B, T, T]
    ///   - positions: [B, T]; counted from 0 when nil
    /// - Returns: [B, T, D]
    /// - Throws: `LanguageModelError.tooLong` for more tokens than there are positions.
    public func callAsFunction(_ ids: Tensor, mask: Tensor, positions: Tensor? = nil) throws -> Tensor {
        let length = ids.size(1)
        if length > configuration.maxPositions {
            throw LanguageModelError.tooLong(positions: length, limit: configuration.maxPositions)
        }
        let positions = try positions ?? Tensor(Array(0..<length)).to(device: ids.device).unsqueezed(0)
        var x = try norm(words(ids) + self.positions(positions) + segments.weight[.at(0)])
        let mask = try mask.rank == 3 ? mask.unsqueezed(1) : mask.unsqueezed(1).unsqueezed(1)
        for block in blocks { x = try block(x, mask) }
        return x
    }
}

/// Attention and a feed-forward layer, each normalised after it is added.
final class BertBlock: Module {
    let q: Linear, k: Linear, v: Linear, out: Linear
    let up: Linear, down: Linear
    let attentionNorm: LayerNorm, outputNorm: LayerNorm
    let headCount: Int

    init(_ configuration: BertConfiguration, _ weights: Weights) throws {
        let (width, hidden, epsilon) = (configuration.width, configuration.hiddenWidth, configuration.normEpsilon)
        headCount = configuration.headCount
        let own = weights / "attention" / "self", attention = weights / "attention" / "output"
        q = try Linear(width, width, own / "query")
        k = try Linear(width, width, own / "key")
        v = try Linear(width, width, own / "value")
        out = try Linear(width, width, attention / "dense")
        attentionNorm = try LayerNorm(width, epsilon: epsilon, attention / "LayerNorm")
        up = try Linear(width, hidden, weights / "intermediate" / "dense")
        down = try Linear(hidden, width, weights / "output" / "dense")
        outputNorm = try LayerNorm(width, epsilon: epsilon, weights / "output" / "LayerNorm")
        super.init(weights)
    }

    /// [B, T, D] -> [B, T, D]
    func callAsFunction(_ x: Tensor, _ mask: Tensor) throws -> Tensor {
        let (b, t, c) = try x.shape3()
        func heads(_ y: Tensor) throws -> Tensor { try y.reshaped(b, t, headCount, c / headCount).transposed(1, 2) }
        let mixed = try scaledDotProductAttention(heads(q(x)), heads(k(x)), heads(v(x)), mask: mask)  // [B, H, T, D/H]
        let x = try attentionNorm(x + out(mixed.transposed(1, 2).reshaped(b, t, c)))
        return try outputNorm(x + down(up(x).gelu()))
    }
}
