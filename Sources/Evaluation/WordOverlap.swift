/// Semantic IoU of region classification (Osprey's protocol on LVIS and PACO): the words that answer and category name
/// share, over all words of either, averaged over regions.
public struct WordOverlap: Sendable, Hashable {
    /// Regions evaluated.
    public private(set) var count = 0
    private var sum = 0.0

    public init() {}

    /// Counts one region.
    ///
    /// - Parameters:
    ///   - answer: what the model wrote; a lead-in up to the first colon is dropped.
    ///   - category: the annotated name, as datasets write it: `soccer_ball`, `bottle:cap`.
    public mutating func add(answer: String, category: String) {
        count += 1
        sum += Self.overlap(answer: answer, category: category)
    }

    /// Mean overlap, 0…1 (papers print it times 100); nil before the first region.
    public var average: Double? { count > 0 ? sum / Double(count) : nil }

    /// Overlap of one answer with one category, 0…1; 0 where both are empty.
    public static func overlap(answer: String, category: String) -> Double {
        let (answered, expected) = (words(plain(answer: answer)), words(plain(category: category)))
        let all = answered.union(expected).count
        return all > 0 ? Double(answered.intersection(expected).count) / Double(all) : 0
    }

    /// An answer without lead-in and punctuation.
    static func plain(answer: String) -> String {
        let tail = answer.firstIndex(of: ":").map { answer[answer.index(after: $0)...] } ?? answer[...]
        return spaced(tail, ".:,")
    }

    /// A category's name without the signs that data sets put between words.
    static func plain(category: String) -> String { spaced(category[...], "_:") }

    private static func spaced(_ text: Substring, _ signs: String) -> String {
        String(text.map { signs.contains($0) ? " " : $0 }).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.lowercased().split(separator: " ").map(String.init))
    }
}
