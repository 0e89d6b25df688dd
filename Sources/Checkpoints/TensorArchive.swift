import Foundation
import TorchNN

/// Named tensors in one or more files. A `ParameterStore` loads a model from one.
public protocol TensorArchive: TensorSource, Sendable {
    /// The file that was opened, or the index of several.
    var url: URL { get }

    /// Every tensor's name, in the order of the file.
    var names: [String] { get }

    /// The tensor called `name`, or nil when there is none.
    func record(named name: String) -> TensorRecord?
}

/// Opens checkpoints of any supported format.
public enum TensorArchives {
    /// Opens a safetensors file, a shard index (`*.json`), a folder that holds either, or a PyTorch file.
    ///
    /// The content decides, not the extension: PyTorch files are zip archives.
    /// - Throws: `CheckpointError`.
    public static func open(at url: URL) throws -> any TensorArchive {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw CheckpointError(.missingFile, path: url.path, "there is no such file or folder.")
        }
        if isFolder.boolValue { return try open(folder: url) }
        if url.pathExtension == "json" { return try ShardedSafetensors(index: url) }
        let file = try MappedFile(url: url)
        if PyTorchArchive.recognises(file) { return try PyTorchArchive(file) }
        return try SafetensorsFile(file)
    }

    /// Opens the safetensors model in `folder`: `model.safetensors`, or the shards that `model.safetensors.index.json`
    /// names.
    private static func open(folder: URL) throws -> any TensorArchive {
        let single = folder.appendingPathComponent(SafetensorsNames.single)
        if FileManager.default.fileExists(atPath: single.path) { return try SafetensorsFile(url: single) }
        let index = folder.appendingPathComponent(SafetensorsNames.index)
        if FileManager.default.fileExists(atPath: index.path) { return try ShardedSafetensors(index: index) }
        throw CheckpointError(
            .missingFile, path: folder.path,
            "the folder holds neither \(SafetensorsNames.single) nor \(SafetensorsNames.index).")
    }
}
