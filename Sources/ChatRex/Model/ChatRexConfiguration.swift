// The sizes of a whole ChatRex model and where they are written. Reference: chatrex-mllm.md, section 2.

import Checkpoints
import Foundation
import LanguageModels
import TorchNN
import VisionEncoders

/// Sizes of every part, from `config.json` and, where that is silent, from the tensors' shapes.
public struct ChatRexConfiguration: Sendable, Equatable {
    public var language: Qwen2Configuration
    public var clip: CLIPConfiguration
    public var convNeXt: ConvNeXtConfiguration
    /// Side of the high-resolution input in pixels.
    public var highResolution: Int
    /// Hidden state of CLIP that gives the image tokens; negative counts from the last.
    public var clipLayer: Int
    /// Share of the smaller of two boxes that may lie within the larger where both are listed under one phrase; the later one is not
    /// offered above it. 1 lists all, as the released models do; small models list parts of a thing beside the thing.
    public var nestingLimit = 1.0
    /// How prompts and answers name boxes.
    public var boxNotation = BoxNotation.indices
    /// Whose features stand for boxes.
    public var objectFeatures = ObjectFeatures.convNeXt

    public init(
        language: Qwen2Configuration, clip: CLIPConfiguration, convNeXt: ConvNeXtConfiguration, highResolution: Int,
        clipLayer: Int = -2
    ) {
        (self.language, self.clip, self.convNeXt) = (language, clip, convNeXt)
        (self.highResolution, self.clipLayer) = (highResolution, clipLayer)
    }

    public static let qwen25_7B = ChatRexConfiguration(
        language: .qwen25_7B, clip: .large336, convNeXt: .large, highResolution: 768)
    public static let qwen25_3B = ChatRexConfiguration(
        language: .qwen25_3B, clip: .large336, convNeXt: .large, highResolution: 768)

    /// The built-in model: laptop scale.
    /// - Parameter vocabularySize: of its tokenizer
    public static func nano(vocabularySize: Int) -> ChatRexConfiguration {
        var configuration = ChatRexConfiguration(
            language: Qwen2Configuration(
                width: 256, hiddenWidth: 640, layerCount: 4, headCount: 4, keyValueHeadCount: 4,
                vocabularySize: vocabularySize,
                // Content can only be matched in rotary channels that hardly turn over a sequence; with the usual 10,000 a head of
                // 64 channels has few of them.
                ropeTheta: 1e10, maxPositions: 4096, tiesEmbeddings: true),
            clip: CLIPConfiguration(
                imageSize: 160, patchSize: 16, width: 128, layerCount: 4, headCount: 4, hiddenWidth: 512),
            convNeXt: ConvNeXtConfiguration(widths: [32, 64, 128, 256], depths: [2, 2, 6, 2]), highResolution: 320)
        configuration.nestingLimit = 0.8
        return configuration
    }

    /// Channels of an image token before its projector.
    public var imageChannels: Int { clip.width + (convNeXt.widths.last ?? 0) }
    /// Channels of an object feature before its projector.
    public var objectChannels: Int {
        switch objectFeatures {
        case .convNeXt: convNeXt.widths.reduce(0, +)
        case .clip: clip.width
        }
    }
    /// Rows that a picture takes in the sequence.
    public var imageTokenCount: Int { clip.gridSide * clip.gridSide }

    /// - Throws: `ConfigurationError` or `LanguageModelError` naming the numbers that do not fit.
    public func validate() throws {
        try language.validate()
        try clip.validate()
        try convNeXt.validate()
        try ConfigurationError.require(
            (convNeXt.stride...16384).contains(highResolution) && highResolution % convNeXt.stride == 0
                && highResolution / convNeXt.stride == clip.gridSide,
            "the high-resolution input of \(highResolution) px gives \(highResolution / convNeXt.stride) cells a side, "
                + "CLIP gives \(clip.gridSide); they must agree")
        try ConfigurationError.require(
            (0...1).contains(nestingLimit), "the nesting limit is \(nestingLimit); it must be in 0...1")
        try ConfigurationError.require(
            objectChannels % 8 == 0,
            "the \(objectChannels) channels of objects must be a multiple of 8 for the box embedding")
    }
}

// MARK: Reading

extension ChatRexConfiguration {
    /// What this package adds to `config.json`, so that its own models describe themselves fully.
    private struct File: Codable {
        var modelType: String?
        var clipLayer: Int?
        var clipFeature: String?
        var visualDropout: Double?
        var clip: CLIPConfiguration?
        var convNeXt: ConvNeXtConfiguration?
        var highResolution: Int?
        var nestingLimit: Double?
        var boxNotation: BoxNotation?
        var objectFeatures: ObjectFeatures?

        enum CodingKeys: String, CodingKey {
            case modelType = "model_type"
            case clipLayer = "mm_vision_select_layer"
            case clipFeature = "mm_vision_select_feature"
            case visualDropout = "vis_during_training_prob"
            case clip = "clip_config"
            case convNeXt = "convnext_config"
            case highResolution = "high_resolution"
            case nestingLimit = "nesting_limit"
            case boxNotation = "box_notation"
            case objectFeatures = "object_features"
        }
    }

    static let modelType = "rexseek_qwen"

