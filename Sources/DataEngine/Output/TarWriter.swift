// POSIX archives (ustar): what WebDataset shards are. The same members give the same bytes: no times, owners or machine's names.

import Checkpoints
import Foundation

/// Writes an archive member by member; the file appears when it is complete.
struct TarWriter {
    private let file: AtomicFile
    private static let blockSize = 512

    /// - Throws: `CheckpointError` when the place cannot be written to.
    init(_ url: URL) throws {
        file = try AtomicFile(replacing: url)
    }

    /// Bytes so far.
    var count: Int { file.count }

    /// Adds a file.
    /// - Parameter name: at most 100 bytes of ASCII
    /// - Returns: where its bytes begin
    @discardableResult
    mutating func add(_ name: String, _ bytes: some Collection<UInt8> & ContiguousBytes) throws -> Int {
        try file.write(Self.header(name, size: bytes.count))
        let offset = file.count
        try file.write(bytes)
        try file.write([UInt8](repeating: 0, count: -bytes.count & (Self.blockSize - 1)))
        return offset
    }

    /// Ends the archive and gives it its name.
    mutating func finish() throws {
        try file.write([UInt8](repeating: 0, count: 2 * Self.blockSize))
        try file.commit()
    }

    private static func header(_ name: String, size: Int) throws -> [UInt8] {
        let name = Array(name.utf8)
        // Eleven octal digits hold 8 GiB.
        guard name.count <= 100, size < 1 << 33 else {
            throw EngineError.invalidSetting(
                name: "picture", reason: "its name or its size does not fit into an archive")
        }
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Collection<UInt8>, at start: Int) {
            for (offset, byte) in bytes.enumerated() { block[start + offset] = byte }
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
        }
        put(name, at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        block[156] = UInt8(ascii: "0")
        put("ustar\u{0}00".utf8, at: 257)
        // The checksum is taken with its own field full of spaces.
        put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + [0, 0x20], at: 148)
        return block
    }
}
