import ChatRex
import Checkpoints
import Foundation
import Imaging
import LanguageModels
import Scenes
import Tokenizers
import Torch
import TorchNN
import UPN
import VisionEncoders

/// Everything that decides how a ChatRex model is trained, for one stage.
public struct ChatRexRecipe: TrainingRecipe, Equatable {
    public var options = TrainingOptions()
    /// What the three stages learn from; the encoders' warm-up is on scenes.
    public var data = TrainingData()
    public var conversation = ConversationOptions()
    /// Sizes of a model without `--init`. Only the built-in model can be trained from nothing; for others they serve to reckon
    /// what a run takes.
    public var size = ModelSize.nano
    /// Tokens of the vocabulary that a fresh model learns, at most.
    public var vocabularySize = 4096
    /// Whether a stage begins by giving the language model heads that point, see `RetrievalStart`: for the first stage of a model
    /// that is trained from nothing.
    public var startsLanguageModel = false
    /// How boxes are named and whose features stand for them; nil leaves what the starting model does. The paper's comparisons.
    public var boxNotation: BoxNotation?
    public var objectFeatures: ObjectFeatures?
    /// Parts of the starting model that begin anew.
    public var renewedParts: [ModelPart] = []
    /// Pictures in a batch of the encoders' warm-up.
    public var warmUpBatchSize = 8
    /// Whether the warm-up moves the embeddings of names; not where a language model already knows them.
    public var warmUpTrainsEmbeddings = true
    /// Whether the warm-up moves the projectors; not where a language model already reads places from their rows.
    public var warmUpTrainsProjectors = true
    /// Whether scenes vary their aspect between 3:4 and 4:3; otherwise they are square.
    public var variesAspect = true

    public init() {}

    public func validate() throws {
        try options.validate()
        try data.validate()
        try TrainingError.check(vocabularySize, 300...1_000_000, "vocabularySize")
        try TrainingError.check(warmUpBatchSize, 1...1024, "warmUpBatchSize")
        try conversation.validate()
    }
}

/// A part of a model that can begin anew while the others are kept.
public enum ModelPart: String, Codable, Sendable, CaseIterable {
    /// The language model without its embeddings.
    case language
    case embeddings
    case projectors
    case encoders
}

/// Sizes of models.
public enum ModelSize: String, Codable, Sendable, CaseIterable {
    /// The built-in model.
    case nano
    /// The paper's, around Qwen2.5.
    case qwen3B = "qwen2.5-3b"
    case qwen7B = "qwen2.5-7b"

    func configuration(vocabularySize: Int) -> ChatRexConfiguration {
        switch self {
        case .nano: .nano(vocabularySize: vocabularySize)
        case .qwen3B: .qwen25_3B
        case .qwen7B: .qwen25_7B
        }
    }
}

/// What a run starts from.
public struct ChatRexStart: Sendable {
    /// A model folder, or a run whose last export is taken; a fresh model when nil.
    public var model: URL?
    /// A model's folder or run whose encoders and projectors take the place of the model's own.
    public var encoders: URL?
    /// A proposal network's folder or run; imitated proposals when nil.
    public var proposals: URL?

    public init(model: URL? = nil, encoders: URL? = nil, proposals: URL? = nil) {
        (self.model, self.encoders, self.proposals) = (model, encoders, proposals)
    }
}

/// Trains ChatRex models: the encoders' warm-up, then the paper's three stages.
public enum ChatRexTraining {
    /// Warms the encoders up, or goes on with the run in `folder`.
    public static func warmUp(
        _ recipe: ChatRexRecipe, from start: ChatRexStart, folder: URL, parallel: DataParallel = .alone
    ) throws -> TrainingRun<EncoderWarmUp>.Outcome {
        try TrainingRun(
            warmUpTask(recipe, start, parallel), options: recipe.options, folder: folder, configuration: recipe,
            parallel: parallel
        ).run()
    }

    /// What `warmUp` would do.
    public static func warmUpPlan(_ recipe: ChatRexRecipe, from start: ChatRexStart) throws -> TrainingPlan {
        try TrainingPlan(warmUpTask(recipe, start, .alone), recipe.options)
    }

    private static func warmUpTask(_ recipe: ChatRexRecipe, _ start: ChatRexStart, _ parallel: DataParallel) throws
        -> EncoderWarmUp
    {
        let (training, validation) = try generators(recipe)
        let (model, tokenizer) = try startingModel(recipe, start, training)
        return try EncoderWarmUp(
            model, tokenizer: tokenizer, generator: training, validation: validation, batchSize: recipe.warmUpBatchSize,
            trainsEmbeddings: recipe.warmUpTrainsEmbeddings, trainsProjectors: recipe.warmUpTrainsProjectors,
            seed: recipe.options.seed &* 1_000_003, parallel: parallel)
    }

