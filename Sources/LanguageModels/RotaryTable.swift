import Torch

/// Rotary position embedding with half-split rotation (Su et al. 2021, arXiv 2104.09864): channel i pairs with i + D/2.
final class RotaryTable {
    /// Cosines and sines of some positions, [B or 1, 1, T, D].
    struct Rotation {
        let cosine: Tensor, sine: Tensor

        /// [B, H, T, D] -> the same, rotated.
        func applied(to x: Tensor) throws -> Tensor {
            let half = x.size(-1) / 2
            let turned = try Tensor.concatenated([-x[.rest, .from(half)], x[.rest, .upTo(half)]], dimension: -1)
            return try x * cosine + turned * sine
        }
    }

    private let headWidth: Int, theta: Double
    /// The first positions [P, D] in float32, grown when a longer sequence comes.
    private var table: (cosine: Tensor, sine: Tensor)?

    init(headWidth: Int, theta: Double) {
        (self.headWidth, self.theta) = (headWidth, theta)
    }

    /// Rotation of consecutive positions.
    func rotation(from start: Int, count: Int, dtype: DType, device: Device) throws -> Rotation {
        let table = try positions(start + count, device: device)
        return try Rotation(
            cosine: table.cosine.narrowed(0, from: start, count: count)[.new, .new].converted(to: dtype),
            sine: table.sine.narrowed(0, from: start, count: count)[.new, .new].converted(to: dtype))
    }

    /// Rotation of given positions, int64 [B, T].
    func rotation(at positions: Tensor, dtype: DType) throws -> Rotation {
        let last = try positions.max().item(Int.self)
        let table = try self.positions(last + 1, device: positions.device)
        return try Rotation(
            cosine: table.cosine.rows(positions).unsqueezed(1).converted(to: dtype),
            sine: table.sine.rows(positions).unsqueezed(1).converted(to: dtype))
    }

    private func positions(_ count: Int, device: Device) throws -> (cosine: Tensor, sine: Tensor) {
        if let table, table.cosine.size(0) >= count, table.cosine.device.kind == device.kind { return table }
        let length = max(256, count * 2)
        let steps = try Tensor.range(0, Double(headWidth), step: 2, device: device) / Double(headWidth)
        // theta^-step, the way the reference computes it: a power of a float32 base.
        let frequencies = try Tensor.full([headWidth / 2], theta, device: device).power(steps).reciprocal()
        let angles = try Tensor.range(0, Double(length), device: device).unsqueezed(1) * frequencies  // [P, D / 2]
        let both = try Tensor.concatenated([angles, angles], dimension: -1)
        let made = try (cosine: both.cosine(), sine: both.sine())
        table = made
        return made
    }
}
