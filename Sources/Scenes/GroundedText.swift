/// A text in which some phrases stand for objects.
///
/// Whoever writes grounded answers joins the segments and puts tags around those that have objects, e.g.
/// `<ground>two dogs</ground><objects>…</objects>`.
public struct GroundedText: Sendable, Hashable {
    /// A stretch of text; a phrase where it has objects.
    public struct Segment: Sendable, Hashable {
        public let text: String
        /// Objects that the phrase stands for, ascending; empty for the words between phrases.
        public let objectIDs: [Int]
    }

    /// A phrase and where it stands.
    public struct Phrase: Sendable, Hashable {
        public let text: String
        /// Offsets in Unicode scalars of the whole text.
        public let range: Range<Int>
        public let objectIDs: [Int]
    }

    public private(set) var segments: [Segment] = []

    init() {}

    init(_ text: String) {
        append(text)
    }

    /// The text without its grounding.
    public var text: String {
        segments.map(\.text).joined()
    }

    /// The phrases in order.
    public var phrases: [Phrase] {
        var offset = 0
        return segments.compactMap { segment in
            let range = offset..<offset + segment.text.unicodeScalars.count
            offset = range.upperBound
            return segment.objectIDs.isEmpty
                ? nil : Phrase(text: segment.text, range: range, objectIDs: segment.objectIDs)
        }
    }

    /// Adds words, or a phrase where there are objects.
    mutating func append(_ text: String, _ objectIDs: [Int] = []) {
        if !text.isEmpty { segments.append(Segment(text: text, objectIDs: objectIDs)) }
    }

    mutating func append(_ other: GroundedText) {
        segments += other.segments
    }

    /// "a, b and c" with the grounding of each.
    static func list(_ items: [GroundedText]) -> GroundedText {
        var result = GroundedText()
        for (index, item) in items.enumerated() {
            if index > 0 { result.append(index == items.count - 1 ? " and " : ", ") }
            result.append(item)
        }
        return result
    }

    static func phrase(_ text: String, _ objectIDs: [Int]) -> GroundedText {
        var result = GroundedText()
        result.append(text, objectIDs)
        return result
    }

    /// The text with its first letter in upper case.
    var inSentenceCase: GroundedText {
        guard let first = segments.first else { return self }
        var result = self
        result.segments[0] = Segment(text: English.sentenceCase(first.text), objectIDs: first.objectIDs)
        return result
    }
}
