import CTorch

/// Where a tensor lives.
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// Kinds of device; raw values are libtorch's `DeviceType` codes.
    public enum Kind: Int32, Sendable {
        case cpu = 0
        case cuda = 1
        case mps = 13
        /// Shapes without storage: for building a model only to look at its names and sizes.
        case meta = 14
    }

    public let kind: Kind
    /// Number of the device among its kind; -1 means the current one.
    public let index: Int

    public init(_ kind: Kind, index: Int = -1) {
        self.kind = kind
        self.index = index
    }

    public static let cpu = Device(.cpu)
    public static let cuda = Device(.cuda)
    public static let mps = Device(.mps)
    public static let meta = Device(.meta)

    /// Reads `cpu`, `cuda`, `cuda:1`, `mps`.
    /// - Throws: `TorchError` of kind `.device` for any other text.
    public init(parsing text: String) throws(TorchError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let kinds: [Substring: Kind] = ["cpu": .cpu, "cuda": .cuda, "mps": .mps]
        guard parts.count <= 2, let name = parts.first, let kind = kinds[name],
            let index = parts.count == 2 ? Int(parts[1]).flatMap({ (0..<128).contains($0) ? $0 : nil }) : -1
        else {
            throw TorchError(
                kind: .device, operation: "device", message: "'\(text)' is no device; use cpu, cuda, cuda:N or mps")
        }
        self.init(kind, index: index)
    }

    /// Number of usable devices of a kind. Asking for CUDA loads its library when the installed libtorch has one.
    public static func count(_ kind: Kind) -> Int {
        kind == .cpu ? 1 : Int(ct_device_count(kind.rawValue))
    }

    /// CUDA where there is one, else Apple's GPU, else the CPU.
    public static var best: Device {
        if count(.cuda) > 0 { return .cuda }
        if count(.mps) > 0 { return .mps }
        return .cpu
    }

    /// This device, if the machine has it.
    /// - Throws: `TorchError` of kind `.device` naming what to use instead.
    public func checked() throws(TorchError) -> Device {
        if kind == .cpu || kind == .meta || max(index, 0) < Device.count(kind) { return self }
        throw TorchError(
            kind: .device, operation: "device",
            message: "this machine or its libtorch has no device '\(self)'; use '\(Device.best)'")
    }

    /// Waits until all work queued on the device is done.
    public func synchronize() throws(TorchError) {
        try TorchError.check(ct_device_synchronize(kind.rawValue, Int32(index)), "synchronize")
    }

    public var description: String {
        let name =
            switch kind {
            case .cpu: "cpu"
            case .cuda: "cuda"
            case .mps: "mps"
            case .meta: "meta"
            }
        return index < 0 || kind == .cpu ? name : "\(name):\(index)"
    }
}
