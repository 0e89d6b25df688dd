/// Module 2 by a vision model behind an endpoint.
public struct EndpointCaptioner: ImageCaptioner {
    private let settings: CaptionSettings
    private let interview: Interview

    /// - Throws: `EngineError.invalidSetting`.
    public init(_ model: any ChatModel, _ settings: CaptionSettings = CaptionSettings()) throws {
        try settings.validate()
        self.settings = settings
        interview = Interview(model, repetitions: settings.repetitions)
    }

    /// How many answers were not taken, by `AnswerFault`'s names.
    public var faults: [String: Int] { interview.faults }

    public func caption(_ image: EngineImage) async throws -> String {
        let picture = try image.image.jpeg(maximumSide: settings.maximumSide, quality: settings.jpegQuality)
        let question = ChatQuestion(settings.prompt, system: settings.system, pictures: [picture])
        switch try await interview.ask(question, judge: settings.answer.judge) {
        case .good(let text): return text
        case .faulty(let fault, let excerpt): throw AnswerSubject.caption.drop(for: fault, detail: excerpt)
        }
    }
}
