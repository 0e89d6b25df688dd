import Boxes

/// How well proposals cover the objects, whatever their categories, with the best `maxProposals` boxes of each image:
/// COCO's AR with categories ignored.
public struct ProposalRecall: Sendable {
    private var evaluator: DetectionEvaluator

    /// Coverage, 0…1; a figure is nil where no object counts for it.
    public struct Report: Sendable, Hashable, Codable {
        /// Recall at IoU 0.5.
        public var recall50: Double?
        /// Mean recall over IoU 0.50 to 0.95.
        public var ar: Double?
        /// The same by object size.
        public var arSmall: Double?, arMedium: Double?, arLarge: Double?
    }

    /// - Parameter maxProposals: how many boxes an image may use, by descending score.
    public init(maxProposals: Int = 100) {
        evaluator = DetectionEvaluator(.coco(maxDetections: [max(1, maxProposals)]))
    }

    /// Counts one image. The categories of truths and proposals do not matter.
    ///
    /// - Throws: ``EvaluationError``; the image is then not counted.
    public mutating func add(_ image: EvaluationImage) throws(EvaluationError) {
        var image = image
        for index in image.truths.indices { image.truths[index].category = 0 }
        for index in image.detections.indices { image.detections[index].category = 0 }
        try evaluator.add(image)
    }

    /// The figures of the images added so far.
    public func report() -> Report {
        let figures = evaluator.report()
        return Report(
            recall50: figures.recall50, ar: figures.ar,
            arSmall: figures.arSmall, arMedium: figures.arMedium, arLarge: figures.arLarge)
    }
}
