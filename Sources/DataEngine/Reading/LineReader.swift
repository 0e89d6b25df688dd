import Annotations

/// The lines of a text file of any size, one at a time.
struct LineReader {
    struct Line {
        let number: Int
        /// Where it is in the file, without the line feed.
        let extent: FileExtent
        /// Without the line's end; nil for a line that is too long to be one.
        let bytes: ArraySlice<UInt8>?
    }

    /// Most bytes of a line.
    static let limit = 4 << 20
    private static let partSize = 256 << 10

    private let file: RandomAccessFile
    private var offset = 0
    private var buffer: [UInt8] = []
    private var start = 0
    /// Where the buffer and the line under way begin in the file.
    private var bufferStart = 0, lineStart = 0
    private var number = 0

    init(_ file: RandomAccessFile) { self.file = file }

    /// - Returns: nil at the end of the file
    mutating func next() throws(AnnotationsError) -> Line? {
        var isTooLong = false
        var searched = start
        lineStart = bufferStart + start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return line(start..<end, isTooLong)
            }
            if buffer.count - start > Self.limit {
                isTooLong = true
                bufferStart += buffer.count
                buffer.removeAll(keepingCapacity: true)
                start = 0
            }
            guard offset < file.count else {
                defer { start = buffer.count }
                return start < buffer.count || isTooLong ? line(start..<buffer.count, isTooLong) : nil
            }
            buffer.removeSubrange(..<start)
            bufferStart += start
            start = 0
            searched = buffer.count
            let part = try file.bytes(at: offset, count: min(Self.partSize, file.count - offset))
            buffer += part
            offset += part.count
        }
    }

    private mutating func line(_ range: Range<Int>, _ isTooLong: Bool) -> Line {
        number += 1
        var bytes = buffer[range]
        if bytes.last == 0x0D { bytes = bytes.dropLast() }
        let extent = FileExtent(offset: lineStart, count: bufferStart + range.upperBound - lineStart)
        return Line(number: number, extent: extent, bytes: isTooLong ? nil : bytes)
    }
}
