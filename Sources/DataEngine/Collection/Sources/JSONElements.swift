import Annotations

/// The objects of a JSON array, or of a file with one object after the other, one at a time: such files have many gigabytes.
struct JSONElements {
    struct Element {
        /// Counted from 1.
        let number: Int
        let bytes: [UInt8]
    }

    struct Malformed: Error {
        let reason: String
    }

    /// Most bytes of an object.
    private static let limit = 64 << 20
    private static let partSize = 1 << 20

    private let file: RandomAccessFile
    private var offset = 0
    private var buffer: [UInt8] = []
    private var position = 0
    private var number = 0
    private var isArray = false
    private var isClosed = false

    init(_ file: RandomAccessFile) { self.file = file }

    /// The next object, as far as its braces and strings tell.
    ///
    /// - Returns: nil at the end
    /// - Throws: `Malformed` for what stands between objects, or a file that breaks off; `AnnotationsError`.
    mutating func next() throws -> Element? {
        while let byte = try peek() {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case 0xEF where number == 0, 0xBB where number == 0, 0xBF where number == 0: position += 1
            case UInt8(ascii: "["):
                guard number == 0, !isArray else { throw Malformed(reason: "an array among the objects") }
                isArray = true
                position += 1
            case UInt8(ascii: ","):
                guard isArray, number > 0 else { throw Malformed(reason: "a comma where an object should be") }
                position += 1
            case UInt8(ascii: "]"):
                guard isArray else { throw Malformed(reason: "an array that was never opened") }
                isClosed = true
                return nil
            case UInt8(ascii: "{"): return try object()
            default: throw Malformed(reason: "something other than an object after \(number) objects")
            }
        }
        if isArray, !isClosed { throw Malformed(reason: "it breaks off after \(number) objects") }
        return nil
    }

    private mutating func object() throws -> Element {
        var bytes: [UInt8] = []
        var depth = 0, isString = false, isEscaped = false
        number += 1
        while try peek() != nil {
            let start = position
            while position < buffer.count {
                let byte = buffer[position]
                position += 1
                if isString {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isString = false
                    }
                } else if byte == UInt8(ascii: "\"") {
                    isString = true
                } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                    depth += 1
                } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                    depth -= 1
                    if depth == 0 { return Element(number: number, bytes: bytes + buffer[start..<position]) }
                }
            }
            bytes += buffer[start..<position]
            if bytes.count > Self.limit {
                throw Malformed(reason: "object \(number) has more than \(Self.limit) bytes")
            }
        }
        throw Malformed(reason: "it breaks off within object \(number)")
    }

    /// The next byte; nil at the end of the file.
    private mutating func peek() throws(AnnotationsError) -> UInt8? {
        if position == buffer.count {
            if offset == file.count { return nil }
            buffer = try file.bytes(at: offset, count: min(Self.partSize, file.count - offset))
            offset += buffer.count
            position = 0
        }
        return buffer[position]
    }
}
