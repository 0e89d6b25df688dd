import Foundation
import Torch

/// The processes that train one model together, as one of them sees them.
///
/// Each works on its part of every batch, so that together they see the pictures that one alone would see. Losses divide by
/// what the whole batch has, and gradients are summed: the result is that of one process but for rounding. Everything here is
/// a collective, which all processes call in the same order; alone it costs nothing.
public struct DataParallel {
    private let group: ProcessGroup?

    /// One process that trains by itself.
    public static var alone: DataParallel { DataParallel(nil) }

    public init(_ group: ProcessGroup?) { self.group = group }

    /// Joins the other processes; alone where there is no place.
    /// - Throws: `ProcessGroupError`.
    public init(joining place: ProcessPlace?, device: Device = .cpu) throws {
        self.init(try place.map { try ProcessGroup($0, device: device) })
    }

    public var rank: Int { group?.rank ?? 0 }
    public var count: Int { group?.count ?? 1 }
    /// Whether this process keeps the run's folder: log, checkpoints, evaluation.
    public var isFirst: Bool { rank == 0 }
    public var isAlone: Bool { group == nil }

    // MARK: Parts

    /// Positions in a batch that are this process's. Parts are in order of rank and differ by one at most.
    public func part(of batchSize: Int) -> Range<Int> {
        rank * batchSize / count..<(rank + 1) * batchSize / count
    }

    /// - Throws: `TrainingError.invalidSetting` where a process would have nothing to do.
    func check(batchSize: Int, _ name: String) throws(TrainingError) {
        try TrainingError.check(
            batchSize >= count, name, "\(count) processes cannot share a batch of \(batchSize); start fewer")
    }

    /// - Throws: `TrainingError.invalidSetting` where processes were started with different settings.
    func check(settings: some Encodable) throws {
        if isAlone { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var digest = Checksum()
        for byte in try encoder.encode(settings) { digest.add(UInt64(byte)) }
        // Half of it fits a Double exactly.
        let all = try gathered([Double(digest.value >> 32)])
        let others = all.indices.filter { all[$0] != all[0] }
        try TrainingError.check(
            others.isEmpty, "recipe",
            "the processes of rank \(others.map(String.init).joined(separator: ", ")) have other settings than the first"
        )
    }

    // MARK: Agreement

    /// The values of all processes, by rank.
    func gathered(_ values: [Double]) throws -> [[Double]] {
        guard let group else { return [values] }
        let all = try Tensor.zeros([count * values.count], dtype: .float64)
        try group.allGather(Tensor(values), into: all)
        let flat = try all.array(of: Double.self)
        return (0..<count).map { Array(flat[$0 * values.count..<($0 + 1) * values.count]) }
    }

    /// Sums over all processes, the same bits for each.
    func sum(_ values: [Double]) throws -> [Double] {
        if isAlone { return values }
        let rows = try gathered(values)
        return values.indices.map { index in rows.reduce(0) { $0 + $1[index] } }
    }

    func sum(_ value: Int) throws -> Int { Int(try sum([Double(value)])[0]) }

    /// Whether something holds for any process.
    func any(_ holds: Bool) throws -> Bool { isAlone ? holds : try sum(holds ? 1 : 0) > 0 }

    /// What the first process says.
    func first(_ values: [Double]) throws -> [Double] { try gathered(values)[0] }

    func first(_ value: Double) throws -> Double { isAlone ? value : try first([value])[0] }

    /// Runs `body` in the first process while the others wait, for up to a day.
    func inFirst(_ body: () throws -> Void) throws {
        if isFirst { try body() }
        // The first process finds the others waiting; it need not be as patient.
        try group?.barrier(timeout: isFirst ? nil : .seconds(24 * 3600))
    }

    /// Gives every process the first one's elements.
    func broadcast(_ tensor: Tensor) throws {
        guard let group else { return }
        try withoutGradients {
            if tensor.isContiguous { return try group.broadcast(tensor) }
            let plain = try tensor.detached().contiguous()
            try group.broadcast(plain)
            try tensor.copy(from: plain)
        }
    }

    /// Collectives on large tensors; nil alone.
    var collectives: ProcessGroup? { group }
}
