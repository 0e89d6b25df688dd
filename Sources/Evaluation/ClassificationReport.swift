/// How well a score tells pictures to be dropped from pictures to be kept.
public struct ClassificationReport: Sendable, Encodable, Equatable {
    /// A picture with its score.
    public struct Entry: Sendable, Encodable, Equatable {
        /// File or seed.
        public var name: String
        /// What it is, for the figures by kind.
        public var kind: String
        /// Whether it should be dropped.
        public var isPositive: Bool
        /// 0...1, high for what should be dropped.
        public var score: Double

        public init(name: String, kind: String, isPositive: Bool, score: Double) {
            (self.name, self.kind, self.isPositive, self.score) = (name, kind, isPositive, score)
        }
    }

    /// What a threshold gives.
    public struct Figures: Sendable, Encodable, Equatable {
        /// Scores from here on drop a picture.
        public var threshold: Double
        public var truePositives: Int, falsePositives: Int, falseNegatives: Int, trueNegatives: Int
        /// Share of the dropped that should be; nil where nothing was dropped.
        public var precision: Double? { Self.share(truePositives, falsePositives) }
        /// Share of what should be dropped that was; nil where there is no such picture.
        public var recall: Double? { Self.share(truePositives, falseNegatives) }
        /// Share of what should be kept that was dropped; nil where there is no such picture.
        public var falsePositiveRate: Double? { Self.share(falsePositives, trueNegatives) }

        private static func share(_ part: Int, _ rest: Int) -> Double? {
            part + rest > 0 ? Double(part) / Double(part + rest) : nil
        }

        enum CodingKeys: String, CodingKey {
            case threshold, precision, recall
            case truePositives = "true_positives"
            case falsePositives = "false_positives"
            case falseNegatives = "false_negatives"
            case trueNegatives = "true_negatives"
            case falsePositiveRate = "false_positive_rate"
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(threshold, forKey: .threshold)
            try values.encode(truePositives, forKey: .truePositives)
            try values.encode(falsePositives, forKey: .falsePositives)
            try values.encode(falseNegatives, forKey: .falseNegatives)
            try values.encode(trueNegatives, forKey: .trueNegatives)
            try values.encodeIfPresent(precision, forKey: .precision)
            try values.encodeIfPresent(recall, forKey: .recall)
            try values.encodeIfPresent(falsePositiveRate, forKey: .falsePositiveRate)
        }
    }

    /// All pictures of a kind.
    public struct Kind: Sendable, Encodable, Equatable {
        public var name: String
        public var isPositive: Bool
        public var count: Int, right: Int

        enum CodingKeys: String, CodingKey {
            case name, count, right
            case isPositive = "is_low_content"
        }
    }

    /// By the threshold that was asked for.
    public var figures: Figures
    /// By other thresholds, ascending.
    public var table: [Figures]
    public var kinds: [Kind]
    /// The worst first.
    public var mistakes: [Entry]

    public init(_ entries: [Entry], threshold: Double, table thresholds: [Double] = [0.1, 0.3, 0.5, 0.7, 0.9, 0.97]) {
        func figures(_ threshold: Double) -> Figures {
            let dropped = entries.filter { $0.score >= threshold }
            let right = dropped.count { $0.isPositive }, positives = entries.count { $0.isPositive }
            return Figures(
                threshold: threshold, truePositives: right, falsePositives: dropped.count - right,
                falseNegatives: positives - right,
                trueNegatives: entries.count - positives - (dropped.count - right))
        }
        self.figures = figures(threshold)
        table = thresholds.map(figures)
        kinds = Dictionary(grouping: entries, by: \.kind).map { kind, members in
            Kind(
                name: kind, isPositive: members[0].isPositive, count: members.count,
                right: members.count { ($0.score >= threshold) == $0.isPositive })
        }.sorted { ($0.isPositive ? 0 : 1, $0.name) < ($1.isPositive ? 0 : 1, $1.name) }
        mistakes = entries.filter { ($0.score >= threshold) != $0.isPositive }
            .sorted { abs($0.score - threshold) > abs($1.score - threshold) }
    }
}
