/// The score of an answer and whether it was right.
public struct JudgedScore: Sendable, Hashable {
    public var score: Double
    public var isRight: Bool

    public init(score: Double, isRight: Bool) {
        (self.score, self.isRight) = (score, isRight)
    }
}

/// Whether scores say how often answers are right (Guo et al. 2017, arXiv 1706.04599).
public struct Calibration: Sendable, Hashable {
    /// Answers of like score.
    public struct Bin: Sendable, Hashable {
        public var low: Double, high: Double
        public var count: Int
        /// Nil of no answers.
        public var meanScore: Double?, share: Double?
    }

    /// Of equal width, ascending.
    public let bins: [Bin]
    public let count: Int
    /// Mean difference of score and share of right answers, by the number of answers: ECE, 0…1.
    public let expectedError: Double

    /// - Returns: nil of nothing, and of scores that are not within 0…1.
    public init?(_ answers: [JudgedScore], binCount: Int = 10) {
        guard !answers.isEmpty, binCount > 0, answers.allSatisfy({ (0...1).contains($0.score) }) else { return nil }
        var members = [[JudgedScore]](repeating: [], count: binCount)
        for answer in answers { members[min(Int(answer.score * Double(binCount)), binCount - 1)].append(answer) }
        bins = members.enumerated().map { number, some in
            Bin(
                low: Double(number) / Double(binCount), high: Double(number + 1) / Double(binCount), count: some.count,
                meanScore: mean(some.map(\.score)), share: mean(some.map { $0.isRight ? 1 : 0 }))
        }
        count = answers.count
        let total = Double(answers.count)
        expectedError = bins.reduce(0) { sum, bin in
            sum + Double(bin.count) / total * ((bin.meanScore ?? 0) - (bin.share ?? 0)).magnitude
        }
    }
}

/// Precision and recall of all answers whose score is at least a threshold.
struct ScoreSweep {
    struct Point {
        var threshold: Double, precision: Double, recall: Double

        var f1: Double { precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0 }
    }

    /// By descending threshold, one for each score that occurs.
    let points: [Point]

    init(_ answers: [JudgedScore], truthCount: Int) {
        var points: [Point] = [], right = 0
        for (position, answer) in answers.sorted(by: { $0.score > $1.score }).enumerated() {
            if answer.isRight { right += 1 }
            let point = Point(
                threshold: answer.score, precision: Double(right) / Double(position + 1),
                recall: truthCount > 0 ? Double(right) / Double(truthCount) : 0)
            if points.last?.threshold == answer.score { points.removeLast() }
            points.append(point)
        }
        self.points = points
    }

    /// The threshold with the best F1; the lower one of equals.
    var best: Point? { points.max { ($0.f1, -$0.threshold) < ($1.f1, -$1.threshold) } }
}
