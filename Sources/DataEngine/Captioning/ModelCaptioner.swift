import ChatRex

/// Module 2 by a ChatRex model in this process.
public struct ModelCaptioner: ImageCaptioner {
    private let session: ChatRexSession
    private let style: VisionTask.CaptionStyle
    private let rules: AnswerRules

    public init(
        _ session: ChatRexSession, style: VisionTask.CaptionStyle = .brief, rules: AnswerRules = AnswerRules()
    ) {
        (self.session, self.style, self.rules) = (session, style, rules)
    }

    public func caption(_ image: EngineImage) async throws -> String {
        let answer = try await session.caption(image.image, style: style)
        return try rules.text(of: answer, for: .caption)
    }
}

extension AnswerRules {
    /// The usable part of an answer that is always the same.
    /// - Throws: `Drop`.
    func text(of answer: GroundedAnswer, for subject: AnswerSubject) throws -> String {
        switch judge(ChatReply(text: answer.text, finishReason: answer.isTruncated ? "length" : "stop")) {
        case .success(let text): return text
        case .failure(let fault): throw subject.drop(for: fault, detail: answer.text.excerpt(80))
        }
    }
}