    /// Reads a model folder's `config.json`; sizes that it lacks come from `clip_config.json` and the tensors' shapes.
    ///
    /// - Parameter shape: shape of a tensor by its name in the model (without a leading extra `model.`), or nil.
    /// - Throws: `ConfigurationError` when the model is of another kind or its sizes do not fit together.
    public init(folder: URL, shape: (String) -> [Int]?) throws {
        guard let text = try? Data(contentsOf: folder.appendingPathComponent("config.json")) else {
            throw ChatRexError.model("\(folder.path) has no readable config.json")
        }
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: text)
            language = try JSONDecoder().decode(Qwen2Configuration.self, from: text)
        } catch let error as DecodingError {
            throw ConfigurationError("config.json of \(folder.lastPathComponent): \(error.readable)")
        }
        try ConfigurationError.require(
            file.modelType == Self.modelType,
            "model_type is '\(file.modelType ?? "missing")'; this package runs '\(Self.modelType)' (Qwen2-based ChatRex and RexSeek)"
        )
        try ConfigurationError.require(
            file.clipFeature ?? "patch" == "patch",
            "mm_vision_select_feature '\(file.clipFeature ?? "")' is not supported, only 'patch'")
        if let rows = shape("model.embed_tokens.weight")?.first { language.vocabularySize = rows }
        clip = try file.clip ?? Self.readCLIP(folder) ?? Self.inferredCLIP(shape)
        convNeXt = try file.convNeXt ?? Self.inferredConvNeXt(shape)
        highResolution = file.highResolution ?? clip.gridSide * convNeXt.stride
        clipLayer = file.clipLayer ?? -2
        nestingLimit = file.nestingLimit ?? 1
        boxNotation = file.boxNotation ?? .indices
        objectFeatures = file.objectFeatures ?? .convNeXt
        try validate()
    }

    /// Sizes around a language model and a CLIP tower, of which ConvNeXt's come from its tensors.
    /// - Parameter shape: shape of a ConvNeXt tensor by its name in the model, or nil.
    init(language: Qwen2Configuration, clip: CLIPConfiguration, convNeXtShape shape: (String) -> [Int]?) throws {
        let convNeXt = try Self.inferredConvNeXt(shape)
        self.init(
            language: language, clip: clip, convNeXt: convNeXt, highResolution: clip.gridSide * convNeXt.stride)
    }

    private static func readCLIP(_ folder: URL) throws -> CLIPConfiguration? {
        guard let text = try? Data(contentsOf: folder.appendingPathComponent("clip_config.json")) else { return nil }
        do {
            return try JSONDecoder().decode(CLIPConfiguration.self, from: text)
        } catch let error as DecodingError {
            throw ConfigurationError("clip_config.json of \(folder.lastPathComponent): \(error.readable)")
        }
    }

    /// CLIP's sizes from its tensors; heads are 64 wide in every published tower.
    private static func inferredCLIP(_ shape: (String) -> [Int]?) throws -> CLIPConfiguration {
        let root = ChatRexModel.clipPath
        guard let patch = shape(root + ".embeddings.patch_embedding.weight"), patch.count == 4,
            let positions = shape(root + ".embeddings.position_embedding.weight"), positions.count == 2,
            let hidden = shape(root + ".encoder.layers.0.mlp.fc1.weight"), hidden.count == 2
        else { throw ConfigurationError("neither config.json nor clip_config.json nor the tensors tell CLIP's sizes") }
        let side = Int(Double(max(positions[0] - 1, 0)).squareRoot())
        let layers = count { shape(root + ".encoder.layers.\($0).layer_norm1.weight") != nil }
        return CLIPConfiguration(
            imageSize: side * patch[2], patchSize: patch[2], width: patch[0], layerCount: layers,
            headCount: max(patch[0] / 64, 1),
            hiddenWidth: hidden[0])
    }

    private static func inferredConvNeXt(_ shape: (String) -> [Int]?) throws -> ConvNeXtConfiguration {
        let root = ChatRexModel.convNeXtPath + ".vision_stages"
        let stages = count { shape(root + ".\($0).blocks.0.norm.weight") != nil }
        guard stages > 0 else { throw ConfigurationError("neither config.json nor the tensors tell ConvNeXt's sizes") }
        return ConvNeXtConfiguration(
            widths: (0..<stages).map { shape(root + ".\($0).blocks.0.norm.weight")?.first ?? 0 },
            depths: (0..<stages).map { stage in count { shape(root + ".\(stage).blocks.\($0).norm.weight") != nil } })
    }

    /// How many numbers from 0 on satisfy a condition.
    private static func count(_ exists: (Int) -> Bool) -> Int {
        var number = 0
        while number < 4096 && exists(number) { number += 1 }
        return number
    }

    /// The text of a `config.json` that reads back as this configuration.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = File(
            modelType: Self.modelType, clipLayer: clipLayer, clipFeature: "patch", visualDropout: 0, clip: clip,
            convNeXt: convNeXt, highResolution: highResolution, nestingLimit: nestingLimit, boxNotation: boxNotation,
            objectFeatures: objectFeatures)
        let parts = try [encoder.encode(language), encoder.encode(file)].map {
            try JSONSerialization.jsonObject(with: $0) as? [String: Any] ?? [:]
        }
        var merged = parts[0].merging(parts[1]) { first, _ in first }
        merged["architectures"] = ["RexSeekQwenForCausalLM"]
        merged["mm_hidden_size"] = imageChannels
        merged["object_hidden_size"] = objectChannels
        return try JSONSerialization.data(withJSONObject: merged, options: [.prettyPrinted, .sortedKeys])
    }
}
