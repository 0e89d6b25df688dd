/// A language model that is asked in turns of a conversation.
public protocol ChatModel: Sendable {
    /// - Throws: `EndpointError`, and errors that are `StopsRun` where no question would be answered.
    func reply(to question: ChatQuestion) async throws -> ChatReply
}

/// What a language model is asked.
public struct ChatQuestion: Sendable, Hashable {
    /// A question and its answer that show the model what is wanted.
    public struct Example: Sendable, Hashable {
        public var question: String, answer: String

        public init(_ question: String, _ answer: String) {
            (self.question, self.answer) = (question, answer)
        }
    }

    /// What holds for the whole conversation; empty for nothing.
    public var system: String
    public var examples: [Example]
    public var text: String
    /// JPEG files that the text speaks of.
    public var pictures: [[UInt8]]
    /// Most tokens of the answer, where it is fewer than the endpoint's setting.
    public var maxTokens: Int?
    /// Which of several answers: 0 is the usual one. Others are written with another seed, and at a temperature at which that matters.
    public var variation: Int
    /// The only answers that are possible; empty for all.
    public var choices: [String]
    /// Whether the answer is to be a JSON object.
    public var wantsJSON: Bool

    public init(
        _ text: String, system: String = "", examples: [Example] = [], pictures: [[UInt8]] = [],
        maxTokens: Int? = nil, variation: Int = 0, choices: [String] = [], wantsJSON: Bool = false
    ) {
        (self.text, self.system, self.examples, self.pictures) = (text, system, examples, pictures)
        (self.maxTokens, self.variation, self.choices, self.wantsJSON) = (maxTokens, variation, choices, wantsJSON)
    }
}

/// What a language model answered, as it wrote it.
public struct ChatReply: Sendable, Hashable {
    public var text: String
    /// Why it ends there: `stop`, `length`, `content_filter`, …
    public var finishReason: String
    public var promptTokens: Int
    public var completionTokens: Int

    public init(text: String, finishReason: String = "stop", promptTokens: Int = 0, completionTokens: Int = 0) {
        (self.text, self.finishReason) = (text, finishReason)
        (self.promptTokens, self.completionTokens) = (promptTokens, completionTokens)
    }

    /// Whether the limit of tokens came before the answer's end.
    public var isCutOff: Bool { finishReason == "length" }
    /// Whether the endpoint withheld the answer.
    public var isWithheld: Bool { finishReason == "content_filter" }
}
