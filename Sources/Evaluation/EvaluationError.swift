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
    /// Annotations contradict one another or have boxes of another format; some of the `count` problems.
    case unusableAnnotations(path: String, problems: [String], count: Int)
    /// Pictures that annotations name are not there; some of the `count` names.
    case missingPictures(folder: String, names: [String], count: Int, total: Int)
    /// An entry of an image names no file.
    case unnamedPicture(image: Int)
    /// A file that answers were to be kept in does not begin as such a file does.
    case noJournal(path: String)
    /// Answers are kept that were made with other settings.
    case otherSettings(path: String, differences: [String])
    /// Another run writes to the same journal.
    case journalInUse(path: String)
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
        case .unusableAnnotations(let path, let problems, let count):
            "\(path) has \(count) unusable record\(count == 1 ? "" : "s"): \(Self.list(problems, of: count)). "
                + "Boxes are [left, top, width, height] in pixels."
        case .missingPictures(let folder, let names, let count, let total):
            "\(count) of \(total) pictures are not in \(folder): \(Self.list(names, of: count)). "
                + "Name the folder that the annotations' file names start from."
        case .unnamedPicture(let image):
            "Image \(image) has neither a file_name nor a coco_url, so its picture cannot be found."
        case .noJournal(let path):
            "\(path) is no journal of an evaluation. Name another folder, or remove the file."
        case .otherSettings(let path, let differences):
            "\(path) holds answers that were made otherwise: \(differences.joined(separator: "; ")). "
                + "Name another folder for a new evaluation, or remove the file."
        case .journalInUse(let path):
            "Another evaluation writes to \(path). Wait for it, or name another folder."
        }
    }

    private static func list(_ some: [String], of count: Int) -> String {
        some.joined(separator: "; ") + (count > some.count ? "; and \(count - some.count) more" : "")
    }
}
