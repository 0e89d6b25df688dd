import Boxes

/// Share of referring expressions (RefCOCO, RefCOCO+, RefCOCOg) whose object was found: the returned box and the
/// annotated one have an IoU above the threshold.
public struct ReferringAccuracy: Sendable, Hashable {
    /// IoU that has to be exceeded.
    public let iouThreshold: Double
    /// Expressions evaluated.
    public private(set) var count = 0
    /// Expressions whose object was found.
    public private(set) var correct = 0

    public init(iouThreshold: Double = 0.5) {
        self.iouThreshold = iouThreshold
    }

    /// Counts one expression; `predicted` is nil where the model gave no box.
    public mutating func add(predicted: Box?, truth: Box) {
        count += 1
        if let predicted, predicted.iou(with: truth) > iouThreshold { correct += 1 }
    }

    /// 0…1, nil before the first expression.
    public var accuracy: Double? { count > 0 ? Double(correct) / Double(count) : nil }
}
