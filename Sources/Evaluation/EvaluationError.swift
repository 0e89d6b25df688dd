import Boxes

/// What can be wrong with something to be evaluated.
public enum EvaluationError: Error, Sendable, Hashable {
    /// An image was added twice.
    case duplicateImage(Int)
    /// A result or an annotation names an image that the dataset does not have.
    case unknownImage(Int)
    /// A ground truth box is not finite, or inverted.
    case invalidGroundTruth(image: Int, index: Int, box: Box)
    /// A detection's box is not finite or inverted, or its score is NaN.
    case invalidDetection(image: Int, index: Int, box: Box, score: Double)
    /// A record of a COCO file has no usable box; `record` says which.
    case invalidRecord(String)
    /// An entry of a file of referring expressions has no `caption`.
    case noExpression(image: Int)
    /// An entry of a file of referring expressions has another number of boxes than one.
    case notOneBox(image: Int, count: Int)
    /// A line of a file is not what it should be.
    case invalidLine(path: String, line: Int, reason: String)
}

extension EvaluationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateImage(let id):
            "Image \(id) was added twice, which would count its objects twice."
        case .unknownImage(let id):
            "There are results or annotations for image \(id), which the dataset does not have. "
                + "Evaluate results against the annotations that they were made for."
        case .invalidGroundTruth(let image, let index, let box):
            "Ground truth \(index) of image \(image) is no box: \(box)."
        case .invalidDetection(let image, let index, let box, let score):
            "Detection \(index) of image \(image) is unusable: box \(box), score \(score)."
        case .invalidRecord(let record):
            "\(record) has no usable box."
        case .noExpression(let image):
            "Image \(image) has no caption. RefCOCO in COCO's form has an entry for each expression, with the expression as its caption."
        case .notOneBox(let image, let count):
            "Image \(image) has \(count) usable boxes; an expression refers to one."
        case .invalidLine(let path, let line, let reason):
            "\(path), line \(line): \(reason)"
        }
    }
}
