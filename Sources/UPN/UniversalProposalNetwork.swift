// The Universal Proposal Network of ChatRex (arXiv 2411.18363, section 3.1): a two-stage deformable DETR whose two learned prompts
// ask for fine boxes (parts and small things) or coarse ones (whole instances). Reference: upn.md.
//
// Shapes: B pictures, L levels, S tokens of all levels, K queries, C channels.

import Torch
import TorchNN
import VisionEncoders

/// Which boxes are asked for.
public enum Granularity: String, Sendable, CaseIterable, Codable {
    case fine, coarse
}

/// The network. Tensor names are those of the released `upn_large.pth`.
public final class UniversalProposalNetwork: Module {
    public let configuration: UPNConfiguration
    public let backbone: Swin
    let necks: FeaturePyramid
    let levelEmbedding: Tensor
    let encoderLayers: [DeformableEncoderLayer]
    let decoder: DeformableDecoder
    let content: Embedding
    let selectionOutput: Linear
    let selectionNorm: LayerNorm
    let selectionBoxHead: MLP
    /// One head refines boxes in every layer and reads the result.
    let boxHead: MLP
    let finePrompt: Tensor, coarsePrompt: Tensor
    /// Whether the layers of encoder and decoder keep their inputs alone for the backward pass and are computed again in it, see
    /// `recomputed`; the backbone has a switch of its own.
    public var recomputesActivations = false {
        didSet { decoder.recomputesActivations = recomputesActivations }
    }

    public init(_ configuration: UPNConfiguration, _ weights: Weights) throws {
        try configuration.validate()
        self.configuration = configuration
        let width = configuration.width, transformer = weights / "transformer"
        backbone = try Swin(configuration.backbone, weights / "backbone" / "model" / "backbone")
        let stages = configuration.backbone.returnedStages.map(configuration.backbone.width(of:))
        necks = try FeaturePyramid(
            stages, width, levelCount: configuration.levelCount, groups: configuration.groupCount,
            weights / "input_proj")
        levelEmbedding = try transformer.parameter(
            "level_embed", [configuration.levelCount, width], .normal(deviation: 1))
        encoderLayers = try (0..<configuration.encoderLayerCount).map {
            try DeformableEncoderLayer(configuration.deformable, transformer / "encoder" / "layers" / $0)
        }
        decoder = try DeformableDecoder(configuration, transformer / "decoder")
        content = try Embedding(configuration.queryCount, width, transformer / "tgt_embed", initializer: .xavierUniform)
        selectionOutput = try Linear(width, width, transformer / "enc_output", initializer: .xavierUniform)
        selectionNorm = try LayerNorm(width, transformer / "enc_output_norm")
        selectionBoxHead = try MLP(
            [width, width, width, 4], transformer / "enc_out_bbox_embed", initializer: .xavierUniform,
            lastInitializer: .zeros)
        boxHead = try MLP(
            [width, width, width, 4], weights / "bbox_embed" / 0, initializer: .xavierUniform, lastInitializer: .zeros)
        // Small at first: with unit prompts the dot-product logits would start with a deviation of sqrt(C).
        let initial = Initializer.normal(deviation: 0.05)
        finePrompt = try (transformer / "fine_grained_prompt").parameter("weight", [1, width], initial)
        coarsePrompt = try (transformer / "coarse_grained_prompt").parameter("weight", [1, width], initial)
        super.init(weights)
    }

    /// What the encoder made of a batch; serves both granularities.
    public struct Memory {
        /// [B, S, C]
        public let tokens: Tensor
        /// True = padding, [B, S, 1]
        public let mask: Tensor
        public let levels: FeatureLevels
        /// Anchors before the logistic function, [B, S, 4]; infinite where invalid.
        public let anchors: Tensor
        /// Tokens as the selection sees them, [B, S, C].
        public let candidates: Tensor
        /// The selection's boxes before the logistic function, [B, S, 4].
        public let coordinates: Tensor
    }

    /// The tokens that become queries, best first.
    public struct Selection {
        /// Scores of all tokens, [B, S].
        public let scores: Tensor
        /// int64 [B, K]
        public let indices: Tensor
        /// [B, K]
        public let logits: Tensor
        /// Boxes before the logistic function, [B, K, 4]; gradients flow through them.
        public let coordinates: Tensor
    }

