// Multi-scale deformable attention (Zhu et al. 2020, arXiv 2010.04159). Reference: upn.md, section 7.

import Foundation
import Torch
import TorchNN

/// Sizes that the layers of a deformable transformer share.
package struct DeformableSizes: Sendable {
    package var width: Int, headCount: Int, levelCount: Int, pointCount: Int, hiddenWidth: Int
    package var normEpsilon: Double

    package init(
        width: Int, headCount: Int, levelCount: Int, pointCount: Int, hiddenWidth: Int, normEpsilon: Double = 1e-5
    ) {
        (self.width, self.headCount, self.levelCount) = (width, headCount, levelCount)
        (self.pointCount, self.hiddenWidth, self.normEpsilon) = (pointCount, hiddenWidth, normEpsilon)
    }
}

/// Reads a few learned points around a reference on every level. Names: `sampling_offsets`, `attention_weights`, `value_proj`, `output_proj`.
package final class DeformableAttention: Module {
    private static let sample = Operator("chatrex::multi_scale_deformable_attention")
    let offsets: Linear, attention: Linear, value: Linear, output: Linear
    let headCount: Int, levelCount: Int, pointCount: Int

    package init(_ sizes: DeformableSizes, _ weights: Weights) throws {
        (headCount, levelCount, pointCount) = (sizes.headCount, sizes.levelCount, sizes.pointCount)
        let width = sizes.width, points = headCount * levelCount * pointCount
        let ring = Self.ring(headCount, levelCount, pointCount)
        offsets = try Linear(
            width, points * 2, weights / "sampling_offsets", initializer: .zeros,
            biasInitializer: .custom { try $0.copy(from: Tensor(ring)) })
        attention = try Linear(
            width, points, weights / "attention_weights", initializer: .zeros, biasInitializer: .zeros)
        value = try Linear(width, width, weights / "value_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        output = try Linear(width, width, weights / "output_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        super.init(weights)
    }

    /// - Parameters:
    ///   - query: [B, N, C]
    ///   - references: points [B, N, L, 2] or boxes [B, N, L, 4] (cx, cy, w, h), relative to the maps
    ///   - memory: [B, S, C]
    ///   - mask: [B, S, 1], true = padding
    /// - Returns: [B, N, C]
    package func callAsFunction(
        _ query: Tensor, references: Tensor, memory: Tensor, mask: Tensor, levels: FeatureLevels
    ) throws -> Tensor {
        let (b, n, c) = try query.shape3()
        let s = memory.size(1)
        let values = try value(memory).filled(where: mask, with: 0).reshaped(b, s, headCount, c / headCount)
        let shift = try offsets(query).converted(to: .float32).reshaped(b, n, headCount, levelCount, pointCount, 2)
        let weights = try attention(query).converted(to: .float32).reshaped(b, n, headCount, levelCount * pointCount)
            .softmax(over: -1).reshaped(b, n, headCount, levelCount, pointCount)
        let locations = try self.locations(shift, references, levels)
        let mixed = try Self.sample(
            .tensor(values), .tensor(levels.spatialShapes), .tensor(levels.starts), .tensor(locations), .tensor(weights)
        )
        return try output(mixed)
    }

    /// Where to read, relative to the maps: [B, N, H, L, P, 2].
    private func locations(_ shift: Tensor, _ references: Tensor, _ levels: FeatureLevels) throws -> Tensor {
        let spread = try references[.all, .all, .new, .all, .new]  // [B, N, 1, L, 1, 2 or 4]
        if references.size(-1) == 2 {
            let extent = try Tensor(
                levels.sizes.flatMap { [Float($0.width), Float($0.height)] }, shape: [levelCount, 1, 2])
            return try spread + shift / extent.to(device: shift.device)
        }
        return try spread[.rest, .upTo(2)] + shift * spread[.rest, .from(2)] * (0.5 / Double(pointCount))
    }

    /// Offsets at the start of training: each head looks in its own direction, each point one step farther.
    private static func ring(_ heads: Int, _ levels: Int, _ points: Int) -> [Float] {
        (0..<heads).flatMap { head -> [Float] in
            let angle = 2 * Double.pi * Double(head) / Double(heads)
            let (x, y) = (cos(angle), sin(angle))
            let longest = max(abs(x), abs(y))
            return (0..<levels).flatMap { _ in
                (1...points).flatMap { [Float(x / longest * Double($0)), Float(y / longest * Double($0))] }
            }
        }
    }
}
