import Boxes

/// What became of each object and each answer of an image, at IoU 0.5.
///
/// As in ``PrecisionRecall``, boxes and objects of a category pair up one to one, the best overlap first. What is left pairs up whatever
/// its category: those objects were found and called by another name.
struct ImageMatching {
    struct Pair {
        /// Indices of the image's truths and detections.
        var truth: Int, answer: Int
    }

    private(set) var right: [Pair] = []
    private(set) var confused: [Pair] = []
    /// Truths without an answer.
    private(set) var missed: [Int] = []
    /// Answers without a truth: nothing is there, or it was found already.
    private(set) var wrong: [Int] = []

    /// - Parameters:
    ///   - image: as the rules see it, see `DetectionEvaluator.counted(_:)`
    ///   - minimumScore: of answers that take part
    init(_ image: EvaluationImage, minimumScore: Double) {
        var truths = image.truths.indices.filter { !image.truths[$0].isCrowd }
        var answers = image.detections.indices.filter { image.detections[$0].score >= minimumScore }
        func pairs(_ answers: [Int], _ truths: [Int]) -> [Pair] {
            greedyPairs(
                answers.map { image.detections[$0].box }, truths.map { image.truths[$0].box }, iouThreshold: 0.5
            ).map { Pair(truth: truths[$0.column], answer: answers[$0.row]) }
        }
        func drop(_ pairs: [Pair]) {
            let (found, used) = (Set(pairs.map(\.truth)), Set(pairs.map(\.answer)))
            truths.removeAll { found.contains($0) }
            answers.removeAll { used.contains($0) }
        }
        let truthsOf = Dictionary(grouping: truths) { image.truths[$0].category }
        for (category, some) in Dictionary(grouping: answers, by: { image.detections[$0].category })
            .sorted(by: { $0.key < $1.key })
        {
            right += pairs(some, truthsOf[category] ?? [])
        }
        drop(right)
        answers.removeAll { Self.isExcused(image.detections[$0], in: image) }
        confused = pairs(answers, truths)
        drop(confused)
        (missed, wrong) = (truths, answers)
    }

    /// 2 · right / (2 · right + wrong + missed), a confusion being both; nil where there is nothing.
    var f1: Double? {
        let total = 2 * right.count + 2 * confused.count + missed.count + wrong.count
        return total > 0 ? 2 * Double(right.count) / Double(total) : nil
    }

    /// Whether an answer without a partner counts as nothing.
    private static func isExcused(_ answer: DetectedBox, in image: EvaluationImage) -> Bool {
        image.notExhaustiveCategories.contains(answer.category)
            || image.truths.contains {
                $0.isCrowd && $0.category == answer.category
                    && answer.box.overlapArea(with: $0.box) > 0.5 * answer.box.area
            }
    }
}

/// How often an object of one category was called another.
struct ConfusionCounts {
    struct Names: Hashable {
        /// Category of the object, nil where there was none; category of the answer, nil where there was none.
        var truth: Int?, answer: Int?
    }

    private(set) var counts: [Names: Int] = [:]

    mutating func add(_ matching: ImageMatching, of image: EvaluationImage) {
        for pair in matching.right + matching.confused {
            let names = Names(truth: image.truths[pair.truth].category, answer: image.detections[pair.answer].category)
            counts[names, default: 0] += 1
        }
        for truth in matching.missed { counts[Names(truth: image.truths[truth].category), default: 0] += 1 }
        for answer in matching.wrong { counts[Names(answer: image.detections[answer].category), default: 0] += 1 }
    }
}
