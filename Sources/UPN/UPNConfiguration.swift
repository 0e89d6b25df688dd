import VisionEncoders

/// Sizes of a Universal Proposal Network, as in its `config.json`. Reference: upn.md, section 1.
public struct UPNConfiguration: Codable, Sendable, Equatable {
    public var backbone: SwinConfiguration
    /// Channels of the transformer; half of them embed each coordinate.
    public var width: Int
    public var headCount: Int
    public var pointCount: Int
    public var hiddenWidth: Int
    public var levelCount: Int
    public var encoderLayerCount: Int
    public var decoderLayerCount: Int
    public var queryCount: Int
    public var groupCount: Int
    /// Lower bound in the inverse of the logistic function.
    public var inverseSigmoidEpsilon: Double
    /// Short side that pictures are resized to, and the limit for the long side, pixels.
    public var shortSide: Int, longSide: Int
    /// Lowest score of a proposal that is worth a look, where a caller names none: how high scores are differs between networks.
    public var minimumScore: Double
    /// A proposal that overlaps a better one by more is dropped, where a caller names no limit.
    public var overlapLimit: Double

    enum CodingKeys: String, CodingKey {
        case backbone
        case width = "d_model"
        case headCount = "n_heads"
        case pointCount = "n_points"
        case hiddenWidth = "d_ffn"
        case levelCount = "num_feature_levels"
        case encoderLayerCount = "enc_layers"
        case decoderLayerCount = "dec_layers"
        case queryCount = "num_queries"
        case groupCount = "group_norm_groups"
        case inverseSigmoidEpsilon = "inverse_sigmoid_eps"
        case shortSide = "size"
        case longSide = "max_size"
        case minimumScore = "score_threshold"
        case overlapLimit = "nms_threshold"
    }

    public init(
        backbone: SwinConfiguration, width: Int, headCount: Int = 8, pointCount: Int = 4, hiddenWidth: Int,
        levelCount: Int = 5,
        encoderLayerCount: Int, decoderLayerCount: Int, queryCount: Int, groupCount: Int = 32,
        inverseSigmoidEpsilon: Double = 1e-3,
        shortSide: Int = 800, longSide: Int = 1333, minimumScore: Double = Self.usualMinimumScore,
        overlapLimit: Double = Self.usualOverlapLimit
    ) {
        (self.backbone, self.width, self.headCount, self.pointCount) = (backbone, width, headCount, pointCount)
        (self.hiddenWidth, self.levelCount, self.queryCount) = (hiddenWidth, levelCount, queryCount)
        (self.encoderLayerCount, self.decoderLayerCount, self.groupCount) = (
            encoderLayerCount, decoderLayerCount, groupCount
        )
        self.inverseSigmoidEpsilon = inverseSigmoidEpsilon
        (self.shortSide, self.longSide) = (shortSide, longSide)
        (self.minimumScore, self.overlapLimit) = (minimumScore, overlapLimit)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func int(_ key: CodingKeys, _ fallback: Int) throws -> Int {
            try values.decodeIfPresent(Int.self, forKey: key) ?? fallback
        }
        self.init(
            backbone: try values.decode(SwinConfiguration.self, forKey: .backbone), width: try int(.width, 256),
            headCount: try int(.headCount, 8), pointCount: try int(.pointCount, 4),
            hiddenWidth: try int(.hiddenWidth, 2048),
            levelCount: try int(.levelCount, 5), encoderLayerCount: try int(.encoderLayerCount, 6),
            decoderLayerCount: try int(.decoderLayerCount, 6), queryCount: try int(.queryCount, 900),
            groupCount: try int(.groupCount, 32),
            inverseSigmoidEpsilon: try values.decodeIfPresent(Double.self, forKey: .inverseSigmoidEpsilon) ?? 1e-3,
            shortSide: try int(.shortSide, 800), longSide: try int(.longSide, 1333),
            minimumScore: try values.decodeIfPresent(Double.self, forKey: .minimumScore)
                ?? Self.usualMinimumScore,
            overlapLimit: try values.decodeIfPresent(Double.self, forKey: .overlapLimit)
                ?? Self.usualOverlapLimit)
    }

    /// The limits of the released programs, for networks that state none.
    public static let usualMinimumScore = 0.3, usualOverlapLimit = 0.8

    /// The released `upn_large`.
    public static let large = UPNConfiguration(
        backbone: .large, width: 256, hiddenWidth: 2048, encoderLayerCount: 6, decoderLayerCount: 6, queryCount: 900)

    /// The built-in model: laptop scale. It leaves out the stride-4 level, on which most of the encoder's time would go.
    /// Its scores are low and its boxes come with near copies, hence other limits than usual.
    public static let nano = UPNConfiguration(
        backbone: SwinConfiguration(
            width: 32, depths: [2, 2, 4, 2], headCounts: [1, 2, 4, 8], windowSize: 8, returnedStages: [1, 2, 3]),
        width: 128, hiddenWidth: 256, encoderLayerCount: 2, decoderLayerCount: 3, queryCount: 100, shortSide: 256,
        longSide: 256, minimumScore: 0.15, overlapLimit: 0.5)

    /// What the transformer's layers need to know.
    var deformable: DeformableSizes {
        DeformableSizes(
            width: width, headCount: headCount, levelCount: levelCount, pointCount: pointCount,
            hiddenWidth: hiddenWidth)
    }

    /// - Throws: `ConfigurationError` when sizes do not divide or are out of range.
    public func validate() throws {
        try backbone.validate()
        let counts = [
            width, headCount, pointCount, hiddenWidth, levelCount, encoderLayerCount, decoderLayerCount, queryCount,
            groupCount,
        ]
        try ConfigurationError.require(
            counts.allSatisfy { (1...65536).contains($0) } && width % headCount == 0 && width % 4 == 0
                && width % groupCount == 0,
            "UPN: d_model \(width) must be a multiple of n_heads \(headCount), of group_norm_groups \(groupCount) and of 4"
        )
        try ConfigurationError.require(
            (backbone.returnedStages.count...8).contains(levelCount),
            "UPN: num_feature_levels \(levelCount) must be at least the \(backbone.returnedStages.count) returned stages and at most 8"
        )
        try ConfigurationError.require(
            (16...8192).contains(shortSide) && (shortSide...16384).contains(longSide) && inverseSigmoidEpsilon > 0
                && inverseSigmoidEpsilon < 0.5 && (0...1).contains(minimumScore)
                && (0...1).contains(overlapLimit),
            "UPN: size \(shortSide), max_size \(longSide), inverse_sigmoid_eps, score_threshold or nms_threshold out of range"
        )
    }
}
