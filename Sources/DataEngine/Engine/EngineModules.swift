/// What stands behind each stage.
public struct EngineModules: Sendable {
    public var collector: any ImageCollector
    /// nil: the text that came with a picture is its caption.
    public var captioner: (any ImageCaptioner)?
    public var extractor: any PhraseExtractor
    public var grounder: any PhraseGrounder
    /// nil: regions get no descriptions.
    public var describer: (any RegionCaptioner)?
    /// nil: descriptions are taken as they are, and regions get no referring expressions.
    public var refiner: (any TextRefiner)?

    public init(
        collector: any ImageCollector, captioner: (any ImageCaptioner)?, extractor: any PhraseExtractor,
        grounder: any PhraseGrounder, describer: (any RegionCaptioner)?, refiner: (any TextRefiner)?
    ) {
        (self.collector, self.captioner, self.extractor) = (collector, captioner, extractor)
        (self.grounder, self.describer, self.refiner) = (grounder, describer, refiner)
    }
}

/// What is done with the modules' answers.
public struct EngineRules: Codable, Sendable, Equatable {
    /// How boxes become regions.
    public struct Grounding: Codable, Sendable, Equatable {
        /// Boxes of lower confidence are left out.
        public var minimumScore = 0.3
        /// Boxes of one phrase, the best ones.
        public var boxesPerPhrase = 20
        /// Least side of a box in pixels.
        public var minimumSide = 4.0
        /// Boxes of one category that overlap by more are one region.
        public var mergeOverlap = 0.9
        /// Of boxes of different categories that overlap by more, the most confident stays; 1 keeps all, as what is named twice may be
        /// both, such as a man who is a skier.
        public var exclusiveOverlap = 1.0

        public init() {}
    }

    /// Which regions are described, and how.
    public struct Description: Codable, Sendable, Equatable {
        public enum Choice: String, Codable, Sendable { case all, descriptive }

        /// All regions, or those with a descriptive phrase.
        public var regions = Choice.all
        /// Whether the prompt names what the region is; false is the paper's unconditioned variant (appendix C.3).
        public var isConditioned = true
        /// Regions that are described in a picture, the most confident ones.
        public var perPicture = 30

        public init() {}
    }

    /// Which referring expressions are kept.
    public struct Refinement: Codable, Sendable, Equatable {
        /// Whether an expression must find its own region when it is grounded again.
        public var isRegrounded = true
        /// Least overlap with the region's box.
        public var minimumOverlap = 0.5

        public init() {}
    }

    public var grounding = Grounding()
    public var description = Description()
    public var refinement = Refinement()

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate() throws {
        try EngineError.check(
            (0...1).contains(grounding.minimumScore), "rules.grounding.minimumScore", "it must be in 0...1")
        try EngineError.check(grounding.boxesPerPhrase > 0, "rules.grounding.boxesPerPhrase", "it must be positive")
        try EngineError.check(grounding.minimumSide >= 0, "rules.grounding.minimumSide", "it must not be negative")
        try EngineError.check(
            (0...1).contains(grounding.mergeOverlap), "rules.grounding.mergeOverlap", "it must be in 0...1")
        try EngineError.check(
            (0...1).contains(grounding.exclusiveOverlap), "rules.grounding.exclusiveOverlap", "it must be in 0...1")
        try EngineError.check(description.perPicture >= 0, "rules.description.perPicture", "it must not be negative")
        try EngineError.check(
            (0...1).contains(refinement.minimumOverlap), "rules.refinement.minimumOverlap", "it must be in 0...1")
    }
}

/// How much is done at a time.
public struct EngineOptions: Codable, Sendable, Equatable {
    /// Pictures that a stage works on at a time.
    public struct Width: Codable, Sendable, Equatable {
        public var collect = 16, caption = 8, ground = 4, describe = 4, refine = 4

        public init() {}

        subscript(_ stage: Stage) -> Int {
            switch stage {
            case .collect: collect
            case .caption: caption
            case .ground: ground
            case .describe: describe
            case .refine: refine
            case .deduplicate, .pack: 1
            }
        }
    }

    public var width = Width()
    /// Pictures of the source that make one shard, those included that are not annotated in the end.
    public var picturesPerShard = 1000
    /// Pictures that may be fetched before others are packed.
    public var ahead = 5000
    /// A run ends when so many pictures in a row fail at a stage.
    public var failuresInARow = 50

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate() throws {
        for (name, value) in [
            ("collect", width.collect), ("caption", width.caption), ("ground", width.ground),
            ("describe", width.describe), ("refine", width.refine),
        ] {
            try EngineError.check((1...1024).contains(value), "options.width.\(name)", "it must be in 1...1024")
        }
        try EngineError.check(
            (1...1_000_000).contains(picturesPerShard), "options.picturesPerShard", "it must be in 1...1,000,000")
        try EngineError.check(
            ahead >= 2 * picturesPerShard, "options.ahead", "it must be at least twice options.picturesPerShard")
        try EngineError.check(failuresInARow > 0, "options.failuresInARow", "it must be positive")
    }
}
