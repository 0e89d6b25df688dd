/// How regions are described by an endpoint.
public struct RegionCaptionSettings: Codable, Sendable, Equatable {
    /// Stands for the phrase in a prompt.
    public static let gap = "{phrase}"
    /// The paper's own wording did not survive (its Table 10); what it does is: the phrase is part of the prompt.
    public static let prompt = """
        This is a crop of a larger picture. It shows: {phrase}. Describe {phrase} in one or two sentences: what it looks like, \
        what it is doing, and how it stands to what is beside it. Say only what can be seen, and speak of nothing else.
        """
    /// The paper's variant without the phrase.
    public static let unconditionedPrompt = """
        This is a crop of a larger picture. Describe what it shows in one or two sentences. Say only what can be seen.
        """

    /// Asked where a region's phrase is known.
    public var prompt = RegionCaptionSettings.prompt
    /// Asked where it is not.
    public var unconditionedPrompt = RegionCaptionSettings.unconditionedPrompt
    /// What holds before the question; empty for nothing.
    public var system = ""
    public var crop = RegionCropSettings()
    public var jpegQuality = 90
    /// How often a faulty answer is asked for again.
    public var repetitions = 2
    public var answer = AnswerRules(sentences: 2, words: 80)

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "regions") throws {
        try EngineError.check(
            prompt.contains(Self.gap), "\(name).prompt", "it lacks \(Self.gap), where the phrase is to stand")
        try EngineError.check(
            unconditionedPrompt.contains { !$0.isWhitespace }, "\(name).unconditionedPrompt", "it is empty")
        try crop.validate(as: "\(name).crop")
        try EngineError.check(jpegQuality, 1...100, "\(name).jpegQuality")
        try EngineError.check(repetitions, 0...20, "\(name).repetitions")
        try answer.validate(as: "\(name).answer")
    }
}

/// Which part of a picture shows a region.
public struct RegionCropSettings: Codable, Sendable, Equatable {
    /// What is seen around the box on each side, as a share of the box's longer side.
    public var margin = 0.15
    /// Shortest side of a box that is described, in pixels of the picture.
    public var minimumRegionSide = 12
    /// Crops are enlarged until their shorter side has so many pixels.
    public var minimumSide = 224
    /// Longest side of a crop that is sent.
    public var maximumSide = 672
    /// Whether the box is outlined in its crop.
    public var outlinesBox = false

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "crop") throws {
        try EngineError.check(margin, 0...10, "\(name).margin")
        try EngineError.check(minimumRegionSide, 1...16_384, "\(name).minimumRegionSide")
        try EngineError.check(maximumSide, 32...16_384, "\(name).maximumSide")
        try EngineError.check(minimumSide, 1...maximumSide, "\(name).minimumSide")
    }
}
