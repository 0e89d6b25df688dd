/// Cuts a stream of bytes into lines.
struct LineSplitter {
    /// A line that is longer than it may be.
    struct TooLong: Error {}

    private let limit: Int
    private var rest: [UInt8] = []

    /// - Parameter limit: most bytes of a line
    init(limit: Int) { self.limit = limit }

    /// - Returns: the lines that the bytes complete, without their ends
    mutating func lines(after bytes: UnsafeRawBufferPointer) throws(TooLong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var part = bytes[...]
        while let end = part.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(rest + part[..<end])
            rest = []
            part = part[(end + 1)...]
        }
        rest += part
        if rest.count > limit { throw TooLong() }
        return lines
    }
}

/// The last that a process said apart from its answers, for messages.
struct OutputTail: Sendable {
    private static let limit = 4096
    private var bytes: [UInt8] = []

    mutating func append(_ more: some Collection<UInt8>) {
        bytes += more.suffix(Self.limit)
        if bytes.count > 2 * Self.limit { bytes.removeFirst(bytes.count - Self.limit) }
    }

    /// The last line that says something: of an exception in Python, its kind and message.
    var lastLine: String? {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last { $0.contains { !$0.isWhitespace } }.map { String($0.suffix(500)) }
    }
}
