/// Reads little-endian numbers from bytes, never past their end.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var remaining: Int { max(0, bytes.count - position) }

    /// The next integer, or nil when the bytes end before it does.
    mutating func read<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number? {
        guard let range = take(MemoryLayout<Number>.size) else { return nil }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Number.self))
    }

    /// The range of the next `count` bytes, which are skipped, or nil when there are fewer.
    mutating func take(_ count: Int) -> Range<Int>? {
        guard count >= 0, position >= 0, count <= remaining else { return nil }
        defer { position += count }
        return position..<(position + count)
    }

    /// The bytes up to the next line feed, which is skipped too, or nil when there is none.
    mutating func takeLine() -> Range<Int>? {
        let start = position
        guard remaining > 0, let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        position = end + 1
        return start..<end
    }
}
