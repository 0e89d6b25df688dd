import ChatRex
import HTTPTypes
import NIOConcurrencyHelpers
import ServiceLifecycle
import UPN

/// The model behind the server. It works on several requests at a time; a bounded number waits.
final class ModelService: Service {
    private struct State {
        var session: ChatRexSession?
        var accepted = 0
    }

    private let state = NIOLockedValueBox(State())
    private let load: @Sendable () async throws -> ChatRexSession
    private let metrics: Metrics
    private let queue: WorkQueue
    private let acceptedLimit: Int
    let queueLimit: Int
    let deadline: Duration

    init(_ options: ServerOptions, _ metrics: Metrics, load: @escaping @Sendable () async throws -> ChatRexSession) {
        (queueLimit, deadline) = (options.queueLimit, options.deadline)
        queue = WorkQueue(limit: options.concurrency)
        acceptedLimit = options.concurrency + options.queueLimit
        (self.metrics, self.load) = (metrics, load)
    }

    /// Loads the model, and stays until the server goes.
    func run() async throws {
        let session = try await load()
        state.withLockedValue { $0.session = session }
        try? await gracefulShutdown()
    }

    var isReady: Bool { state.withLockedValue { $0.session != nil } }

    /// What proposals pass where a request says nothing else, once the model is loaded.
    var proposalFilter: ProposalFilter? { state.withLockedValue { $0.session?.proposalFilter } }

    /// Requests that wait or are worked on.
    var accepted: Int { state.withLockedValue { $0.accepted } }

    /// A place in the queue, held until it is let go.
    /// - Parameter client: whose requests are to share fairly with those of others
    /// - Throws: `ServerError` while the model is loading, and when too many wait.
    func admit(_ client: String) throws(ServerError) -> Place {
        enum Answer { case loading, full, welcome(ChatRexSession) }
        let answer = state.withLockedValue { state -> Answer in
            guard let session = state.session else { return .loading }
            if state.accepted >= acceptedLimit { return .full }
            state.accepted += 1
            return .welcome(session)
        }
        switch answer {
        case .welcome(let session): return Place(self, session, client)
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
        private let client: String

        fileprivate init(_ service: ModelService, _ session: ChatRexSession, _ client: String) {
            (self.service, self.session, self.client) = (service, session, client)
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
            let (service, session, client) = (self.service, self.session, self.client)
            let limit = service.deadline
            return try await within(limit) {
                ServerError(.gatewayTimeout, .deadline, "there was no answer within \(limit)")
            } perform: {
                try await service.queue.turn(of: client) {
                    let (result, cost) = try await StageTimes.measured { try await body(session) }
                    service.metrics.add(cost)
                    return (result, cost)
                }
            }
        }
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
