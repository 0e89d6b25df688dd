import Foundation

/// The entries of a zip archive whose content lies in it uncompressed, as PyTorch writes them.
///
/// Covers single-disk archives with or without Zip64. Sizes and offsets come from the central directory and are checked
/// against the file and against each entry's local header.
struct ZipDirectory {
    private struct Entry {
        let flags: UInt16
        let method: UInt16
        let size: Int
        let headerOffset: Int
    }

    private let file: MappedFile
    private var entries: [String: Entry] = [:]
    /// Where the central directory begins; entries end before it.
    private var directoryStart = 0

    init(reading file: MappedFile) throws {
        self.file = file
        try file.withBytes { try readDirectory($0) }
    }

    /// Every entry's name, sorted.
    var names: [String] { entries.keys.sorted() }

    /// Bytes of the file that are the content of the entry called `name`, or nil when there is no such entry.
    ///
    /// - Throws: `CheckpointError` for an entry that is compressed or encrypted, or that reaches out of the archive.
    func range(of name: String) throws -> Range<Int>? {
        guard let entry = entries[name] else { return nil }
        guard entry.flags & 0x2041 == 0 else {
            throw CheckpointError(.unsupported, path: file.url.path, "the zip entry '\(name)' is encrypted.")
        }
        guard entry.method == 0 else {
            throw CheckpointError(
                .unsupported, path: file.url.path,
                """
                the zip entry '\(name)' is compressed; PyTorch stores entries plainly. Unpack it and zip \
                it again with `zip -0`.
                """
            )
        }
        let start = try file.withBytes { try contentStart(of: entry, name, $0) }
        guard entry.size <= directoryStart - start else {
            throw malformed("the entry '\(name)' reaches past the entries' end")
        }
        return start..<(start + entry.size)
    }

    private func contentStart(of entry: Entry, _ name: String, _ bytes: UnsafeRawBufferPointer) throws -> Int {
        var cursor = ByteCursor(bytes, at: entry.headerOffset)
        guard cursor.read(UInt32.self) == 0x0403_4b50, cursor.take(22) != nil,
            let nameCount = cursor.read(UInt16.self), let extraCount = cursor.read(UInt16.self),
            let nameRange = cursor.take(Int(nameCount)), cursor.take(Int(extraCount)) != nil,
            bytes[nameRange].elementsEqual(name.utf8), cursor.position <= directoryStart
        else { throw malformed("the local header of '\(name)' is damaged") }
        return cursor.position
    }

    // MARK: - Central directory

