import Foundation

/// A JSON value as a checkpoint's header has it: objects keep their order, and a key given twice is an error, which
/// `JSONSerialization` would let pass.
enum StrictJSON {
    case null
    case boolean(Bool)
    case integer(Int)
    /// A number with a fraction or an exponent, or one past the range of `Int`.
    case real(Double)
    case string(String)
    case array([StrictJSON])
    case object([Member])

    /// One key of an object and its value.
    struct Member {
        let key: String
        let value: StrictJSON
    }

    /// Parses one JSON document.
    ///
    /// - Parameter path: the file, for error messages.
    /// - Throws: `CheckpointError` with kind `malformed`, or `limitExceeded` for documents built to fill the memory.
    init(parsing bytes: UnsafeRawBufferPointer, path: String) throws {
        guard String(bytes: bytes, encoding: .utf8) != nil else {
            throw CheckpointError(.malformed, path: path, "the JSON text is not valid UTF-8.")
        }
        var parser = JSONParser(bytes: bytes, path: path)
        self = try parser.parseDocument()
    }

    var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    var objectMembers: [Member]? { if case .object(let value) = self { value } else { nil } }

    /// The elements when this is an array of integers alone.
    var integers: [Int]? {
        guard case .array(let elements) = self else { return nil }
        var integers: [Int] = []
        integers.reserveCapacity(elements.count)
        for element in elements {
            guard case .integer(let value) = element else { return nil }
            integers.append(value)
        }
        return integers
    }
}

/// A recursive-descent parser over UTF-8 that is known to be valid.
private struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let path: String
    var position = 0
    var depth = 0
    var valueCount = 0

    private static let maximumDepth = 32
    // A value takes tens of bytes in memory but can take two in the file.
    private static let maximumValueCount = 4_000_000

    init(bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    mutating func parseDocument() throws -> StrictJSON {
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw malformed("text after the end of the document") }
        return value
    }

    private mutating func parseValue() throws -> StrictJSON {
        valueCount += 1
        guard valueCount <= Self.maximumValueCount else {
            throw CheckpointError(
                .limitExceeded, path: path, "the JSON text has more than \(Self.maximumValueCount) values.")
        }
        skipSpace()
        guard let byte = peek() else { throw malformed("the text ends too early") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try nested { try $0.parseMembers() })
        case UInt8(ascii: "["): return .array(try nested { try $0.parseElements() })
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default:
            if take("true") { return .boolean(true) }
            if take("false") { return .boolean(false) }
            if take("null") { return .null }
            throw malformed("no JSON value")
        }
    }

    private mutating func nested<Value>(_ body: (inout JSONParser) throws -> Value) throws -> Value {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw CheckpointError(
                .limitExceeded, path: path, "the JSON text nests deeper than \(Self.maximumDepth) levels.")
        }
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func parseMembers() throws -> [StrictJSON.Member] {
        var members: [StrictJSON.Member] = []
        var keys: Set<String> = []
        position += 1
        if takeAfterSpace("}") { return members }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw malformed("no key") }
            let key = try parseString()
            guard keys.insert(key).inserted else { throw malformed("the key '\(key)' is given twice") }
            guard takeAfterSpace(":") else { throw malformed("no ':' after the key '\(key)'") }
            members.append(StrictJSON.Member(key: key, value: try parseValue()))
        } while takeAfterSpace(",")
        guard takeAfterSpace("}") else { throw malformed("no ',' or '}' after a member") }
        return members
    }

    private mutating func parseElements() throws -> [StrictJSON] {
        var elements: [StrictJSON] = []
        position += 1
        if takeAfterSpace("]") { return elements }
        repeat {
            elements.append(try parseValue())
        } while takeAfterSpace(",")
        guard takeAfterSpace("]") else { throw malformed("no ',' or ']' after an element") }
        return elements
    }

    private mutating func parseString() throws -> String {
        position += 1
        var text = ""
        while true {
            let start = position
            while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            text += String(decoding: bytes[start..<position], as: UTF8.self)
            switch peek() {
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                text.unicodeScalars.append(try parseEscape())
            default:
                throw malformed("a string has a control character or no end")
            }
        }
    }

    private mutating func parseEscape() throws -> Unicode.Scalar {
        guard let byte = peek() else { throw malformed("a string has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try parseHexUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard (0xD800..<0xDC00).contains(unit), take("\\u") else { throw malformed("half a surrogate pair") }
            let low = try parseHexUnit()
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
            else { throw malformed("half a surrogate pair") }
            return scalar
        default: throw malformed("an unknown escape in a string")
        }
    }

    private mutating func parseHexUnit() throws -> UInt32 {
        guard position + 4 <= bytes.count else { throw malformed("a string has no end") }
        var unit: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw malformed("a bad \\u escape") }
            unit = unit << 4 | UInt32(digit)
        }
        position += 4
        return unit
    }

    private mutating func parseNumber() throws -> StrictJSON {
        let start = position
        _ = take("-")
        let integerStart = position
        skipDigits()
        let integerDigits = position - integerStart
        guard integerDigits > 0, integerDigits == 1 || bytes[integerStart] != UInt8(ascii: "0") else {
            throw malformed("a bad number")
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw malformed("a bad number") }
        }
        if take("e") || take("E") {
            isInteger = false
            _ = take("+") || take("-")
            guard skipDigits() > 0 else { throw malformed("a bad number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text) else { throw malformed("a bad number") }
        return .real(value)
    }

    @discardableResult
    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[position...].starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    private mutating func takeAfterSpace(_ text: StaticString) -> Bool {
        skipSpace()
        return take(text)
    }

    private func malformed(_ reason: String) -> CheckpointError {
        CheckpointError(.malformed, path: path, "bad JSON at byte \(position): \(reason).")
    }
}