    /// Trains one of the three stages, or goes on with the run in `folder`.
    public static func run(
        _ recipe: ChatRexRecipe, from start: ChatRexStart, folder: URL, parallel: DataParallel = .alone
    ) throws -> TrainingRun<ConversationTask>.Outcome {
        try TrainingRun(
            task(recipe, start, parallel), options: recipe.options, folder: folder, configuration: recipe,
            parallel: parallel
        ).run()
    }

    /// What `run` would do. Where that fits a laptop two batches are tried; larger runs are only reckoned, without data and without
    /// memory for the model.
    public static func plan(_ recipe: ChatRexRecipe, from start: ChatRexStart) throws -> TrainingPlan {
        let configuration = recipe.changed(
            try start.model.map { try ChatRexModel.configuration(of: exported($0)) }
                ?? recipe.size.configuration(vocabularySize: recipe.vocabularySize))
        let model = try ChatRexModel(configuration, ParameterStore(device: .meta).weights)
        let options = recipe.conversation
        let adapters = options.lora.isOn ? try LowRankAdapters(options.lora, for: model.language) : nil
        var reckoned = try TrainingPlan(
            model.weights.store.entries.map { ($0.name, $0.tensor) } + (adapters?.namedParameters ?? []),
            options.parameterGroups(model, adapters: adapters), recipe.options,
            batchBytes: ActivationEstimate.bytes(options, configuration, recipe.options.precision))
        reckoned.picturesPerStep = options.batchSize * recipe.options.accumulation
        reckoned.missing = recipe.data.missingFolders
        if start.model == nil, recipe.size != .nano {
            reckoned.missing.append("--init, a model of size \(recipe.size.rawValue) to start from")
        }
        if !reckoned.allowsTrial || !reckoned.missing.isEmpty { return reckoned }
        return try TrainingPlan(task(recipe, start, .alone), recipe.options).completed(reckoned)
    }

    private static func task(_ recipe: ChatRexRecipe, _ start: ChatRexStart, _ parallel: DataParallel) throws
        -> ConversationTask
    {
        let (training, validation) = try generators(recipe)
        let (model, tokenizer) = try startingModel(recipe, start, training)
        if recipe.startsLanguageModel {
            let names = try NameTable(training.vocabulary, tokenizer: tokenizer)
            try RetrievalStart.prepare(
                model,
                vocabulary: ChatRexVocabulary(
                    tokenizer, logitCount: model.configuration.language.vocabularySize),
                names: names.embeddings(model.language.embedding, spelling: 0), regions: regions(model, training))
        }
        let network = try start.proposals.map { try UniversalProposalNetwork.load(exported($0)) }
        let firstSeed = recipe.conversation.seed &* 1_000_003
        let pictures = try TrainingPictures(recipe.data, seed: recipe.conversation.seed, isTold: parallel.isFirst) {
            training.scene(seed: firstSeed &+ UInt64($0))
        }
        return try ConversationTask(
            model, tokenizer: tokenizer, options: recipe.conversation, pictures: pictures, validation: validation,
            proposalNetwork: network, parallel: parallel)
    }

    private static func generators(_ recipe: ChatRexRecipe) throws -> (
        training: SceneGenerator, validation: SceneGenerator
    ) {
        let assets = try SceneAssets()
        var configuration = SceneConfiguration(split: .training)
        configuration.variesAspect = recipe.variesAspect
        return (
            try SceneGenerator(configuration: configuration, assets: assets),
            try SceneGenerator(configuration: SceneConfiguration(split: .validation), assets: assets)
        )
    }

    private static func startingModel(_ recipe: ChatRexRecipe, _ start: ChatRexStart, _ generator: SceneGenerator)
        throws
        -> (ChatRexModel, BytePairTokenizer)
    {
        if let url = start.model {
            let folder = ModelFolder(exported(url))
            let model = try ChatRexModel.load(folder.url),
                tokenizer = try BytePairTokenizer(contentsOf: folder.tokenizer)
            let whole = try start.encoders.map { try joined(exported($0), language: model) } ?? model
            return (try changed(whole, recipe), tokenizer)
        }
        try TrainingError.check(
            recipe.size == .nano, "size",
            "a model of size \(recipe.size.rawValue) is not trained from nothing; give one to start from by --init")
        let tokenizer = try SceneTokenizer.train(generator, scenes: 4000, vocabularySize: recipe.vocabularySize)
        try Runtime.seed(recipe.options.seed)
        // A multiple of 64 rows keeps the matrix products even.
        let rows = (tokenizer.vocabularySize + 63) / 64 * 64
        return (
            try ChatRexModel(
                recipe.changed(recipe.size.configuration(vocabularySize: rows)), ParameterStore().weights), tokenizer
        )
    }

