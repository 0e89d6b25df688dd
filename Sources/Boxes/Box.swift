/// An axis-aligned box given by its corners, `(x1, y1)` top left and `(x2, y2)` bottom right, y pointing down.
///
/// A `Box` is always in corner form; other layouts (``BoxFormat``) exist only where numbers enter or leave. The unit is
/// the caller's: pixels of an image, or 0…1 of its sides. Edges are continuous coordinates, so `width` is `x2 - x1`
/// without the "+ 1" of old pixel-inclusive conventions.
public struct Box: Sendable, Hashable {
    /// Left edge.
    public var x1: Double
    /// Top edge.
    public var y1: Double
    /// Right edge.
    public var x2: Double
    /// Bottom edge.
    public var y2: Double

    /// A box from its corners, taken as they are: see ``isValid`` for a check.
    public init(x1: Double, y1: Double, x2: Double, y2: Double) {
        self.x1 = x1
        self.y1 = y1
        self.x2 = x2
        self.y2 = y2
    }

    /// A box from its top left corner and its size, as COCO files store it.
    public init(x: Double, y: Double, width: Double, height: Double) {
        self.init(x1: x, y1: y, x2: x + width, y2: y + height)
    }

    /// A box from its centre and its size, as DETR-style networks predict it.
    public init(centerX: Double, centerY: Double, width: Double, height: Double) {
        self.init(
            x1: centerX - width / 2, y1: centerY - height / 2, x2: centerX + width / 2, y2: centerY + height / 2)
    }
}

// MARK: - Measures

extension Box {
    /// `x2 - x1`; negative for an inverted box.
    public var width: Double { x2 - x1 }

    /// `y2 - y1`; negative for an inverted box.
    public var height: Double { y2 - y1 }

    /// Width times height, 0 for an inverted box.
    public var area: Double { max(0, width) * max(0, height) }

    /// The middle of the box.
    public var center: (x: Double, y: Double) { ((x1 + x2) / 2, (y1 + y2) / 2) }

    /// Whether all four numbers are finite.
    public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }

    /// Whether the box is finite and not inverted. A box of zero width or height is valid.
    public var isValid: Bool { isFinite && x1 <= x2 && y1 <= y2 }
}

// MARK: - Geometry

extension Box {
    /// The part of the box that lies inside an image. A box outside of it collapses onto the nearest border;
    /// a NaN stays NaN.
    public func clipped(toWidth width: Double, height: Double) -> Box {
        func clamp(_ value: Double, _ limit: Double) -> Double {
            value < 0 ? 0 : (value > limit ? limit : value)
        }
        let (right, bottom) = (max(0, width), max(0, height))
        return Box(x1: clamp(x1, right), y1: clamp(y1, bottom), x2: clamp(x2, right), y2: clamp(y2, bottom))
    }

    /// The box with its x coordinates multiplied by `x` and its y coordinates by `y`.
    public func scaled(x: Double, y: Double) -> Box {
        Box(x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y)
    }

    /// The box moved by `x` to the right and `y` down.
    public func translated(x: Double, y: Double) -> Box {
        Box(x1: x1 + x, y1: y1 + y, x2: x2 + x, y2: y2 + y)
    }

    /// The overlap of two boxes, or nil where they share no area or a coordinate is not finite.
    public func intersection(with other: Box) -> Box? {
        guard isFinite && other.isFinite else { return nil }
        let overlap = Box(
            x1: max(x1, other.x1), y1: max(y1, other.y1), x2: min(x2, other.x2), y2: min(y2, other.y2))
        return overlap.x1 < overlap.x2 && overlap.y1 < overlap.y2 ? overlap : nil
    }

    /// The smallest box around both.
    public func enclosing(_ other: Box) -> Box {
        Box(x1: min(x1, other.x1), y1: min(y1, other.y1), x2: max(x2, other.x2), y2: max(y2, other.y2))
    }

    /// Intersection over union, 0…1; 0 where the boxes share no area or a coordinate is not finite.
    public func iou(with other: Box) -> Double {
        let overlap = overlapArea(with: other)
        return overlap > 0 ? overlap / (area + other.area - overlap) : 0
    }

    /// Generalized IoU (Rezatofighi et al. 2019), -1…1: IoU less the empty share of the enclosing box.
    public func generalizedIoU(with other: Box) -> Double {
        let overlap = overlapArea(with: other)
        let union = area + other.area - overlap
        let hull = enclosing(other).area
        let iou = union > 0 ? overlap / union : 0
        return hull > 0 ? iou - (hull - union) / hull : iou
    }

    /// The area of ``intersection(with:)``: the inner loop of every matching step.
    package func overlapArea(with other: Box) -> Double {
        guard isFinite && other.isFinite else { return 0 }
        let width = min(x2, other.x2) - max(x1, other.x1)
        let height = min(y2, other.y2) - max(y1, other.y1)
        return width > 0 && height > 0 ? width * height : 0
    }
}

extension Box: CustomStringConvertible {
    /// `(x1, y1, x2, y2)`.
    public var description: String { "(\(x1), \(y1), \(x2), \(y2))" }
}
