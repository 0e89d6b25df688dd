// Swin transformer (Liu et al. 2021, arXiv 2103.14030) as the proposal network's backbone.
// Reference: upn.md, section 5. Pixels [B, 3, H, W] -> normed maps of chosen stages, [B, C_s, H / 4 / 2^s, W / 4 / 2^s] (rounded up).

import Torch
import TorchNN

/// Sizes of a Swin backbone.
public struct SwinConfiguration: Codable, Sendable, Equatable {
    public var patchSize: Int
    public var width: Int
    public var depths: [Int]
    public var headCounts: [Int]
    public var windowSize: Int
    public var mlpRatio: Double
    /// Stages whose maps are returned, ascending.
    public var returnedStages: [Int]
    public var layerNormEpsilon: Double
    /// Share of the last block's residual branches that training skips; earlier blocks skip fewer, the first none.
    public var dropPathRate: Double

    enum CodingKeys: String, CodingKey {
        case patchSize = "patch_size"
        case width = "embed_dim"
        case depths
        case headCounts = "num_heads"
        case windowSize = "window_size"
        case mlpRatio = "mlp_ratio"
        case returnedStages = "return_interm_indices"
        case layerNormEpsilon = "layer_norm_eps"
        case dropPathRate = "drop_path_rate"
    }

    public init(
        patchSize: Int = 4, width: Int, depths: [Int], headCounts: [Int], windowSize: Int, mlpRatio: Double = 4,
        returnedStages: [Int] = [0, 1, 2, 3], layerNormEpsilon: Double = 1e-5, dropPathRate: Double = 0
    ) {
        (self.patchSize, self.width, self.depths, self.headCounts) = (patchSize, width, depths, headCounts)
        (self.windowSize, self.mlpRatio, self.returnedStages) = (windowSize, mlpRatio, returnedStages)
        (self.layerNormEpsilon, self.dropPathRate) = (layerNormEpsilon, dropPathRate)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            patchSize: try values.decode(Int.self, forKey: .patchSize),
            width: try values.decode(Int.self, forKey: .width),
            depths: try values.decode([Int].self, forKey: .depths),
            headCounts: try values.decode([Int].self, forKey: .headCounts),
            windowSize: try values.decode(Int.self, forKey: .windowSize),
            mlpRatio: try values.decode(Double.self, forKey: .mlpRatio),
            returnedStages: try values.decode([Int].self, forKey: .returnedStages),
            layerNormEpsilon: try values.decode(Double.self, forKey: .layerNormEpsilon),
            dropPathRate: try values.decodeIfPresent(Double.self, forKey: .dropPathRate) ?? 0)
    }

    /// Swin-L with 12x12 windows, as in the released UPN.
    public static let large = SwinConfiguration(
        width: 192, depths: [2, 2, 18, 2], headCounts: [6, 12, 24, 48], windowSize: 12, dropPathRate: 0.2)

    /// Channels of a stage.
    public func width(of stage: Int) -> Int { width << stage }

    /// - Throws: `ConfigurationError` when sizes do not divide or are out of range.
    public func validate() throws {
        try ConfigurationError.require(
            (1...8).contains(depths.count) && depths.count == headCounts.count && (1...64).contains(patchSize)
                && (1...4096).contains(width) && (1...64).contains(windowSize)
                && (depths + headCounts).allSatisfy { $0 > 0 && $0 <= 512 }
                && mlpRatio > 0 && mlpRatio <= 16,
            "Swin: depths \(depths) and num_heads \(headCounts) must be equally many positive numbers, sizes positive")
        try ConfigurationError.require(
            (0..<1).contains(dropPathRate), "Swin: drop_path_rate \(dropPathRate) is not within 0..<1")
        for (stage, heads) in headCounts.enumerated() {
            try ConfigurationError.require(
                width(of: stage) % heads == 0,
                "Swin: stage \(stage) has \(width(of: stage)) channels, not a multiple of \(heads) heads")
        }
        try ConfigurationError.require(
            !returnedStages.isEmpty && returnedStages == returnedStages.sorted()
                && Set(returnedStages).count == returnedStages.count
                && returnedStages.allSatisfy(depths.indices.contains),
            "Swin: return_interm_indices \(returnedStages) must be ascending stages of \(depths.count)")
    }
}

