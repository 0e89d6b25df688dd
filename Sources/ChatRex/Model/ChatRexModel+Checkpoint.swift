// Loading and saving a model folder in Hugging Face form. Reference: chatrex-mllm.md, sections 2 and 3.

import Checkpoints
import Foundation
import LanguageModels
import Torch
import TorchNN

extension ChatRexModel {
    /// Loads `config.json` and the safetensors of a folder.
    ///
    /// - Parameter dtype: of the weights; nil keeps the file's.
    /// - Throws: `CheckpointError`, `ConfigurationError`, or `LoadReport` naming every tensor that does not fit.
    public static func load(_ folder: URL, device: Device = .cpu, dtype: DType? = .float32) throws -> ChatRexModel {
        let archive = try TensorArchives.open(at: folder)
        let rename = checkpointName(archive.tensorNames)
        let configuration = try configuration(of: archive, in: folder)
        let store = ParameterStore(archive, device: device, dtype: dtype, rename: rename)
        let model = try ChatRexModel(configuration, store.weights)
        let tied = configuration.language.tiesEmbeddings
        try store.checkComplete { $0.hasSuffix(".position_ids") || (tied && $0.hasSuffix("lm_head.weight")) }
        return model
    }

    /// The sizes of the model in a folder, whose weights are not read.
    public static func configuration(of folder: URL) throws -> ChatRexConfiguration {
        try configuration(of: TensorArchives.open(at: folder), in: folder)
    }

    private static func configuration(of archive: any TensorArchive, in folder: URL) throws -> ChatRexConfiguration {
        let rename = checkpointName(archive.tensorNames)
        return try ChatRexConfiguration(folder: folder) { archive.shape(of: rename($0)) }
    }

    /// Some writers put one more `model.` before every name.
    private static func checkpointName(_ names: [String]) -> (String) -> String {
        let hasExtraPrefix = names.contains("model.model.embed_tokens.weight")
        return { hasExtraPrefix ? "model." + $0 : $0 }
    }

    /// Writes `config.json` and the weights.
    /// - Parameters:
    ///   - dtype: of the written weights; nil keeps theirs.
    ///   - replacements: weights that are written in place of the model's own, made one at a time: by name
    public func save(to folder: URL, dtype: DType? = nil, replacing replacements: [String: () throws -> Tensor] = [:])
        throws
    {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try AtomicFile.write(configuration.json(), to: folder.appendingPathComponent("config.json"))
        let tensors = weights.entries.map { entry in
            let written = dtype ?? entry.tensor.dtype
            return SafetensorsWriter.Entry(
                name: entry.name, elementType: ElementType(written), shape: entry.tensor.shape
            ) { sink in
                let tensor = try replacements[entry.name]?() ?? entry.tensor
                try tensor.detached().to(dtype: written).withUnsafeBytes { try sink($0) }
            }
        }
        try SafetensorsWriter.write(tensors, toFolder: folder)
    }
}