    private mutating func readDirectory(_ bytes: UnsafeRawBufferPointer) throws {
        let (start, size, count) = try locateDirectory(bytes)
        directoryStart = start
        // Each record has at least 46 bytes, so a huge count cannot reserve much.
        guard count <= size / 46 else { throw malformed("the central directory is too short for its \(count) entries") }
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes[..<(start + size)]), at: start)
        entries.reserveCapacity(count)
        for _ in 0..<count { try readRecord(&cursor) }
    }

    /// Position and size of the central directory, and its number of records, from the records at the file's end.
    private func locateDirectory(_ bytes: UnsafeRawBufferPointer) throws -> (start: Int, size: Int, count: Int) {
        let end = try endRecordPosition(bytes)
        var cursor = ByteCursor(bytes, at: end + 4)
        guard let disk = cursor.read(UInt16.self), let directoryDisk = cursor.read(UInt16.self),
            let diskCount = cursor.read(UInt16.self), let count = cursor.read(UInt16.self),
            let size = cursor.read(UInt32.self), let start = cursor.read(UInt32.self)
        else { throw malformed("the end record is damaged") }

        let needsZip64 = count == .max || size == .max || start == .max
        if needsZip64, let located = try locateZip64Directory(bytes, endRecord: end) { return located }
        guard disk == 0, directoryDisk == 0, diskCount == count else {
            throw CheckpointError(.unsupported, path: file.url.path, "the zip archive is split over several files.")
        }
        guard Int(start) <= end, Int(size) <= end - Int(start) else {
            throw malformed("the central directory lies outside the file; the file may be cut short")
        }
        return (Int(start), Int(size), Int(count))
    }

    /// The end record is the last one whose comment reaches exactly to the end of the file.
    private func endRecordPosition(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        let minimumSize = 22
        var position = bytes.count - minimumSize
        let lowest = max(0, position - Int(UInt16.max))
        while position >= lowest {
            var cursor = ByteCursor(bytes, at: position)
            if cursor.read(UInt32.self) == 0x0605_4b50, cursor.take(16) != nil,
                let commentCount = cursor.read(UInt16.self), Int(commentCount) == cursor.remaining
            {
                return position
            }
            position -= 1
        }
        throw malformed("it has no end record; the file may be cut short")
    }

    private func locateZip64Directory(
        _ bytes: UnsafeRawBufferPointer, endRecord: Int
    ) throws -> (start: Int, size: Int, count: Int)? {
        var locator = ByteCursor(bytes, at: endRecord - 20)
        guard endRecord >= 20, locator.read(UInt32.self) == 0x0706_4b50 else { return nil }
        guard let disk = locator.read(UInt32.self), let recordOffset = locator.read(UInt64.self),
            let diskCount = locator.read(UInt32.self), disk == 0, diskCount <= 1,
            let recordStart = Int(exactly: recordOffset), recordStart <= endRecord - 20
        else { throw malformed("the Zip64 locator is damaged") }

        var record = ByteCursor(bytes, at: recordStart)
        // Skipped: the record's size, the versions, the disk numbers and the count on this disk.
        guard record.read(UInt32.self) == 0x0606_4b50, record.take(28) != nil,
            let count = record.read(UInt64.self).flatMap({ Int(exactly: $0) }),
            let size = record.read(UInt64.self).flatMap({ Int(exactly: $0) }),
            let start = record.read(UInt64.self).flatMap({ Int(exactly: $0) }),
            start <= recordStart, size <= recordStart - start
        else { throw malformed("the Zip64 end record is damaged") }
        return (start, size, count)
    }

    private mutating func readRecord(_ cursor: inout ByteCursor) throws {
        guard cursor.read(UInt32.self) == 0x0201_4b50, cursor.take(4) != nil,
            let flags = cursor.read(UInt16.self), let method = cursor.read(UInt16.self), cursor.take(8) != nil,
            let packedSize = cursor.read(UInt32.self), let size = cursor.read(UInt32.self),
            let nameCount = cursor.read(UInt16.self), let extraCount = cursor.read(UInt16.self),
            let commentCount = cursor.read(UInt16.self), let disk = cursor.read(UInt16.self), cursor.take(6) != nil,
            let offset = cursor.read(UInt32.self), let nameRange = cursor.take(Int(nameCount)),
            let extraRange = cursor.take(Int(extraCount)), cursor.take(Int(commentCount)) != nil
        else { throw malformed("a record of the central directory is damaged") }

        guard let name = String(bytes: cursor.bytes[nameRange], encoding: .utf8) else {
            throw malformed("an entry's name is not valid UTF-8")
        }
        var wide = Zip64Fields(cursor.bytes, extraRange)
        guard let wideSize = size == .max ? wide?.next() : Int(size),
            let widePackedSize = packedSize == .max ? wide?.next() : Int(packedSize),
            let wideOffset = offset == .max ? wide?.next() : Int(offset)
        else { throw malformed("the Zip64 sizes of '\(name)' are damaged") }
        guard disk == 0 || disk == .max, wideOffset <= directoryStart, method != 0 || wideSize == widePackedSize else {
            throw malformed("the sizes or the offset of '\(name)' are impossible")
        }
        let entry = Entry(flags: flags, method: method, size: wideSize, headerOffset: wideOffset)
        guard entries.updateValue(entry, forKey: name) == nil else {
            throw malformed("the entry '\(name)' exists twice")
        }
    }

    private func malformed(_ reason: String) -> CheckpointError {
        CheckpointError(.malformed, path: file.url.path, "damaged zip archive: \(reason).")
    }
}

/// The 64-bit numbers of an entry's Zip64 extra field: only those that did not fit, in a fixed order.
private struct Zip64Fields {
    private var cursor: ByteCursor

    init?(_ bytes: UnsafeRawBufferPointer, _ extra: Range<Int>) {
        var fields = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes[extra]))
        while let identifier = fields.read(UInt16.self), let count = fields.read(UInt16.self),
            let range = fields.take(Int(count))
        {
            if identifier == 1 {
                cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: fields.bytes[range]))
                return
            }
        }
        return nil
    }

    mutating func next() -> Int? { cursor.read(UInt64.self).flatMap { Int(exactly: $0) } }
}
