// The image half of CLIP (Radford et al. 2021, arXiv 2103.00020) as LLaVA-style models use it: patch tokens of an inner block.
// Reference: chatrex-mllm.md, section 5. Pixels [B, 3, S, S] -> hidden states [B, 1 + (S / patch)^2, C].

import Torch
import TorchNN

/// Sizes of a CLIP vision tower, as in its `config.json`.
public struct CLIPConfiguration: Codable, Sendable, Equatable {
    public var imageSize: Int
    public var patchSize: Int
    public var width: Int
    public var layerCount: Int
    public var headCount: Int
    public var hiddenWidth: Int
    public var layerNormEpsilon: Double

    enum CodingKeys: String, CodingKey {
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case width = "hidden_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case hiddenWidth = "intermediate_size"
        case layerNormEpsilon = "layer_norm_eps"
    }

    public init(
        imageSize: Int, patchSize: Int, width: Int, layerCount: Int, headCount: Int, hiddenWidth: Int,
        layerNormEpsilon: Double = 1e-5
    ) {
        (self.imageSize, self.patchSize, self.width) = (imageSize, patchSize, width)
        (self.layerCount, self.headCount, self.hiddenWidth) = (layerCount, headCount, hiddenWidth)
        self.layerNormEpsilon = layerNormEpsilon
    }

    /// OpenAI's ViT-L/14 at 336 px.
    public static let large336 = CLIPConfiguration(
        imageSize: 336, patchSize: 14, width: 1024, layerCount: 24, headCount: 16, hiddenWidth: 4096)

    /// Patches along one side.
    public var gridSide: Int { imageSize / patchSize }

    /// - Throws: `ConfigurationError` when sizes do not divide or are out of range.
    public func validate() throws {
        try ConfigurationError.require(
            (1...16384).contains(imageSize) && (1...imageSize).contains(patchSize) && imageSize % patchSize == 0,
            "CLIP: image_size \(imageSize) must be a multiple of patch_size \(patchSize)")
        try ConfigurationError.require(
            (1...65536).contains(width) && (1...width).contains(headCount) && width % headCount == 0,
            "CLIP: hidden_size \(width) must be a multiple of num_attention_heads \(headCount)")
        try ConfigurationError.require(
            (1...1024).contains(layerCount) && (1...1_000_000).contains(hiddenWidth),
            "CLIP: layers or MLP width out of range")
    }
}

/// Names below the given place: `embeddings`, `pre_layrnorm` (spelled so), `encoder.layers.{i}`, `post_layernorm`.
public final class CLIPVisionTower: Module {
    public let configuration: CLIPConfiguration
    let classEmbedding: Tensor
    let patchEmbedding: Conv2d
    let positionEmbedding: Tensor
    let preNorm: LayerNorm
    let blocks: [CLIPBlock]
    /// Stored with the model, unused by it.
    let postNorm: LayerNorm
    /// Whether blocks keep their inputs alone for the backward pass and are computed again in it, see `recomputed`.
    public var recomputesActivations = false

    public init(_ configuration: CLIPConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let width = configuration.width
        let embeddings = weights / "embeddings"
        classEmbedding = try embeddings.parameter("class_embedding", [width], .normal(deviation: 0.02))
        patchEmbedding = try Conv2d(
            3, width, kernel: configuration.patchSize, stride: configuration.patchSize, bias: false,
            embeddings / "patch_embedding")
        positionEmbedding = try (embeddings / "position_embedding").parameter(
            "weight", [configuration.gridSide * configuration.gridSide + 1, width], .normal(deviation: 0.02))
        preNorm = try LayerNorm(width, epsilon: configuration.layerNormEpsilon, weights / "pre_layrnorm")
        blocks = try (0..<configuration.layerCount).map {
            try CLIPBlock(configuration, weights / "encoder" / "layers" / $0)
        }
        postNorm = try LayerNorm(width, epsilon: configuration.layerNormEpsilon, weights / "post_layernorm")
        super.init(weights)
    }

    /// All hidden states up to `last`: 0 is the input of the first block, k the output of block k.
    ///
    /// - Parameters:
    ///   - pixels: normalised, [B, 3, S, S]
    ///   - last: number of blocks to run; all when nil.
    /// - Returns: each [B, 1 + N, C], the class token first.
    public func hiddenStates(_ pixels: Tensor, through last: Int? = nil) throws -> [Tensor] {
        let batch = pixels.size(0)
        let patches = try patchEmbedding(pixels).flattened(from: 2).transposed(1, 2)  // [B, N, C]
        let classToken = try classEmbedding.to(dtype: patches.dtype).expanded(batch, 1, -1)
        var x = try preNorm(Tensor.concatenated([classToken, patches], dimension: 1) + positionEmbedding)
        var states = [x]
        for block in blocks.prefix(last ?? blocks.count) {
            x = try recomputed([x], if: recomputesActivations) { try block($0[0]) }
            states.append(x)
        }
        return states
    }

    /// Patch tokens of one hidden state, without the class token.
    ///
    /// - Parameter layer: negative counts from the last state, so -2 leaves out the last block.
    /// - Returns: [B, N, C], row-major over the grid.
    public func patchTokens(_ pixels: Tensor, layer: Int) throws -> Tensor {
        let index = layer < 0 ? blocks.count + 1 + layer : layer
        try ConfigurationError.require(
            (0...blocks.count).contains(index), "CLIP: hidden state \(layer) of a tower with \(blocks.count) layers")
        return try hiddenStates(pixels, through: index)[index][.all, .from(1)]
    }
}

/// A pre-norm transformer block with quick-GELU.
final class CLIPBlock: Module {
    let norm1: LayerNorm, norm2: LayerNorm
    let q: Linear, k: Linear, v: Linear, out: Linear
    let fc1: Linear, fc2: Linear
    let headCount: Int

    init(_ configuration: CLIPConfiguration, _ weights: Weights) throws {
        let width = configuration.width
        headCount = configuration.headCount
        norm1 = try LayerNorm(width, epsilon: configuration.layerNormEpsilon, weights / "layer_norm1")
        norm2 = try LayerNorm(width, epsilon: configuration.layerNormEpsilon, weights / "layer_norm2")
        let attention = weights / "self_attn"
        q = try Linear(width, width, attention / "q_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        k = try Linear(width, width, attention / "k_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        v = try Linear(width, width, attention / "v_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        out = try Linear(width, width, attention / "out_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        fc1 = try Linear(width, configuration.hiddenWidth, weights / "mlp" / "fc1", initializer: .xavierUniform)
        fc2 = try Linear(configuration.hiddenWidth, width, weights / "mlp" / "fc2", initializer: .xavierUniform)
        super.init(weights)
    }

    /// [B, T, C] -> [B, T, C]
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (b, t, c) = try x.shape3()
        func heads(_ y: Tensor) throws -> Tensor { try y.reshaped(b, t, headCount, c / headCount).transposed(1, 2) }
        let y = try norm1(x)
        let mixed = try scaledDotProductAttention(heads(q(y)), heads(k(y)), heads(v(y)))  // [B, H, T, D]
        let x = try x + out(mixed.transposed(1, 2).reshaped(b, t, c))
        return try x + fc2(fc1(norm2(x)).quickGELU())
    }
}
