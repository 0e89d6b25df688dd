import Foundation

/// Walks through the elements of a long JSON array, or the lines of JSON Lines, without holding more than one.
enum JSONListWalk {
    /// - Parameters:
    ///   - name: the member of the top object that is the array, where the file is no array itself
    ///   - body: takes the bytes of an element and its number, from 0
    /// - Throws: `ExchangeError.unusableFile` for a file without such an array or with one that does not end; what `body` throws.
    static func forEach(in file: URL, member name: String? = nil, _ body: (Data, Int) throws -> Void) throws {
        let data: Data
        do {
            data = try Data(contentsOf: file, options: .mappedIfSafe)
        } catch {
            throw ExchangeError.unusableFile(path: file.path, reason: "cannot be read: \(error.localizedDescription)")
        }
        try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var scanner = Scanner(bytes: bytes, path: file.path)
            try scanner.walk(member: name, body)
        }
    }

    private struct Scanner {
        let bytes: UnsafeRawBufferPointer
        let path: String
        var position = 0

        func failure(_ reason: String) -> ExchangeError {
            .unusableFile(path: path, reason: "\(reason) (at byte \(position))")
        }

        mutating func walk(member name: String?, _ body: (Data, Int) throws -> Void) throws {
            if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
            skipSpace()
            var number = 0
            if peek == UInt8(ascii: "[") {
                try elements(&number, body)
            } else if peek == UInt8(ascii: "{"), let name {
                try enter(name)
                try elements(&number, body)
            } else {
                while peek != nil {
                    try element(&number, body)
                    skipSpace()
                }
            }
        }

        /// The array that begins here.
        mutating func elements(_ number: inout Int, _ body: (Data, Int) throws -> Void) throws {
            position += 1
            skipSpace()
            if peek == UInt8(ascii: "]") { return }
            while true {
                try element(&number, body)
                skipSpace()
                guard let next = peek else { throw failure("the list does not end") }
                position += 1
                if next == UInt8(ascii: "]") { return }
                guard next == UInt8(ascii: ",") else { throw failure("a comma is missing between two elements") }
                skipSpace()
            }
        }

        mutating func element(_ number: inout Int, _ body: (Data, Int) throws -> Void) throws {
            let start = position
            try skipValue()
            try body(Data(UnsafeRawBufferPointer(rebasing: bytes[start..<position])), number)
            number += 1
        }

        /// Goes to the array that is a member of the object that begins here.
        mutating func enter(_ name: String) throws {
            position += 1
            while true {
                skipSpace()
                let start = position
                guard peek == UInt8(ascii: "\"") else { throw failure("there is no member '\(name)'") }
                try skipString()
                let key = bytes[(start + 1)..<(position - 1)]
                skipSpace()
                guard peek == UInt8(ascii: ":") else { throw failure("a colon is missing") }
                position += 1
                skipSpace()
                if key.elementsEqual(name.utf8) {
                    guard peek == UInt8(ascii: "[") else { throw failure("'\(name)' is no list") }
                    return
                }
                try skipValue()
                skipSpace()
                guard peek == UInt8(ascii: ",") else { throw failure("there is no member '\(name)'") }
                position += 1
            }
        }

        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
        }

        mutating func skipString() throws {
            position += 1
            while let byte = peek {
                position += byte == UInt8(ascii: "\\") ? 2 : 1
                if byte == UInt8(ascii: "\"") { return }
            }
            throw failure("a text does not end")
        }

        /// Over a value of any kind; what is inside is for the decoder to judge.
        mutating func skipValue() throws {
            let start = position
            var depth = 0
            while let byte = peek {
                switch byte {
                case UInt8(ascii: "\""): try skipString()
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return try requireProgress(since: start) }
                    depth -= 1
                    position += 1
                case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09...0x0D:
                    if depth == 0 { return try requireProgress(since: start) }
                    position += 1
                    continue
                default:
                    position += 1
                    continue
                }
                if depth == 0 { return }
            }
            if depth > 0 { throw failure("a value does not end") }
            try requireProgress(since: start)
        }

        func requireProgress(since start: Int) throws {
            if position == start { throw failure("a value is missing") }
        }
    }
}
