import ChatRex
import ChatRexAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging
import Logging
import NIOConcurrencyHelpers
import NIOCore

extension API {
    /// A question about a picture, as OpenAI's chat interface asks it.
    func chat(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (request, body) = try await collected(request)
        var chat = try RequestJSON.decode(ChatRequest.self, from: body)
        if let name = chat.model, !chat.takeTask(fromModelNamed: options.modelName) {
            throw ServerError(
                .notFound, .modelNotFound, "the model here is \(options.modelName), not '\(name.prefix(80))'",
                parameter: "model")
        }
        let (text, picture) = try chat.lastTurn()
        let (task, boxes) = try chat.question(text, options)
        let stops = chat.stop?.all ?? []
        if stops.count > 4 { throw ServerError.value("stop", "has more than 4 texts") }
        var answerOptions = try chat.fields.answerOptions(options)
        answerOptions.alternatives = chat.alternatives
        if options.readsHistory { answerOptions.history = chat.history }
        // What cannot be asked is told before a stream begins; a box's number is judged when the boxes are known.
        _ = try task.prompts(boxCount: options.boxLimit, limits: answerOptions.limits)
        let place = try model.admit(context.client)
        let image = try await PictureSource.decode(PictureSource.bytes(of: picture, options), options)
        let work = ChatWork(
            place: place, task: task, image: image, boxes: boxes, options: answerOptions,
            writer: ChatWriter(isPlain: chat.plainText ?? false, stops: stops))
        let form = ChatForm(model: options.modelName, tellsProbabilities: chat.alternatives != nil)
        if chat.stream == true {
            let includesUsage = chat.streamOptions?.includesUsage ?? false
            return stream(work, form, includesUsage: includesUsage, to: request, context.logger)
        }
        let outcome = try await watching(request) { try await work.run { _ in } }
        return try JSONText.response(form.completion(outcome)).closing()
    }

    /// The answer as server-sent events, each as soon as the model has written it.
    private func stream(_ work: ChatWork, _ form: ChatForm, includesUsage: Bool, to request: Request, _ logger: Logger)
        -> Response
    {
        let limits = options
        let body = ResponseBody { writer in
            let (events, feed) = AsyncThrowingStream<String, any Error>.makeStream()
            let task = Task {
                do {
                    feed.yield(try form.start())
                    let outcome = try await work.run { piece in
                        if let event = try? form.delta(piece) { feed.yield(event) }
                    }
                    feed.yield(try form.end(outcome))
                    if includesUsage { feed.yield(try form.usage(outcome)) }
                } catch {
                    let told = ServerError(error, limits: limits)
                    if told.status.code == 500 { logger.error("\(error)") }
                    feed.yield(told.document)
                }
                feed.yield("[DONE]")
                feed.finish()
            }
            defer { task.cancel() }
            try await request.body.consumeWithInboundCloseHandler { _ in
                for try await event in events { try await writer.write(ByteBuffer(string: "data: \(event)\n\n")) }
            } onInboundClosed: {
                task.cancel()
            }
            try await writer.finish(nil)
        }
        let headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"]
        return Response(status: .ok, headers: headers, body: body).closing()
    }
}

/// One question on its way through the model.
struct ChatWork: Sendable {
    let place: ModelService.Place
    let task: VisionTask
    let image: Image
    let boxes: BoxSource
    let options: AnswerOptions
    let writer: ChatWriter

    /// What came of it.
    struct Outcome: Sendable {
        var whole: ChatWriter.Piece
        var plainText: String
        /// `stop`, or `length` when the answer was cut off.
        var reason: String
        var cost: StageTimes
    }

    /// - Parameter send: called with each piece of the answer.
    func run(_ send: @escaping @Sendable (ChatWriter.Piece) -> Void) async throws -> Outcome {
        let writer = NIOLockedValueBox(writer)
        let (answer, cost) = try await place.work { session in
            try await session.answer(task, about: image, boxes: boxes, options: options) { update in
                let (piece, goesOn) = writer.withLockedValue { ($0.add(update), !$0.isStopped) }
                if !piece.isEmpty { send(piece) }
                return goesOn
            }
        }
        let last = writer.withLockedValue { $0.finish() }
        if !last.isEmpty { send(last) }
        let written = writer.withLockedValue { $0 }
        return Outcome(
            whole: written.whole, plainText: written.plainText,
            reason: answer.isTruncated && !written.isStopped ? "length" : "stop", cost: cost)
    }
}

