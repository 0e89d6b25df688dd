import Boxes

/// Precision and recall of boxes that carry no score, by category and then averaged over categories: how ChatRex reports
/// detection beside AP.
///
/// Boxes and truths of a category pair up one to one, the best overlapping pair first, as long as their IoU is at least
/// the threshold. A box left over that lies in a crowd region (by the threshold, of its own area) is not counted.
public struct PrecisionRecall: Sendable {
    /// IoU from which a pair counts.
    public let iouThreshold: Double
    /// Counts by category.
    public private(set) var categories: [Int: Counts] = [:]

    /// How many boxes were reported, were asked for, and paired up.
    public struct Counts: Sendable, Hashable, Codable {
        public var predictions = 0
        public var truths = 0
        public var matches = 0

        /// Share of the reported boxes that are right; nil where none was reported.
        public var precision: Double? { predictions > 0 ? Double(matches) / Double(predictions) : nil }
        /// Share of the truths that were found; nil where there is none.
        public var recall: Double? { truths > 0 ? Double(matches) / Double(truths) : nil }
    }

    public init(iouThreshold: Double = 0.5) {
        self.iouThreshold = iouThreshold
    }

    /// Counts one image. The scores of `predictions` do not matter.
    ///
    /// - Throws: ``EvaluationError/invalidGroundTruth(image:index:box:)``,
    ///   ``EvaluationError/invalidDetection(image:index:box:score:)``.
    public mutating func add(_ image: EvaluationImage) throws(EvaluationError) {
        try image.validate()
        let truths = Dictionary(grouping: image.truths, by: \.category)
        let predictions = Dictionary(grouping: image.detections, by: \.category)
        for category in Set(truths.keys).union(predictions.keys) {
            let all = truths[category] ?? []
            count(predictions[category]?.map(\.box) ?? [], all.filter { !$0.isCrowd }, all.filter(\.isCrowd), category)
        }
    }

    private mutating func count(
        _ predictions: [Box], _ truths: [GroundTruthBox], _ crowds: [GroundTruthBox], _ category: Int
    ) {
        let pairs = greedyPairs(predictions, truths.map(\.box), iouThreshold: iouThreshold)
        let paired = Set(pairs.map(\.row))
        let excused = predictions.indices.count { index in
            !paired.contains(index)
                && crowds.contains {
                    predictions[index].overlapArea(with: $0.box) > iouThreshold * predictions[index].area
                }
        }
        categories[category, default: Counts()].predictions += predictions.count - excused
        categories[category, default: Counts()].truths += truths.count
        categories[category, default: Counts()].matches += pairs.count
    }

    /// Mean over the categories of which any box was reported.
    public var precision: Double? { mean(ordered.compactMap(\.precision)) }

    /// Mean over the categories that have truths.
    public var recall: Double? { mean(ordered.compactMap(\.recall)) }

    /// By id: sums in one order are the same in every process.
    private var ordered: [Counts] { categories.sorted { $0.key < $1.key }.map(\.value) }

    /// Counts of all categories together.
    public var total: Counts {
        categories.values.reduce(into: Counts()) {
            $0.predictions += $1.predictions
            $0.truths += $1.truths
            $0.matches += $1.matches
        }
    }
}

/// Pairs of boxes by descending IoU, each box in one pair at most; equal IoUs go to the earlier boxes.
///
/// - Returns: rows are indices of `boxes`, columns of `others`.
func greedyPairs(_ boxes: [Box], _ others: [Box], iouThreshold: Double) -> [AssignedPair] {
    var candidates: [(pair: AssignedPair, iou: Double)] = []
    for (row, box) in boxes.enumerated() {
        for (column, other) in others.enumerated() {
            let iou = box.iou(with: other)
            if iou > 0 && iou >= iouThreshold { candidates.append((AssignedPair(row: row, column: column), iou)) }
        }
    }
    var (usedRows, usedColumns) = (Set<Int>(), Set<Int>())
    return candidates.sorted { $0.iou > $1.iou }.map(\.pair).filter { pair in
        guard !usedRows.contains(pair.row) && !usedColumns.contains(pair.column) else { return false }
        usedRows.insert(pair.row)
        usedColumns.insert(pair.column)
        return true
    }
}

/// The mean, or nil of nothing.
func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
