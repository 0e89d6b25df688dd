/// One picture that a source offers, before it is fetched.
public struct SourceItem: Codable, Sendable, Hashable {
    /// Where its bytes are.
    public enum Location: Codable, Sendable, Hashable {
        case file(path: String)
        case url(String)
        /// Part of an uncompressed tar archive.
        case member(archive: String, name: String, offset: Int, length: Int)
    }

    /// Names the item within its source and its outputs: letters, digits, `-` and `_` only. The same source gives the same keys.
    public var key: String
    public var location: Location
    /// What the source states about it, where it states it.
    public var width: Int?, height: Int?
    /// The source's own estimate that the picture is not safe for work, 0...1.
    public var unsafeScore: Double?
    /// The source's own estimate that the picture bears a watermark, 0...1.
    public var watermarkScore: Double?
    /// Text that came with the picture.
    public var text: String?
    /// Instruction data that came with the picture: questions and answers in turn.
    public var conversation: [ConversationTurn]?

    public init(
        key: String, location: Location, width: Int? = nil, height: Int? = nil, unsafeScore: Double? = nil,
        watermarkScore: Double? = nil, text: String? = nil, conversation: [ConversationTurn]? = nil
    ) {
        (self.key, self.location, self.width, self.height) = (key, location, width, height)
        (self.unsafeScore, self.watermarkScore) = (unsafeScore, watermarkScore)
        (self.text, self.conversation) = (text, conversation)
    }
}

/// A question and its answer.
public struct ConversationTurn: Codable, Sendable, Hashable {
    public var question: String, answer: String

    public init(question: String, answer: String) {
        (self.question, self.answer) = (question, answer)
    }
}
