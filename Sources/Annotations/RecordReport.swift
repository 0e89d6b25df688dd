/// What is wrong with a record, or with a part of one.
public struct RecordProblem: Error, Codable, Sendable, Hashable, CustomStringConvertible {
    /// Of what sort it is, for those who count.
    public enum Kind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
        case unreadable, name, missingPicture, unusablePicture, pictureSize, boxForm, boxArea, boxRange, reference,
            repetition, score, text, other

        /// The sort in the plural.
        public var words: String {
            switch self {
            case .unreadable: "unreadable records"
            case .name: "unusable names"
            case .missingPicture: "missing pictures"
            case .unusablePicture: "unusable pictures"
            case .pictureSize: "wrong sizes of pictures"
            case .boxForm: "boxes that are not four numbers in order"
            case .boxArea: "boxes without an area"
            case .boxRange: "boxes that reach out of the picture"
            case .reference: "references to what is not there"
            case .repetition: "repetitions"
            case .score: "scores out of range"
            case .text: "unusable texts"
            case .other: "other faults"
            }
        }
    }

    public var kind: Kind
    /// In words, without the place.
    public var reason: String

    public init(_ kind: Kind, _ reason: String) {
        (self.kind, self.reason) = (kind, reason)
    }

    public var description: String { reason }
}

/// What was wrong with records: all are counted by kind, some of each kind are named. Its size does not grow with the set.
public struct RecordReport: Codable, Sendable, Hashable, CustomStringConvertible {
    public struct Issue: Codable, Sendable, Hashable, CustomStringConvertible {
        /// File and line, or the record's id.
        public var place: String
        public var problem: RecordProblem

        public init(place: String, problem: RecordProblem) {
            (self.place, self.problem) = (place, problem)
        }

        public var description: String { "\(place): \(problem)" }
    }

    /// Issues of each kind that are kept in words.
    public static let keptIssues = 200
    /// Of these, how many of each kind are shown.
    private static let shownIssues = 3

    /// The first ``keptIssues`` of each kind, in the order in which they were found.
    public private(set) var issues: [Issue] = []
    public private(set) var counts: [RecordProblem.Kind: Int] = [:]

    public init() {}

    public var issueCount: Int { counts.values.reduce(0, +) }

    public mutating func note(_ place: String, _ problem: RecordProblem) {
        counts[problem.kind, default: 0] += 1
        if counts[problem.kind, default: 0] <= Self.keptIssues { issues.append(Issue(place: place, problem: problem)) }
    }

    /// Adds what another report found, behind what this one did.
    public mutating func add(_ other: RecordReport) {
        var room: [RecordProblem.Kind: Int] = [:]
        for kind in other.counts.keys { room[kind] = Self.keptIssues - counts[kind, default: 0] }
        for issue in other.issues where room[issue.problem.kind, default: 0] > 0 {
            room[issue.problem.kind, default: 0] -= 1
            issues.append(issue)
        }
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// How many there are of each kind, the most frequent first.
    public var summary: String {
        let sorted = counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        return sorted.map { "\($1) \($0.words)" }.joined(separator: ", ")
    }

    /// The summary, and some issues of each kind, one a line.
    public var description: String {
        var shown: [RecordProblem.Kind: Int] = [:], lines = [summary]
        for issue in issues where shown[issue.problem.kind, default: 0] < Self.shownIssues {
            shown[issue.problem.kind, default: 0] += 1
            lines.append("\(issue)")
        }
        let rest = issueCount - (lines.count - 1)
        return (lines + (rest > 0 ? ["and \(rest) more"] : [])).joined(separator: "\n")
    }
}
