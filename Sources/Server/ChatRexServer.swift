// The HTTP service: what it listens on, which route leads where, how it starts and ends.

import ChatRex
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UPN
import UnixSignals
import WebApp

/// Serves a model over HTTP, with a page for people.
///
///     let server = try ChatRexServer { try await ChatRexSession() }
///     try await server.run { print($0) }
public struct ChatRexServer: Sendable {
    private let options: ServerOptions
    private let load: @Sendable () async throws -> ChatRexSession
    private let logger: Logger

    /// - Parameters:
    ///   - load: makes the model; the server listens already while it does.
    ///   - logger: gets a line a request, without pictures, texts and keys.
    /// - Throws: `ServerError` for options that would leave the server open or useless.
    public init(
        _ options: ServerOptions = ServerOptions(), logger: Logger? = nil,
        load: @escaping @Sendable () async throws -> ChatRexSession
    ) throws(ServerError) {
        try options.validate()
        (self.options, self.load) = (options, load)
        self.logger = logger ?? Logger(label: "chatrex") { StreamLogHandler.standardError(label: $0) }
    }

    /// Serves until its task is cancelled or, where it may listen to signals, until SIGTERM or SIGINT; then no connection is
    /// accepted any more, and what was accepted is answered.
    ///
    /// - Parameters:
    ///   - endsOnSignals: whether the server takes the process's SIGTERM and SIGINT for itself.
    ///   - onListening: called with the address once requests are taken.
    /// - Throws: what `load` throws, and what keeps the address from being used.
    public func run(endsOnSignals: Bool = false, onListening: @escaping @Sendable (String) async -> Void = { _ in })
        async throws
    {
        let metrics = Metrics()
        let model = ModelService(options, metrics, load: load)
        let api = API(options: options, model: model, metrics: metrics)
        let (host, bodyLimit) = (options.host, options.bodyLimit)
        let application = Application(
            router: api.router,
            server: HTTPServerBuilder { responder in
                PoliteHTTP1Channel(
                    HTTP1Channel(responder: responder, configuration: .init(idleTimeout: .seconds(60))),
                    bodyLimit: bodyLimit)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port),
                availableConnectionsDelegate: MaximumAvailableConnections(options.connectionLimit, logger: quiet)),
            services: [model],
            onServerRunning: { channel in
                let name = host.contains(":") ? "[\(host)]" : host
                await onListening("http://\(name):\(channel.localAddress?.port ?? 0)")
            },
            logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [application], gracefulShutdownSignals: endsOnSignals ? [.sigterm, .sigint] : [],
            logger: quiet)
        configuration.maximumGracefulShutdownDuration = options.deadline + .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// For parts whose notes are of no use to who runs a server.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = .error
        return logger
    }
}

/// What is known of a request beside itself.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Address of the client.
    let remoteAddress: String
    /// Who asks: the number of its key, or its address where there are no keys. For sharing fairly.
    var client: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "unknown"
        client = remoteAddress
    }
}

/// The routes and what they share.
struct API: Sendable {
    let options: ServerOptions
    let model: ModelService
    let metrics: Metrics

    var router: Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: FrontDoor(options: options, metrics: metrics))
        addPages(to: router)
        addStatus(to: router)

        let work = router.group().add(middleware: Doorkeeper(options: options))
        work.post("/v1/chat/completions", use: chat)
        for task in VisionEndpoint.allCases {
            work.post(RouterPath("/v1/\(task.rawValue)")) { try await vision(task, $0, $1) }
        }
        work.get("/v1/models") { _, _ in try models() }
        work.get("/v1/models/:model") { _, context in try modelNamed(context.parameters.get("model")) }
        work.get("/metrics") { _, _ in
            let text = metrics.text(accepted: model.accepted, limit: model.queueLimit, isReady: model.isReady)
            return Self.text(text, type: "text/plain; version=0.0.4; charset=utf-8")
        }
        work.post("/predict", use: labelStudioPredict)
        work.post("/setup", use: labelStudioSetup)
        return router
    }

    private func addPages(to router: Router<ServerContext>) {
        for (path, file) in WebFiles.byPath {
            router.get(RouterPath(path)) { _, _ in Self.text(file.bytes, type: file.mediaType) }
        }
        let examples = ExampleImages.found
        router.get("/examples") { _, _ in try JSONText.response(examples.keys.sorted()) }
        router.get("/examples/:name") { _, context in
            guard let name = context.parameters.get("name"), let bytes = examples[name] else {
                throw HTTPError(.notFound)
            }
            return Self.text(bytes, type: "image/jpeg")
        }
    }

    private func addStatus(to router: Router<ServerContext>) {
        router.get("/healthz") { _, _ in Self.text("ok\n") }
        router.get("/readyz") { _, _ in
            guard model.isReady else {
                throw ServerError(.serviceUnavailable, .loading, "the model is still being loaded", retryAfter: 2)
            }
            return Self.text("ready\n")
        }
        router.get("/health") { _, _ in try JSONText.response(["status": "UP", "model_class": "ChatRex"]) }
    }

    // MARK: Models

    private struct ModelRecord: Encodable {
        let id: String
        let object = "model"
        let created = 0
        let ownedBy = "chatrex"
        /// Of suggested boxes where a request names no limits.
        let proposalMinScore: Double?, iou: Double?

        init(_ id: String, _ filter: ProposalFilter?) {
            (self.id, proposalMinScore, iou) = (id, filter?.minimumScore, filter?.iouThreshold)
        }

        enum CodingKeys: String, CodingKey {
            case id, object, created, iou
            case ownedBy = "owned_by"
            case proposalMinScore = "proposal_min_score"
        }
    }

    private struct ModelList: Encodable {
        let object = "list"
        let data: [ModelRecord]
    }

    private func models() throws -> Response {
        try JSONText.response(ModelList(data: [ModelRecord(options.modelName, model.proposalFilter)]))
    }

    private func modelNamed(_ name: String?) throws -> Response {
        guard name == options.modelName else {
            throw ServerError(.notFound, .modelNotFound, "the model here is \(options.modelName)", parameter: "model")
        }
        return try JSONText.response(ModelRecord(options.modelName, model.proposalFilter))
    }

    // MARK: Requests and responses

    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Self.text(Array(text.utf8), type: type)
    }

    static func text(_ bytes: [UInt8], type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The whole body.
    /// - Returns: the request with its body kept, so that its connection can still be watched.
    func collected(_ request: Request) async throws -> (request: Request, body: [UInt8]) {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > options.bodyLimit {
            throw NIOTooManyBytesError(maxBytes: options.bodyLimit)
        }
        let limit = options.bodyLimit
        return try await within(options.uploadTime) {
            ServerError(.requestTimeout, .uploadTimeout, "the request took too long to arrive")
        } perform: {
            var request = request
            let buffer = try await request.collectBody(upTo: limit)
            return (request, Array(buffer.readableBytesView))
        }
    }

    /// Does something for a client, and stops when it goes away. The connection ends with the response.
    func watching<Result: Sendable>(_ request: Request, _ body: () async throws -> Result) async throws -> Result {
        try await request.body.consumeWithCancellationOnInboundClose { _ in try await body() }
    }
}

extension Response {
    /// As an answer to HEAD: what the headers say of the body stays.
    func withoutBody() -> Response {
        var response = self
        let length = headers[.contentLength]
        response.body = ResponseBody()
        response.headers[.contentLength] = length
        return response
    }

    /// Says that the connection is not used again, as is so after its client was watched.
    func closing() -> Response {
        var response = self
        response.headers[.connection] = "close"
        return response
    }
}
