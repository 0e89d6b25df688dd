import Boxes

/// Average precision and recall of scored boxes, by the rules of COCO (as pycocotools) or LVIS (as its `lvis` package).
///
/// Images are added one at a time, in any order; what is kept of each is a few bytes a detection.
///
///     var evaluator = DetectionEvaluator(.coco)
///     for image in images { try evaluator.add(image) }
///     print(evaluator.report())
public struct DetectionEvaluator: Sendable {
    /// The rules in force.
    public let rules: DetectionProtocol
    /// Number of images added.
    public var imageCount: Int { images.count }

    /// What is known of one category at one object size.
    struct Tally {
        var truthCount = 0
        var detections: [(image: Int, outcome: DetectionMatching.Outcome)] = []
    }

    /// By category, then by ``AreaRange``.
    private(set) var tallies: [Int: [Tally]] = [:]
    private var images: Set<Int> = []

    public init(_ rules: DetectionProtocol) {
        self.rules = rules
    }

    /// Matches the detections of an image with its truths.
    ///
    /// Detections with equal scores rank by image id, then by their order here.
    ///
    /// - Throws: ``EvaluationError``; the image is then not counted.
    public mutating func add(_ image: EvaluationImage) throws(EvaluationError) {
        try image.validate()
        guard images.insert(image.id).inserted else { throw .duplicateImage(image.id) }
        let truths = Dictionary(grouping: image.truths, by: \.category)
        let detections = Dictionary(grouping: admitted(image, truths), by: \.category)
        for category in Set(truths.keys).union(detections.keys) {
            let matching = DetectionMatching(
                truths: truths[category] ?? [], detections: detections[category] ?? [],
                limit: rules.recallLimits.last ?? 0)
            let ignoresMisses = isFederated && image.notExhaustiveCategories.contains(category)
            var tally = tallies.removeValue(forKey: category) ?? AreaRange.allCases.map { _ in Tally() }
            for area in AreaRange.allCases {
                let (truthCount, outcomes) = matching.outcomes(area, ignoresMisses: ignoresMisses)
                tally[area.rawValue].truthCount += truthCount
                tally[area.rawValue].detections += outcomes.map { (image.id, $0) }
            }
            tallies[category] = tally
        }
    }

    /// An image as the rules see it: without detections that they leave out.
    func counted(_ image: EvaluationImage) -> EvaluationImage {
        var image = image
        image.detections = admitted(image, Dictionary(grouping: image.truths, by: \.category))
        if !isFederated { image.notExhaustiveCategories = [] }
        return image
    }

    private var isFederated: Bool {
        if case .lvis = rules { true } else { false }
    }

    /// LVIS counts at most 300 detections an image, and only of categories whose presence or absence is known.
    private func admitted(_ image: EvaluationImage, _ truths: [Int: [GroundTruthBox]]) -> [DetectedBox] {
        guard isFederated else { return image.detections }
        var detections = image.detections
        if detections.count > 300 { detections = Array(detections.sorted { $0.score > $1.score }.prefix(300)) }
        return detections.filter { truths[$0.category] != nil || image.negativeCategories.contains($0.category) }
    }
}

extension DetectionEvaluator {
    /// Evaluates the contents of a results file against those of an annotation file.
    ///
    /// - Throws: ``EvaluationError``, for a record without a usable box and for results of images not in the dataset.
    public static func evaluate(
        _ results: [COCOResult], on dataset: COCODataset, _ rules: DetectionProtocol
    ) throws(EvaluationError) -> DetectionReport {
        var evaluator = DetectionEvaluator(rules)
        for image in try images(of: dataset, results: results) { try evaluator.add(image) }
        return evaluator.report()
    }

    /// Pairs the records of both files by image.
    ///
    /// - Throws: ``EvaluationError``, for a record without a usable box and for results of images not in the dataset.
    public static func images(
        of dataset: COCODataset, results: [COCOResult]
    ) throws(EvaluationError) -> [EvaluationImage] {
        var truths = Dictionary(grouping: dataset.annotations, by: \.imageID)
        var found = Dictionary(grouping: results, by: \.imageID)
        var images: [EvaluationImage] = []
        for image in dataset.images {
            var entry = EvaluationImage(
                id: image.id, truths: [], detections: [],
                negativeCategories: Set(image.negativeCategoryIDs ?? []),
                notExhaustiveCategories: Set(image.notExhaustiveCategoryIDs ?? []))
            for record in truths.removeValue(forKey: image.id) ?? [] {
                entry.truths.append(try GroundTruthBox(record))
            }
            for record in found.removeValue(forKey: image.id) ?? [] {
                entry.detections.append(try DetectedBox(record))
            }
            images.append(entry)
        }
        if let stray = found.keys.min() ?? truths.keys.min() { throw .unknownImage(stray) }
        return images
    }
}
