import Foundation

/// Unicode normalisation forms C and D, for text of any length in linear time.
///
/// Foundation's own conversion of whole strings is not used: on Linux its time grows with the square of the length,
/// and it composes some pairs wrongly (U+10043 U+0301 becomes U+0106). Of single characters it is exact, and
/// from these the tables are made, once.
struct CanonicalNormalizer: Sendable {
    static let shared = CanonicalNormalizer()

    /// Facts about a character that tell where work begins and whether there is any.
    private struct Traits: OptionSet {
        let rawValue: UInt8
        /// Nothing before it can join or pass it.
        static let begins = Traits(rawValue: 1)
        /// Not its own form C.
        static let composes = Traits(rawValue: 2)
        /// Not its own form D.
        static let decomposes = Traits(rawValue: 4)
    }

    private var decompositions: [UInt32: [UInt32]] = [:]
    private var compositions: [UInt64: UInt32] = [:]
    /// Characters that can join the one before, other than Hangul.
    private var seconds: Set<UInt32> = []
    /// Characters that have another form C.
    private var replaced: Set<UInt32> = []
    /// Traits of U+0000...FFFF.
    private var basicPlane: [Traits] = []

    /// The UTF-8 of `text` in form C. All that is below U+0300 is in that form already.
    func composed(_ text: String) -> [UInt8] {
        let source = Array(text.utf8)
        return source.contains { $0 >= 0xCC } ? normalized(source, composing: true) : source
    }

    /// The UTF-8 of `text` in form D.
    func decomposed(_ text: String) -> [UInt8] {
        let source = Array(text.utf8)
        return source.contains { $0 >= 0x80 } ? normalized(source, composing: false) : source
    }

    /// Goes through `source` in the shortest stretches that do not touch each other; copies what needs no work.
    private func normalized(_ source: [UInt8], composing: Bool) -> [UInt8] {
        let work: Traits = composing ? .composes : .decomposes
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var copied = 0
        var start = 0
        var index = 0
        var needsWork = false
        func finishStretch() {
            guard needsWork else { return }
            result += source[copied..<start]
            var scalars = ordered(lossyText(source[start..<index]).unicodeScalars)
            if composing { scalars = joined(scalars) }
            for value in scalars { result += String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8 }
            copied = index
        }
        while index < source.count {
            let (value, length) = source.scalar(at: index)
            let traits = value < 0x10000 ? basicPlane[Int(value)] : traits(of: value)
            if traits.contains(.begins) {
                finishStretch()
                start = index
                needsWork = false
            }
            needsWork = needsWork || !traits.isDisjoint(with: work) || !traits.contains(.begins)
            index += length
        }
        finishStretch()
        return result + source[copied...]
    }

    /// Decomposes, then orders marks by their combining class.
    private func ordered(_ scalars: String.UnicodeScalarView) -> [UInt32] {
        var values = scalars.flatMap { decomposition(of: $0.value) }
        var start = 0
        while start < values.count {
            let end = values[start...].firstIndex { combiningClass($0) == 0 } ?? values.count
            if end - start > 1 {
                let marks = values[start..<end].enumerated().sorted {
                    (combiningClass($0.element), $0.offset) < (combiningClass($1.element), $1.offset)
                }
                values.replaceSubrange(start..<end, with: marks.map(\.element))
            }
            start = end + 1
        }
        return values
    }

    /// Joins each character with the last base, unless one between them is of the same or a higher class.
    private func joined(_ values: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var base: Int?
        var lastClass = 0
        for value in values {
            let currentClass = combiningClass(value)
            if let base, base == result.count - 1 || lastClass < currentClass,
                let joined = composition(of: result[base], value)
            {
                result[base] = joined
                continue
            }
            if currentClass == 0 { base = result.count }
            lastClass = currentClass
            result.append(value)
        }
        return result
    }

    // MARK: Characters

    private func combiningClass(_ value: UInt32) -> Int {
        guard value >= 0x300, let scalar = Unicode.Scalar(value) else { return 0 }
        return Int(scalar.properties.canonicalCombiningClass.rawValue)
    }

