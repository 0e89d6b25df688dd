import NIOConcurrencyHelpers

/// Turns at the model: some may be had at a time, and whoever waits longest goes next among those whose client has the fewest.
package final class WorkQueue: Sendable {
    private struct Waiter {
        let id: Int, client: String
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// Turns of each client.
        var turns: [String: Int] = [:]
        var turnCount = 0
        var waiting: [Waiter] = []
        var lastID = 0

        mutating func begin(_ client: String) {
            turns[client, default: 0] += 1
            turnCount += 1
        }

        mutating func end(_ client: String) {
            turnCount -= 1
            turns[client, default: 1] -= 1
            if turns[client] == 0 { turns[client] = nil }
        }

        /// Who goes next; its turn has begun.
        mutating func next() -> Waiter? {
            let next = waiting.indices.min {
                (turns[waiting[$0].client] ?? 0, $0) < (turns[waiting[$1].client] ?? 0, $1)
            }
            guard let next else { return nil }
            begin(waiting[next].client)
            return waiting.remove(at: next)
        }
    }

    private let state = NIOLockedValueBox(State())
    private let limit: Int

    /// - Parameter limit: of turns at a time.
    package init(limit: Int) { self.limit = limit }

    /// Turns and those who wait for one.
    package var count: Int { state.withLockedValue { $0.turnCount + $0.waiting.count } }

    /// Does something when it is the client's turn.
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    package func turn<Result>(of client: String, _ body: () async throws -> Result) async throws -> Result {
        try await wait(client)
        defer { end(client) }
        return try await body()
    }

    private func wait(_ client: String) async throws {
        enum Answer { case go, wait, cancelled }
        let id = state.withLockedValue { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer = state.withLockedValue { state -> Answer in
                    // Who was cancelled before this is not found by the handler below, who is later will be.
                    if Task.isCancelled { return .cancelled }
                    if state.turnCount >= limit {
                        state.waiting.append(Waiter(id: id, client: client, continuation: continuation))
                        return .wait
                    }
                    state.begin(client)
                    return .go
                }
                switch answer {
                case .go: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .wait: break
                }
            }
        } onCancel: {
            let waiter = state.withLockedValue { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func end(_ client: String) {
        let next = state.withLockedValue { state in
            state.end(client)
            return state.next()
        }
        next?.continuation.resume()
    }
}
