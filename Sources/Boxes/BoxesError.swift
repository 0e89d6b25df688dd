/// What can be wrong with the input of this target.
public enum BoxesError: Error, Sendable, Hashable {
    /// Four numbers make a box.
    case wrongValueCount(expected: Int, found: Int)
    /// Boxes and scores come in pairs.
    case scoreCountMismatch(boxes: Int, scores: Int)
    /// An assignment problem needs `rows * columns` costs and no negative side.
    case wrongCostCount(rows: Int, columns: Int, found: Int)
    /// A cost is NaN or infinite, or so large that sums of costs overflow.
    case unusableCost(row: Int, column: Int)
    /// A COCO file could not be read or written.
    case unusableFile(path: String, reason: String)
    /// A COCO file is not what its name promises.
    case malformedCOCO(path: String, reason: String)
}

extension BoxesError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongValueCount(let expected, let found):
            "Boxes need four numbers each: expected \(expected) numbers, found \(found)."
        case .scoreCountMismatch(let boxes, let scores):
            "Every box needs one score: there are \(boxes) boxes and \(scores) scores."
        case .wrongCostCount(let rows, let columns, let found):
            "An assignment of \(rows) rows to \(columns) columns needs one cost for each pair, found \(found)."
        case .unusableCost(let row, let column):
            "The cost of row \(row) and column \(column) is not a number, infinite or too large to add up. "
                + "Look for NaN in the predictions that it was computed from."
        case .unusableFile(let path, let reason):
            "\(path): \(reason)"
        case .malformedCOCO(let path, let reason):
            "\(path) is not a COCO file: \(reason)"
        }
    }
}
