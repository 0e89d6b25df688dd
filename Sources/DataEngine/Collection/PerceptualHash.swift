import Foundation
import Imaging

extension Image {
    /// 64 bits that stay nearly the same when the picture is scaled, compressed anew or slightly brightened: the signs, against their median,
    /// of the 64 slowest cosine waves of its brightness, the mean left out ("pHash"). A picture of one colour has the hash 0.
    ///
    /// The number of set bits is nearly always 32, so distances are nearly always even.
    /// - Throws: `ImagingError.invalidSize` for sides that cannot be scaled.
    public func perceptualHash() throws -> UInt64 {
        let side = CosineWaves.side
        let small = try resized(width: side, height: side, filter: .bilinear)
        let brightness = stride(from: 0, to: small.pixels.count, by: small.channels).map { index in
            0.299 * Double(small.pixels[index]) + 0.587 * Double(small.pixels[index + 1])
                + 0.114 * Double(small.pixels[index + 2])
        }
        // Whole numbers, so that rounding on another machine changes nothing.
        let values = CosineWaves.slowest(of: brightness).map { $0.rounded() }
        let sorted = values.sorted()
        let median = (sorted[31] + sorted[32]) / 2
        return values.enumerated().reduce(0) { hash, value in value.element > median ? hash | 1 << value.offset : hash }
    }
}

/// The discrete cosine transform of a small square.
private enum CosineWaves {
    static let side = 32
    /// Half waves along an axis, at most.
    private static let order = 11

    /// [order, side]
    private static let waves: [[Double]] = (0..<order).map { wave in
        (0..<side).map { cos(.pi * Double(wave) * (Double($0) + 0.5) / Double(side)) }
    }

    /// The 64 pairs of half waves with the smallest sums, without (0, 0), in zigzag order.
    private static let pairs: [(x: Int, y: Int)] = Array(
        (1..<order).flatMap { sum in (0...sum).map { sum % 2 == 0 ? (x: sum - $0, y: $0) : (x: $0, y: sum - $0) } }
            .prefix(64))

    static func slowest(of values: [Double]) -> [Double] {
        // Along the rows first: [side, order].
        let rows = (0..<side).map { y in
            waves.map { wave in (0..<side).reduce(0.0) { $0 + wave[$1] * values[y * side + $1] } }
        }
        return pairs.map { pair in (0..<side).reduce(0.0) { $0 + waves[pair.y][$1] * rows[$1][pair.x] } }
    }
}
