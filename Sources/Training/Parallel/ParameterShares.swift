import Torch

/// Who keeps the optimiser's state of what, and the way from shares to whole tensors and back.
///
/// All parameters, one after the other, are one long row of elements, of which each process owns an equal stretch; a large
/// tensor may be split. Stretches travel in chunks that hold equally much of each, so that little memory is needed beside.
package struct ParameterShares {
    /// A part of a parameter.
    package struct Piece {
        /// Number of the parameter.
        package let index: Int
        /// Elements of it, row-major.
        package let range: Range<Int>
    }

    let rank: Int
    /// For every chunk and process, pieces in order, and elements that fill the chunk up where the row is over.
    private let chunks: [[(pieces: [Piece], padding: Int)]]
    /// Elements of every chunk that each process has.
    private let lengths: [Int]
    /// What this process owns: at most one piece of each parameter.
    package let owned: [Piece]

    /// - Parameters:
    ///   - counts: elements of every parameter
    ///   - chunk: elements that travel at once, for all processes together
    package init(counts: [Int], rank: Int, processes: Int, chunk: Int = 1 << 23) {
        self.rank = rank
        var starts = [0]
        for count in counts { starts.append(starts[starts.count - 1] + count) }
        let total = starts[counts.count]
        let share = (total + processes - 1) / processes, most = max(1, chunk / processes)
        func pieces(_ row: Range<Int>) -> [Piece] {
            counts.indices.compactMap { index in
                let range = row.clamped(to: starts[index]..<starts[index + 1])
                return range.isEmpty
                    ? nil
                    : Piece(index: index, range: range.lowerBound - starts[index]..<range.upperBound - starts[index])
            }
        }
        func stretch(_ process: Int, _ part: Range<Int>) -> Range<Int> {
            let start = min(process * share + part.lowerBound, total)
            return start..<min(process * share + part.upperBound, total)
        }
        let parts = stride(from: 0, to: share, by: most).map { $0..<min($0 + most, share) }
        lengths = parts.map(\.count)
        chunks = parts.map { part in
            (0..<processes).map { process in
                let row = stretch(process, part)
                return (pieces(row), part.count - row.count)
            }
        }
        owned = pieces(stretch(rank, 0..<share))
    }

    /// Elements of each process's stretch.
    var share: Int { lengths.reduce(0, +) }

    /// Sums what the processes have and gives each the sums of its own stretch.
    /// - Parameter values: all elements of each parameter in a row, or nil where there are none, which count as 0.
    /// - Returns: for each of `owned`, in a row.
    package func reduced(_ values: [Tensor?], device: Device, _ group: ProcessGroup) throws -> [Tensor] {
        let sums = try Tensor.zeros([share], device: device)
        var start = 0
        for (chunk, length) in zip(chunks, lengths) {
            let all = try Tensor.concatenated(
                chunk.flatMap { row in try Self.row(row.pieces, row.padding, device) { values[$0] } })
            try group.reduceScatter(all, into: sums.narrowed(0, from: start, count: length))
            start += length
        }
        start = 0
        return try owned.map { piece in
            defer { start += piece.range.count }
            return try sums.narrowed(0, from: start, count: piece.range.count)
        }
    }

    /// Makes whole tensors of what the processes own.
    /// - Parameters:
    ///   - values: this process's, one for each of `owned`, in a row.
    ///   - wholes: where the elements of each parameter go, in a row; nil where nobody asks.
    package func gather(_ values: [Tensor], into wholes: [Tensor?], device: Device, _ group: ProcessGroup) throws {
        var own: [Int: (offset: Int, tensor: Tensor)] = [:]
        for (piece, tensor) in zip(owned, values) { own[piece.index] = (piece.range.lowerBound, tensor) }
        for (chunk, length) in zip(chunks, lengths) {
            let mine = chunk[rank]
            var row = try mine.pieces.compactMap { piece in
                try own[piece.index].map {
                    try $0.tensor.narrowed(0, from: piece.range.lowerBound - $0.offset, count: piece.range.count)
                        .converted(to: .float32)
                }
            }
            if mine.padding > 0 { row.append(try Tensor.zeros([mine.padding], device: device)) }
            let all = try Tensor.empty([length * chunk.count], device: device)
            try group.allGather(Tensor.concatenated(row), into: all)
            for (process, part) in chunk.enumerated() {
                try Self.deliver(all, at: process * length, part.pieces) { wholes[$0] }
            }
        }
    }

    /// Gives each process its pieces of what the first one has.
    /// - Parameters:
    ///   - whole: all elements of a parameter in a row; asked in the first process alone.
    ///   - targets: one for each of `owned`, in a row.
    package func scatter(_ whole: (Int) throws -> Tensor, into targets: [Tensor], device: Device, _ group: ProcessGroup)
        throws
    {
        var own: [Int: (offset: Int, tensor: Tensor)] = [:]
        for (piece, tensor) in zip(owned, targets) { own[piece.index] = (piece.range.lowerBound, tensor) }
        for (chunk, length) in zip(chunks, lengths) {
            var all = try Tensor.zeros([length * chunk.count], device: device)
            if rank == 0 {
                all = try Tensor.concatenated(
                    chunk.flatMap { row in try Self.row(row.pieces, row.padding, device) { try whole($0) } })
            }
            try group.broadcast(all)
            var start = rank * length
            for piece in chunk[rank].pieces {
                if let target = own[piece.index] {
                    try target.tensor.narrowed(
                        0, from: piece.range.lowerBound - target.offset, count: piece.range.count
                    ).copy(from: all.narrowed(0, from: start, count: piece.range.count))
                }
                start += piece.range.count
            }
        }
    }

    /// The pieces of a row and what fills it up, in float32.
    private static func row(
        _ pieces: [Piece], _ padding: Int, _ device: Device, _ values: (Int) throws -> Tensor?
    ) throws -> [Tensor] {
        var row = try pieces.map { piece in
            guard let tensor = try values(piece.index) else {
                return try Tensor.zeros([piece.range.count], device: device)
            }
            return try tensor.narrowed(0, from: piece.range.lowerBound, count: piece.range.count)
                .converted(to: .float32).to(device: device)
        }
        if padding > 0 { row.append(try Tensor.zeros([padding], device: device)) }
        return row
    }

    private static func deliver(_ row: Tensor, at offset: Int, _ pieces: [Piece], _ targets: (Int) -> Tensor?) throws {
        var start = offset
        for piece in pieces {
            try targets(piece.index)?.narrowed(0, from: piece.range.lowerBound, count: piece.range.count)
                .copy(from: row.narrowed(0, from: start, count: piece.range.count))
            start += piece.range.count
        }
    }
}
