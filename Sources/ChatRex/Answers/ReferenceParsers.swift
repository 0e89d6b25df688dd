/// One phrase and its tags as the reference programs read them.
public struct ReferenceGroup: Sendable, Hashable {
    /// The phrase without white space around it.
    public var phrase: String
    /// The `<objK>` tags as they are spelled; K may have leading zeros or digits of any script.
    public var tags: [String]

    public init(phrase: String, tags: [String]) {
        (self.phrase, self.tags) = (phrase, tags)
    }

    /// The numbers in ``tags``; those too large for an `Int` are left out.
    public var indices: [Int] {
        tags.compactMap { tag in
            let digits = tag.unicodeScalars.dropFirst("<obj".count).dropLast().compactMap(\.properties.numericValue)
            return Int(digits.map { String(Int($0)) }.joined())
        }
    }
}

/// How the released programs read an answer, to compare with; use ``AnswerParser`` for everything else.
///
/// Both look for `<ground>phrase</ground><objects>tags</objects>` without line feeds in phrase and tags, and pass over
/// whatever does not fit. They work on Unicode scalars, as the originals do. Source: section 12 of the specification.
public enum ReferenceParsers {
    /// The parser of the visualiser: a group none of whose tags is new to the text is skipped, and so is a phrase seen
    /// before.
    public static func visualizer(_ text: String) -> [ReferenceGroup] {
        var seen: Set<[Unicode.Scalar]> = []
        var groups = FirstOfEachPhrase()
        for (phrase, tags) in matches(in: Array(text.unicodeScalars), spaced: false) {
            let new = tags.filter { !seen.contains($0) }
            if new.isEmpty { continue }
            seen.formUnion(new)
            groups.append(phrase, tags)
        }
        return groups.all
    }

    /// The parser of the evaluation: every phrase counts once, also without tags. Without any match it tries again with
    /// single spaces inside and between the tags.
    public static func evaluator(_ text: String) -> [ReferenceGroup] {
        let scalars = Array(text.unicodeScalars)
        var found = matches(in: scalars, spaced: false)
        if found.isEmpty { found = matches(in: scalars, spaced: true) }
        var groups = FirstOfEachPhrase()
        for (phrase, tags) in found { groups.append(phrase, tags) }
        return groups.all
    }

    // MARK: - Matching

    private typealias Scalars = [Unicode.Scalar]

    /// Keeps the first group of each phrase. Phrases are compared scalar by scalar, not by canonical equivalence.
    private struct FirstOfEachPhrase {
        private(set) var all: [ReferenceGroup] = []
        private var phrases: Set<Scalars> = []

        mutating func append(_ phrase: Scalars, _ tags: [Scalars]) {
            guard phrases.insert(phrase).inserted else { return }
            all.append(ReferenceGroup(phrase: text(phrase[...]), tags: tags.map { text($0[...]) }))
        }
    }

    private static func matches(in text: Scalars, spaced: Bool) -> [(phrase: Scalars, tags: [Scalars])] {
        let space = spaced ? " " : ""
        let open = scalars("<ground>" + space)
        let middle = scalars(space + "</ground>" + space + "<objects>" + space)
        let close = scalars(space + "</objects>")
        var found: [(Scalars, [Scalars])] = []
        var position = 0
        while let start = firstIndex(of: open, in: text, from: position, stopAtLineFeed: false) {
            let phraseStart = start + open.count
            guard let phraseEnd = firstIndex(of: middle, in: text, from: phraseStart, stopAtLineFeed: true),
                let tagsEnd = firstIndex(
                    of: close, in: text, from: phraseEnd + middle.count, stopAtLineFeed: true)
            else {
                position = start + 1
                continue
            }
            let tags = objectTags(in: text[(phraseEnd + middle.count)..<tagsEnd])
            found.append((Array(trimmed(text[phraseStart..<phraseEnd])), tags))
            position = tagsEnd + close.count
        }
        return found
    }

    private static func firstIndex(
        of pattern: Scalars, in text: Scalars, from start: Int, stopAtLineFeed: Bool
    ) -> Int? {
        guard start + pattern.count <= text.count else { return nil }
        for index in start...(text.count - pattern.count) {
            if text[index] == pattern[0], text[index..<(index + pattern.count)].elementsEqual(pattern) { return index }
            if stopAtLineFeed, text[index] == "\n" { return nil }
        }
        return nil
    }

    /// Every `<obj`, one or more decimal digits of any script, `>`.
    private static func objectTags(in text: ArraySlice<Unicode.Scalar>) -> [Scalars] {
        let open = scalars("<obj")
        var tags: [Scalars] = []
        var index = text.startIndex
        while index < text.endIndex {
            let digits = text[index...].starts(with: open) ? index + open.count : text.endIndex
            let end = text[digits...].firstIndex { $0.properties.generalCategory != .decimalNumber } ?? text.endIndex
            if end > digits, end < text.endIndex, text[end] == ">" {
                tags.append(Array(text[index...end]))
                index = end + 1
            } else {
                index += 1
            }
        }
        return tags
    }

    /// Without the white space of Python's `str.strip`: Unicode's, and the four separators U+001C to U+001F.
    private static func trimmed(_ text: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        let isSpace = { (scalar: Unicode.Scalar) in
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return text[first...last]
    }

    private static func scalars(_ text: String) -> Scalars { Array(text.unicodeScalars) }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
