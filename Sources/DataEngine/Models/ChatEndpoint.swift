// Language models behind OpenAI's chat interface: vLLM, llama.cpp's server, llama-cpp-python's, `chatrex serve`. Unlike pictures, they
// are named by whoever runs the engine, so their addresses may be private ones.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// An endpoint with the connections to it. Questions may come from many tasks at once.
public final class ChatEndpoint: ChatModel {
    public let settings: EndpointSettings
    /// The address below which the interface lies.
    public let address: String
    private let key: String?
    private let body: ChatBody
    private let client: HTTPClient
    private let gate: RequestGate
    private let meter = Mutex(EndpointUsage())
    private let isShutDown = Mutex(false)

    /// Longest wait between two attempts, and between two looks whether an endpoint is up again.
    private static let longestDelay = 60.0

    /// - Throws: `EngineError.invalidSetting`.
    public init(_ settings: EndpointSettings) throws {
        try settings.validate()
        self.settings = settings
        address = try settings.address().absoluteString
        key = try settings.key()
        body = ChatBody(settings)
        gate = RequestGate(concurrency: settings.concurrency, perMinute: settings.requestsPerMinute)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(Int64(settings.connectSeconds * 1e9))))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.concurrency
        // What fails is judged here, with the waits of the settings.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    deinit {
        // An HTTP client must not go without its shutdown.
        if isShutDown.withLock({ $0 }) { return }
        Task { [client] in try? await client.shutdown() }
    }

    /// Closes all connections; nothing can be asked afterwards.
    public func shutdown() async {
        let isFirst = isShutDown.withLock { state in
            defer { state = true }
            return !state
        }
        if isFirst { try? await client.shutdown() }
    }

    /// What was asked since this object was made.
    public var usage: EndpointUsage { meter.withLock { $0 } }

    func noteStored() { meter.withLock { $0.stored += 1 } }

    /// For how long the endpoint has been down, in seconds; nil while it is up.
    public var secondsDown: Double? {
        get async { await gate.downSince.map { (ContinuousClock.now - $0) / .seconds(1) } }
    }

    /// Fails where nobody answers at the address: what a run asks before it begins, rather than wait.
    /// - Throws: `EndpointUnusable`.
    public func check() async throws {
        if let problem = try await probe() {
            throw EndpointUnusable(EndpointError(endpoint: address, problem: problem))
        }
    }

    /// Equal for questions whose answers are interchangeable.
    func digest(of question: ChatQuestion) throws -> Data { try body.digest(question) }

    // MARK: Attempts

    public func reply(to question: ChatQuestion) async throws -> ChatReply {
        let body = ByteBuffer(bytes: try body.json(question))
        do {
            let reply = try await persist(body)
            meter.withLock { $0.answers += 1 }
            return reply
        } catch {
            if !(error is CancellationError) { meter.withLock { $0.failures += 1 } }
            throw error
        }
    }

    /// Sends a request as often as its failures allow.
    private func persist(_ body: ByteBuffer) async throws -> ChatReply {
        var sent = 0, counted = 0, outages = 0
        var putOffSince: ContinuousClock.Instant?
        func failure(_ problem: EndpointError.Problem) -> EndpointError {
            EndpointError(endpoint: address, problem: problem, attempts: sent)
        }
        while true {
            try await gate.enter()
            sent += 1
            let outcome = await attempt(body, isFirst: sent == 1)
            await gate.leave()
            try Task.checkCancellation()
            let problem: EndpointError.Problem
            switch outcome {
            case .success(let reply):
                await gate.noteSuccess()
                return reply
            case .failure(.final(let problem)): throw failure(problem)
            case .failure(.unusable(let problem)): throw EndpointUnusable(failure(problem))
            case .failure(.later(let reason, let seconds)):
                // What the endpoint asks for does not count as an attempt, but neither does it go on for ever.
                let since = putOffSince ?? .now
                putOffSince = since
                let wait = seconds ?? delay(after: sent), waited = (ContinuousClock.now - since) / .seconds(1)
                if waited + wait > settings.patienceSeconds {
                    if case .status(429, _) = reason {
                        throw EndpointUnusable(failure(.rateLimited(seconds: waited + wait)))
                    }
                    throw EndpointUnusable(failure(reason))
                }
                await gate.pause(.seconds(wait))
                continue
            case .failure(.again(let reason)): problem = reason
            case .failure(.perhapsDown(let reason)):
                problem = reason
                // An outage costs no attempt; but a question that brings the server down each time must come to an end.
                if settings.waitsWhenDown, outages < settings.attempts, try await wasDown(reason, failure) {
                    outages += 1
                    continue
                }
            }
            counted += 1
            if counted >= settings.attempts { throw failure(problem) }
            try await Task.sleep(for: .seconds(delay(after: counted)))
        }
    }

    /// Seconds before the next attempt: exponential, and never the same for two that failed together.
    private func delay(after attempts: Int) -> Double {
        let full = settings.retryDelaySeconds * pow(2, Double(min(attempts - 1, 20)))
        return min(full, Self.longestDelay) * Double.random(in: 0.5...1)
    }

    // MARK: Whether anybody is there

    /// Looks whether anybody answers, and waits until somebody does. One task looks, the others wait for it.
    /// - Throws: `EndpointUnusable` when patience ends.
    private func wasDown(
        _ reason: EndpointError.Problem, _ failure: (EndpointError.Problem) -> EndpointError
    ) async throws -> Bool {
        guard await gate.beginExamination() else {
            let wasDown = try await gate.finding()
            // Patience that ended for the one who looked has ended for all who waited.
            if wasDown, let seconds = await secondsDown, seconds > settings.patienceSeconds {
                throw EndpointUnusable(failure(reason))
            }
            return wasDown
        }
        var wasDown = false
        do {
            var looks = 0
            while let problem = try await probe() {
                wasDown = true
                looks += 1
                await gate.noteDown()
                if let seconds = await secondsDown, seconds > settings.patienceSeconds {
                    throw EndpointUnusable(failure(problem))
                }
                try await Task.sleep(for: .seconds(delay(after: looks)))
            }
        } catch {
            await gate.endExamination(wasDown: true)
            throw error
        }
        await gate.endExamination(wasDown: wasDown)
        return wasDown
    }

    /// A request that costs nothing.
    /// - Returns: nil where somebody answers
    private func probe() async throws -> EndpointError.Problem? {
        let request = makeRequest(.GET, "models"), seconds = min(settings.timeoutSeconds, settings.connectSeconds)
        do {
            let status = try await withTimeLimit(seconds) { [client] in
                let response = try await client.execute(request, timeout: .hours(24))
                _ = try await response.body.collect(upTo: 16 << 20)
                return response.status.code
            }
            if status >= 500 { return .status(Int(status), "") }
            await gate.noteSuccess()
            return nil
        } catch {
            try Task.checkCancellation()
            return problem(error, seconds: seconds)
        }
    }

    // MARK: One attempt

    private func makeRequest(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address + "/" + path)
        request.method = method
        request.headers.add(name: "User-Agent", value: "chatrex")
        request.headers.add(name: "Accept", value: "application/json")
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        return request
    }

    private func attempt(_ body: ByteBuffer, isFirst: Bool) async -> Result<ChatReply, ChatFailure> {
        var request = makeRequest(.POST, "chat/completions")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(body)
        meter.withLock {
            $0.requests += 1
            if !isFirst { $0.retries += 1 }
        }
        do {
            let limit = settings.responseBytes
            let (head, data) = try await withTimeLimit(settings.timeoutSeconds) { [client, request] in
                let response = try await client.execute(request, timeout: .hours(24))
                return (response, Data(try await response.body.collect(upTo: limit).readableBytesView))
            }
            guard head.status.code == 200 else { return .failure(refusal(head, data)) }
            let reply = try ChatCompletion.reply(from: data)
            meter.withLock {
                $0.promptTokens += reply.promptTokens
                $0.completionTokens += reply.completionTokens
            }
            return .success(reply)
        } catch let failure as ChatFailure {
            return .failure(failure)
        } catch is NIOTooManyBytesError {
            return .failure(.final(.tooManyBytes(limit: settings.responseBytes)))
        } catch {
            return .failure(.perhapsDown(problem(error, seconds: settings.timeoutSeconds)))
        }
    }

    /// What an answer that is no success means.
    private func refusal(_ head: HTTPClientResponse, _ body: Data) -> ChatFailure {
        let status = Int(head.status.code)
        var message = ChatCompletion.errorMessage(in: body) ?? ""
        // Some servers repeat the key that they do not know.
        if let key { message = message.replacing(key, with: "…") }
        let problem = EndpointError.Problem.status(status, message)
        let after = head.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0) }
        switch status {
        case 429: return .later(problem, after: after)
        case 503 where after != nil: return .later(problem, after: after)
        case 502...504: return .perhapsDown(problem)
        case 408, 425, 500, 505...599: return .again(problem)
        case 300..<400, 401, 402, 404, 405: return .unusable(problem)
        default: return .final(problem)
        }
    }

    private func problem(_ error: any Error, seconds: Double) -> EndpointError.Problem {
        switch error {
        case is TimeLimitPassed: return .timeout(seconds: seconds)
        case let error as HTTPClientError:
            if error == .connectTimeout || error == .readTimeout || error == .deadlineExceeded {
                return .timeout(seconds: error == .connectTimeout ? settings.connectSeconds : seconds)
            }
            return .unreachable(error.shortDescription)
        default: return .unreachable("\(error)".excerpt(160))
        }
    }
}

/// The time that `withTimeLimit` allows is over.
private struct TimeLimitPassed: Error {}

/// What `body` returns, where it does so in time; it is cancelled otherwise.
private func withTimeLimit<Value: Sendable>(
    _ seconds: Double, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw TimeLimitPassed()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
