// The decoder: queries attend to each other and to the memory, and refine their boxes layer by layer. Reference: upn.md, sections 10 and 11.

import Torch
import TorchNN

/// What the decoder made of its queries, layer by layer. Q extra queries (denoising) come first, then the K selected ones.
public struct DecoderOutput {
    /// Boxes of each layer, [B, Q + K, 4] as cx, cy, w, h in 0…1.
    public var boxes: [Tensor] = []
    /// Logits of each layer, [B, Q + K].
    public var logits: [Tensor] = []
    /// Normed queries after each layer, [B, Q + K, C].
    public var hidden: [Tensor] = []
    /// Boxes entering the first layer, then after each layer, [B, Q + K, 4].
    public var references: [Tensor] = []
}

/// Queries that are decoded along with the selected ones: noised targets in training.
public struct ExtraQueries {
    /// [B, Q, C]
    public let content: Tensor
    /// Boxes before the logistic function, [B, Q, 4].
    public let references: Tensor
    /// [Q + K, Q + K], true where a query (row) may look at another (column); extra queries first.
    public let attentionMask: Tensor

    public init(content: Tensor, references: Tensor, attentionMask: Tensor) {
        (self.content, self.references, self.attentionMask) = (content, references, attentionMask)
    }
}

/// Names: `layers.{i}`, `norm`, `ref_point_head`.
final class DeformableDecoder: Module {
    let layers: [DeformableDecoderLayer]
    let norm: LayerNorm
    let positionHead: MLP
    var recomputesActivations = false
    private let width: Int, epsilon: Double

    init(_ configuration: UPNConfiguration, _ weights: Weights) throws {
        (width, epsilon) = (configuration.width, configuration.inverseSigmoidEpsilon)
        layers = try (0..<configuration.decoderLayerCount).map {
            try DeformableDecoderLayer(configuration, weights / "layers" / $0)
        }
        norm = try LayerNorm(width, weights / "norm")
        positionHead = try MLP([2 * width, width, width], weights / "ref_point_head", initializer: .xavierUniform)
        super.init(weights)
    }

    /// - Parameters:
    ///   - content: [B, N, C]
    ///   - references: boxes before the logistic function, [B, N, 4]
    ///   - boxHead: shared by all layers
    ///   - prompt: [C]
    func callAsFunction(
        content: Tensor, references: Tensor, memory: Tensor, mask: Tensor, levels: FeatureLevels,
        attentionMask: Tensor?,
        boxHead: MLP, prompt: Tensor
    ) throws -> DecoderOutput {
        var x = content
        var reference = try references.converted(to: .float32).sigmoid()  // [B, N, 4]
        var output = DecoderOutput()
        // The reference as the last layer left it, through which gradients of the next layer's boxes flow.
        var attached = reference
        output.references.append(reference)
        // [B, 1, L, 4]
        let ratios = try Tensor.concatenated([levels.validRatios, levels.validRatios], dimension: -1).unsqueezed(1)
        for layer in layers {
            let onLevels = try reference.unsqueezed(2) * ratios  // [B, N, L, 4]
            let positions = try positionHead(SineEmbedding.boxes(onLevels[.all, .all, 0], features: width / 2))
            x = try recomputed([x, positions, memory], if: recomputesActivations) {
                try layer(
                    $0[0], positions: $0[1], references: onLevels, memory: $0[2], mask: mask, levels: levels,
                    attentionMask: attentionMask)
            }
            let hidden = try norm(x)
            let refined = try refine(attached: reference, boxHead(x))
            output.hidden.append(hidden)
            output.boxes.append(try refine(attached: attached, boxHead(hidden)))
            output.logits.append(try hidden.matmul(prompt.to(dtype: hidden.dtype)).converted(to: .float32))
            output.references.append(refined)
            attached = refined
            reference = try refined.detached()
        }
        return output
    }

    /// sigma(delta + inverse sigma(box)), in float32.
    private func refine(attached box: Tensor, _ delta: Tensor) throws -> Tensor {
        try (delta.converted(to: .float32) + InverseSigmoid.apply(box, epsilon: epsilon)).sigmoid()
    }
}

/// The inverse of the logistic function with both sides kept away from zero.
public enum InverseSigmoid {
    public static func apply(_ x: Tensor, epsilon: Double) throws -> Tensor {
        let x = try x.clamped(0, 1)
        return try (x.clamped(epsilon, nil) / (1 - x).clamped(epsilon, nil)).log()
    }
}

/// A post-norm layer. Names: `self_attn` (packed), `cross_attn`, `norm1…3`, `linear1`, `linear2`.
final class DeformableDecoderLayer: Module {
    let inputWeight: Tensor, inputBias: Tensor
    let selfOutput: Linear
    let cross: DeformableAttention
    let norm1: LayerNorm, norm2: LayerNorm, norm3: LayerNorm
    let linear1: Linear, linear2: Linear
    let headCount: Int

    init(_ configuration: UPNConfiguration, _ weights: Weights) throws {
        let width = configuration.width
        headCount = configuration.headCount
        inputWeight = try (weights / "self_attn").parameter("in_proj_weight", [3 * width, width], .xavierUniform)
        inputBias = try (weights / "self_attn").parameter("in_proj_bias", [3 * width], .zeros)
        selfOutput = try Linear(
            width, width, weights / "self_attn" / "out_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        cross = try DeformableAttention(configuration.deformable, weights / "cross_attn")
        norm1 = try LayerNorm(width, weights / "norm1")
        norm2 = try LayerNorm(width, weights / "norm2")
        norm3 = try LayerNorm(width, weights / "norm3")
        linear1 = try Linear(width, configuration.hiddenWidth, weights / "linear1", initializer: .xavierUniform)
        linear2 = try Linear(configuration.hiddenWidth, width, weights / "linear2", initializer: .xavierUniform)
        super.init(weights)
    }

    /// [B, N, C] -> [B, N, C]
    func callAsFunction(
        _ x: Tensor, positions: Tensor, references: Tensor, memory: Tensor, mask: Tensor, levels: FeatureLevels,
        attentionMask: Tensor?
    ) throws -> Tensor {
        var x = try norm2(x + selfAttended(x, positions: positions, mask: attentionMask))
        x = try norm1(x + cross(x + positions, references: references, memory: memory, mask: mask, levels: levels))
        return try norm3(x + linear2(linear1(x).relu()))
    }

    private func selfAttended(_ x: Tensor, positions: Tensor, mask: Tensor?) throws -> Tensor {
        let (b, n, c) = try x.shape3()
        let placed = try x + positions
        func projected(_ source: Tensor, _ part: Int) throws -> Tensor {
            let rows = TensorIndex.range(part * c..<(part + 1) * c)
            return try source.linear(inputWeight[rows], inputBias[rows]).reshaped(b, n, headCount, c / headCount)
                .transposed(1, 2)
        }
        let mixed = try scaledDotProductAttention(
            projected(placed, 0), projected(placed, 1), projected(x, 2), mask: mask)
        return try selfOutput(mixed.transposed(1, 2).reshaped(b, n, c))
    }
}
