import Foundation

/// The tensors of a file that `torch.save` wrote (`.pth`, `.pt`), in its zip form.
///
/// The pickle inside is evaluated without running anything: see `PickleMachine`. Tensors are views of the mapped file.
public final class PyTorchArchive: TensorArchive {
    /// Where the file was found.
    public let url: URL
    /// Every tensor's name, in the order of the state dictionary. A `module.` that all names share is taken off.
    public let names: [String]
    /// Names of the state dictionary whose values are no tensors, such as counters; they are left out.
    public let ignoredNames: [String]

    private let records: [String: TensorRecord]

    /// Maps and reads the file at `url`.
    ///
    /// - Parameter rootKey: the key of the root mapping that holds the state dictionary. A root without this key is
    ///   taken for the state dictionary itself.
    /// - Throws: `CheckpointError`; kind `unknownGlobal` when a class that is not known stands on the way to the
    ///   tensors.
    public convenience init(url: URL, rootKey: String = "model") throws {
        try self.init(MappedFile(url: url), rootKey: rootKey)
    }

    /// Reads a file that is already mapped; see `init(url:rootKey:)`.
    public init(_ file: MappedFile, rootKey: String = "model") throws {
        let contents = try PyTorchContents(file)
        let state = try StateDictionary(contents.pickle, rootKey: rootKey, path: file.url.path)
        let prefix = state.sharedModulePrefix
        let named = try state.tensors.map { name, tensor in
            try contents.record(named: String(name.dropFirst(prefix.count)), tensor)
        }
        url = file.url
        names = named.map(\.name)
        ignoredNames = state.ignoredNames
        records = Dictionary(named.map { ($0.name, $0) }) { $1 }
    }

    /// The tensor called `name`, or nil when there is none.
    public func record(named name: String) -> TensorRecord? { records[name] }

    /// Whether `file` begins like a file of `torch.save`, in the zip form or the one before it.
    static func recognises(_ file: MappedFile) -> Bool {
        file.withBytes { $0.starts(with: PyTorchContents.zipMagic) || $0.starts(with: PyTorchContents.pickleMagic) }
    }
}

/// The archive's entries that hold a checkpoint.
private struct PyTorchContents {
    static let zipMagic: [UInt8] = [0x50, 0x4B]
    static let pickleMagic: [UInt8] = [0x80, 0x02]

    let pickle: PickleResult

    private let file: MappedFile
    private let zip: ZipDirectory
    private let folder: String

    init(_ file: MappedFile) throws {
        let path = file.url.path
        guard file.withBytes({ $0.starts(with: Self.zipMagic) }) else {
            let isOld = file.withBytes { $0.starts(with: Self.pickleMagic) }
            throw CheckpointError(
                isOld ? .unsupported : .malformed, path: path,
                isOld
                    ? "written by PyTorch before 1.6 or without its zip form; load it there and call torch.save again."
                    : "this is no file of torch.save: it is no zip archive.")
        }
        let zip = try ZipDirectory(reading: file)
        let pickles = zip.names.filter { $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1, let pickleRange = try zip.range(of: pickles[0]) else {
            throw CheckpointError(
                .malformed, path: path, "a PyTorch archive has one '<folder>/data.pkl', this one has \(pickles.count).")
        }
        self.file = file
        self.zip = zip
        folder = String(pickles[0].dropLast("data.pkl".count))
        if let range = try zip.range(of: folder + "byteorder") {
            let order = file.withBytes { String(decoding: $0[range].prefix(16), as: UTF8.self) }
            guard order == "little" else {
                throw CheckpointError(
                    .unsupported, path: path, "its byte order is '\(order)'; save it again on a little-endian machine.")
            }
        }
        pickle = try file.withBytes {
            try PickleMachine.evaluate(UnsafeRawBufferPointer(rebasing: $0[pickleRange]), path: path)
        }
    }

    func record(named name: String, _ tensor: PickledTensor) throws -> TensorRecord {
        let storage = tensor.storage
        guard let range = try zip.range(of: "\(folder)data/\(storage.key)") else {
            throw CheckpointError(
                .malformed, path: file.url.path, "the storage 'data/\(storage.key)' of tensor '\(name)' is missing.")
        }
        let (byteCount, overflowed) = storage.elementCount.multipliedReportingOverflow(
            by: storage.elementType.byteCount)
        guard !overflowed, byteCount <= range.count else {
            throw CheckpointError(
                .malformed, path: file.url.path,
                """
                the storage 'data/\(storage.key)' has \(range.count) bytes, tensor '\(name)' expects \
                \(storage.elementCount) elements.
                """
            )
        }
        return try TensorRecord(
            name: name, elementType: storage.elementType, shape: tensor.shape, strides: tensor.strides, file: file,
            storage: range.lowerBound..<(range.lowerBound + byteCount), offset: tensor.offset)
    }
}

/// The names and tensors that a checkpoint's pickle holds.
private struct StateDictionary {
    private(set) var tensors: [(name: String, tensor: PickledTensor)] = []
    private(set) var ignoredNames: [String] = []

    init(_ pickle: PickleResult, rootKey: String, path: String) throws {
        let root = try Self.members(of: pickle.root, called: "the root", pickle, path)
        // As in Python, the last of several equal keys counts.
        let model = root.last { if case .string(rootKey) = $0.key { true } else { false } }?.value
        let isNested = if let model, case .tensor = pickle.object(model) { false } else { model != nil }
        let members =
            isNested ? try Self.members(of: model ?? .none, called: "the root's '\(rootKey)'", pickle, path) : root

        var positions: [String: Int] = [:]
        for (key, value) in members {
            guard case .string(let name) = key else {
                throw CheckpointError(.malformed, path: path, "a key of the state dictionary is no string.")
            }
            switch pickle.object(value) {
            case .tensor(let tensor):
                if let position = positions[name] {
                    tensors[position].tensor = tensor
                } else {
                    positions[name] = tensors.count
                    tensors.append((name, tensor))
                }
            case .opaque(let global): throw Self.unknownGlobal(global, "'\(name)'", path)
            default: ignoredNames.append(name)
            }
        }
        guard isNested || !tensors.isEmpty else {
            throw CheckpointError(
                .unsupported, path: path,
                "the root has no key '\(rootKey)' and no tensors; its keys: \(ignoredNames.abbreviated()).")
        }
    }

    /// `module.` when every name begins with it, as data-parallel wrappers leave it; else empty.
    var sharedModulePrefix: String {
        let prefix = "module."
        return !tensors.isEmpty && tensors.allSatisfy { $0.name.hasPrefix(prefix) } ? prefix : ""
    }

    private static func members(
        of value: PickleValue, called description: String, _ pickle: PickleResult, _ path: String
    ) throws -> [(key: PickleValue, value: PickleValue)] {
        switch (value, pickle.object(value)) {
        case (_, .dictionary(let members)): return members
        case (_, .opaque(let global)), (.global(let global), _): throw unknownGlobal(global, description, path)
        default: throw CheckpointError(.malformed, path: path, "\(description) is no mapping.")
        }
    }

    private static func unknownGlobal(_ global: String, _ what: String, _ path: String) -> CheckpointError {
        CheckpointError(
            .unknownGlobal(global), path: path,
            """
            \(what) is made by '\(global)', which is not known to be plain tensors. Nothing was run. If \
            you trust the file, save its weights as safetensors.
            """
        )
    }
}
