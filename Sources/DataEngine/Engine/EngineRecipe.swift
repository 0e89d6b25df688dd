import Annotations
import Boxes
import ChatRex
import Downloading
import Foundation
import Recipes

/// Everything that decides what the engine makes of its pictures: which model stands behind each module, and its settings.
public struct EngineRecipe: Recipe, Equatable {
    /// Module 2.
    public struct Captions: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable, CaseIterable {
            /// The ChatRex model of `model`, in this process.
            case model
            /// A vision model behind `caption.endpoint`.
            case endpoint
            /// The text that came with the picture.
            case source
            /// Answers at once and without sense, for benchmarks of the engine itself.
            case instant
        }

        public var by = Choice.model
        /// What `by: model` writes.
        public var style = ModelCaptionStyle.brief
        public var endpoint = EndpointSettings()
        public var settings = CaptionSettings()

        public init() {}
    }

    /// Module 3, the phrases.
    public struct Phrases: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable, CaseIterable {
            case spacy
            /// By `phrases.settings.names` alone, without a parser.
            case names
            case instant
        }

        public var by = Choice.spacy
        public var settings = PhraseSettings()

        public init() {}
    }

    /// Module 3, the boxes.
    public struct Grounding: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable, CaseIterable {
            case model, instant
            /// Grounding DINO, as in the paper.
            case groundingDINO
        }

        public var by = Choice.model
        public var groundingDINO = GroundingDINOSettings()

        public init() {}
    }

    /// Module 4.
    public struct Regions: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable, CaseIterable {
            case model, endpoint, none, instant
        }

        public var by = Choice.model
        /// How much `by: model` says.
        public var level = VisionTask.RegionLevel.sentence
        public var endpoint = EndpointSettings()
        public var settings = RegionCaptionSettings()

        public init() {}
    }

    /// Module 5.
    public struct Refinement: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable, CaseIterable {
            case rules, endpoint, none, instant
        }

        public var by = Choice.rules
        public var endpoint = EndpointSettings()
        public var settings = RefinementSettings()
        /// What a description must pass; with an endpoint, before that is asked.
        public var agreement = AgreementSettings()

        public init() {}
    }

    /// The ChatRex model that modules with `by: model` use.
    public struct Model: Codable, Sendable, Equatable {
        /// Folder; empty for the built-in one.
        public var folder = ""
        /// Folder or file of the proposal network; empty for the model's own.
        public var proposals = ""
        public var device = "cpu"

        public init() {}
    }

    public var model = Model()
    public var collection = CollectionSettings()
    /// Folder of the classifier of low-content pictures; empty for the built-in one.
    public var pageClassifier = ""
    public var caption = Captions()
    public var phrases = Phrases()
    public var grounding = Grounding()
    public var regions = Regions()
    public var refinement = Refinement()
    /// How long an answer of a module with `by: instant` takes.
    public var instantMilliseconds = 0
    public var rules = EngineRules()
    public var options = EngineOptions()

    public init() {}

    public static let optionalSettings: Set<String> = ["phrases.settings.python"]

    /// - Throws: `EngineError.invalidSetting` and its like for the first setting that nothing can be made with.
    public func validate() throws {
        try EngineError.within("collection") { try collection.validate() }
        if caption.by == .endpoint { try caption.endpoint.validate(as: "caption.endpoint") }
        try caption.settings.validate(as: "caption.settings")
        try phrases.settings.validate(as: "phrases.settings")
        if grounding.by == .groundingDINO {
            try EngineError.within("grounding.groundingDINO") { try grounding.groundingDINO.validate() }
        }
        if regions.by == .endpoint { try regions.endpoint.validate(as: "regions.endpoint") }
        try regions.settings.validate(as: "regions.settings")
        if refinement.by == .endpoint { try refinement.endpoint.validate(as: "refinement.endpoint") }
        try refinement.settings.validate(as: "refinement.settings")
        try refinement.agreement.validate(as: "refinement.agreement")
        try EngineError.check(instantMilliseconds, 0...60_000, "instantMilliseconds")
        try rules.validate()
        try options.validate()
    }

    /// The settings that decide what comes out, as JSON with sorted keys. How many at a time, where an endpoint is reached and how long
    /// it is waited for may change between two sessions of a run.
    public var fingerprint: String {
        var recipe = self
        recipe.options = EngineOptions()
        recipe.options.picturesPerShard = options.picturesPerShard
        recipe.options.ahead = 0
        recipe.collection.download = .init()
        recipe.instantMilliseconds = 0
        recipe.phrases.settings.python = nil
        recipe.caption.endpoint = caption.endpoint.decisive
        recipe.regions.endpoint = regions.endpoint.decisive
        recipe.refinement.endpoint = refinement.endpoint.decisive
        return (try? JSONEncoder.lines.encode(recipe)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

extension EndpointSettings {
    /// These settings with all that does not change an answer as it is by default.
    fileprivate var decisive: EndpointSettings {
        var settings = EndpointSettings()
        (settings.model, settings.temperature, settings.seed) = (model, temperature, seed)
        (settings.maxTokens, settings.parameters, settings.choices) = (maxTokens, parameters, choices)
        return settings
    }
}