    private func decomposition(of value: UInt32) -> [UInt32] {
        guard let syllable = Hangul.index(of: value) else { return decompositions[value] ?? [value] }
        let tail = syllable % Hangul.tailCount
        let head = [
            Hangul.leads.lowerBound + syllable / (Hangul.vowelCount * Hangul.tailCount),
            Hangul.vowels.lowerBound + syllable / Hangul.tailCount % Hangul.vowelCount,
        ]
        return tail == 0 ? head : head + [Hangul.tails.lowerBound - 1 + tail]
    }

    private func composition(of first: UInt32, _ second: UInt32) -> UInt32? {
        if Hangul.leads.contains(first), Hangul.vowels.contains(second) {
            let lead = first - Hangul.leads.lowerBound
            let vowel = second - Hangul.vowels.lowerBound
            return Hangul.syllables.lowerBound + (lead * Hangul.vowelCount + vowel) * Hangul.tailCount
        }
        if let syllable = Hangul.index(of: first), Hangul.tails.contains(second) {
            return syllable % Hangul.tailCount == 0 ? first + second - Hangul.tails.lowerBound + 1 : nil
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }

    private func traits(of value: UInt32) -> Traits {
        var traits: Traits = []
        let first = decompositions[value]?.first ?? value
        let joins = seconds.contains(first) || Hangul.vowels.contains(first) || Hangul.tails.contains(first)
        if !joins, combiningClass(first) == 0 { traits.insert(.begins) }
        if replaced.contains(value) { traits.insert(.composes) }
        if decompositions[value] != nil || Hangul.syllables.contains(value) { traits.insert(.decomposes) }
        return traits
    }

    // MARK: Tables

    /// Where Unicode has canonical decompositions, apart from Hangul's, which follow a formula.
    private static let decomposableRanges: [ClosedRange<UInt32>] = [
        0xC0...0x6FF, 0x900...0x10FF, 0x1B00...0x1B7F, 0x1E00...0x23FF, 0x2A00...0x2AFF, 0x3040...0x30FF,
        0xF900...0xFB4F, 0x10500...0x105FF, 0x11000...0x119FF, 0x16100...0x161FF, 0x16D00...0x16DFF,
        0x1D100...0x1D1FF, 0x2F800...0x2FA1F,
    ]

    private init() {
        for value in Self.decomposableRanges.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            guard parts != [value] else { continue }
            decompositions[value] = parts
            let composed = text.precomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            if composed != [value] { replaced.insert(value) }
        }
        // Shorter ones first, as the last step of a longer one starts from what they make.
        for (value, parts) in decompositions.sorted(by: { $0.value.count < $1.value.count }) {
            guard !replaced.contains(value), let last = parts.last else { continue }
            let rest = joined(Array(parts.dropLast()))
            guard let first = rest.first, rest.count == 1 else { continue }
            compositions[UInt64(first) << 32 | UInt64(last)] = value
            seconds.insert(last)
        }
        basicPlane = (0..<0x10000).map { combiningClass($0) == 0 ? .begins : [] }
        func setTraits(of values: some Sequence<UInt32>) {
            for value in values where value < 0x10000 { basicPlane[Int(value)] = traits(of: value) }
        }
        setTraits(of: decompositions.keys)
        setTraits(of: seconds)
        setTraits(of: [Hangul.vowels, Hangul.tails, Hangul.syllables].joined())
    }
}

/// The modern Hangul letters and the syllables made of them.
private enum Hangul {
    static let leads: ClosedRange<UInt32> = 0x1100...0x1112
    static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    static let tails: ClosedRange<UInt32> = 0x11A8...0x11C2
    static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
    static let vowelCount: UInt32 = 21
    /// The tails and none.
    static let tailCount: UInt32 = 28

    static func index(of value: UInt32) -> UInt32? {
        syllables.contains(value) ? value - syllables.lowerBound : nil
    }
}
