// ChatRex (arXiv 2411.18363): two vision encoders, an object encoder and a language model that answers with box indices.
// Reference: chatrex-mllm.md, sections 5 to 9.
//
// Shapes: B pictures, P image tokens, N boxes, T positions of the sequence, D width of the language model.

import LanguageModels
import Torch
import TorchNN
import VisionEncoders

/// The network. Tensor names are those of the released RexSeek/ChatRex checkpoints.
public final class ChatRexModel: Module {
    static let clipPath = "vision_tower.vision_tower.vision_model"
    static let convNeXtPath = "vision_tower_aux"
    static let imageProjectorPath = "mm_projector", objectProjectorPath = "mm_object_projector"

    public let configuration: ChatRexConfiguration
    public let clip: CLIPVisionTower
    public let convNeXt: ConvNeXt
    public let objectEncoder: ObjectEncoder
    public let imageProjector: Projector
    public let objectProjector: Projector
    public let language: Qwen2

    public init(_ configuration: ChatRexConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let width = configuration.language.width
        language = try Qwen2(configuration.language, weights)
        clip = try CLIPVisionTower(configuration.clip, weights / Self.clipPath)
        convNeXt = try ConvNeXt(configuration.convNeXt, weights / Self.convNeXtPath)
        objectEncoder = ObjectEncoder(frameSide: configuration.highResolution)
        imageProjector = try Projector(configuration.imageChannels, width, weights / Self.imageProjectorPath)
        objectProjector = try Projector(configuration.objectChannels, width, weights / Self.objectProjectorPath)
        super.init(weights)
    }

    /// What the encoders make of pictures, before projection.
    public struct VisualFeatures {
        /// CLIP's and ConvNeXt's last channels joined, [B, P, C]
        public let image: Tensor
        /// The maps that boxes are read from, largest first, each [B, C_s, H_s, W_s]
        public let pyramid: [Tensor]
    }

    /// - Parameters:
    ///   - lowResolution: [B, 3, s, s] for CLIP
    ///   - highResolution: [B, 3, S, S] for ConvNeXt
    ///   - trainingConvNeXt: whether gradients flow into ConvNeXt (upstream never trains it).
    public func visualFeatures(lowResolution: Tensor, highResolution: Tensor, trainingConvNeXt: Bool = false) throws
        -> VisualFeatures
    {
        let tokens = try clip.patchTokens(lowResolution, layer: configuration.clipLayer)  // [B, P, C]
        let maps = try withGradients(trainingConvNeXt) { try convNeXt(highResolution) }
        guard let last = maps.last else { throw ConfigurationError("ConvNeXt has no stage") }
        let cells = try last.flattened(from: 2).transposed(1, 2)  // [B, P, C]
        return try VisualFeatures(
            image: Tensor.concatenated([tokens, cells.to(dtype: tokens.dtype)], dimension: -1),
            pyramid: configuration.objectFeatures == .convNeXt ? maps : [grid(tokens)])
    }

    /// The maps that boxes are read from, as in `VisualFeatures`, without the encoder that they do not need.
    public func pyramid(lowResolution: Tensor, highResolution: Tensor) throws -> [Tensor] {
        switch configuration.objectFeatures {
        case .convNeXt: try convNeXt(highResolution)
        case .clip: [try grid(clip.patchTokens(lowResolution, layer: configuration.clipLayer))]
        }
    }

    /// CLIP's tokens [B, P, C] where they lie in the picture, [B, C, h, w].
    private func grid(_ tokens: Tensor) throws -> Tensor {
        let side = configuration.clip.gridSide
        return try tokens.transposed(1, 2).reshaped(tokens.size(0), tokens.size(2), side, side)
    }

    /// Rows that stand for the picture in the sequence, [B, P, D].
    public func imageTokens(_ features: VisualFeatures) throws -> Tensor { try imageProjector(features.image) }

    /// Rows that stand for boxes in the sequence, [B, N, D].
    /// - Parameters:
    ///   - pyramid: of `VisualFeatures`
    ///   - boxes: x1, y1, x2, y2 in the square frame, equally many a picture
    public func objectTokens(_ pyramid: [Tensor], boxes: [[SIMD4<Float>]]) throws -> Tensor {
        let encoded = try objectEncoder(pyramid, boxes: boxes)
        return try objectProjector(encoded.to(dtype: language.embedding.weight.dtype))
    }

    /// Replaces the placeholders of a prompt by rows: text ids by their embeddings, -200 by the image rows, the k-th -300 by object row k.
    ///
    /// - Parameters:
    ///   - ids: a prompt as `PromptLayout` makes it
    ///   - image: [P, D], or nil for a prompt without a picture
    ///   - objects: [N, D]; more rows than placeholders are ignored
    /// - Returns: [T, D], and for each of the T rows the text id it came from or nil
    /// - Throws: `ChatRexError.prompt` when a placeholder has no row.
    public func splice(_ ids: [Int], image: Tensor?, objects: Tensor?) throws -> (rows: Tensor, ids: [Int?]) {
        var pieces: [Tensor] = [], sources: [Int?] = [], text: [Int] = []
        var objectCount = 0
        func flush() throws {
            if text.isEmpty { return }
            let row = try Tensor(text).to(device: language.embedding.weight.device)
            pieces.append(try language.embedding(row))
            sources += text.map { $0 }
            text = []
        }
        for id in ids {
            switch id {
            case Prompt.imageID:
                guard let image else {
                    throw ChatRexError.prompt("the prompt has a place for a picture, but there is none")
                }
                try flush()
                pieces.append(image)
                sources += [Int?](repeating: nil, count: image.size(0))
            case Prompt.objectFeatureID:
                guard let objects, objectCount < objects.size(0) else {
                    throw ChatRexError.prompt(
                        "the prompt has more places for objects than the \(objects?.size(0) ?? 0) boxes given")
                }
                try flush()
                pieces.append(try objects[.range(objectCount..<(objectCount + 1))])
                sources.append(nil)
                objectCount += 1
            default:
                guard (0..<configuration.language.vocabularySize).contains(id) else {
                    throw ChatRexError.prompt(
                        "token \(id) is outside the vocabulary of \(configuration.language.vocabularySize)")
                }
                text.append(id)
            }
        }
        try flush()
        let dtype = language.embedding.weight.dtype
        return (try Tensor.concatenated(pieces.map { try $0.to(dtype: dtype) }), sources)
    }
}
