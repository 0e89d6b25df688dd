import CTorch

/// Processes that compute together, as one of them sees them: libtorch's process group.
///
/// All processes call the same collectives in the same order. Tensors on the CPU go through Gloo, those on CUDA devices
/// through NCCL. A collective fails with `ProcessGroupError` when another process has ended or does not call in time; the
/// group is of no use after that.
public final class ProcessGroup {
    public let place: ProcessPlace
    private let ref: CTProcessGroupRef

    /// How the values of the processes become one.
    public enum Reduction: Sendable {
        case sum, maximum
    }

    /// Joins the group; returns when all processes have.
    /// - Parameter device: CUDA for a group that takes tensors on CUDA devices too.
    /// - Throws: `ProcessGroupError`; where libtorch has no CUDA or no NCCL, it says so.
    public init(_ place: ProcessPlace, device: Device = .cpu) throws(ProcessGroupError) {
        var out: CTProcessGroupRef?
        let status = place.host.withCString { host in
            place.prefix.withCString { prefix in
                var options = CTProcessGroupOptions(
                    host: host, port: place.port, hosts_store: place.hostsStore, prefix: prefix,
                    rank: Int32(place.rank), size: Int32(place.count),
                    timeout_milliseconds: Self.milliseconds(place.timeout), uses_nccl: device.kind == .cuda)
                return ct_process_group_create(&options, &out)
            }
        }
        guard status == CT_OK, let out else {
            throw ProcessGroupError(
                place, operation: "joining at \(place.host):\(place.port)", message: String(cString: ct_last_error()))
        }
        (self.place, ref) = (place, out)
    }

    deinit { ct_process_group_release(ref) }

    /// This process's number, from 0.
    public var rank: Int { place.rank }
    public var count: Int { place.count }

    /// Replaces the elements of a contiguous tensor by those of all processes together.
    public func allReduce(_ tensor: Tensor, _ reduction: Reduction = .sum) throws(ProcessGroupError) {
        try perform("all-reduce") {
            ct_process_group_all_reduce(ref, tensor.ref, reduction == .sum ? CT_REDUCE_SUM : CT_REDUCE_MAXIMUM)
        }
    }

    /// Sums `input`, which has a part for each process, over all of them and puts this process's part into `output`.
    /// `input` holds nothing of use afterwards.
    public func reduceScatter(_ input: Tensor, into output: Tensor) throws(ProcessGroupError) {
        try perform("reduce-scatter") { ct_process_group_reduce_scatter(ref, input.ref, output.ref) }
    }

    /// Puts every process's `input` into `output`, by rank.
    public func allGather(_ input: Tensor, into output: Tensor) throws(ProcessGroupError) {
        try perform("all-gather") { ct_process_group_all_gather(ref, input.ref, output.ref) }
    }

    /// Gives a contiguous tensor the elements that it has in the process `root`.
    public func broadcast(_ tensor: Tensor, from root: Int = 0) throws(ProcessGroupError) {
        try perform("broadcast") { ct_process_group_broadcast(ref, tensor.ref, Int32(root)) }
    }

    /// Waits for all processes.
    /// - Parameter timeout: the group's own when nil.
    public func barrier(timeout: Duration? = nil) throws(ProcessGroupError) {
        try perform("barrier") { ct_process_group_barrier(ref, timeout.map(Self.milliseconds) ?? 0) }
    }

    private func perform(_ operation: String, _ call: () -> CTStatus) throws(ProcessGroupError) {
        if call() != CT_OK {
            throw ProcessGroupError(place, operation: operation, message: String(cString: ct_last_error()))
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        Int64((duration / .milliseconds(1)).rounded().clamped(to: 1...1e12))
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        isNaN ? range.lowerBound : min(max(self, range.lowerBound), range.upperBound)
    }
}

/// What went wrong between processes, as one of them saw it.
public struct ProcessGroupError: Error, Sendable, CustomStringConvertible {
    public enum Cause: Sendable, Equatable {
        /// What the launcher's variables say makes no sense.
        case environment
        /// Another process ended or its machine cannot be reached.
        case lost
        /// Another process did not take part in time.
        case timedOut
        /// Anything else, such as sizes that do not fit.
        case failed
    }

    public let cause: Cause
    /// The process that says so; nil where its number is what is wrong.
    public let rank: Int?, count: Int?
    public let operation: String
    /// libtorch's own words, without the place in its sources and general advice.
    public let message: String

    init(environment message: String) {
        (cause, rank, count, operation, self.message) = (.environment, nil, nil, "environment", message)
    }

    init(_ place: ProcessPlace, operation: String, message: String) {
        let lower = message.lowercased()
        func says(_ words: [String]) -> Bool { words.contains { lower.contains($0) } }
        if says(["timed out", "timeout"]) {
            cause = .timedOut
        } else if says(["closed", "reset by peer", "broken pipe", "refused", "unreachable", "remote error"]) {
            cause = .lost
        } else {
            cause = .failed
        }
        (rank, count, self.operation) = (place.rank, place.count, operation)
        let line = message.prefix { $0 != "\n" }
        let bare = line.hasPrefix("[/") ? line.drop { $0 != " " }.drop { $0 == " " } : line
        self.message = bare.split(separator: ". This is typically").first.map(String.init) ?? message
    }

    public var description: String {
        guard let rank, let count else { return message }
        let reason =
            switch cause {
            case .lost: "another process has ended or cannot be reached"
            case .timedOut: "another process did not take part in time"
            case .environment, .failed: "it failed"
            }
        return "rank \(rank) of \(count), \(operation): \(reason) (\(message))"
    }
}
