/// How descriptions are verified and rewritten by an endpoint.
public struct RefinementSettings: Codable, Sendable, Equatable {
    /// Stand for the texts in a prompt.
    public static let phraseGap = "{phrase}", descriptionGap = "{description}"
    public static let question = """
        Phrase: {phrase}
        Description: {description}
        Does the description speak of the thing that the phrase names? Answer yes or no.
        """
    public static let naming = """
        Description: {description}
        Name the thing that is described.
        """
    public static let rewriting = """
        Object: {phrase}
        Description: {description}
        Write a short expression that refers to this object and to no other.
        """

    /// How a description is verified.
    public enum Verification: String, Codable, Sendable, CaseIterable {
        /// The model says yes or no to description and phrase, as in the paper.
        case question
        /// The model names the thing that is described, and the name must be the phrase's. For models that are too small to judge
        /// (SmolLM2-135M says no to everything), but large enough to copy.
        case naming
    }

    public var verification = Verification.question
    public var verificationPrompt = RefinementSettings.question
    public var namingPrompt = RefinementSettings.naming
    public var rewritingPrompt = RefinementSettings.rewriting
    /// Whether solved examples in the form of the prompts come first. Small models need them.
    public var showsExamples = true
    /// How often an answer that cannot be used is asked for again.
    public var repetitions = 1
    /// Most tokens of a yes or no, or of a name.
    public var verificationTokens = 8
    /// Most tokens of an expression.
    public var expressionTokens = 48
    /// Most words of an expression.
    public var expressionWords = 20

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "refinement") throws {
        for (key, prompt, gaps) in [
            ("verificationPrompt", verificationPrompt, [Self.phraseGap, Self.descriptionGap]),
            ("namingPrompt", namingPrompt, [Self.descriptionGap]),
            ("rewritingPrompt", rewritingPrompt, [Self.phraseGap, Self.descriptionGap]),
        ] {
            for gap in gaps { try EngineError.check(prompt.contains(gap), "\(name).\(key)", "it lacks \(gap)") }
        }
        try EngineError.check(repetitions, 0...20, "\(name).repetitions")
        try EngineError.check(verificationTokens, 1...4096, "\(name).verificationTokens")
        try EngineError.check(expressionTokens, 1...4096, "\(name).expressionTokens")
        try EngineError.check(expressionWords, 1...100, "\(name).expressionWords")
    }
}
