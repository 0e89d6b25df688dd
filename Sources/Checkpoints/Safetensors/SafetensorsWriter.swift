import Foundation

/// Writes safetensors files.
///
/// Headers list the tensors in the order given. The data is ordered by element size, largest first, so that every
/// tensor is aligned. One tensor at a time is in memory. A file appears only when it is whole.
public enum SafetensorsWriter {
    /// What loaders of PyTorch models ask for.
    public static let defaultMetadata = ["format": "pt"]
    /// Bytes of tensors in one shard, unless told otherwise.
    public static let defaultMaximumShardBytes = 5_000_000_000

    /// Writes one file.
    ///
    /// - Throws: `CheckpointError` with kind `invalidTensor` or `writeFailed`, or what an entry's `produce` throws.
    public static func write(
        _ tensors: [Entry], metadata: [String: String] = defaultMetadata, to url: URL
    ) throws {
        let file = try stage(try plan(tensors, url), metadata: metadata, at: url)
        try file.commit()
    }

    /// Writes a model folder: `model.safetensors`, or shards and an index when the tensors exceed `maximumShardBytes`.
    ///
    /// An earlier safetensors model in the folder is replaced. If the process ends midway the folder holds the old
    /// model, the new one, or none that opens; never a mixture.
    /// - Parameter maximumShardBytes: a tensor larger than this gets a shard of its own.
    /// - Returns: the safetensors files, in order.
    /// - Throws: as `write(_:metadata:to:)`.
    @discardableResult
    public static func write(
        _ tensors: [Entry], metadata: [String: String] = defaultMetadata, toFolder folder: URL,
        maximumShardBytes: Int = defaultMaximumShardBytes
    ) throws -> [URL] {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw CheckpointError(.writeFailed, path: folder.path, "cannot create the folder: \(error).")
        }
        let planned = try plan(tensors, folder)
        let shards = split(planned, maximumBytes: maximumShardBytes)
        let names = shardNames(count: shards.count)
        let urls = names.map { folder.appendingPathComponent($0) }
        let staged = try zip(shards, urls).map { try stage($0, metadata: metadata, at: $1) }

        let index = folder.appendingPathComponent(SafetensorsNames.index)
        if shards.count > 1 {
            // Without the old index and file nothing opens until the new index stands.
            try remove(index)
            try remove(folder.appendingPathComponent(SafetensorsNames.single))
        }
        for file in staged { try file.commit() }
        if shards.count > 1 {
            try AtomicFile.write(Data(indexText(shards, names).utf8), to: index)
        } else {
            try remove(index)
        }
        try removeStaleShards(in: folder, keeping: Set(names))
        return urls
    }

    // MARK: - One file

    private struct Planned {
        let entry: Entry
        let byteCount: Int
    }

    private static func plan(_ tensors: [Entry], _ url: URL) throws -> [Planned] {
        var seen: Set<String> = [SafetensorsHeader.metadataKey]
        var total = 0
        return try tensors.map { entry in
            guard seen.insert(entry.name).inserted else {
                throw CheckpointError(
                    .invalidTensor, path: url.path, "the name '\(entry.name)' is reserved or given to two tensors.")
            }
            guard let layout = RowMajorLayout(shape: entry.shape, elementType: entry.elementType) else {
                throw CheckpointError(
                    .invalidTensor, path: url.path,
                    "the shape \(entry.shape) of '\(entry.name)' has a negative size or is too large.")
            }
            let byteCount = layout.elementCount * entry.elementType.byteCount
            let (sum, overflowed) = total.addingReportingOverflow(byteCount)
            guard !overflowed else {
                throw CheckpointError(.invalidTensor, path: url.path, "the tensors together are too large.")
            }
            total = sum
            return Planned(entry: entry, byteCount: byteCount)
        }
    }

    /// Writes header and tensors to a file that waits for its `commit()`.
    private static func stage(_ tensors: [Planned], metadata: [String: String], at url: URL) throws -> AtomicFile {
        let ordered = tensors.indices.sorted {
            // Stable: equal sizes keep the given order.
            (-tensors[$0].entry.elementType.byteCount, $0) < (-tensors[$1].entry.elementType.byteCount, $1)
        }
        var starts = [Int](repeating: 0, count: tensors.count)
        var end = 0
        for index in ordered {
            starts[index] = end
            end += tensors[index].byteCount
        }
        var header = Array(headerText(tensors, starts, metadata).utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        guard header.count <= SafetensorsHeader.maximumByteCount else {
            throw CheckpointError(
                .invalidTensor, path: url.path, "the header would have \(header.count) bytes, too many.")
        }

        let file = try AtomicFile(replacing: url)
        try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
        try file.write(header)
        for index in ordered {
            let start = file.count
            try tensors[index].entry.produce { try file.write($0) }
            guard file.count - start == tensors[index].byteCount else {
                throw CheckpointError(
                    .invalidTensor, path: url.path,
                    """
                    '\(tensors[index].entry.name)' gave \(file.count - start) bytes, its shape needs \
                    \(tensors[index].byteCount).
                    """
                )
            }
        }
        return file
    }

    private static func headerText(_ tensors: [Planned], _ starts: [Int], _ metadata: [String: String]) -> String {
        var members: [String] = []
        if !metadata.isEmpty {
            let strings = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\(quoted(SafetensorsHeader.metadataKey)):{\(strings.joined(separator: ","))}")
        }
        for (tensor, start) in zip(tensors, starts) {
            let shape = tensor.entry.shape.map(String.init).joined(separator: ",")
            let type = tensor.entry.elementType.rawValue
            members.append(
                """
                \(quoted(tensor.entry.name)):{"dtype":"\(type)","shape":[\(shape)],\
                "data_offsets":[\(start),\(start + tensor.byteCount)]}
                """)
        }
        return "{\(members.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    // MARK: - Folders

    /// Fills shards in the order given; at least one, even when there is no tensor.
    private static func split(_ tensors: [Planned], maximumBytes: Int) -> [[Planned]] {
        var shards: [[Planned]] = [[]]
        var filled = 0
        for tensor in tensors {
            if filled > 0, filled + tensor.byteCount > maximumBytes {
                shards.append([])
                filled = 0
            }
            shards[shards.count - 1].append(tensor)
            filled += tensor.byteCount
        }
        return shards
    }

    private static func shardNames(count: Int) -> [String] {
        guard count > 1 else { return [SafetensorsNames.single] }
        return (1...count).map { "model-\(fiveDigits($0))-of-\(fiveDigits(count)).safetensors" }
    }

    private static func fiveDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private static func indexText(_ shards: [[Planned]], _ names: [String]) -> String {
        let total = shards.joined().reduce(0) { $0 + $1.byteCount }
        let map = zip(shards, names).flatMap { shard, name in
            shard.map { "    \(quoted($0.entry.name)): \(quoted(name))" }
        }
        return """
            {
              "metadata": {"total_size": \(total)},
              "weight_map": {
            \(map.joined(separator: ",\n"))
              }
            }

            """
    }

    private static func removeStaleShards(in folder: URL, keeping names: Set<String>) throws {
        let pattern = /model-\d{5,}-of-\d{5,}\.safetensors/
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for file in files where file.wholeMatch(of: pattern) != nil && !names.contains(file) {
            try remove(folder.appendingPathComponent(file))
        }
    }

    private static func remove(_ url: URL) throws {
        guard unlink(url.path) != 0, errno != ENOENT else { return }
        throw CheckpointError.system(.writeFailed, path: url.path, "cannot remove the old file", errno: errno)
    }
}
