// The opcodes of protocol 0, whose arguments are lines of ASCII: what Python 2 writes unless it is told otherwise.

import Foundation

extension PickleMachine {
    /// - Returns: false for an opcode that is none of these
    mutating func executeText(_ opcode: UInt8) throws -> Bool {
        switch opcode {
        case UInt8(ascii: "I"): try pushInteger(try takeLine())
        case UInt8(ascii: "L"):
            let line = try takeLine()
            try pushInteger(line.last == UInt8(ascii: "L") ? line.dropLast() : line)
        case UInt8(ascii: "F"):
            guard let number = Double(asciiText(try takeLine())) else { throw malformed("a line is no number") }
            try push(.real(number))
        case UInt8(ascii: "S"): try push(.string(try quotedText(try takeLine())))
        case UInt8(ascii: "V"): try push(.string(try escapedText(try takeLine(), isUnicode: true)))
        case UInt8(ascii: "p"): try memoise(at: try takeIndex())
        case UInt8(ascii: "g"): try recall(try takeIndex())
        default: return false
        }
        return true
    }

    /// A byte string of Python 2 as text: UTF-8 where it is, else one character a byte.
    func legacyText(_ bytes: some Collection<UInt8>) -> String {
        String(bytes: bytes, encoding: .utf8)
            ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private mutating func takeLine() throws -> ArraySlice<UInt8> {
        guard let range = cursor.takeLine() else { throw malformed("a line does not end") }
        return Array(cursor.bytes[range])[...]
    }

    private mutating func takeIndex() throws -> Int {
        guard let index = Int(asciiText(try takeLine())), index >= 0 else { throw malformed("a line is no index") }
        return index
    }

    private func asciiText(_ line: ArraySlice<UInt8>) -> String { String(decoding: line, as: UTF8.self) }

    /// `00` and `01` are false and true.
    private mutating func pushInteger(_ line: ArraySlice<UInt8>) throws {
        switch asciiText(line) {
        case "00": try push(.bool(false))
        case "01": try push(.bool(true))
        case let text:
            if let number = Int(text) { return try push(.integer(number)) }
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard !digits.isEmpty, digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
                throw malformed("a line is no whole number")
            }
            // Past 64 bits.
            try push(object: .data)
        }
    }

    /// A string as Python prints it: between quotes, with escapes.
    private func quotedText(_ line: ArraySlice<UInt8>) throws -> String {
        guard line.count >= 2, let quote = line.first, quote == line.last,
            [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(quote)
        else { throw malformed("a string has no quotes") }
        return try escapedText(line.dropFirst().dropLast(), isUnicode: false)
    }

    /// - Parameter isUnicode: whether only `\uXXXX` and `\UXXXXXXXX` are escapes and other bytes are characters
    private func escapedText(_ line: ArraySlice<UInt8>, isUnicode: Bool) throws -> String {
        var scalars = String.UnicodeScalarView(), bytes: [UInt8] = [], rest = line
        func digits(_ count: Int) throws -> UInt32 {
            guard rest.count >= count, let value = UInt32(asciiText(rest.prefix(count)), radix: 16) else {
                throw malformed("an escape is cut off")
            }
            rest = rest.dropFirst(count)
            return value
        }
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.first,
                !isUnicode || kind == UInt8(ascii: "u") || kind == UInt8(ascii: "U")
            else {
                if isUnicode { scalars.append(Unicode.Scalar(byte)) } else { bytes.append(byte) }
                continue
            }
            rest = rest.dropFirst()
            if isUnicode {
                guard let scalar = Unicode.Scalar(try digits(kind == UInt8(ascii: "u") ? 4 : 8)) else {
                    throw malformed("an escape is no character")
                }
                scalars.append(scalar)
                continue
            }
            switch kind {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"): bytes.append(UInt8(try digits(2)))
            default: bytes.append(kind)
            }
        }
        return isUnicode ? String(scalars) : legacyText(bytes)
    }
}
