// From a backbone's maps to those of all levels. Reference: upn.md, section 6.

import Torch
import TorchNN

/// Brings a backbone's maps to the transformer's width and adds coarser levels. Names: `{level}`.
package final class FeaturePyramid: Module {
    private let necks: [Neck]

    /// - Parameters:
    ///   - stages: channels of the backbone's maps
    ///   - groups: of the normalisation
    package init(_ stages: [Int], _ width: Int, levelCount: Int, groups: Int, _ weights: Weights) throws {
        necks = try (0..<levelCount).map { level in
            let inputs = level < stages.count ? stages[level] : level == stages.count ? stages[level - 1] : width
            return try Neck(inputs, width, halves: level >= stages.count, groups: groups, weights / level)
        }
        super.init(weights)
    }

    /// The maps of all levels, [B, C, h, w] each.
    package func callAsFunction(_ maps: [Tensor]) throws -> [Tensor] {
        var features: [Tensor] = []
        for (level, neck) in necks.enumerated() {
            // The first extra level reads the backbone's last map itself, further ones the level before.
            let source = level < maps.count ? maps[level] : level == maps.count ? maps[level - 1] : features[level - 1]
            features.append(try neck(source))
        }
        return features
    }
}

/// Brings a map to the transformer's width. Names: `0` (convolution), `1` (GroupNorm).
final class Neck: Module {
    let convolution: Conv2d
    let norm: GroupNorm

    init(_ inputs: Int, _ outputs: Int, halves: Bool, groups: Int, _ weights: Weights) throws {
        convolution = try Conv2d(
            inputs, outputs, kernel: halves ? 3 : 1, stride: halves ? 2 : 1, padding: halves ? 1 : 0, weights / 0,
            initializer: .xavierUniform, biasInitializer: .zeros)
        norm = try GroupNorm(groups: groups, outputs, weights / 1)
        super.init(weights)
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor { try norm(convolution(x)) }
}
