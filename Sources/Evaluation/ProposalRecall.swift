import Boxes
import Imaging
import UPN

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

/// What a proposal network found in one picture.
public struct ProposalRecord: PictureRecord {
    public var image: Int
    /// All of category 0.
    public var results: [COCOResult]
}

extension DatasetBenchmark {
    /// Proposals for each picture, whatever it is annotated with.
    /// - Throws: `ImagingError` for a picture that cannot be read, `TorchError`.
    public func proposals(
        _ network: UniversalProposalNetwork, granularities: [Granularity], filter: ProposalFilter
    ) async throws -> [ProposalRecord] {
        try await records { entry in
            let found = try network.propose([picture(entry)], granularities: granularities, filter: filter)[0]
            return ProposalRecord(
                image: entry.id,
                results: found.map { COCOResult(imageID: entry.id, categoryID: 0, box: $0.box, score: $0.score) })
        }
    }
}
