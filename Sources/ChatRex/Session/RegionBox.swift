import Boxes

/// A box that a user gave, checked: finite, upright and (after clipping) inside the picture.
public struct RegionBox: Sendable, Hashable {
    public let box: Box

    /// - Throws: `ChatRexError.box` for what is not a number, turned around or empty.
    public init(_ box: Box) throws {
        guard box.isFinite else { throw ChatRexError.box("\(box) has a coordinate that is no finite number") }
        guard box.x2 > box.x1, box.y2 > box.y1 else {
            throw ChatRexError.box("\(box) is empty or turned around; give x1,y1,x2,y2 with x1 < x2 and y1 < y2")
        }
        self.box = box
    }

    /// The part inside a picture.
    /// - Throws: `ChatRexError.box` when nothing is left.
    func clipped(width: Int, height: Int) throws -> Box {
        let inside = box.clipped(toWidth: Double(width), height: Double(height))
        guard inside.width > 0, inside.height > 0 else {
            throw ChatRexError.box("\(box) lies outside the picture of \(width) x \(height) pixels")
        }
        return inside
    }
}
