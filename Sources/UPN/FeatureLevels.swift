import Torch

/// How the tokens of several maps lie one after the other. `L` levels, `S` tokens in all.
public struct FeatureLevels {
    /// Height and width of each map.
    public let sizes: [(height: Int, width: Int)]
    /// int64 [L, 2] as (h, w), and [L]; on the CPU.
    public let spatialShapes: Tensor, starts: Tensor
    /// True = padding: each [B, h, w]
    public let masks: [Tensor]
    /// Part of each map that the picture covers, float32 [B, L, 2] as (x, y).
    public let validRatios: Tensor

    /// - Parameter mask: of the batch's pictures, bool [B, H, W], true = padding
    package init(sizes: [(height: Int, width: Int)], mask: Tensor) throws {
        self.sizes = sizes
        spatialShapes = try Tensor(sizes.flatMap { [$0.height, $0.width] }, shape: [sizes.count, 2])
        var offset = 0
        starts = try Tensor(
            sizes.map { size in
                defer { offset += size.height * size.width }
                return offset
            })
        let picture = try mask.converted(to: .float32).unsqueezed(1)
        masks = try sizes.map {
            try picture.resizedNearest(height: $0.height, width: $0.width).squeezed(1).greater(than: 0.5)
        }
        validRatios = try Tensor.stacked(
            zip(masks, sizes).map { mask, size in
                let (columns, rows) = try Self.validCounts(mask)
                return try Tensor.stacked([columns / Double(size.width), rows / Double(size.height)], dimension: -1)
            }, dimension: 1)
    }

    /// Unpadded columns in the first row and rows in the first column, float32 [B] each.
    static func validCounts(_ mask: Tensor) throws -> (columns: Tensor, rows: Tensor) {
        let valid = try mask.logicalNot().converted(to: .float32)
        return (try valid[.all, 0].sum(1), try valid[.all, .all, 0].sum(1))
    }

    /// Centre of every token in the units of its map's cells, as (x, y): float32 [h * w, 2].
    static func centres(_ size: (height: Int, width: Int), device: Device) throws -> Tensor {
        let x = try (Tensor.range(0, Double(size.width), device: device) + 0.5).unsqueezed(0).expanded(size.height, -1)
        let y = try (Tensor.range(0, Double(size.height), device: device) + 0.5).unsqueezed(1).expanded(-1, size.width)
        return try Tensor.stacked([x.flattened(), y.flattened()], dimension: -1)
    }

    /// True = padding, [B, S]
    package func flatMask() throws -> Tensor {
        try Tensor.concatenated(masks.map { try $0.flattened(from: 1) }, dimension: 1)
    }

    /// Reference points of the encoder: every token's centre as seen from every level, [B, S, L, 2].
    package func encoderReferences() throws -> Tensor {
        let points = try zip(sizes, sizes.indices).map { size, level in
            let extent = try Tensor([Float(size.width), Float(size.height)]).to(device: validRatios.device)
            let scale = try validRatios[.all, .at(level)] * extent  // [B, 2]
            // [B, h w, 2]
            return try Self.centres(size, device: validRatios.device).unsqueezed(0) / scale.unsqueezed(1)
        }
        return try Tensor.concatenated(points, dimension: 1).unsqueezed(2) * validRatios.unsqueezed(1)
    }

    /// Anchors of the two-stage selection: a box at every token, growing with the level. Reference: upn.md, section 9.
    ///
    /// - Returns: boxes before the logistic function, [B, S, 4], infinite where invalid; and which are valid, [B, S, 1].
    package func anchors() throws -> (unsigmoided: Tensor, valid: Tensor) {
        let boxes = try zip(sizes, masks).enumerated().map { level, pair in
            let (size, mask) = pair
            let (columns, rows) = try Self.validCounts(mask)
            let centres =
                try Self.centres(size, device: mask.device).unsqueezed(0)
                / Tensor.stacked([columns, rows], dimension: -1).unsqueezed(1)  // [B, h w, 2]
            let extent = try centres.fullLike(0.05 * Double(1 << level))
            return try Tensor.concatenated([centres, extent], dimension: -1)
        }
        let all = try Tensor.concatenated(boxes, dimension: 1)
        let inside = try all.greater(than: 0.01).logicalAnd(all.less(than: 0.99)).converted(to: .float32).sum(-1).equal(
            to: 4)
        let valid = try inside.logicalAnd(flatMask().logicalNot()).unsqueezed(-1)
        let logits = try (all / (1 - all)).log()
        return (try valid.choosing(logits, else: .infinity), valid)
    }
}
