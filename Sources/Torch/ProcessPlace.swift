/// Where a launcher put this process among those that compute together.
public struct ProcessPlace: Sendable, Equatable {
    /// Number of this process among all, from 0, and among those of its machine.
    public var rank: Int, localRank: Int
    /// Processes altogether, and those of this machine.
    public var count: Int, localCount: Int
    /// Where the processes find each other.
    public var host: String, port: UInt16
    /// Whether this process hosts the store by which they do; some launchers host it.
    public var hostsStore: Bool
    /// Keeps apart what several groups put into one store.
    public var prefix = "chatrex"
    /// Of finding each other and of every collective.
    public var timeout = Duration.seconds(600)

    public init(rank: Int, count: Int, host: String, port: UInt16, hostsStore: Bool? = nil) {
        (self.rank, self.count, self.host, self.port) = (rank, count, host, port)
        (localRank, localCount, self.hostsStore) = (rank, count, hostsStore ?? (rank == 0))
    }

    /// Reads the variables that `torchrun` and its like set: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, and where they are
    /// set LOCAL_RANK, LOCAL_WORLD_SIZE and CHATREX_GROUP_TIMEOUT (seconds; 600 otherwise).
    ///
    /// - Returns: nil where there is but one process.
    /// - Throws: `ProcessGroupError` naming the variable that is missing or makes no sense.
    public init?(environment: [String: String]) throws(ProcessGroupError) {
        func text(_ name: String) throws(ProcessGroupError) -> String {
            guard let value = environment[name], !value.isEmpty else {
                throw ProcessGroupError(
                    environment: """
                        \(name) is not set. A run on several processes needs RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as \
                        torchrun sets them; a run on one needs none of them
                        """)
            }
            return value
        }
        func number(_ name: String, _ range: ClosedRange<Int>) throws(ProcessGroupError) -> Int {
            let value = try text(name)
            guard let number = Int(value), range.contains(number) else {
                throw ProcessGroupError(
                    environment:
                        "\(name) is '\(value)', which is no number within \(range.lowerBound)...\(range.upperBound)")
            }
            return number
        }
        if environment["RANK"] == nil && environment["WORLD_SIZE"] == nil { return nil }
        let count = try number("WORLD_SIZE", 1...100_000), rank = try number("RANK", 0...count - 1)
        if count == 1 { return nil }
        // torchrun's agent hosts the store itself.
        self.init(
            rank: rank, count: count, host: try text("MASTER_ADDR"), port: UInt16(try number("MASTER_PORT", 1...65535)),
            hostsStore: environment["TORCHELASTIC_USE_AGENT_STORE"] == "True" ? false : nil)
        if environment["LOCAL_RANK"] != nil { localRank = try number("LOCAL_RANK", 0...count - 1) }
        localCount = environment["LOCAL_WORLD_SIZE"] == nil ? 1 : try number("LOCAL_WORLD_SIZE", 1...count)
        if let attempt = environment["TORCHELASTIC_RESTART_COUNT"] { prefix += "/\(attempt)" }
        if environment["CHATREX_GROUP_TIMEOUT"] != nil {
            timeout = .seconds(try number("CHATREX_GROUP_TIMEOUT", 1...1_000_000))
        }
    }

    /// The device of this process: where several share a machine, each takes the one of its local number.
    public func device(_ kind: Device.Kind) -> Device {
        kind == .cuda ? Device(.cuda, index: localRank) : Device(kind)
    }
}
