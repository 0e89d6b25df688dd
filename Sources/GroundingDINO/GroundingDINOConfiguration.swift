import LanguageModels
import UPN
import VisionEncoders

/// Sizes of a Grounding DINO network.
public struct GroundingDINOConfiguration: Sendable, Equatable {
    public var backbone: SwinConfiguration
    public var text: BertConfiguration
    /// Channels of the transformer; half of them embed each coordinate.
    public var width = 256
    public var levelCount = 4
    public var queryCount = 900
    public var encoderLayerCount = 6, decoderLayerCount = 6
    /// Heads of deformable attention; half as many mix picture and text, and the words of the text.
    public var encoderHeadCount = 8
    public var decoderHeadCount = 8
    /// Width within the feed-forward layers over the picture; half as wide are those over the text and what mixes both.
    public var encoderHiddenWidth = 2048
    public var decoderHiddenWidth = 2048
    public var encoderPointCount = 4, decoderPointCount = 4
    /// Most tokens of a text, `[CLS]` and `[SEP]` included.
    public var maxTokens = 256
    /// Whether queries start from the best places of the encoder; else from learned boxes.
    public var isTwoStage = true
    /// Whether the content of queries is learned; else it is what the encoder has at their places. Without two stages it always is.
    public var learnsContent = true
    /// Whether all decoder layers refine boxes by one head.
    public var sharesBoxHead = true
    /// Of the sine embedding of the places in a map.
    public var positionTemperature = 20.0
    public var normEpsilon = 1e-5

    public init(backbone: SwinConfiguration, text: BertConfiguration = BertConfiguration()) {
        (self.backbone, self.text) = (backbone, text)
    }

    /// Groups of the necks' normalisation.
    static let groupCount = 32

    /// `IDEA-Research/grounding-dino-tiny`: Swin-T.
    public static let tiny = GroundingDINOConfiguration(
        backbone: SwinConfiguration(
            width: 96, depths: [2, 2, 6, 2], headCounts: [3, 6, 12, 24], windowSize: 7, returnedStages: [1, 2, 3]))

    /// `IDEA-Research/grounding-dino-base`: Swin-B.
    public static let base = GroundingDINOConfiguration(
        backbone: SwinConfiguration(
            width: 128, depths: [2, 2, 18, 2], headCounts: [4, 8, 16, 32], windowSize: 12, returnedStages: [1, 2, 3]))

    /// What the encoder's deformable layers need to know.
    var encoder: DeformableSizes {
        DeformableSizes(
            width: width, headCount: encoderHeadCount, levelCount: levelCount, pointCount: encoderPointCount,
            hiddenWidth: encoderHiddenWidth, normEpsilon: normEpsilon)
    }

    /// What the decoder's deformable attention needs to know.
    var decoder: DeformableSizes {
        DeformableSizes(
            width: width, headCount: decoderHeadCount, levelCount: levelCount, pointCount: decoderPointCount,
            hiddenWidth: decoderHiddenWidth, normEpsilon: normEpsilon)
    }

    /// - Throws: `ConfigurationError` or `LanguageModelError` when sizes do not divide or are out of range.
    public func validate() throws {
        try backbone.validate()
        try text.validate()
        let counts = [
            width, levelCount, queryCount, encoderLayerCount, decoderLayerCount, encoderHiddenWidth,
            decoderHiddenWidth, encoderPointCount, decoderPointCount,
        ]
        try ConfigurationError.require(
            counts.allSatisfy { (1...65536).contains($0) } && width % Self.groupCount == 0
                && max(encoderLayerCount, decoderLayerCount) <= 1024
                && max(encoderPointCount, decoderPointCount) <= 1024,
            "Grounding DINO: sizes must be positive, and d_model \(width) a multiple of \(Self.groupCount)")
        try ConfigurationError.require(
            (2...width).contains(encoderHeadCount) && encoderHeadCount % 2 == 0 && width % encoderHeadCount == 0
                && encoderHiddenWidth % encoderHeadCount == 0 && (1...width).contains(decoderHeadCount)
                && width % decoderHeadCount == 0,
            """
            Grounding DINO: d_model \(width) and encoder_ffn_dim \(encoderHiddenWidth) must be multiples of the even \
            encoder_attention_heads \(encoderHeadCount), d_model one of decoder_attention_heads \(decoderHeadCount)
            """)
        try ConfigurationError.require(
            backbone.returnedStages.count <= levelCount && levelCount <= 8,
            """
            Grounding DINO: num_feature_levels \(levelCount) must be at least the \(backbone.returnedStages.count) maps \
            of the backbone and at most 8
            """)
        // [CLS], one token, its full stop and [SEP].
        try ConfigurationError.require(
            4 <= maxTokens && maxTokens <= text.maxPositions,
            """
            Grounding DINO: max_text_len \(maxTokens) must be at least 4 and at most the \(text.maxPositions) positions of \
            the text encoder
            """)
        try ConfigurationError.require(
            positionTemperature > 0 && positionTemperature.isFinite && normEpsilon > 0 && normEpsilon < 1,
            "Grounding DINO: positional_embedding_temperature or layer_norm_eps out of range")
    }
}
