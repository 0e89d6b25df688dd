// From boxes to object features: RoIAlign over a pyramid of maps, averaged, plus a sine embedding of the box.
// Reference: chatrex-mllm.md, section 8. Boxes are xyxy in the square input frame of side S.
//
// RoIAlign reads a box on a grid of sample points by bilinear interpolation and averages them. Grid, interpolation and averaging all
// separate into rows and columns, and so does the upsampling of the smaller maps to the size of the largest. Hence the
// average over a box is a product of two small matrices with the map itself: wy [N, h] . map [h, w, C] . wx [N, w]. No map is ever
// enlarged, gradients come from the products, and every device runs it.

import Torch
import TorchNN

/// Turns boxes into features; has no parameters.
public struct ObjectEncoder: Sendable {
    /// Cells of the RoI along a side.
    public static let cells = 7

    /// Side of the square input frame in pixels.
    public let frameSide: Int

    public init(frameSide: Int) {
        self.frameSide = frameSide
    }

    /// Features of boxes.
    ///
    /// - Parameters:
    ///   - maps: the pyramid, largest first, each [B, C_l, H_l, W_l]
    ///   - boxes: B lists of N boxes each as x1, y1, x2, y2 in the input frame (equally many an image)
    /// - Returns: float32 [B, N, sum of C_l]
    public func callAsFunction(_ maps: [Tensor], boxes: [[SIMD4<Float>]]) throws -> Tensor {
        let count = boxes.first?.count ?? 0
        let pooled = try averages(maps, boxes: boxes)  // [B, N, C]
        let channels = pooled.size(-1)
        let embedding = try boxEmbedding(boxes.flatMap { $0 }, channels: channels)
            .to(device: pooled.device).reshaped(boxes.count, count, channels)
        return try pooled + embedding
    }

    /// Mean over the cells of RoIAlign, all maps' channels joined: float32 [B, N, C].
    public func averages(_ maps: [Tensor], boxes: [[SIMD4<Float>]]) throws -> Tensor {
        let rows = try sampling(boxes, maps, axis: .vertical), columns = try sampling(boxes, maps, axis: .horizontal)
        let count = boxes.first?.count ?? 0
        let levels = try zip(maps, zip(rows, columns)).map { map, weights in
            let (b, c, h, w) = try map.shape4()
            let wy = try weights.0.reshaped(b, count, Self.cells, h).mean(2)  // [B, N, h]
            let wx = try weights.1.reshaped(b, count, Self.cells, w).mean(2)  // [B, N, w]
            let pixels = try map.converted(to: .float32).permuted(0, 2, 3, 1).reshaped(b, h, w * c)
            let columns = try wy.matmul(pixels).reshaped(b * count, w, c)  // rows averaged
            return try wx.reshaped(b * count, 1, w).matmul(columns).reshaped(b, count, c)
        }
        return try Tensor.concatenated(levels, dimension: -1)
    }

    /// The cells of RoIAlign themselves: float32 [N, C, 7, 7], for one image.
    public func cells(_ maps: [Tensor], boxes: [SIMD4<Float>]) throws -> Tensor {
        let rows = try sampling([boxes], maps, axis: .vertical),
            columns = try sampling([boxes], maps, axis: .horizontal)
        let levels = try zip(maps, zip(rows, columns)).map { map, weights in
            let (_, _, h, w) = try map.shape4()
            let wy = try weights.0.reshaped(boxes.count, Self.cells, h),
                wx = try weights.1.reshaped(boxes.count, Self.cells, w)
            return try Tensor.einsum("nph,chw,nqw->ncpq", wy, map[0].converted(to: .float32), wx)
        }
        return try Tensor.concatenated(levels, dimension: 1)
    }

    // MARK: Sampling weights

    private enum Axis {
        case vertical, horizontal
    }

