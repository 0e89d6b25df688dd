// Reads the plain form of tar (POSIX ustar, ordinary files only) that shards are written in, and nothing else: what is odd in an archive
// of our own is damage.

/// An ordinary file within a tar archive.
struct ShardMember {
    var name: String
    /// Where its bytes are in the archive.
    var offset: Int, length: Int
}

enum ShardReader {
    private static let blockSize = 512

    /// Calls `body` for every member, in their order.
    /// - Throws: `AnnotationSetError.damagedShard`; what `body` throws.
    static func forEachMember(of file: ReadOnlyFile, _ body: (ShardMember) throws -> Void) throws {
        var position = 0
        while true {
            func damaged(_ reason: String) -> AnnotationSetError {
                .damagedShard(path: file.path, reason: "\(reason) (at byte \(position))")
            }
            guard file.count - position >= blockSize else { throw damaged("it ends without its closing blocks") }
            let header = try file.bytes(at: position, length: blockSize)
            if header.allSatisfy({ $0 == 0 }) { return }
            guard header[257..<262].elementsEqual("ustar".utf8) else { throw damaged("a member's header is missing") }
            guard let sum = octal(header[148..<156]), sum == checksum(header) else {
                throw damaged("a member's header has another checksum")
            }
            guard header[156] == UInt8(ascii: "0") || header[156] == 0 else {
                throw damaged("a member is no ordinary file")
            }
            guard let length = octal(header[124..<136]), length <= file.count - position - blockSize else {
                throw damaged("a member is cut off")
            }
            let prefix = text(header[345..<500]), name = text(header[0..<100])
            try body(
                ShardMember(
                    name: prefix.isEmpty ? name : prefix + "/" + name, offset: position + blockSize, length: length))
            position += blockSize + (length + blockSize - 1) / blockSize * blockSize
        }
    }

    /// The sum of all bytes, those of the sum itself counted as spaces.
    private static func checksum(_ header: [UInt8]) -> Int {
        header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = text(field).split(separator: " ").first ?? ""
        return Int(digits, radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}
