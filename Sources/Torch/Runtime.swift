import CTorch

/// Settings of libtorch in this process.
public enum Runtime {
    /// Version of the libtorch in use.
    public static var version: String { String(cString: ct_version()) }

    /// Keeps large freed blocks in the process; call once at start.
    public static func initialize() {
        ct_initialize()
    }

    /// Threads that one operator may use on the CPU.
    public static var threadCount: Int { Int(ct_thread_count()) }

    public static func setThreadCount(_ count: Int) throws(TorchError) {
        try TorchError.check(ct_set_thread_count(Int32(clamping: max(count, 1))), "setThreadCount")
    }

    /// Seeds the random generators of all devices.
    public static func seed(_ seed: UInt64) throws(TorchError) {
        try TorchError.check(ct_manual_seed(seed), "seed")
    }

    /// State of a device's random generator, for resuming a run exactly.
    public static func randomState(of device: Device = .cpu) throws(TorchError) -> Tensor {
        var out: CTTensorRef?
        let status = ct_random_state(device.kind.rawValue, Int32(device.index), &out)
        guard status == CT_OK, let out else { throw TorchError(status: status, operation: "randomState") }
        return Tensor(owning: out)
    }

    public static func setRandomState(_ state: Tensor, of device: Device = .cpu) throws(TorchError) {
        try TorchError.check(
            ct_set_random_state(device.kind.rawValue, Int32(device.index), state.ref), "setRandomState")
    }
}