/// Names below the given place: `patch_embed.{proj,norm}`, `layers.{s}.blocks.{i}`, `layers.{s}.downsample`, `norm{s}`.
public final class Swin: Module {
    public let configuration: SwinConfiguration
    let patchProjection: Conv2d
    let patchNorm: LayerNorm
    let stages: [SwinStage]
    /// One for each returned stage.
    let norms: [LayerNorm]
    /// Whether residual branches are skipped at random, as training wants it (stochastic depth, arXiv 1603.09382).
    public var dropsPaths = false
    /// Whether blocks keep their inputs alone for the backward pass and are computed again in it, see `recomputed`.
    public var recomputesActivations = false

    public init(_ configuration: SwinConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let epsilon = configuration.layerNormEpsilon
        patchProjection = try Conv2d(
            3, configuration.width, kernel: configuration.patchSize, stride: configuration.patchSize,
            weights / "patch_embed" / "proj")
        patchNorm = try LayerNorm(configuration.width, epsilon: epsilon, weights / "patch_embed" / "norm")
        stages = try configuration.depths.indices.map { stage in
            try SwinStage(configuration, stage: stage, weights / "layers" / stage)
        }
        norms = try configuration.returnedStages.map { stage in
            try LayerNorm(configuration.width(of: stage), epsilon: epsilon, weights / "norm\(stage)")
        }
        super.init(weights)
    }

    /// - Parameter pixels: normalised, [B, 3, H, W]
    /// - Returns: for each returned stage [B, C_s, h, w]
    public func callAsFunction(_ pixels: Tensor) throws -> [Tensor] {
        let patch = configuration.patchSize
        let (_, _, height, width) = try pixels.shape4()
        let padded = try pixels.padded([0, (patch - width % patch) % patch, 0, (patch - height % patch) % patch])
        var x = try patchNorm(patchProjection(padded).permuted(0, 2, 3, 1))  // [B, h, w, C]
        var maps: [Tensor] = []
        for (index, stage) in stages.enumerated() {
            x = try stage.blocks(x, dropRates: dropRates(stage: index), recomputes: recomputesActivations)
            if let position = configuration.returnedStages.firstIndex(of: index) {
                maps.append(try norms[position](x).permuted(0, 3, 1, 2))
            }
            if let downsample = stage.downsample { x = try downsample(x) }
        }
        return maps
    }

    /// How often each block of a stage skips its branches: rising linearly over all blocks.
    private func dropRates(stage: Int) -> [Double] {
        let depths = configuration.depths, first = depths.prefix(stage).reduce(0, +)
        let last = Double(max(depths.reduce(0, +) - 1, 1))
        return (first..<first + depths[stage]).map { dropsPaths ? configuration.dropPathRate * Double($0) / last : 0 }
    }
}

/// Blocks with plain and shifted windows in turn, then (but for the last stage) a merging of patches.
final class SwinStage: Module {
    private let blockList: [SwinBlock]
    let downsample: PatchMerging?
    private let windowSize: Int

    init(_ configuration: SwinConfiguration, stage: Int, _ weights: Weights) throws {
        windowSize = configuration.windowSize
        blockList = try (0..<configuration.depths[stage]).map {
            try SwinBlock(
                configuration, stage: stage, shift: $0 % 2 == 0 ? 0 : configuration.windowSize / 2,
                weights / "blocks" / $0)
        }
        downsample =
            stage + 1 < configuration.depths.count
            ? try PatchMerging(
                configuration.width(of: stage), epsilon: configuration.layerNormEpsilon, weights / "downsample") : nil
        super.init(weights)
    }

    /// [B, h, w, C] -> [B, h, w, C]
    /// - Parameter dropRates: how often each block skips its branches
    func blocks(_ x: Tensor, dropRates: [Double], recomputes: Bool) throws -> Tensor {
        let (_, height, width, _) = try x.shape4()
        let grid = try WindowGrid(height: height, width: width, window: windowSize, device: x.device)
        var x = x
        for (block, rate) in zip(blockList, dropRates) {
            x = try recomputed([x], if: recomputes) { try block($0[0], grid, dropRate: rate) }
        }
        return x
    }
}

