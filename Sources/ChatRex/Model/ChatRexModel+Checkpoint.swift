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
        let configuration = try ChatRexConfiguration(folder: folder) { archive.shape(of: rename($0)) }
        let store = ParameterStore(archive, device: device, dtype: dtype, rename: rename)
        let model = try ChatRexModel(configuration, store.weights)
        let tied = configuration.language.tiesEmbeddings
        try store.checkComplete { $0.hasSuffix(".position_ids") || (tied && $0.hasSuffix("lm_head.weight")) }
        return model
    }

    /// Some writers put one more `model.` before every name.
    private static func checkpointName(_ names: [String]) -> (String) -> String {
        let hasExtraPrefix = names.contains("model.model.embed_tokens.weight")
        return { hasExtraPrefix ? "model." + $0 : $0 }
    }

    /// Writes `config.json` and the weights.
    /// - Parameter dtype: of the written weights; nil keeps theirs.
    public func save(to folder: URL, dtype: DType? = nil) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try AtomicFile.write(configuration.json(), to: folder.appendingPathComponent("config.json"))
        let tensors = try weights.entries.map { ($0.name, try $0.tensor.detached().to(dtype: dtype)) }
        try SafetensorsWriter.write(tensors, toFolder: folder)
    }
}
