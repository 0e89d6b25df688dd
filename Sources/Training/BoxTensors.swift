import Torch

// Box arithmetic on tensors, recorded for gradients. Boxes lie in the last dimension.

extension Tensor {
    /// (cx, cy, w, h) -> (x1, y1, x2, y2)
    func cornersFromCenters() throws -> Tensor {
        let center = try self[.rest, .upTo(2)], half = try self[.rest, .from(2)] * 0.5
        return try Tensor.concatenated([center - half, center + half], dimension: -1)
    }

    /// (x1, y1, x2, y2) -> (cx, cy, w, h)
    func centersFromCorners() throws -> Tensor {
        let low = try self[.rest, .upTo(2)], high = try self[.rest, .from(2)]
        return try Tensor.concatenated([(low + high) * 0.5, high - low], dimension: -1)
    }

    /// Generalised IoU (Rezatofighi et al. 2019) of corner boxes with broadcast leading dimensions: [.., 4] -> [..]
    func generalizedIoU(with other: Tensor) throws -> Tensor {
        let (low, high) = (try self[.rest, .upTo(2)], try self[.rest, .from(2)])
        let (otherLow, otherHigh) = (try other[.rest, .upTo(2)], try other[.rest, .from(2)])
        let overlap = try Self.area(high.minimum(otherHigh) - low.maximum(otherLow))
        let hull = try Self.area(high.maximum(otherHigh) - low.minimum(otherLow))
        let union = try Self.area(high - low) + Self.area(otherHigh - otherLow) - overlap
        let epsilon = 1e-9
        return try overlap / (union + epsilon) - (hull - union) / (hull + epsilon)
    }

    /// Product of non-negative sides: [.., 2] -> [..]
    private static func area(_ sides: Tensor) throws -> Tensor {
        let sides = try sides.clamped(0, nil)
        return try sides[.rest, 0] * sides[.rest, 1]
    }

    /// log(x / (1 - x)) with both sides kept above `epsilon`, as in the decoder's refinement (upn.md, section 10).
    func inverseSigmoid(epsilon: Double = 1e-3) throws -> Tensor {
        let x = try clamped(0, 1)
        return try (x.clamped(epsilon, nil) / ((-x) + 1).clamped(epsilon, nil)).log()
    }
}
