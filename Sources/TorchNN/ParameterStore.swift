import Torch

/// Where a model's tensors come from when it is built from a checkpoint.
public protocol TensorSource {
    /// Every name that the source holds.
    var tensorNames: [String] { get }
    /// The shape of a tensor without reading it, or nil where there is none of that name.
    func shape(of name: String) -> [Int]?
    /// The tensor itself.
    func tensor(named name: String) throws -> Tensor
}

/// All tensors of a model by their full names, made or found while its modules are built.
///
/// One store serves three purposes: it loads a checkpoint and reports every difference at once (`checkComplete`), it initialises a
/// fresh model, and it is the list of parameters that an optimiser and a checkpoint writer walk.
public final class ParameterStore {
    /// A tensor of the model.
    public struct Entry {
        public let name: String
        public let tensor: Tensor
        /// Parameters are trained; buffers are only saved.
        public let isParameter: Bool
    }

    private enum Origin {
        case fresh
        case source(any TensorSource, rename: (String) -> String)
    }

    public let device: Device
    /// Dtype that floating-point tensors are converted to; nil keeps the source's.
    public let dtype: DType?
    /// In the order in which modules asked for them.
    public private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]
    private let origin: Origin
    private var report = LoadReport()

    /// A store whose tensors are drawn by their initialisers (with libtorch's generator: seed it first).
    public init(device: Device = .cpu, dtype: DType = .float32) {
        self.device = device
        self.dtype = dtype
        self.origin = .fresh
    }

    /// A store that takes its tensors from a checkpoint.
    /// - Parameter rename: the checkpoint's name for a model's name.
    public init(
        _ source: any TensorSource, device: Device = .cpu, dtype: DType? = nil,
        rename: @escaping (String) -> String = { $0 }
    ) {
        self.device = device
        self.dtype = dtype
        self.origin = .source(source, rename: rename)
    }

    /// The root of all names.
    public var weights: Weights { Weights(store: self, path: "") }

    /// The names of parameters and their tensors, in order.
    public var parameters: [Entry] { entries.filter(\.isParameter) }

    public subscript(name: String) -> Tensor? { positions[name].map { entries[$0].tensor } }

    /// Number of elements of all parameters.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// Finds or makes a tensor. A missing or mis-shaped one is noted and stands in as zeros until `checkComplete` throws.
    func tensor(
        _ name: String, shape: [Int], isParameter: Bool, dtype wanted: DType?, initialize: (Tensor) throws -> Void
    ) throws -> Tensor {
        if let position = positions[name] { return entries[position].tensor }
        let made: Tensor
        switch origin {
        case .fresh:
            made = try Tensor.empty(shape, dtype: wanted ?? dtype ?? .float32, device: device)
            if device.kind != .meta { try withoutGradients { try initialize(made) } }
        case .source(let source, let rename):
            made = try load(rename(name), as: name, shape: shape, dtype: wanted ?? dtype, from: source)
        }
        positions[name] = entries.count
        entries.append(Entry(name: name, tensor: made, isParameter: isParameter))
        return made
    }

    private func load(_ key: String, as name: String, shape: [Int], dtype: DType?, from source: any TensorSource) throws
        -> Tensor
    {
        report.used.insert(key)
        guard let found = source.shape(of: key) else {
            report.missing.append(key)
            return try Tensor.zeros(shape, dtype: dtype ?? .float32, device: device)
        }
        guard found == shape else {
            report.misshaped.append(.init(name: key, expected: shape, found: found))
            return try Tensor.zeros(shape, dtype: dtype ?? .float32, device: device)
        }
        // A model on the meta device is only compared with its checkpoint: nothing is read.
        if device.kind == .meta { return try Tensor.empty(shape, dtype: dtype ?? .float32, device: device) }
        let tensor = try source.tensor(named: key)
        return try tensor.to(device: device, dtype: tensor.dtype.isFloatingPoint ? dtype : nil)
    }

    /// Call when every module is built.
    /// - Parameter ignoring: names in the source that may stay unused.
    /// - Throws: `LoadReport` naming everything that is missing, unexpected or mis-shaped.
    public func checkComplete(ignoring isIgnored: (String) -> Bool = { _ in false }) throws {
        guard case .source(let source, _) = origin else { return }
        report.unexpected = source.tensorNames.filter { !report.used.contains($0) && !isIgnored($0) }.sorted()
        if !report.isClean { throw report }
    }
}

/// A place in a model's tree of names; `/` goes one level down.
public struct Weights {
    public let store: ParameterStore
    /// Dotted name of the place; empty at the root.
    public let path: String

    public static func / (parent: Weights, name: String) -> Weights {
        Weights(store: parent.store, path: parent.path.isEmpty ? name : parent.path + "." + name)
    }

    public static func / (parent: Weights, index: Int) -> Weights { parent / String(index) }

    /// A trained tensor.
    public func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer) throws -> Tensor {
        try store.tensor((self / name).path, shape: shape, isParameter: true, dtype: nil, initialize: initializer.fill)
    }

    /// A tensor that is saved with the model but not trained.
    public func buffer(_ name: String, _ shape: [Int], dtype: DType? = nil, _ initializer: Initializer) throws -> Tensor
    {
        try store.tensor(
            (self / name).path, shape: shape, isParameter: false, dtype: dtype, initialize: initializer.fill)
    }

    /// Whether the source has a tensor of this name below the place. A fresh store has none.
    public func contains(_ name: String) -> Bool { store.sourceContains((self / name).path) }

    /// Entries at or below this place.
    public var entries: [ParameterStore.Entry] {
        let prefix = path.isEmpty ? "" : path + "."
        return store.entries.filter { $0.name.hasPrefix(prefix) }
    }
}

extension ParameterStore {
    fileprivate func sourceContains(_ name: String) -> Bool {
        guard case .source(let source, let rename) = origin else { return false }
        return source.shape(of: rename(name)) != nil
    }
}

/// What did not fit when a checkpoint was loaded.
public struct LoadReport: Error, CustomStringConvertible, Sendable {
    public struct Misshaped: Sendable, Equatable {
        public let name: String
        public let expected: [Int]
        public let found: [Int]

        public init(name: String, expected: [Int], found: [Int]) {
            (self.name, self.expected, self.found) = (name, expected, found)
        }
    }

    public internal(set) var missing: [String] = []
    public internal(set) var unexpected: [String] = []
    public internal(set) var misshaped: [Misshaped] = []
    var used: Set<String> = []

    public var isClean: Bool { missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty }

    public var description: String {
        var lines = ["the checkpoint does not fit the model; nothing was loaded"]
        lines += missing.map { "  missing     \($0)" }
        lines += misshaped.map { "  mis-shaped  \($0.name): expected \($0.expected), found \($0.found)" }
        lines += unexpected.map { "  unexpected  \($0)" }
        return lines.joined(separator: "\n")
    }
}
