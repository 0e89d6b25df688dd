// Grounding DINO (Liu et al. 2023, arXiv 2303.05499): a two-stage deformable DETR whose encoder, choice of queries and decoder read a
// text. Names and behaviour of Hugging Face's `GroundingDinoForObjectDetection`.
//
// Shapes: B pictures, L levels, S tokens of all levels, T tokens of the text, K queries, C channels.

import LanguageModels
import Torch
import TorchNN
import UPN
import VisionEncoders

/// The network. Tensor names are those of Hugging Face's checkpoints, but for the parts that `GroundingDINOCheckpointKeys` lists.
public final class GroundingDINONetwork: Module {
    public let configuration: GroundingDINOConfiguration
    let backbone: Swin
    let necks: FeaturePyramid
    let levelEmbedding: Tensor
    let textEncoder: Bert
    let textProjection: Linear
    let encoderLayers: [GroundingEncoderLayer]
    let decoder: GroundingDecoder
    /// Scores and boxes of the encoder's tokens; nil where queries start from learned boxes.
    let candidates: CandidateHead?
    /// Learned boxes before the logistic function; nil in two stages.
    let queryBoxes: Embedding?
    /// nil where queries take over what the encoder has at their places.
    let queryContent: Embedding?
    /// One for each decoder layer, or one that all share.
    let boxHeads: [MLP]

