// The decoder: queries read each other, the text and the picture, and refine their boxes layer by layer. Hugging Face's names.

import Torch
import TorchNN
import UPN

/// Names: `layers.{i}`, `layer_norm`, `reference_points_head`.
final class GroundingDecoder: Module {
    let layers: [GroundingDecoderLayer]
    let norm: LayerNorm
    let positionHead: MLP
    private let width: Int

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        width = configuration.width
        layers = try (0..<configuration.decoderLayerCount).map {
            try GroundingDecoderLayer(configuration, weights / "layers" / $0)
        }
        norm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "layer_norm")
        positionHead = try MLP([2 * width, width, width], weights / "reference_points_head")
        super.init(weights)
    }

    /// - Parameters:
    ///   - content: [B, K, C]
    ///   - coordinates: boxes before the logistic function, [B, K, 4]
    ///   - boxHeads: one for each layer
    /// - Returns: normed queries [B, K, C] and their boxes [B, K, 4] as cx, cy, w, h in 0…1
    func callAsFunction(
        content: Tensor, coordinates: Tensor, memory: GroundingDINONetwork.Memory, boxHeads: [MLP]
    ) throws -> (hidden: Tensor, boxes: Tensor) {
        var x = content
        var boxes = try coordinates.converted(to: .float32).sigmoid()  // [B, K, 4]
        let validRatios = memory.picture.levels.validRatios
        let ratios = try Tensor.concatenated([validRatios, validRatios], dimension: -1).unsqueezed(1)  // [B, 1, L, 4]
        let isToken = try memory.isToken.unsqueezed(1).unsqueezed(1)  // [B, 1, 1, T]
        for (index, layer) in layers.enumerated() {
            let onLevels = try boxes.unsqueezed(2) * ratios  // [B, K, L, 4]
            let positions = try positionHead(SineEmbedding.boxes(onLevels[.all, .all, 0], features: width / 2))
            x = try layer(x, positions: positions, references: onLevels, memory: memory, isToken: isToken)
            // What leaves the network is read from the normed query, what enters the next layer from the query itself.
            let source = index == layers.count - 1 ? try norm(x) : x
            boxes = try (boxHeads[index](source).converted(to: .float32) + boxes.logit(epsilon: 1e-5)).sigmoid()
        }
        return (try norm(x), boxes)
    }
}

/// A post-norm layer. Names: `self_attn`, `encoder_attn_text` and `encoder_attn`, each with a `…_layer_norm`; `fc1`, `fc2`,
/// `final_layer_norm`.
final class GroundingDecoderLayer: Module {
    let ownAttention: MultiheadAttention, textAttention: MultiheadAttention, pictureAttention: DeformableAttention
    let ownNorm: LayerNorm, textNorm: LayerNorm, pictureNorm: LayerNorm, outputNorm: LayerNorm
    let fc1: Linear, fc2: Linear

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        let (width, heads) = (configuration.width, configuration.decoderHeadCount)
        let epsilon = configuration.normEpsilon
        ownAttention = try MultiheadAttention(width, headCount: heads, weights / "self_attn")
        ownNorm = try LayerNorm(width, epsilon: epsilon, weights / "self_attn_layer_norm")
        textAttention = try MultiheadAttention(width, headCount: heads, weights / "encoder_attn_text")
        textNorm = try LayerNorm(width, epsilon: epsilon, weights / "encoder_attn_text_layer_norm")
        pictureAttention = try DeformableAttention(configuration.decoder, weights / "encoder_attn")
        pictureNorm = try LayerNorm(width, epsilon: epsilon, weights / "encoder_attn_layer_norm")
        fc1 = try Linear(width, configuration.decoderHiddenWidth, weights / "fc1")
        fc2 = try Linear(configuration.decoderHiddenWidth, width, weights / "fc2")
        outputNorm = try LayerNorm(width, epsilon: epsilon, weights / "final_layer_norm")
        super.init(weights)
    }

    /// [B, K, C] -> [B, K, C]
    func callAsFunction(
        _ x: Tensor, positions: Tensor, references: Tensor, memory: GroundingDINONetwork.Memory, isToken: Tensor
    ) throws -> Tensor {
        let placed = try x + positions
        var x = try ownNorm(x + ownAttention(placed, keys: placed, values: x))
        x = try textNorm(x + textAttention(x + positions, keys: memory.words, values: memory.words, mask: isToken))
        let seen = try pictureAttention(
            x + positions, references: references, memory: memory.tokens, mask: memory.picture.mask,
            levels: memory.picture.levels)
        x = try pictureNorm(x + seen)
        return try outputNorm(x + fc2(fc1(x).relu()))
    }
}