    /// A model as a recipe wants it: with other settings, some parts anew.
    private static func changed(_ model: ChatRexModel, _ recipe: ChatRexRecipe) throws -> ChatRexModel {
        let configuration = recipe.changed(model.configuration)
        if configuration == model.configuration && recipe.renewedParts.isEmpty { return model }
        try TrainingError.check(
            configuration.objectChannels == model.configuration.objectChannels
                || recipe.renewedParts.contains(.projectors), "objectFeatures",
            "the projector of objects has other sizes then; 'renewedParts' must name 'projectors'")
        try Runtime.seed(recipe.options.seed)
        let changed = try ChatRexModel(configuration, ParameterStore().weights)
        let kept = Dictionary(uniqueKeysWithValues: model.namedParameters)
        try withoutGradients {
            for (name, tensor) in changed.namedParameters where !recipe.renewedParts.contains(ModelPart(of: name)) {
                if let old = kept[name] { try tensor.copy(from: old) }
            }
        }
        return changed
    }

    /// The model in a folder with the language model of another.
    private static func joined(_ folder: URL, language donor: ChatRexModel) throws -> ChatRexModel {
        let model = try ChatRexModel.load(folder)
        let (mine, theirs) = (model.configuration.language, donor.configuration.language)
        guard mine == theirs else {
            throw TrainingError.invalidSetting(
                name: "encoders", reason: "its language model has other sizes than the one that is to be trained")
        }
        try withoutGradients {
            for (own, other) in zip(model.languageTensors, donor.languageTensors) {
                try own.tensor.copy(from: other.tensor)
            }
        }
        return model
    }

    /// Boxes of some scenes as the object projector meets them.
    private static func regions(_ model: ChatRexModel, _ generator: SceneGenerator) throws -> RegionSample {
        let preprocessor = ImagePreprocessor(
            highResolution: model.configuration.highResolution, lowResolution: model.configuration.clip.imageSize)
        let samples = try (0..<128).map { seed -> (Tensor, [SIMD4<Float>]) in
            let scene = generator.scene(seed: UInt64(seed))
            var random = SceneRandom(seed: scene.seed, stream: "regions")
            let input = try preprocessor(scene.image)
            let boxes = (scene.objects.map(\.box) + BoxMixing.imitated(for: scene, &random)).map(
                input.frame.converted)
            let features = try inference {
                try model.objectEncoder(
                    model.pyramid(lowResolution: input.lowResolution, highResolution: input.highResolution),
                    boxes: [boxes])[0]
            }
            return (features, boxes)
        }
        return RegionSample(
            features: try Tensor.concatenated(samples.map(\.0)),
            boxes: try model.objectEncoder.relativeBoxes(samples.flatMap(\.1)))
    }

    /// The last export of a run, or the folder itself where it is no run.
    public static func exported(_ url: URL) -> URL {
        guard FileManager.default.fileExists(atPath: url.appendingPathComponent("log.jsonl").path),
            let latest = try? RunFolder(url).latest
        else { return url }
        return latest.appendingPathComponent(CheckpointFile.export)
    }
}

extension ChatRexRecipe {
    /// A model's settings with those that the recipe changes.
    fileprivate func changed(_ configuration: ChatRexConfiguration) -> ChatRexConfiguration {
        var changed = configuration
        changed.boxNotation = boxNotation ?? configuration.boxNotation
        changed.objectFeatures = objectFeatures ?? configuration.objectFeatures
        return changed
    }
}

extension ModelPart {
    /// The part that a tensor belongs to.
    fileprivate init(of name: String) {
        self =
            if name.hasPrefix("model.embed_tokens.") || name.hasPrefix("lm_head.") {
                .embeddings
            } else if name.hasPrefix("model.") { .language } else if name.contains("projector") { .projectors } else {
                .encoders
            }
    }
}

extension ChatRexModel {
    /// The language model's own tensors; its names start at the root, beside those of the encoders.
    var languageTensors: [(name: String, tensor: Tensor)] {
        language.namedParameters.filter { $0.name.hasPrefix("model.") || $0.name.hasPrefix("lm_head.") }
    }
}