    public init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let (width, model) = (configuration.width, weights / "model")
        backbone = try Swin(configuration.backbone, model / "backbone" / "conv_encoder" / "model")
        necks = try FeaturePyramid(
            configuration.backbone.returnedStages.map(configuration.backbone.width(of:)), width,
            levelCount: configuration.levelCount, groups: GroundingDINOConfiguration.groupCount,
            model / "input_proj_vision")
        levelEmbedding = try model.parameter("level_embed", [configuration.levelCount, width], .normal(deviation: 1))
        textEncoder = try Bert(configuration.text, model / "text_backbone")
        textProjection = try Linear(configuration.text.width, width, model / "text_projection")
        encoderLayers = try (0..<configuration.encoderLayerCount).map {
            try GroundingEncoderLayer(configuration, model / "encoder" / "layers" / $0)
        }
        decoder = try GroundingDecoder(configuration, model / "decoder")
        let isTwoStage = configuration.isTwoStage
        candidates = isTwoStage ? try CandidateHead(configuration, model) : nil
        queryBoxes = isTwoStage ? nil : try Embedding(configuration.queryCount, 4, model / "reference_points")
        queryContent =
            isTwoStage && !configuration.learnsContent
            ? nil : try Embedding(configuration.queryCount, width, model / "query_position_embeddings")
        boxHeads = try (0..<(configuration.sharesBoxHead ? 1 : configuration.decoderLayerCount)).map {
            try MLP([width, width, width, 4], weights / "bbox_embed" / $0)
        }
        super.init(weights)
    }

    /// Pictures before they have met a text.
    public struct Picture {
        /// [B, S, C]
        public let tokens: Tensor
        /// Where the tokens are, [B, S, C]
        let positions: Tensor
        /// [B, S, L, 2]
        let references: Tensor
        /// True = padding, [B, S, 1]
        let mask: Tensor
        /// A box at each token before the logistic function, [B, S, 4]; infinite where invalid
        let anchors: Tensor
        /// Which tokens may become queries, [B, S, 1]
        let isCandidate: Tensor
        let levels: FeatureLevels
    }

    /// What the encoder made of pictures and texts.
    public struct Memory {
        /// Of the pictures, [B, S, C].
        public let tokens: Tensor
        /// Of the texts, [B, T, C].
        public let words: Tensor
        /// False = padding, [B, T]
        public let isToken: Tensor
        let picture: Picture
    }

    /// The queries that are decoded, best first.
    public struct Selection {
        /// The tokens that they come from, int64 [B, K]; nil where they are learned.
        public let indices: Tensor?
        /// Boxes before the logistic function, [B, K, 4].
        public let coordinates: Tensor
        /// [B, K, C]
        public let content: Tensor
    }

    // MARK: Picture and text

    /// Runs the backbone.
    ///
    /// - Parameters:
    ///   - pixels: normalised, [B, 3, H, W], pictures at the top left and zeros elsewhere
    ///   - mask: bool [B, H, W], true = padding
    public func picture(_ pixels: Tensor, mask: Tensor) throws -> Picture {
        let features = try necks(backbone(pixels))
        let levels = try FeatureLevels(sizes: features.map { ($0.size(2), $0.size(3)) }, mask: mask)
        let positions = try levels.masks.enumerated().map { level, mask in
            let sine = try SineEmbedding.positions(
                mask, channels: configuration.width, temperature: configuration.positionTemperature)  // [B, h, w, C]
            return try sine.flattened(from: 1, to: 2) + levelEmbedding[.at(level)]
        }
        let (anchors, isCandidate) = try levels.anchors()
        return Picture(
            tokens: try Tensor.concatenated(features.map { try $0.flattened(from: 2).transposed(1, 2) }, dimension: 1),
            positions: try Tensor.concatenated(positions, dimension: 1), references: try levels.encoderReferences(),
            mask: try levels.flatMask().unsqueezed(-1), anchors: anchors, isCandidate: isCandidate, levels: levels)
    }

    /// Runs the text encoder, then the encoder over picture and text.
    public func encode(_ picture: Picture, _ text: GroundingText) throws -> Memory {
        var words = try textProjection(textEncoder(text.ids, mask: text.visible, positions: text.positions))
        var tokens = picture.tokens
        let angles = try text.positions.converted(to: .float32) * (2 * Double.pi)
        let wordPositions = try SineEmbedding.embed(angles, features: configuration.width, temperature: 10_000)
        for layer in encoderLayers {
            (tokens, words) = try layer(tokens, words, picture: picture, text: text, wordPositions: wordPositions)
        }
        return Memory(tokens: tokens, words: words, isToken: text.isToken, picture: picture)
    }

    // MARK: Queries

    /// Picks the tokens that are most like a word; all of them where a small picture has fewer than there are queries.
    public func select(_ memory: Memory) throws -> Selection {
        guard let candidates else { return try learnedQueries(memory) }
        let content = try candidates.content(memory)
        let scores = try logits(content, memory).max(-1).values  // [B, S]
        let indices = try scores.top(min(configuration.queryCount, scores.size(1)), dimension: 1).indices
        return try selection(memory, candidates, content, at: indices)
    }

    /// The queries that start from given tokens.
    /// - Parameter indices: int64 [B, K], at most as many as there are queries; without two stages they do not matter.
    public func selection(_ memory: Memory, at indices: Tensor) throws -> Selection {
        guard let candidates else { return try learnedQueries(memory) }
        return try selection(memory, candidates, candidates.content(memory), at: indices)
    }

    private func selection(_ memory: Memory, _ head: CandidateHead, _ content: Tensor, at indices: Tensor) throws
        -> Selection
    {
        let (batch, count) = try indices.shape2()
        let rows = try indices.unsqueezed(-1)
        let picked = try content.gathered(1, rows.expanded(-1, -1, configuration.width))
        let anchors = try memory.picture.anchors.gathered(1, rows.expanded(-1, -1, 4))
        let learned = try queryContent?.weight[.upTo(count)].unsqueezed(0).expanded(batch, -1, -1)
        return Selection(
            indices: indices, coordinates: try head.boxHead(picked).converted(to: .float32) + anchors,
            content: learned ?? picked)
    }

    private func learnedQueries(_ memory: Memory) throws -> Selection {
        guard let queryBoxes, let queryContent else {
            throw GroundingDINOError.model("the network has neither a first stage nor learned queries")
        }
        let batch = memory.tokens.size(0)
        func repeated(_ table: Embedding) throws -> Tensor {
            try table.weight.unsqueezed(0).expanded(batch, -1, -1)
        }
        return Selection(indices: nil, coordinates: try repeated(queryBoxes), content: try repeated(queryContent))
    }

    /// Decodes a selection.
    ///
    /// - Returns: for each query how much it is like each token, [B, K, T], before the logistic function (minus infinity for padding);
    ///   and its box, [B, K, 4] as cx, cy, w, h in 0…1.
    public func decode(_ memory: Memory, _ selection: Selection) throws -> (logits: Tensor, boxes: Tensor) {
        let heads = decoder.layers.indices.map { boxHeads[min($0, boxHeads.count - 1)] }
        let (hidden, boxes) = try decoder(
            content: selection.content, coordinates: selection.coordinates, memory: memory, boxHeads: heads)
        return (try logits(hidden, memory), boxes)
    }

    /// Products of [B, N, C] with the words, [B, N, T].
    private func logits(_ x: Tensor, _ memory: Memory) throws -> Tensor {
        try x.matmul(memory.words.transposed(1, 2)).converted(to: .float32)
            .filled(where: memory.isToken.logicalNot().unsqueezed(1), with: -.infinity)
    }
}

/// The first stage: what the encoder's tokens have to say. Names: `enc_output`, `enc_output_norm`, `encoder_output_bbox_embed`.
final class CandidateHead: Module {
    let projection: Linear
    let norm: LayerNorm
    let boxHead: MLP

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        let width = configuration.width
        projection = try Linear(width, width, weights / "enc_output")
        norm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "enc_output_norm")
        boxHead = try MLP([width, width, width, 4], weights / "encoder_output_bbox_embed")
        super.init(weights)
    }

    /// [B, S, C]; tokens at the border and in padding say nothing.
    func content(_ memory: GroundingDINONetwork.Memory) throws -> Tensor {
        try norm(projection(memory.tokens.filled(where: memory.picture.isCandidate.logicalNot(), with: 0)))
    }
}
