import Annotations

/// What went through, and what did not.
public struct ExchangeReport: Codable, Sendable, Hashable, CustomStringConvertible {
    public var pictures = 0, regions = 0
    /// What the other form has no place for, or this one: how often, by name.
    public var leftOut: [String: Int] = [:]
    /// Bad records and bad parts of records.
    public var records = RecordReport()

    public init() {}

    mutating func leaveOut(_ what: String, _ count: Int = 1) {
        if count > 0 { leftOut[what, default: 0] += count }
    }

    /// Counts what an annotation has of some kinds.
    mutating func leaveOut(_ kinds: [AnnotationContent], of annotation: Annotation) {
        for kind in kinds { leaveOut(kind.rawValue, kind.count(in: annotation)) }
    }

    public var description: String {
        var lines = ["\(pictures) pictures with \(regions) regions"]
        if !leftOut.isEmpty {
            lines.append(
                "left out: " + leftOut.sorted { $0.key < $1.key }.map { "\($1) \($0)" }.joined(separator: ", "))
        }
        if records.issueCount > 0 { lines.append("\(records.issueCount) faulty: \(records)") }
        return lines.joined(separator: "\n")
    }
}

/// What a form may have no place for.
enum AnnotationContent: String {
    case captions
    case captionPhrases = "located phrases of captions"
    case phrases = "short phrases"
    case descriptions
    case expressions = "referring expressions"
    case conversations
    case absent = "lists of absent categories"

    func count(in annotation: Annotation) -> Int {
        switch self {
        case .captions: annotation.caption == nil ? 0 : 1
        case .captionPhrases: annotation.caption?.phrases.count ?? 0
        case .phrases: annotation.regions.count { $0.phrase != nil }
        case .descriptions: annotation.regions.count { $0.description != nil }
        case .expressions: annotation.regions.count { $0.referringExpression != nil }
        case .conversations: annotation.conversation == nil ? 0 : 1
        case .absent: annotation.absent == nil ? 0 : 1
        }
    }
}

/// Why an exchange ended.
public enum ExchangeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file or folder that cannot be read, or is not of the form that was named.
    case unusableFile(path: String, reason: String)
    /// The first bad record, where bad records are refused.
    case badRecord(place: String, problem: RecordProblem)
    case unwritable(path: String, reason: String)
    /// A setting that nothing can be made with.
    case invalidSetting(name: String, reason: String)

    public var description: String {
        switch self {
        case .unusableFile(let path, let reason): "\(path): \(reason)"
        case .badRecord(let place, let problem):
            "\(place): \(problem). Nothing was imported; without --strict bad records are left out and counted."
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .invalidSetting(let name, let reason): "setting '\(name)': \(reason)"
        }
    }
}
