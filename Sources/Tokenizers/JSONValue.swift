/// A JSON value as a tokenizer file needs it: strings and keys stay bytes (UTF-8), objects keep order and repeated
/// keys. Foundation's readers take half a second for Qwen's 300 000 strings and merge canonically equivalent keys.
enum JSONValue {
    case null
    case bool(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([(key: [UInt8], value: JSONValue)])

    init(parsing bytes: [UInt8]) throws(TokenizerError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseDocument()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    static let depthLimit = 64

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func parseDocument() throws(TokenizerError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("text after the end") }
        return value
    }

    private func error(_ reason: String) -> TokenizerError { .malformedJSON(offset: position, reason: reason) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Skips space, then takes `byte` if it comes next.
    private mutating func take(_ byte: Character) -> Bool {
        skipSpace()
        guard current == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func parseValue(depth: Int) throws(TokenizerError) -> JSONValue {
        guard depth < Self.depthLimit else { throw error("nested deeper than \(Self.depthLimit) levels") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try parseObject(depth: depth)
        case UInt8(ascii: "["): return try parseArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case nil: throw error("the text ends where a value should be")
        default: return try parseNumber()
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(TokenizerError) -> JSONValue {
        let text = Array(word.description.utf8)
        guard bytes[position...].starts(with: text) else { throw error("expected \(word)") }
        position += text.count
        return value
    }

    private mutating func parseObject(depth: Int) throws(TokenizerError) -> JSONValue {
        position += 1
        var members: [(key: [UInt8], value: JSONValue)] = []
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("expected a key") }
            let key = try parseString()
            guard take(":") else { throw error("expected ':'") }
            members.append((key, try parseValue(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw error("expected ',' or '}'") }
        return .object(members)
    }

    private mutating func parseArray(depth: Int) throws(TokenizerError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try parseValue(depth: depth + 1)) } while take(",")
        guard take("]") else { throw error("expected ',' or ']'") }
        return .array(elements)
    }

    private mutating func parseNumber() throws(TokenizerError) -> JSONValue {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
        let text = lossyText(bytes[start..<position])
        guard let value = Double(text), value.isFinite else {
            position = start
            throw error("expected a value")
        }
        return .number(value)
    }

    private mutating func parseString() throws(TokenizerError) -> [UInt8] {
        position += 1
        var text: [UInt8] = []
        var runStart = position
        while let byte = current {
            guard byte != UInt8(ascii: "\"") else {
                text.append(contentsOf: bytes[runStart..<position])
                position += 1
                return text
            }
            guard byte >= 0x20 else { throw error("control character in a string") }
            guard byte == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            text.append(contentsOf: bytes[runStart..<position])
            position += 1
            text.append(contentsOf: try parseEscape().utf8)
            runStart = position
        }
        throw error("a string has no end")
    }

    private mutating func parseEscape() throws(TokenizerError) -> Unicode.Scalar {
        guard let byte = current else { throw error("a string has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try parseUnicodeEscape()
        default: throw error("unknown escape")
        }
    }

    /// The rest of `\uXXXX`, with a second escape where the first is half of a surrogate pair; a lone half is U+FFFD.
    private mutating func parseUnicodeEscape() throws(TokenizerError) -> Unicode.Scalar {
        let high = try parseHexadecimal()
        if let scalar = Unicode.Scalar(high) { return scalar }
        let resume = position
        if high < 0xDC00, bytes[position...].starts(with: #"\u"#.utf8) {
            position += 2
            let low = try parseHexadecimal()
            if (0xDC00...0xDFFF).contains(low) {
                return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
            }
            position = resume
        }
        return "\u{FFFD}"
    }

    private mutating func parseHexadecimal() throws(TokenizerError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("a string has no end") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error("expected four digits") }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
