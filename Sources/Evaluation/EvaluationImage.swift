import Boxes

/// An annotated object that detections are compared with.
public struct GroundTruthBox: Sendable, Hashable {
    public var category: Int
    public var box: Box
    /// Area in square pixels by which the object counts as small, medium or large; of its mask where there is one.
    public var area: Double
    /// Whether this is a region of many objects: detections inside are neither hits nor misses.
    public var isCrowd: Bool
    /// The area of the box alone, for IoU.
    var boxArea: Double

    /// - Parameter area: area of the object's mask; the box's where nil.
    public init(category: Int, box: Box, area: Double? = nil, isCrowd: Bool = false) {
        self.category = category
        self.box = box
        self.area = area ?? box.area
        self.isCrowd = isCrowd
        boxArea = box.area
    }

    /// - Throws: ``EvaluationError/invalidRecord(_:)`` where the record has no usable box.
    public init(_ annotation: COCOAnnotation) throws(EvaluationError) {
        guard let box = annotation.box else { throw .invalidRecord("annotation \(annotation.id)") }
        self.init(
            category: annotation.categoryID, box: box, area: annotation.area ?? annotation.bbox[2] * annotation.bbox[3],
            isCrowd: annotation.isCrowd)
        // Width times height of the file: corners would round differently, and IoU meets its thresholds exactly.
        boxArea = annotation.bbox[2] * annotation.bbox[3]
    }
}

/// A box that a detector reported.
public struct DetectedBox: Sendable, Hashable {
    public var category: Int
    public var box: Box
    /// Confidence; only its order counts.
    public var score: Double
    /// The area of the box, for IoU and for the size ranges.
    var boxArea: Double

    public init(category: Int, box: Box, score: Double) {
        self.category = category
        self.box = box
        self.score = score
        boxArea = box.area
    }

    /// - Throws: ``EvaluationError/invalidRecord(_:)`` where the record has no usable box.
    public init(_ result: COCOResult) throws(EvaluationError) {
        guard let box = result.box else {
            throw .invalidRecord("a result for image \(result.imageID), bbox \(result.bbox),")
        }
        self.init(category: result.categoryID, box: box, score: result.score)
        boxArea = result.bbox[2] * result.bbox[3]
    }
}

/// Everything that is evaluated in one image.
public struct EvaluationImage: Sendable, Hashable {
    public var id: Int
    public var truths: [GroundTruthBox]
    public var detections: [DetectedBox]
    /// LVIS: categories verified to be absent. Detections of categories that are neither here nor among the truths
    /// are left out.
    public var negativeCategories: Set<Int>
    /// LVIS: categories with unannotated instances, of which unmatched detections are left out.
    public var notExhaustiveCategories: Set<Int>

    public init(
        id: Int, truths: [GroundTruthBox], detections: [DetectedBox],
        negativeCategories: Set<Int> = [], notExhaustiveCategories: Set<Int> = []
    ) {
        self.id = id
        self.truths = truths
        self.detections = detections
        self.negativeCategories = negativeCategories
        self.notExhaustiveCategories = notExhaustiveCategories
    }

    /// - Throws: ``EvaluationError/invalidGroundTruth(image:index:box:)``,
    ///   ``EvaluationError/invalidDetection(image:index:box:score:)``.
    func validate() throws(EvaluationError) {
        for (index, truth) in truths.enumerated() where !truth.box.isValid || !truth.area.isFinite {
            throw .invalidGroundTruth(image: id, index: index, box: truth.box)
        }
        for (index, found) in detections.enumerated() where !found.box.isValid || found.score.isNaN {
            throw .invalidDetection(image: id, index: index, box: found.box, score: found.score)
        }
    }
}
