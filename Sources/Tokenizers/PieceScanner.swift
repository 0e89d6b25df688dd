/// Cuts text into the pieces that byte pairs are merged within: Qwen2's regular expression, written out.
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
///
/// Each method is one alternative; every scalar begins one of them, so the pieces cover the text.
struct PieceScanner: IteratorProtocol, Sequence {
    static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private let text: [UInt8]
    private var position: Int
    private let end: Int
    private let table = ScalarClass.basicPlane

    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - range: where to look, from scalar to scalar; its end counts as the end of the text.
    init(_ text: [UInt8], in range: Range<Int>) {
        self.text = text
        position = range.lowerBound
        end = range.upperBound
    }

    mutating func next() -> Range<Int>? {
        guard position < end else { return nil }
        let start = position
        position = contractionEnd(from: start) ?? pieceEnd(from: start)
        return start..<position
    }

    private func pieceEnd(from start: Int) -> Int {
        let (first, length) = text.scalarClass(at: start, table: table)
        let second = start + length
        switch first {
        case .letter:
            return skip(.letter, from: second)
        case .number:
            return second
        case .other:
            if isNext(.letter, at: second) { return skip(.letter, from: second) }
            return symbolsEnd(from: second)
        case .space:
            if isNext(.letter, at: second) { return skip(.letter, from: second) }
            if text[start] == UInt8(ascii: " "), isNext(.other, at: second) { return symbolsEnd(from: second) }
            return spaceEnd(from: start)
        case .lineBreak:
            return spaceEnd(from: start)
        }
    }

    private func isNext(_ expected: ScalarClass, at index: Int) -> Bool {
        index < end && text.scalarClass(at: index, table: table).class == expected
    }

    private func skip(_ expected: ScalarClass, from start: Int) -> Int {
        var index = start
        while index < end {
            let (found, length) = text.scalarClass(at: index, table: table)
            guard found == expected else { break }
            index += length
        }
        return index
    }

    /// `[^\s\p{L}\p{N}]+[\r\n]*`
    private func symbolsEnd(from start: Int) -> Int {
        skip(.lineBreak, from: skip(.other, from: start))
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break of the white space; where it has none, all of it at the
    /// end of the text, else all but the last, which the next piece takes, unless it is the only one.
    private func spaceEnd(from start: Int) -> Int {
        var index = start
        var last = start
        var lineBreakEnd: Int?
        while index < end {
            let (found, length) = text.scalarClass(at: index, table: table)
            guard found == .space || found == .lineBreak else { break }
            last = index
            index += length
            if found == .lineBreak { lineBreakEnd = index }
        }
        if let lineBreakEnd { return lineBreakEnd }
        return index == end || last == start ? index : last
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`; ignoring case, U+017F (long s, C5 BF in UTF-8) is an s.
    private func contractionEnd(from start: Int) -> Int? {
        guard text[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
        let first = text[start + 1] | 0x20
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        default:
            guard start + 2 < end else { return nil }
        }
        let second = text[start + 2] | 0x20
        switch (first, second) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default:
            return text[start + 1] == 0xC5 && text[start + 2] == 0xBF ? start + 3 : nil
        }
    }
}