/// Halves a map: four neighbours are joined, normed and projected to twice the channels.
final class PatchMerging: Module {
    let norm: LayerNorm
    let reduction: Linear

    init(_ width: Int, epsilon: Double, _ weights: Weights) throws {
        norm = try LayerNorm(4 * width, epsilon: epsilon, weights / "norm")
        reduction = try Linear(
            4 * width, 2 * width, bias: false, weights / "reduction", initializer: .truncatedNormal(deviation: 0.02))
        super.init(weights)
    }

    /// [B, h, w, C] -> [B, ceil(h / 2), ceil(w / 2), 2 C]
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (_, height, width, _) = try x.shape4()
        let even = height % 2 + width % 2 == 0 ? x : try x.padded([0, 0, 0, width % 2, 0, height % 2])
        // Neighbours in the order (row, column) = (0, 0), (1, 0), (0, 1), (1, 1).
        let neighbours = try [(0, 0), (1, 0), (0, 1), (1, 1)].map { row, column in
            try even[.all, .every(2, from: row), .every(2, from: column)]
        }
        return try reduction(norm(Tensor.concatenated(neighbours, dimension: -1)))
    }
}

/// How a map divides into windows, and which tokens of a shifted window may see each other.
struct WindowGrid {
    let height: Int, width: Int, window: Int
    /// Size after padding to whole windows.
    let paddedHeight: Int, paddedWidth: Int
    /// 0 or -100, [windows, 1, w^2, w^2]
    let shiftMask: Tensor

    var rows: Int { paddedHeight / window }
    var columns: Int { paddedWidth / window }

    init(height: Int, width: Int, window: Int, device: Device) throws {
        (self.height, self.width, self.window) = (height, width, window)
        paddedHeight = (height + window - 1) / window * window
        paddedWidth = (width + window - 1) / window * window
        shiftMask = try Self.mask(paddedHeight, paddedWidth, window).to(device: device)
    }

    /// Rolled windows hold tokens from opposite edges; those of different regions do not see each other.
    private static func mask(_ height: Int, _ width: Int, _ window: Int) throws -> Tensor {
        let shift = window / 2
        func part(_ index: Int, _ length: Int) -> Int { index < length - window ? 0 : index < length - shift ? 1 : 2 }
        var regions: [Float] = []
        for row in 0..<(height / window) {
            for column in 0..<(width / window) {
                for y in 0..<window {
                    for x in 0..<window {
                        regions.append(Float(3 * part(row * window + y, height) + part(column * window + x, width)))
                    }
                }
            }
        }
        let tokens = window * window
        let region = try Tensor(regions, shape: [regions.count / tokens, tokens])
        let differs = try region.unsqueezed(1).equal(to: region.unsqueezed(2)).logicalNot()  // [W, N, N]
        return try (differs.converted(to: .float32) * -100).unsqueezed(1)
    }

    /// [B, h, w, C] -> [B, windows, w^2, C], padded with zeros and rolled.
    func partitioned(_ x: Tensor, shift: Int) throws -> Tensor {
        let (batch, _, _, channels) = try x.shape4()
        var x = x
        if paddedHeight != height || paddedWidth != width {
            x = try x.padded([0, 0, 0, paddedWidth - width, 0, paddedHeight - height])
        }
        if shift > 0 { x = try x.rolled(by: [-shift, -shift], dimensions: [1, 2]) }
        return try x.reshaped(batch, rows, window, columns, window, channels).permuted(0, 1, 3, 2, 4, 5)
            .reshaped(batch, rows * columns, window * window, channels)
    }

    /// The inverse of `partitioned`.
    func merged(_ windows: Tensor, shift: Int) throws -> Tensor {
        let (batch, _, _, channels) = try windows.shape4()
        var x = try windows.reshaped(batch, rows, columns, window, window, channels).permuted(0, 1, 3, 2, 4, 5)
            .reshaped(batch, paddedHeight, paddedWidth, channels)
        if shift > 0 { x = try x.rolled(by: [shift, shift], dimensions: [1, 2]) }
        return paddedHeight == height && paddedWidth == width ? x : try x[.all, .upTo(height), .upTo(width)]
    }
}

