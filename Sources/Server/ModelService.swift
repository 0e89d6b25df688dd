import ChatRex
import HTTPTypes
import NIOConcurrencyHelpers
import ServiceLifecycle

/// The model behind the server. It does one request after the other; a bounded number waits in the order in which they came.
final class ModelService: Service {
    private struct State {
        var session: ChatRexSession?
        var accepted = 0
        var isBusy = false
        var waiting: [(id: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var lastID = 0
    }

    private let state = NIOLockedValueBox(State())
    private let load: @Sendable () async throws -> ChatRexSession
    private let metrics: Metrics
    let queueLimit: Int
    let deadline: Duration

    init(_ options: ServerOptions, _ metrics: Metrics, load: @escaping @Sendable () async throws -> ChatRexSession) {
        (queueLimit, deadline) = (options.queueLimit, options.deadline)
        (self.metrics, self.load) = (metrics, load)
    }

    /// Loads the model, and stays until the server goes.
    func run() async throws {
        let session = try await load()
        state.withLockedValue { $0.session = session }
        try? await gracefulShutdown()
    }

    var isReady: Bool { state.withLockedValue { $0.session != nil } }

    /// Requests that wait or are worked on.
    var accepted: Int { state.withLockedValue { $0.accepted } }

    /// A place in the queue, held until it is let go.
    /// - Throws: `ServerError` while the model is loading, and when too many wait.
    func admit() throws(ServerError) -> Place {
        enum Answer { case loading, full, welcome(ChatRexSession) }
        let answer = state.withLockedValue { state -> Answer in
            guard let session = state.session else { return .loading }
            if state.accepted > queueLimit { return .full }
            state.accepted += 1
            return .welcome(session)
        }
        switch answer {
        case .welcome(let session): return Place(self, session)
        case .loading:
            throw ServerError(.serviceUnavailable, .loading, "the model is still being loaded", retryAfter: 2)
        case .full:
            throw ServerError(
                .tooManyRequests, .queueFull, "\(queueLimit) requests are waiting already; try again later",
                retryAfter: 2)
        }
    }

    /// A request that was let in.
    final class Place: Sendable {
        private let service: ModelService
        private let session: ChatRexSession

        fileprivate init(_ service: ModelService, _ session: ChatRexSession) {
            (self.service, self.session) = (service, session)
        }

        deinit {
            service.state.withLockedValue { $0.accepted -= 1 }
        }

        /// Waits for the model and works with it.
        /// - Returns: the result, and what it cost.
        /// - Throws: `ServerError` when the deadline passes, `CancellationError` when the client goes; the model stops within a token.
        func work<Result: Sendable>(
            _ body: @escaping @Sendable (ChatRexSession) async throws -> Result
        ) async throws -> (result: Result, cost: StageTimes) {
            let (service, session) = (self.service, self.session)
            let limit = service.deadline
            return try await within(limit) {
                ServerError(.gatewayTimeout, .deadline, "there was no answer within \(limit)")
            } perform: {
                try await service.takeTurn()
                defer { service.endTurn() }
                await session.resetTimes()
                let result = try await body(session)
                let cost = await session.times
                service.metrics.add(cost)
                return (result, cost)
            }
        }
    }

    // MARK: Turns

    private func takeTurn() async throws {
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
                    if state.isBusy {
                        state.waiting.append((id, continuation))
                        return .wait
                    }
                    state.isBusy = true
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

    private func endTurn() {
        let next = state.withLockedValue { state -> CheckedContinuation<Void, any Error>? in
            if state.waiting.isEmpty {
                state.isBusy = false
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}

/// Does something, or throws `late` and cancels it when it takes longer than `limit`.
func within<Result: Sendable>(
    _ limit: Duration, orThrow late: @escaping @Sendable () -> ServerError,
    perform body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw late()
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}
