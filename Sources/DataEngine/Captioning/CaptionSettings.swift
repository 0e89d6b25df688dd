/// How pictures are captioned by an endpoint.
public struct CaptionSettings: Codable, Sendable, Equatable {
    /// The paper's (section 4.2).
    public static let prompt = "Please provide a one-sentence description for this image."

    public var prompt = CaptionSettings.prompt
    /// What holds before the question; empty for nothing.
    public var system = ""
    /// Longest side, in pixels, at which a picture is sent.
    public var maximumSide = 896
    public var jpegQuality = 90
    /// How often a faulty answer is asked for again.
    public var repetitions = 2
    public var answer = AnswerRules()

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "caption") throws {
        try EngineError.check(prompt.contains { !$0.isWhitespace }, "\(name).prompt", "it is empty")
        try EngineError.check(maximumSide, 32...16_384, "\(name).maximumSide")
        try EngineError.check(jpegQuality, 1...100, "\(name).jpegQuality")
        try EngineError.check(repetitions, 0...20, "\(name).repetitions")
        try answer.validate(as: "\(name).answer")
    }
}
