// Hugging Face's `config.json`. What a file leaves out has the value that transformers gives it.

import LanguageModels
import VisionEncoders

extension GroundingDINOConfiguration: Decodable {
    enum CodingKeys: String, CodingKey {
        case kind = "model_type"
        case backbone = "backbone_config"
        case text = "text_config"
        case width = "d_model"
        case levelCount = "num_feature_levels"
        case queryCount = "num_queries"
        case encoderLayerCount = "encoder_layers"
        case decoderLayerCount = "decoder_layers"
        case encoderHeadCount = "encoder_attention_heads"
        case decoderHeadCount = "decoder_attention_heads"
        case encoderHiddenWidth = "encoder_ffn_dim"
        case decoderHiddenWidth = "decoder_ffn_dim"
        case encoderPointCount = "encoder_n_points"
        case decoderPointCount = "decoder_n_points"
        case maxTokens = "max_text_len"
        case isTwoStage = "two_stage"
        case learnsContent = "embedding_init_target"
        case sharesBoxHead = "decoder_bbox_embed_share"
        case positionTemperature = "positional_embedding_temperature"
        case normEpsilon = "layer_norm_eps"
        case positionKind = "position_embedding_type"
        case activation = "activation_function"
        case boxNumbers = "query_dim"
        case usesTimm = "use_timm_backbone"
    }

    /// Reads a `config.json`.
    ///
    /// - Throws: `ConfigurationError` for another kind of model and for switches that none of the released checkpoints uses.
    public init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try file.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        guard file.contains(.kind) else { throw ConfigurationError("it names no model_type") }
        try file.require(.kind, is: "grounding-dino")
        try file.require(.positionKind, is: "sine")
        try file.require(.activation, is: "relu")
        try file.require(.boxNumbers, is: 4)
        try file.require(.usesTimm, is: false)
        self = .tiny
        backbone = try file.decodeIfPresent(SwinFile.self, forKey: .backbone)?.configuration ?? backbone
        text = try file.decodeIfPresent(BertFile.self, forKey: .text)?.configuration ?? text
        try read(.width, &width)
        try read(.levelCount, &levelCount)
        try read(.queryCount, &queryCount)
        try read(.encoderLayerCount, &encoderLayerCount)
        try read(.decoderLayerCount, &decoderLayerCount)
        try read(.encoderHeadCount, &encoderHeadCount)
        try read(.decoderHeadCount, &decoderHeadCount)
        try read(.encoderHiddenWidth, &encoderHiddenWidth)
        try read(.decoderHiddenWidth, &decoderHiddenWidth)
        try read(.encoderPointCount, &encoderPointCount)
        try read(.decoderPointCount, &decoderPointCount)
        try read(.maxTokens, &maxTokens)
        try read(.isTwoStage, &isTwoStage)
        try read(.learnsContent, &learnsContent)
        try read(.sharesBoxHead, &sharesBoxHead)
        try read(.positionTemperature, &positionTemperature)
        try read(.normEpsilon, &normEpsilon)
    }
}

/// The backbone's part of the file.
private struct SwinFile: Decodable {
    let configuration: SwinConfiguration

    enum CodingKeys: String, CodingKey {
        case kind = "model_type"
        case patchSize = "patch_size"
        case width = "embed_dim"
        case depths
        case headCounts = "num_heads"
        case windowSize = "window_size"
        case mlpRatio = "mlp_ratio"
        case normEpsilon = "layer_norm_eps"
        case maps = "out_indices"
        case mapNames = "out_features"
        case activation = "hidden_act"
        case hasBias = "qkv_bias"
        case hasPositions = "use_absolute_embeddings"
    }

    init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ usual: Value) throws -> Value {
            try file.decodeIfPresent(Value.self, forKey: key) ?? usual
        }
        try file.require(.kind, is: "swin")
        try file.require(.activation, is: "gelu")
        try file.require(.hasBias, is: true)
        try file.require(.hasPositions, is: false)
        let usual = GroundingDINOConfiguration.tiny.backbone
        let depths = try value(.depths, usual.depths)
        // Map 0 is the stem's, then come those of the stages.
        let named = try file.decodeIfPresent([String].self, forKey: .mapNames)?.map { name in
            name.hasPrefix("stage") ? Int(name.dropFirst("stage".count)) ?? 0 : 0
        }
        let maps = try file.decodeIfPresent([Int].self, forKey: .maps) ?? named ?? [depths.count]
        configuration = SwinConfiguration(
            patchSize: try value(.patchSize, usual.patchSize), width: try value(.width, usual.width), depths: depths,
            headCounts: try value(.headCounts, usual.headCounts),
            windowSize: try value(.windowSize, usual.windowSize), mlpRatio: try value(.mlpRatio, usual.mlpRatio),
            returnedStages: maps.map { $0 &- 1 }, layerNormEpsilon: try value(.normEpsilon, usual.layerNormEpsilon))
    }
}

/// The text encoder's part of the file.
private struct BertFile: Decodable {
    let configuration: BertConfiguration

    enum CodingKeys: String, CodingKey {
        case kind = "model_type"
        case activation = "hidden_act"
        case positionKind = "position_embedding_type"
    }

    init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        try file.require(.kind, is: "bert")
        try file.require(.activation, is: "gelu")
        try file.require(.positionKind, is: "absolute")
        configuration = try BertConfiguration(from: decoder)
    }
}

extension KeyedDecodingContainer {
    /// Throws where a switch is there and has another value than the one that is supported.
    fileprivate func require<Value: Decodable & Equatable>(_ key: Key, is supported: Value) throws {
        guard let value = try decodeIfPresent(Value.self, forKey: key), value != supported else { return }
        let place = (codingPath + [key]).map(\.stringValue).joined(separator: ".")
        throw ConfigurationError("\(place) is \(value), but only \(supported) is supported")
    }
}
