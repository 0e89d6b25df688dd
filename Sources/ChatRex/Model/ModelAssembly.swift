// A ChatRex model from pretrained parts, as the paper's alignment starts from: a Qwen2 language model, CLIP, ConvNeXt, and fresh
// projectors. Reference: chatrex-mllm.md, sections 3 and 10.

import Checkpoints
import Foundation
import LanguageModels
import Tokenizers
import Torch
import TorchNN
import VisionEncoders

/// The pretrained parts of a model that is to be trained.
public struct ModelAssembly {
    private let language: any TensorArchive, clip: any TensorArchive, convNeXt: any TensorArchive
    /// Names in the parts for names in the model, by what the latter begin with.
    private let clipPrefix: String, convNeXtPrefix: String
    private let tokenizer: BytePairTokenizer
    private let languageRows: Int
    public let configuration: ChatRexConfiguration

    /// Opens the parts and compares their sizes; no weights are read.
    ///
    /// - Parameters:
    ///   - language: a folder of Qwen2 or Qwen2.5 with `config.json`, `tokenizer.json` and safetensors
    ///   - clip: a folder of a CLIP model with `config.json`
    ///   - convNeXt: a ConvNeXt under the names of timm or OpenCLIP, a folder or a file
    /// - Throws: `CheckpointError`, `TokenizerError`, `ConfigurationError` naming what does not fit.
    public init(language languageURL: URL, clip clipURL: URL, convNeXt convNeXtURL: URL) throws {
        language = try TensorArchives.open(at: languageURL)
        clip = try TensorArchives.open(at: clipURL)
        convNeXt = try TensorArchives.open(at: convNeXtURL)
        let plain = try BytePairTokenizer(contentsOf: languageURL.appendingPathComponent("tokenizer.json"))
        tokenizer = try plain.adding(specialTokens: ChatRexTokens.all)
        languageRows = plain.vocabularySize

        struct Kind: Decodable {
            var model_type: String?
            var vision_config: CLIPConfiguration?
        }
        let kind: Kind = try Self.read(languageURL)
        try ConfigurationError.require(
            kind.model_type == "qwen2", "\(languageURL.path) is a '\(kind.model_type ?? "?")', not a 'qwen2'")
        var sizes: Qwen2Configuration = try Self.read(languageURL)
        sizes.vocabularySize = tokenizer.vocabularySize
        let vision: Kind = try Self.read(clipURL)
        let tower = try vision.vision_config ?? Self.read(clipURL)

        clipPrefix = clip.tensorNames.contains { $0.hasPrefix("vision_model.") } ? "vision_model." : ""
        let stem = convNeXt.tensorNames.first { $0.hasSuffix("stem.0.weight") } ?? "stem.0.weight"
        let prefix = String(stem.dropLast("stem.0.weight".count))
        convNeXtPrefix = prefix
        let trunk = convNeXt
        configuration = try ChatRexConfiguration(
            language: sizes, clip: tower,
            convNeXtShape: {
                trunk.shape(of: Self.convNeXtName($0, prefix: prefix))
            })
        try configuration.validate()
    }

    private static func read<Value: Decodable>(_ folder: URL) throws -> Value {
        let url = folder.appendingPathComponent("config.json")
        guard let text = try? Data(contentsOf: url) else {
            throw ConfigurationError("\(folder.path) has no readable config.json")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: text)
        } catch let error as DecodingError {
            throw ConfigurationError("\(url.path): \(error.readable)")
        }
    }

    /// Writes a model folder: the parts' weights one at a time, fresh projectors, and rows for the tags and indices, which start
    /// as the mean of the others.
    ///
    /// - Parameter dtype: of the written weights; nil keeps the parts'.
    public func write(to folder: URL, dtype: DType? = nil, seed: UInt64 = 0) throws {
        let model = try ChatRexModel(configuration, ParameterStore(device: .meta).weights)
        try Runtime.seed(seed)
        let fresh = ParameterStore()
        let width = configuration.language.width
        _ = try Projector(configuration.imageChannels, width, fresh.weights / ChatRexModel.imageProjectorPath)
        _ = try Projector(configuration.objectChannels, width, fresh.weights / ChatRexModel.objectProjectorPath)
        let entries = try model.weights.entries.map { entry in
            if let tensor = fresh[entry.name] { return try written(entry, dtype) { tensor } }
            let (archive, name) = source(of: entry.name)
            let isTable = entry.name == "model.embed_tokens.weight" || entry.name == "lm_head.weight"
            let found = archive.shape(of: name)
            // Tables get rows for new tokens, or lose those that pad them.
            let fits = isTable ? found?.dropFirst() == entry.tensor.shape.dropFirst() : found == entry.tensor.shape
            try ConfigurationError.require(
                fits, "\(name) is \(found.map { "\($0)" } ?? "missing") instead of \(entry.tensor.shape)")
            return try written(entry, dtype) {
                let tensor = try archive.tensor(named: name)
                if !isTable { return tensor }
                return try AddedTokenRows.resized(tensor, keeping: languageRows, to: entry.tensor.size(0))
            }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try AtomicFile.write(configuration.json(), to: folder.appendingPathComponent("config.json"))
        try tokenizer.write(to: folder.appendingPathComponent("tokenizer.json"))
        try SafetensorsWriter.write(entries, toFolder: folder)
    }

    private func written(_ entry: ParameterStore.Entry, _ dtype: DType?, _ tensor: @escaping () throws -> Tensor) throws
        -> SafetensorsWriter.Entry
    {
        let stored = try dtype ?? tensor().dtype
        return SafetensorsWriter.Entry(
            name: entry.name, elementType: ElementType(stored), shape: entry.tensor.shape
        ) { sink in
            try tensor().to(dtype: stored).withUnsafeBytes { try sink($0) }
        }
    }

    /// Where a tensor of the model comes from.
    private func source(of name: String) -> (any TensorArchive, String) {
        let tower = ChatRexModel.clipPath + ".", trunk = ChatRexModel.convNeXtPath + "."
        if name.hasPrefix(tower) { return (clip, clipPrefix + name.dropFirst(tower.count)) }
        if name.hasPrefix(trunk) { return (convNeXt, Self.convNeXtName(name, prefix: convNeXtPrefix)) }
        return (language, name)
    }

    /// `vision_tower_aux.vision_stages.0.blocks.0.ramma` is `stages.0.blocks.0.gamma` at timm.
    private static func convNeXtName(_ name: String, prefix: String) -> String {
        let own = name.dropFirst(ChatRexModel.convNeXtPath.count + 1).dropFirst("vision_".count)
        return prefix + (own.hasSuffix(".ramma") ? own.dropLast("ramma".count) + "gamma" : own)
    }
}
