// ConvNeXt (Liu et al. 2022, arXiv 2201.03545) as ChatRex's high-resolution encoder: four maps, tapped raw after each stage.
// Reference: chatrex-mllm.md, section 6. Pixels [B, 3, S, S] -> [B, C_s, S / 4 / 2^s, S / 4 / 2^s] for s in 0..<4.

import Torch
import TorchNN

/// Sizes of a ConvNeXt trunk.
public struct ConvNeXtConfiguration: Codable, Sendable, Equatable {
    /// Channels of each stage.
    public var widths: [Int]
    /// Blocks of each stage.
    public var depths: [Int]
    public var layerNormEpsilon: Double

    enum CodingKeys: String, CodingKey {
        case widths = "hidden_sizes"
        case depths
        case layerNormEpsilon = "layer_norm_eps"
    }

    public init(widths: [Int], depths: [Int], layerNormEpsilon: Double = 1e-6) {
        (self.widths, self.depths, self.layerNormEpsilon) = (widths, depths, layerNormEpsilon)
    }

    /// LAION's ConvNeXt-Large.
    public static let large = ConvNeXtConfiguration(widths: [192, 384, 768, 1536], depths: [3, 3, 27, 3])

    /// Pixels of the input that one cell of the last map covers, along a side.
    public var stride: Int { 4 << (widths.count - 1) }

    /// - Throws: `ConfigurationError` when the lists do not fit each other.
    public func validate() throws {
        try ConfigurationError.require(
            (1...8).contains(widths.count) && widths.count == depths.count
                && (widths + depths).allSatisfy { (1...65536).contains($0) },
            "ConvNeXt: widths \(widths) and depths \(depths) must be equally many positive numbers")
    }
}

/// Names below the given place: `vision_stem`, `vision_stages.{s}`.
public final class ConvNeXt: Module {
    public let configuration: ConvNeXtConfiguration
    let stem: Conv2d
    let stemNorm: LayerNorm
    let stages: [ConvNeXtStage]
    /// Whether blocks keep their inputs alone for the backward pass and are computed again in it, see `recomputed`.
    public var recomputesActivations = false

    public init(_ configuration: ConvNeXtConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let widths = configuration.widths, epsilon = configuration.layerNormEpsilon
        stem = try Conv2d(
            3, widths[0], kernel: 4, stride: 4, weights / "vision_stem" / 0,
            initializer: .truncatedNormal(deviation: 0.02),
            biasInitializer: .zeros)
        stemNorm = try LayerNorm(widths[0], epsilon: epsilon, weights / "vision_stem" / 1)
        stages = try widths.indices.map { index in
            try ConvNeXtStage(
                inputs: index == 0 ? nil : widths[index - 1], widths[index], depth: configuration.depths[index],
                epsilon: epsilon, weights / "vision_stages" / index)
        }
        super.init(weights)
    }

    /// The stem's map, [B, C_0, S / 4, S / 4].
    public func stemMap(_ pixels: Tensor) throws -> Tensor {
        try stemNorm.overChannels(stem(pixels.channelsLast()))
    }

    /// The map after each stage.
    /// - Parameter pixels: normalised, [B, 3, S, S]
    public func callAsFunction(_ pixels: Tensor) throws -> [Tensor] {
        var x = try stemMap(pixels)
        var maps: [Tensor] = []
        for stage in stages {
            x = try stage(x, recomputes: recomputesActivations)
            maps.append(x)
        }
        return maps
    }
}

/// A halving of the map (but for the first stage), then blocks.
final class ConvNeXtStage: Module {
    let downsampleNorm: LayerNorm?
    let downsample: Conv2d?
    let blocks: [ConvNeXtBlock]

    init(inputs: Int?, _ width: Int, depth: Int, epsilon: Double, _ weights: Weights) throws {
        downsampleNorm = try inputs.map { try LayerNorm($0, epsilon: epsilon, weights / "downsample" / 0) }
        downsample = try inputs.map {
            try Conv2d(
                $0, width, kernel: 2, stride: 2, weights / "downsample" / 1,
                initializer: .truncatedNormal(deviation: 0.02),
                biasInitializer: .zeros)
        }
        blocks = try (0..<depth).map { try ConvNeXtBlock(width, epsilon: epsilon, weights / "blocks" / $0) }
        super.init(weights)
    }

    /// [B, C_in, H, W] -> [B, C, H', W']
    func callAsFunction(_ x: Tensor, recomputes: Bool) throws -> Tensor {
        var x = x
        if let downsample, let downsampleNorm { x = try downsample(downsampleNorm.overChannels(x)) }
        for block in blocks { x = try recomputed([x], if: recomputes) { try block($0[0]) } }
        return x
    }
}

/// Depthwise 7x7, channel norm, a GELU MLP, a learned scale, and the input added.
final class ConvNeXtBlock: Module {
    let depthwise: Conv2d
    let norm: LayerNorm
    let fc1: Linear, fc2: Linear
    let scale: Tensor

    init(_ width: Int, epsilon: Double, _ weights: Weights) throws {
        depthwise = try Conv2d(
            width, width, kernel: 7, padding: 3, groups: width, weights / "conv_dw",
            initializer: .truncatedNormal(deviation: 0.02),
            biasInitializer: .zeros)
        norm = try LayerNorm(width, epsilon: epsilon, weights / "norm")
        fc1 = try Linear(
            width, 4 * width, weights / "mlp" / "fc1", initializer: .truncatedNormal(deviation: 0.02),
            biasInitializer: .zeros)
        fc2 = try Linear(
            4 * width, width, weights / "mlp" / "fc2", initializer: .truncatedNormal(deviation: 0.02),
            biasInitializer: .zeros)
        // The layer scale is `ramma` in the released models (their writer renamed every `gamma`), `gamma` elsewhere.
        scale = try weights.parameter(weights.contains("gamma") ? "gamma" : "ramma", [width], .constant(0.1))
        super.init(weights)
    }

    /// [B, C, H, W] -> [B, C, H, W]
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let y = try norm(depthwise(x).permuted(0, 2, 3, 1))  // [B, H, W, C]
        let mixed = try fc2(fc1(y).gelu()) * scale
        return try x + mixed.permuted(0, 3, 1, 2)
    }
}