/// Window attention and an MLP, each behind a layer norm.
final class SwinBlock: Module {
    let norm1: LayerNorm, norm2: LayerNorm
    let qkv: Linear, projection: Linear
    let fc1: Linear, fc2: Linear
    let biasTable: Tensor
    /// Row of the bias table for each pair of tokens, int64 [w^4].
    private let biasIndex: Tensor
    private let headCount: Int, shift: Int

    init(_ configuration: SwinConfiguration, stage: Int, shift: Int, _ weights: Weights) throws {
        let width = configuration.width(of: stage), epsilon = configuration.layerNormEpsilon
        let initial = Initializer.truncatedNormal(deviation: 0.02)
        headCount = configuration.headCounts[stage]
        self.shift = shift
        norm1 = try LayerNorm(width, epsilon: epsilon, weights / "norm1")
        norm2 = try LayerNorm(width, epsilon: epsilon, weights / "norm2")
        let attention = weights / "attn"
        qkv = try Linear(width, 3 * width, attention / "qkv", initializer: initial, biasInitializer: .zeros)
        projection = try Linear(width, width, attention / "proj", initializer: initial, biasInitializer: .zeros)
        let window = configuration.windowSize
        biasTable = try attention.parameter(
            "relative_position_bias_table", [(2 * window - 1) * (2 * window - 1), headCount], initial)
        biasIndex = try Self.relativeIndex(window).to(device: biasTable.device)
        let hidden = Int(Double(width) * configuration.mlpRatio)
        fc1 = try Linear(width, hidden, weights / "mlp" / "fc1", initializer: initial, biasInitializer: .zeros)
        fc2 = try Linear(hidden, width, weights / "mlp" / "fc2", initializer: initial, biasInitializer: .zeros)
        super.init(weights)
    }

    /// [B, h, w, C] -> [B, h, w, C]
    /// - Parameter dropRate: how often a picture skips attention, and how often the MLP
    func callAsFunction(_ x: Tensor, _ grid: WindowGrid, dropRate: Double) throws -> Tensor {
        // One number a picture: 0, or what makes up for the pictures that skip.
        func kept(_ branch: Tensor) throws -> Tensor {
            if dropRate == 0 { return branch }
            let ones = try Tensor.ones([branch.size(0), 1, 1, 1], dtype: branch.dtype, device: branch.device)
            return try branch * ones.droppedOut(dropRate, isTraining: true)
        }
        let windows = try grid.partitioned(norm1(x), shift: shift)  // [B, W, N, C]
        let x = try x + kept(grid.merged(attended(windows, grid), shift: shift))
        return try x + kept(fc2(fc1(norm2(x)).gelu()))
    }

    /// Attention within each window. [B, W, N, C] -> [B, W, N, C]
    private func attended(_ x: Tensor, _ grid: WindowGrid) throws -> Tensor {
        let (b, w, n, c) = try x.shape4()
        // [3, B, W, H, N, D]
        let parts = try qkv(x).reshaped(b, w, n, 3, headCount, c / headCount).permuted(3, 0, 1, 4, 2, 5)
        let bias = try biasTable.selected(0, biasIndex).reshaped(n, n, headCount).permuted(2, 0, 1)  // [H, N, N]
        let mixed: Tensor
        if shift > 0 {
            // Windows and heads together form the dimension over which the mask varies.
            let (q, k, v) = try parts.reshaped(3, b, w * headCount, n, c / headCount).unbound3()
            let mask = try (bias + grid.shiftMask).reshaped(1, w * headCount, n, n).to(dtype: q.dtype)
            mixed = try scaledDotProductAttention(q, k, v, mask: mask)
        } else {
            let (q, k, v) = try parts.reshaped(3, b * w, headCount, n, c / headCount).unbound3()
            mixed = try scaledDotProductAttention(q, k, v, mask: bias.unsqueezed(0).to(dtype: q.dtype))
        }
        return try projection(mixed.reshaped(b, w, headCount, n, c / headCount).transposed(2, 3).reshaped(b, w, n, c))
    }

    private static func relativeIndex(_ window: Int) throws -> Tensor {
        let tokens = window * window
        let index = (0..<(tokens * tokens)).map { pair -> Int in
            let (a, b) = (pair / tokens, pair % tokens)
            return (a / window - b / window + window - 1) * (2 * window - 1) + a % window - b % window + window - 1
        }
        return try Tensor(index)
    }
}