    /// For each map, the weight of every row (or column) in every cell of every box: [B, N * 7, h].
    private func sampling(_ boxes: [[SIMD4<Float>]], _ maps: [Tensor], axis: Axis) throws -> [Tensor] {
        guard let largest = maps.first else { return [] }
        let dimension = axis == .vertical ? 2 : 3
        let side = largest.size(dimension), count = boxes.first?.count ?? 0
        let scale = Float(side) / Float(frameSide)
        var weights = [Float](repeating: 0, count: boxes.count * count * Self.cells * side)
        for (index, box) in boxes.joined().enumerated() {
            let (low, high) = axis == .vertical ? (box.y, box.w) : (box.x, box.z)
            Self.addCellWeights(
                from: low * scale, to: high * scale, side: side, at: index * Self.cells * side, in: &weights)
        }
        let base = try Tensor(weights, shape: [boxes.count, count * Self.cells, side]).to(device: largest.device)
        return try maps.map { map in
            let size = map.size(dimension)
            return size == side
                ? base : try base.matmul(Self.upsampling(from: size, to: side).to(device: largest.device))
        }
    }

    /// Adds the bilinear weights of the sample points of seven cells between two coordinates on the map.
    private static func addCellWeights(
        from low: Float, to high: Float, side: Int, at offset: Int, in weights: inout [Float]
    ) {
        // A box without extent, turned around or not a number is one cell of the map wide.
        let length = high - low > 1 ? min(high - low, 1e6) : 1
        let cell = length / Float(cells)
        let samples = Int((length / Float(cells)).rounded(.up))
        for index in 0..<cells {
            for sample in 0..<samples {
                let position = low + Float(index) * cell + (Float(sample) + 0.5) * cell / Float(samples)
                guard position >= -1, position <= Float(side) else { continue }
                var lower = Int(max(position, 0)), fraction = max(position, 0) - Float(lower)
                if lower >= side - 1 { (lower, fraction) = (side - 1, 0) }
                let row = offset + index * side
                weights[row + lower] += (1 - fraction) / Float(samples)
                if fraction > 0 { weights[row + lower + 1] += fraction / Float(samples) }
            }
        }
    }

    /// The matrix [large, small] that enlarges a line of pixels bilinearly (half-pixel centres).
    private static func upsampling(from small: Int, to large: Int) throws -> Tensor {
        var matrix = [Float](repeating: 0, count: large * small)
        let ratio = Float(small) / Float(large)
        for index in 0..<large {
            let position = max((Float(index) + 0.5) * ratio - 0.5, 0)
            let lower = min(Int(position), small - 1), fraction = position - Float(lower)
            matrix[index * small + lower] += 1 - fraction
            matrix[index * small + min(lower + 1, small - 1)] += fraction
        }
        return try Tensor(matrix, shape: [large, small])
    }

    // MARK: Box embedding

    /// Centre and size of boxes relative to the frame, [N, 4] as cx, cy, w, h.
    public func relativeBoxes(_ boxes: [SIMD4<Float>]) throws -> Tensor {
        let side = Float(frameSide)
        let values = boxes.flatMap { box -> [Float] in
            let b = box / side
            let (w, h) = (b.z - b.x, b.w - b.y)
            return [b.x + w / 2, b.y + h / 2, w, h]
        }
        return try Tensor(values, shape: [boxes.count, 4])
    }

    /// Sine embedding of boxes, a quarter of the channels for each of cy, cx, w, h: float32 [N, channels].
    public func boxEmbedding(_ boxes: [SIMD4<Float>], channels: Int) throws -> Tensor {
        let width = channels / 4
        let steps = try Tensor.range(0, Double(width)).floorDivided(by: 2) * (2 / Double(width))
        let periods = try Tensor.full([width], 10_000).power(steps)  // [width]
        let relative = try relativeBoxes(boxes)
        let parts = try [1, 0, 2, 3].map { column in
            let angles = try (relative[.all, .at(column), .new] * (2 * Double.pi)) / periods  // [N, width]
            let pairs = try Tensor.stacked(
                [angles[.all, .every(2)].sine(), angles[.all, .every(2, from: 1)].cosine()], dimension: 2)
            return try pairs.flattened(from: 1)
        }
        return try Tensor.concatenated(parts, dimension: 1)
    }
}
