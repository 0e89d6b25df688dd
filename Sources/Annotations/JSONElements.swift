import Foundation

/// The elements of long JSON lists, one at a time: such files have many gigabytes.
///
/// A file is one list, an object with lists among its members, or objects one after the other (JSON Lines). What is inside of an element is
/// for its decoder to judge.
package struct JSONElements {
    package struct Element {
        /// The member of the file's object whose list it belongs to; nil where the file is a list itself.
        package let list: String?
        /// Within its list, from 0.
        package let number: Int
        /// Where its bytes are in the file.
        package let extent: FileExtent
        package let bytes: [UInt8]
    }

    package struct Malformed: Error {
        package let reason: String

        package init(reason: String) { self.reason = reason }
    }

    private enum State {
        case start, list, object, lines, end
    }

    /// Most bytes of an element.
    private static let limit = 64 << 20
    private static let partSize = 1 << 20

    private let file: RandomAccessFile
    /// Members of the file's object that are gone through.
    private let members: [String]
    private var found: Set<String> = []
    private var state = State.start
    private var list: String?
    private var number = 0
    private var hasMember = false
    /// A part of the file, where it begins in it, and how far it was read.
    private var buffer: [UInt8] = []
    private var bufferStart = 0
    private var position = 0

    /// - Parameter members: names of the lists that are wanted where the file is an object; with none, an object is the first of many
    package init(_ file: RandomAccessFile, members: [String] = []) {
        (self.file, self.members) = (file, members)
    }

    /// The next element.
    ///
    /// - Returns: nil at the end
    /// - Throws: `Malformed` for what stands between elements, a list that is missing, or a file that breaks off; `AnnotationsError`.
    package mutating func next() throws -> Element? {
        while true {
            switch state {
            case .start: try begin()
            case .list: if let element = try nextOfList() { return element }
            case .object: try nextMember()
            case .lines:
                guard let byte = try peekPastSpace() else {
                    state = .end
                    continue
                }
                guard byte == UInt8(ascii: "{") else {
                    throw Malformed(reason: "something other than an object after \(number) objects")
                }
                return try element()
            case .end: return nil
            }
        }
    }

    // MARK: Lists and members

    private mutating func begin() throws {
        if file.count == 0 { throw Malformed(reason: "it is empty") }
        for byte: UInt8 in [0xEF, 0xBB, 0xBF] where try peek() == byte { position += 1 }
        switch try peekPastSpace() {
        case UInt8(ascii: "["):
            position += 1
            state = .list
        case UInt8(ascii: "{") where !members.isEmpty:
            position += 1
            state = .object
        default: state = .lines
        }
    }

    private mutating func nextOfList() throws -> Element? {
        var byte = try required("it breaks off after \(number) elements")
        if byte == UInt8(ascii: "]") {
            position += 1
            state = list == nil ? .end : .object
            return nil
        }
        if number > 0 {
            guard byte == UInt8(ascii: ",") else {
                throw Malformed(reason: "a comma is missing after \(number) elements")
            }
            position += 1
            byte = try required("it breaks off after \(number) elements")
        }
        return try element()
    }

    /// Goes to the next wanted list of the object, or to its end.
    private mutating func nextMember() throws {
        var byte = try required("its object does not end")
        if byte == UInt8(ascii: "}") {
            if let missing = members.first(where: { !found.contains($0) }) {
                throw Malformed(reason: "it has no list '\(missing)'")
            }
            state = .end
            return
        }
        if hasMember {
            guard byte == UInt8(ascii: ",") else { throw Malformed(reason: "a comma is missing between two members") }
            position += 1
            byte = try required("its object does not end")
        }
        hasMember = true
        guard byte == UInt8(ascii: "\"") else { throw Malformed(reason: "a member has no name") }
        let name = String(decoding: try value(isKept: true).dropFirst().dropLast(), as: UTF8.self)
        guard try required("its object does not end") == UInt8(ascii: ":") else {
            throw Malformed(reason: "a colon is missing after '\(name.prefix(80))'")
        }
        position += 1
        guard members.contains(name) else {
            _ = try peekPastSpace()
            _ = try value(isKept: false)
            return
        }
        guard try peekPastSpace() == UInt8(ascii: "[") else { throw Malformed(reason: "'\(name)' is no list") }
        position += 1
        found.insert(name)
        (state, list, number) = (.list, name, 0)
    }

    private mutating func element() throws -> Element {
        let start = bufferStart + position
        let bytes = try value(isKept: true)
        defer { number += 1 }
        return Element(
            list: list, number: number, extent: FileExtent(offset: start, count: bytes.count), bytes: bytes)
    }

    // MARK: Values

    /// Goes over a value of any kind, as far as its brackets and quotes tell.
    private mutating func value(isKept: Bool) throws -> [UInt8] {
        var bytes: [UInt8] = [], scan = ValueScan(), length = 0
        while !scan.isDone, try peek() != nil {
            let start = position
            position = buffer.withUnsafeBufferPointer { scan.end(in: $0, from: start) }
            length += position - start
            if isKept {
                bytes += buffer[start..<position]
                if length > Self.limit {
                    throw Malformed(reason: "element \(number) has more than \(Self.limit) bytes")
                }
            }
        }
        if scan.isOpen { throw Malformed(reason: "it breaks off within element \(number)") }
        if length == 0 { throw Malformed(reason: "a value is missing after \(number) elements") }
        return bytes
    }

    /// Where a value that began in an earlier part of the file ends.
    private struct ValueScan {
        private var depth = 0
        private var isString = false, isEscaped = false
        private(set) var isDone = false

        /// Whether a bracket or a quote was not closed.
        var isOpen: Bool { depth > 0 || isString }

        mutating func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
            var position = start
            while position < bytes.count {
                let byte = bytes[position]
                if isString {
                    position += 1
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isString = false
                        isDone = depth == 0
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): isString = true
                    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                    case UInt8(ascii: "}"), UInt8(ascii: "]"):
                        if depth > 0 {
                            depth -= 1
                            isDone = depth == 0
                        } else {
                            // The end of what the value stands in.
                            isDone = true
                            return position
                        }
                    case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09...0x0D:
                        if depth == 0 {
                            isDone = true
                            return position
                        }
                    default: break
                    }
                    position += 1
                }
                if isDone { return position }
            }
            return position
        }
    }

    // MARK: Bytes

    private mutating func required(_ reason: String) throws -> UInt8 {
        guard let byte = try peekPastSpace() else { throw Malformed(reason: reason) }
        return byte
    }

    private mutating func peekPastSpace() throws -> UInt8? {
        while let byte = try peek() {
            guard byte == 0x20 || (0x09...0x0D).contains(byte) else { return byte }
            position += 1
        }
        return nil
    }

    /// The next byte; nil at the end of the file.
    private mutating func peek() throws(AnnotationsError) -> UInt8? {
        if position == buffer.count {
            let next = bufferStart + buffer.count
            if next == file.count { return nil }
            buffer = try file.bytes(at: next, count: min(Self.partSize, file.count - next))
            (bufferStart, position) = (next, 0)
        }
        return buffer[position]
    }
}

extension JSONDecoder {
    /// Also takes the bare `NaN` and `Infinity` that Python's `json` writes, for a box that holds one to be named.
    package static func lenient<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let data = Data(bytes)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch DecodingError.dataCorrupted(_) {
            let decoder = JSONDecoder()
            decoder.allowsJSON5 = true
            return try decoder.decode(type, from: data)
        }
    }
}