/// OpenAI's documents for an answer. Fields of our own: `detections`, `not_found` and `plain_text` of a message or delta.
struct ChatForm: Sendable {
    private let id = "chatcmpl-" + UUID().uuidString.lowercased()
    private let created = Int(Date().timeIntervalSince1970)
    private let model: String
    private let tellsProbabilities: Bool

    init(model: String, tellsProbabilities: Bool) {
        (self.model, self.tellsProbabilities) = (model, tellsProbabilities)
    }

    private struct Document: Encodable {
        var id: String, object: String, created: Int, model: String
        var choices: [Choice]
        var usage: Usage?
    }

    private struct Choice: Encodable {
        var index = 0
        var message: Message?
        var delta: Message?
        var logprobs: LogProbabilities?
        var finishReason: String?

        enum CodingKeys: String, CodingKey {
            case index, message, delta, logprobs
            case finishReason = "finish_reason"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(index, forKey: .index)
            try container.encodeIfPresent(message, forKey: .message)
            try container.encodeIfPresent(delta, forKey: .delta)
            try container.encodeIfPresent(logprobs, forKey: .logprobs)
            // Clients look for the key while it is still null.
            try container.encode(finishReason, forKey: .finishReason)
        }
    }

    private struct LogProbabilities: Encodable {
        struct Candidate: Encodable {
            var token: String, logprob: Double, bytes: [UInt8]

            init(_ candidate: TokenChoice.Candidate) {
                (token, bytes) = (String(decoding: candidate.bytes, as: UTF8.self), candidate.bytes)
                // OpenAI's figure for what is as good as impossible.
                logprob = max(candidate.logProbability, -9999)
            }
        }

        struct Token: Encodable {
            var token: String, logprob: Double, bytes: [UInt8], alternatives: [Candidate]

            enum CodingKeys: String, CodingKey {
                case token, logprob, bytes
                case alternatives = "top_logprobs"
            }
        }

        var content: [Token]

        /// - Returns: nil where they were not asked for.
        init?(_ tokens: [TokenChoice], isAsked: Bool) {
            if !isAsked { return nil }
            content = tokens.map { choice in
                let chosen = Candidate(choice.chosen)
                return Token(
                    token: chosen.token, logprob: chosen.logprob, bytes: chosen.bytes,
                    alternatives: choice.alternatives.map(Candidate.init))
            }
        }
    }

    private struct Message: Encodable {
        var role: String?
        var content: String?
        var plainText: String?
        var detections: [Detection]?
        var notFound: [String]?

        enum CodingKeys: String, CodingKey {
            case role, content, detections
            case plainText = "plain_text"
            case notFound = "not_found"
        }
    }

    private struct Usage: Encodable {
        var promptTokens: Int, completionTokens: Int, totalTokens: Int

        init(_ cost: StageTimes) {
            (promptTokens, completionTokens) = (cost.promptTokens, cost.tokens)
            totalTokens = promptTokens + completionTokens
        }

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case completionTokens = "completion_tokens"
            case totalTokens = "total_tokens"
        }
    }

    private func document(_ object: String, _ choices: [Choice], _ usage: Usage? = nil) -> Document {
        Document(id: id, object: object, created: created, model: model, choices: choices, usage: usage)
    }

    private func chunk(_ choices: [Choice], _ usage: Usage? = nil) throws -> String {
        try JSONText.text(document("chat.completion.chunk", choices, usage))
    }

    func completion(_ outcome: ChatWork.Outcome) -> some Encodable {
        let message = Message(
            role: "assistant", content: outcome.whole.content, plainText: outcome.plainText,
            detections: outcome.whole.detections, notFound: outcome.whole.notFound)
        return document(
            "chat.completion",
            [Choice(message: message, logprobs: logprobs(outcome.whole), finishReason: outcome.reason)],
            Usage(outcome.cost))
    }

    func start() throws -> String { try chunk([Choice(delta: Message(role: "assistant", content: ""))]) }

    func delta(_ piece: ChatWriter.Piece) throws -> String {
        try chunk([
            Choice(
                delta: Message(
                    content: piece.content, detections: piece.detections.isEmpty ? nil : piece.detections,
                    notFound: piece.notFound.isEmpty ? nil : piece.notFound),
                logprobs: logprobs(piece))
        ])
    }

    private func logprobs(_ piece: ChatWriter.Piece) -> LogProbabilities? {
        LogProbabilities(piece.tokens, isAsked: tellsProbabilities)
    }

    func end(_ outcome: ChatWork.Outcome) throws -> String {
        try chunk([Choice(delta: Message(plainText: outcome.plainText), finishReason: outcome.reason)])
    }

    func usage(_ outcome: ChatWork.Outcome) throws -> String { try chunk([], Usage(outcome.cost)) }
}
