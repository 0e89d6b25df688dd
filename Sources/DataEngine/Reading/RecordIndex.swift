import Annotations

/// Where the records of a file are, by what they belong to: 16 bytes a record, so that lists of many gigabytes can be gone through picture by
/// picture, however they are sorted.
struct RecordIndex {
    private struct Entry {
        let owner: UInt64
        /// Offset and, in the lower bits, length.
        let place: UInt64
    }

    /// Most bytes of a record, and of a file.
    static let longestRecord = 1 << 24 - 1
    private static let lengthBits = 24

    private let file: RandomAccessFile
    private var entries: [Entry] = []
    private var isSorted = true

    init(_ file: RandomAccessFile) { self.file = file }

    var path: String { file.path }

    /// - Throws: `RecordProblem` for a record that is too long.
    mutating func add(_ extent: FileExtent, of owner: UInt64) throws(RecordProblem) {
        guard extent.count <= Self.longestRecord, extent.offset < 1 << (UInt64.bitWidth - Self.lengthBits) else {
            throw RecordProblem(.unreadable, "it has \(extent.count) bytes, which is too long")
        }
        let place = UInt64(extent.offset) << Self.lengthBits | UInt64(extent.count)
        if let last = entries.last, (owner, place) < (last.owner, last.place) { isSorted = false }
        entries.append(Entry(owner: owner, place: place))
    }

    /// Ends the adding.
    mutating func sort() {
        if !isSorted { entries.sort { ($0.owner, $0.place) < ($1.owner, $1.place) } }
        isSorted = true
    }

    /// All that records belong to, in ascending order, and the number of their records. Sort first.
    func forEachOwner(_ body: (UInt64, Int) throws -> Void) rethrows {
        var start = 0
        while start < entries.count {
            let owner = entries[start].owner
            var end = start + 1
            while end < entries.count, entries[end].owner == owner { end += 1 }
            try body(owner, end - start)
            start = end
        }
    }

    /// The bytes of the records that belong to something, in their order in the file. Sort first.
    /// - Throws: `AnnotationsError`.
    func records(of owner: UInt64) throws(AnnotationsError) -> [(extent: FileExtent, bytes: [UInt8])] {
        var low = 0, high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].owner < owner { low = middle + 1 } else { high = middle }
        }
        var found: [(extent: FileExtent, bytes: [UInt8])] = []
        while low < entries.count, entries[low].owner == owner {
            let place = entries[low].place
            let extent = FileExtent(
                offset: Int(place >> Self.lengthBits), count: Int(place & UInt64(Self.longestRecord)))
            found.append((extent, try file.bytes(at: extent.offset, count: extent.count)))
            low += 1
        }
        return found
    }
}

extension String {
    /// FNV-1a, 64 bits: the same on every machine and in every version.
    var stableHash: UInt64 {
        utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