    /// Runs backbone and encoder.
    ///
    /// - Parameters:
    ///   - pixels: normalised, [B, 3, H, W], pictures at the top left and zeros elsewhere
    ///   - mask: bool [B, H, W], true = padding; nil when all pictures fill the canvas
    ///   - observe: sees named intermediate tensors, for tests and probes.
    public func encode(_ pixels: Tensor, mask: Tensor? = nil, observe: ((String, Tensor) -> Void)? = nil) throws
        -> Memory
    {
        let (b, _, height, width) = try pixels.shape4()
        let mask = try mask ?? Tensor.zeros([b, height, width], dtype: .bool, device: pixels.device)
        let maps = try backbone(pixels)
        for (index, map) in maps.enumerated() { observe?("backbone.\(index)", map) }
        let features = try necks(maps)
        for (index, feature) in features.enumerated() { observe?("src.\(index)", feature) }
        let levels = try FeatureLevels(sizes: features.map { ($0.size(2), $0.size(3)) }, mask: mask)
        let positions = try levels.masks.enumerated().map { level, mask in
            let sine = try SineEmbedding.positions(mask, channels: configuration.width)  // [B, h, w, C]
            observe?("pos.\(level)", try sine.permuted(0, 3, 1, 2))
            return try sine.flattened(from: 1, to: 2) + levelEmbedding[.at(level)]
        }
        let flatMask = try levels.flatMask().unsqueezed(-1)
        let placed = try Tensor.concatenated(positions, dimension: 1)
        let references = try levels.encoderReferences()
        var tokens = try Tensor.concatenated(features.map { try $0.flattened(from: 2).transposed(1, 2) }, dimension: 1)
        for layer in encoderLayers {
            tokens = try recomputed([tokens, placed], if: recomputesActivations) {
                try layer($0[0], positions: $0[1], references: references, mask: flatMask, levels: levels)
            }
        }
        let (anchors, valid) = try levels.anchors()
        let candidates = try selectionNorm(selectionOutput(tokens.filled(where: valid.logicalNot(), with: 0)))
        let coordinates = try selectionBoxHead(candidates).converted(to: .float32) + anchors
        return Memory(
            tokens: tokens, mask: flatMask, levels: levels, anchors: anchors, candidates: candidates,
            coordinates: coordinates)
    }

    /// Picks the K best tokens for a prompt; all of them where a small or narrow picture has fewer than there are queries.
    public func select(_ memory: Memory, _ granularity: Granularity) throws -> Selection {
        // [B, S]
        let scores = try memory.candidates.matmul(prompt(granularity, memory.candidates.dtype)).converted(to: .float32)
        let (logits, indices) = try scores.top(min(configuration.queryCount, scores.size(1)), dimension: 1)
        let picked = try memory.coordinates.gathered(1, indices.unsqueezed(-1).expanded(-1, -1, 4))
        return Selection(scores: scores, indices: indices, logits: logits, coordinates: picked)
    }

    /// Decodes a selection.
    /// - Parameter extra: queries put before the selected ones (denoising).
    public func decode(_ memory: Memory, _ selection: Selection, _ granularity: Granularity, extra: ExtraQueries? = nil)
        throws
        -> DecoderOutput
    {
        let (batch, count) = (memory.tokens.size(0), selection.coordinates.size(1))
        var queries = try content.weight[.range(0..<count)].unsqueezed(0).expanded(batch, -1, -1)
        var references = try selection.coordinates.detached()
        if let extra {
            queries = try Tensor.concatenated([extra.content, queries], dimension: 1)
            references = try Tensor.concatenated([extra.references, references], dimension: 1)
        }
        return try decoder(
            content: queries, references: references, memory: memory.tokens, mask: memory.mask, levels: memory.levels,
            attentionMask: extra?.attentionMask, boxHead: boxHead, prompt: prompt(granularity, .float32))
    }

    /// The prompt's vector, [C].
    private func prompt(_ granularity: Granularity, _ dtype: DType) throws -> Tensor {
        try (granularity == .fine ? finePrompt : coarsePrompt)[0].to(dtype: dtype)
    }
}
