import DataEngine
import Foundation
import Hummingbird
import NIOCore
import Testing

/// A chat endpoint on this machine whose every answer the test decides, and which keeps count.
struct ScriptedEndpoint {
    /// The request's number, from 0, and its body.
    typealias Handler = @Sendable (Int, ChatRequestBody) async throws -> Response

    let port: Int
    let log = RequestLog()
    private let task: Task<Void, Never>

    /// - Parameters:
    ///   - port: 0 for any that is free
    ///   - isUp: what the look of a number, from 0, finds
    init(
        port: Int = 0, isUp: @escaping @Sendable (Int) -> Bool = { _ in true }, _ handler: @escaping Handler
    ) async throws {
        let router = Router(), log = log
        router.post("v1/chat/completions") { request, _ in
            let body = try await request.body.collect(upTo: 64 << 20)
            let number = await log.begin(Data(body.readableBytesView), authorization: request.headers[.authorization])
            do {
                let response = try await handler(number, ChatRequestBody(Data(body.readableBytesView)))
                await log.end()
                return response
            } catch {
                await log.end()
                throw error
            }
        }
        router.get("v1/models") { _, _ in
            Response(status: isUp(await log.look()) ? .ok : .badGateway)
        }
        let (ports, feed) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { feed.yield($0.localAddress?.port ?? 0) })
        task = Task {
            try? await application.run()
            feed.finish()
        }
        self.port = try #require(await ports.first { _ in true })
    }

    func stop() { task.cancel() }

    var requests: Int { get async { await log.bodies.count } }

    /// Settings that fail quickly.
    func settings(_ change: (inout EndpointSettings) -> Void = { _ in }) -> EndpointSettings {
        .quick(port: port, change)
    }

    func endpoint(_ change: (inout EndpointSettings) -> Void = { _ in }) throws -> ChatEndpoint {
        try ChatEndpoint(settings(change))
    }

    // MARK: Answers

    static func says(_ text: String, finish: String = "stop") throws -> Response {
        let document: [String: Any] = [
            "id": "1", "object": "chat.completion",
            "choices": [["index": 0, "finish_reason": finish, "message": ["role": "assistant", "content": text]]],
            "usage": ["prompt_tokens": 100, "completion_tokens": 20],
        ]
        return json(try JSONSerialization.data(withJSONObject: document))
    }

    static func json(_ data: Data, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    static func text(_ text: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

extension EndpointSettings {
    static func quick(port: Int, _ change: (inout EndpointSettings) -> Void = { _ in }) -> EndpointSettings {
        var settings = EndpointSettings()
        settings.url = "http://127.0.0.1:\(port)"
        settings.model = "test"
        (settings.retryDelaySeconds, settings.patienceSeconds) = (0.02, 20)
        change(&settings)
        return settings
    }
}

/// What was asked, in the order of arrival.
actor RequestLog {
    private(set) var bodies: [Data] = []
    private(set) var authorizations: [String?] = []
    private(set) var arrivals: [ContinuousClock.Instant] = []
    /// Most requests that were answered at the same time.
    private(set) var peak = 0
    /// How often somebody only looked whether the server is there.
    private(set) var looks = 0
    private var running = 0

    func begin(_ body: Data, authorization: String?) -> Int {
        bodies.append(body)
        authorizations.append(authorization)
        arrivals.append(.now)
        running += 1
        peak = max(peak, running)
        return bodies.count - 1
    }

    func end() { running -= 1 }

    func look() -> Int {
        looks += 1
        return looks - 1
    }
}

/// A request's JSON.
struct ChatRequestBody: Sendable {
    private let data: Data

    init(_ data: Data) { self.data = data }

    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: data) as? [String: Any]) ?? [:] }
    var messages: [[String: Any]] { json["messages"] as? [[String: Any]] ?? [] }

    /// The text of the last turn.
    var text: String {
        if let text = messages.last?["content"] as? String { return text }
        return parts.compactMap { $0["text"] as? String }.joined()
    }

    private var parts: [[String: Any]] { messages.last?["content"] as? [[String: Any]] ?? [] }

    /// The files of the last turn's pictures.
    var pictures: [[UInt8]] {
        parts.compactMap { ($0["image_url"] as? [String: Any])?["url"] as? String }.compactMap { url in
            Data(base64Encoded: String(url.drop { $0 != "," }.dropFirst())).map { [UInt8]($0) }
        }
    }
}

/// Answers from a list, and keeps what was asked.
actor ScriptedModel: ChatModel {
    private var replies: [ChatReply]
    private(set) var questions: [ChatQuestion] = []

    /// The last one is repeated.
    init(_ replies: [ChatReply]) { self.replies = replies }

    init(_ texts: String...) { replies = texts.map { ChatReply(text: $0) } }

    func reply(to question: ChatQuestion) -> ChatReply {
        questions.append(question)
        return replies.count > 1 ? replies.removeFirst() : replies[0]
    }
}

/// A folder that is there for one test.
struct ScratchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("chatrex-language-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}
