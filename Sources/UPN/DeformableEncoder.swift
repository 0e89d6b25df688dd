// The encoder over the tokens of all levels. Reference: upn.md, section 8.

import Torch
import TorchNN

/// A post-norm layer. Names: `self_attn`, `norm1`, `linear1`, `linear2`, `norm2`.
package final class DeformableEncoderLayer: Module {
    let attention: DeformableAttention
    let norm1: LayerNorm, norm2: LayerNorm
    let linear1: Linear, linear2: Linear

    package init(_ sizes: DeformableSizes, _ weights: Weights) throws {
        attention = try DeformableAttention(sizes, weights / "self_attn")
        norm1 = try LayerNorm(sizes.width, epsilon: sizes.normEpsilon, weights / "norm1")
        norm2 = try LayerNorm(sizes.width, epsilon: sizes.normEpsilon, weights / "norm2")
        linear1 = try Linear(sizes.width, sizes.hiddenWidth, weights / "linear1", initializer: .xavierUniform)
        linear2 = try Linear(sizes.hiddenWidth, sizes.width, weights / "linear2", initializer: .xavierUniform)
        super.init(weights)
    }

    /// - Parameters:
    ///   - x: [B, S, C]
    ///   - positions: [B, S, C], added to the query only
    package func callAsFunction(
        _ x: Tensor, positions: Tensor, references: Tensor, mask: Tensor, levels: FeatureLevels
    ) throws -> Tensor {
        let x = try norm1(x + attention(x + positions, references: references, memory: x, mask: mask, levels: levels))
        return try norm2(x + linear2(linear1(x).relu()))
    }
}
