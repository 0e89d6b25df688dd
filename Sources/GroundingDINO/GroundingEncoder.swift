// The encoder: in each layer picture and text read each other, then each reads itself. Hugging Face's names.

import Torch
import TorchNN
import UPN

/// Names: `fusion_layer`, `text_enhancer_layer`, `deformable_layer`.
final class GroundingEncoderLayer: Module {
    let fusion: FusionLayer
    let enhancer: TextEnhancerLayer
    let deformable: DeformableEncoderLayer

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        fusion = try FusionLayer(configuration, weights / "fusion_layer")
        enhancer = try TextEnhancerLayer(configuration, weights / "text_enhancer_layer")
        deformable = try DeformableEncoderLayer(configuration.encoder, weights / "deformable_layer")
        super.init(weights)
    }

    /// - Parameters:
    ///   - tokens: of the picture, [B, S, C]
    ///   - words: of the text, [B, T, C]
    ///   - wordPositions: [B, T, C]
    func callAsFunction(
        _ tokens: Tensor, _ words: Tensor, picture: GroundingDINONetwork.Picture, text: GroundingText,
        wordPositions: Tensor
    ) throws -> (tokens: Tensor, words: Tensor) {
        let fused = try fusion(picture: tokens, padding: picture.mask, text: words, isToken: text.isToken)
        let words = try enhancer(fused.text, positions: wordPositions, visible: text.visible)
        let tokens = try deformable(
            fused.picture, positions: picture.positions, references: picture.references, mask: picture.mask,
            levels: picture.levels)
        return (tokens, words)
    }
}

/// A post-norm layer over the text. Names: `self_attn`, `layer_norm_before`, `fc1`, `fc2`, `layer_norm_after`.
final class TextEnhancerLayer: Module {
    let attention: MultiheadAttention
    let attentionNorm: LayerNorm, outputNorm: LayerNorm
    let fc1: Linear, fc2: Linear

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        let (width, hidden) = (configuration.width, configuration.encoderHiddenWidth / 2)
        attention = try MultiheadAttention(width, headCount: configuration.encoderHeadCount / 2, weights / "self_attn")
        attentionNorm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "layer_norm_before")
        outputNorm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "layer_norm_after")
        fc1 = try Linear(width, hidden, weights / "fc1")
        fc2 = try Linear(hidden, width, weights / "fc2")
        super.init(weights)
    }

    /// [B, T, C] -> [B, T, C]
    /// - Parameter visible: [B, T, T], true where a token (row) may look
    func callAsFunction(_ x: Tensor, positions: Tensor, visible: Tensor) throws -> Tensor {
        let placed = try x + positions
        let y = try attentionNorm(x + attention(placed, keys: placed, values: x, mask: visible.unsqueezed(1)))
        return try outputNorm(y + fc2(fc1(y).relu()))
    }
}
