import Synchronization

/// Asks a model until an answer is good, and counts what was wrong with the others.
final class Interview: Sendable {
    private let model: any ChatModel
    /// How often a faulty answer is asked for again.
    private let repetitions: Int
    private let counts = Mutex<[String: Int]>([:])

    init(_ model: any ChatModel, repetitions: Int) {
        (self.model, self.repetitions) = (model, repetitions)
    }

    /// How many answers had each fault.
    var faults: [String: Int] { counts.withLock { $0 } }

    /// The first good answer, or the last one's fault and the beginning of its text.
    func ask<Value, Fault: RawRepresentable<String>>(
        _ question: ChatQuestion, judge: (ChatReply) -> Result<Value, Fault>
    ) async throws -> Finding<Value, Fault> {
        var question = question
        while true {
            let reply = try await model.reply(to: question)
            switch judge(reply) {
            case .success(let value): return .good(value)
            case .failure(let fault):
                note(fault.rawValue)
                if question.variation >= repetitions { return .faulty(fault, reply.text.excerpt(80)) }
                question.variation += 1
            }
        }
    }

    func note(_ fault: String) { counts.withLock { $0[fault, default: 0] += 1 } }

    enum Finding<Value, Fault> {
        case good(Value)
        case faulty(Fault, String)
    }
}
