import Boxes

extension Annotation {
    /// Whether key and format can be parts of a file name without leading anywhere else.
    package var hasPlainNames: Bool {
        func isPlain(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count <= 200
                && text.utf8.allSatisfy {
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "_")
                }
        }
        return isPlain(key) && isPlain(format)
    }

    /// What is wrong with the record by itself, in words; empty for a good one.
    public var problems: [String] {
        var found: [String] = []
        if !hasPlainNames { found.append("the key '\(key)' or format '\(format)' is no plain name") }
        if width <= 0 || height <= 0 { found.append("the picture is \(width) wide and \(height) high") }
        let ids = Set(regions.map(\.id))
        if ids.count < regions.count { found.append("two regions have the same id") }
        for region in regions { found += region.problems(width: width, height: height) }
        if let caption { found += caption.problems("the caption", regions: ids) }
        for (number, turn) in (conversation ?? []).enumerated() {
            if turn.question.isEmpty { found.append("question \(number + 1) is empty") }
            found += turn.answer.problems("answer \(number + 1)", regions: ids)
        }
        return found
    }
}

extension Region {
    /// How far a box may reach over the picture's edge, in pixels: what rounding does.
    package static let overhang = 1.0

    fileprivate func problems(width: Int, height: Int) -> [String] {
        var found: [String] = []
        let inner = box.clipped(toWidth: Double(width), height: Double(height))
        if !box.isValid || box.area == 0 {
            found.append("region \(id): the box \(box) has no area")
        } else if zip(box.values(.xyxy), inner.values(.xyxy)).contains(where: { abs($0 - $1) > Self.overhang }) {
            found.append("region \(id): the box \(box) reaches out of the picture of \(width) x \(height)")
        }
        if let score, !(0...1).contains(score) { found.append("region \(id): the score \(score) is not within 0...1") }
        return found
    }
}

extension GroundedCaption {
    fileprivate func problems(_ name: String, regions ids: Set<Int>) -> [String] {
        var found: [String] = []
        let scalars = Array(text.unicodeScalars)
        if scalars.isEmpty { found.append("\(name) is empty") }
        for phrase in phrases {
            let isWithin = phrase.start >= 0 && phrase.start < phrase.end && phrase.end <= scalars.count
            if !isWithin || !scalars[phrase.start..<phrase.end].elementsEqual(phrase.text.unicodeScalars) {
                found.append(
                    "\(name): the phrase '\(phrase.text)' does not stand at \(phrase.start)..<\(phrase.end)")
            }
            if let missing = phrase.regions.first(where: { !ids.contains($0) }) {
                found.append("\(name): the phrase '\(phrase.text)' names region \(missing), which does not exist")
            }
        }
        return found
    }
}

/// What was wrong with records, one by one.
public struct RecordReport: Codable, Sendable, Hashable, CustomStringConvertible {
    public struct Issue: Codable, Sendable, Hashable, CustomStringConvertible {
        /// File and line, or the record's id.
        public var place: String
        public var reason: String

        public init(place: String, reason: String) {
            (self.place, self.reason) = (place, reason)
        }

        public var description: String { "\(place): \(reason)" }
    }

    /// As many as are kept in words; all are counted.
    public static let keptIssues = 1000

    /// The first ``keptIssues``.
    public private(set) var issues: [Issue] = []
    public private(set) var issueCount = 0

    public init() {}

    public mutating func note(_ place: String, _ reason: String) {
        issueCount += 1
        if issues.count < Self.keptIssues { issues.append(Issue(place: place, reason: reason)) }
    }

    /// One issue a line, the first few of them.
    public var description: String {
        let shown = issues.prefix(10).map(\.description)
        let rest = issueCount - shown.count
        return (shown + (rest > 0 ? ["and \(rest) more"] : [])).joined(separator: "\n")
    }
}
