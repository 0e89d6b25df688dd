/// What the pre-tokeniser asks of a character.
enum ScalarClass: UInt8 {
    /// General category L.
    case letter
    /// General category N.
    case number
    /// CR or LF, which are white space too.
    case lineBreak
    /// Other white space, by the Unicode property; that excludes U+001C...1F and U+200B.
    case space
    case other

    init(_ scalar: Unicode.Scalar) {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
        case .decimalNumber, .letterNumber, .otherNumber: self = .number
        default:
            if scalar == "\r" || scalar == "\n" {
                self = .lineBreak
            } else {
                self = scalar.properties.isWhitespace ? .space : .other
            }
        }
    }

    /// The classes of U+0000...FFFF, where nearly all text lives: a table lookup instead of a search.
    static let basicPlane: [ScalarClass] = (0..<0x10000).map { value in
        Unicode.Scalar(UInt32(value)).map { ScalarClass($0) } ?? .other
    }
}

/// Scalars of valid UTF-8, as comes from a `String`.
extension [UInt8] {
    /// The scalar that begins at `index` and its length in bytes.
    @inline(__always)
    func scalar(at index: Int) -> (value: UInt32, length: Int) {
        let lead = UInt32(self[index])
        if lead < 0x80 { return (lead, 1) }
        let second = UInt32(self[index + 1] & 0x3F)
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
        let third = UInt32(self[index + 2] & 0x3F)
        if lead < 0xF0 { return ((lead & 0xF) << 12 | second << 6 | third, 3) }
        return ((lead & 0x7) << 18 | second << 12 | third << 6 | UInt32(self[index + 3] & 0x3F), 4)
    }

    /// The class of the scalar that begins at `index` and its length in bytes.
    @inline(__always)
    func scalarClass(at index: Int, table: [ScalarClass]) -> (class: ScalarClass, length: Int) {
        let (value, length) = scalar(at: index)
        if value < 0x10000 { return (table[Int(value)], length) }
        return (Unicode.Scalar(value).map { ScalarClass($0) } ?? .other, length)
    }

    private func isSpace(at index: Int) -> Bool {
        let found = scalarClass(at: index, table: ScalarClass.basicPlane).class
        return found == .space || found == .lineBreak
    }

    /// The first index from `start` on that does not begin white space.
    func skippingSpace(from start: Int) -> Int {
        var index = start
        while index < count, isSpace(at: index) { index += scalar(at: index).length }
        return index
    }

    /// `range` without the white space at its end.
    func trimmingSpace(in range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound {
            var start = end - 1
            while start > range.lowerBound, self[start] & 0xC0 == 0x80 { start -= 1 }
            guard isSpace(at: start) else { break }
            end = start
        }
        return range.lowerBound..<end
    }
}
