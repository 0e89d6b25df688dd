import Synchronization

/// What sessions have spent on a piece of work: see ``StageTimes/measured(_:)``.
public struct StageTimes: Sendable, Codable, Equatable {
    /// Proposing boxes.
    public var propose = Duration.zero
    /// Both vision encoders, the object encoder and the projectors.
    public var encode = Duration.zero
    /// Reading picture and boxes by the language model.
    public var read = Duration.zero
    /// Reading the question and writing the answer, time for others' answers in the same batch included.
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

    /// Does something, and tells what the sessions that it asked have spent on it, whatever else they did meanwhile.
    public static func measured<Result>(_ body: () async throws -> Result) async rethrows
        -> (result: Result, times: StageTimes)
    {
        let meter = StageMeter()
        let result = try await StageMeter.$current.withValue(meter, operation: body)
        return (result, meter.times)
    }
}

/// Collects the times of one task.
final class StageMeter: Sendable {
    @TaskLocal static var current: StageMeter?

    private let state = Mutex(StageTimes())

    var times: StageTimes { state.withLock { $0 } }

    /// Adds to the times of the current task, if anyone measures it.
    static func note(_ change: @Sendable (inout StageTimes) -> Void) {
        current?.state.withLock { change(&$0) }
    }
}
