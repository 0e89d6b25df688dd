/// What a session has spent its time on since it was loaded or `resetTimes()`.
public struct StageTimes: Sendable, Codable, Equatable {
    /// Proposing boxes.
    public var propose = Duration.zero
    /// Both vision encoders, the object encoder and the projectors.
    public var encode = Duration.zero
    /// Reading picture and boxes by the language model.
    public var read = Duration.zero
    /// Reading the question and writing the answer.
    public var answer = Duration.zero
    /// Boxes that the language model was shown.
    public var boxes = 0
    /// Pictures that were still prepared from an earlier question.
    public var reusedPictures = 0
    /// Positions that answers continued from: picture, boxes and question, once an answer.
    public var promptTokens = 0
    /// Tokens of the answers.
    public var tokens = 0

    public init() {}
}
