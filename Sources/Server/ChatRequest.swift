import ChatRex
import Foundation
import HTTPTypes

/// The body of `POST /v1/chat/completions`.
struct ChatRequest: Decodable, Sendable {
    /// What the last turn asks for; an extension of OpenAI's interface.
    enum Task: String, Decodable, Sendable {
        /// A question whose answer locates what it names.
        case ask
        /// A question with a plain answer.
        case chat
        case detect, count, caption, describe
    }

    struct Message: Decodable, Sendable {
        var role: String
        var content: Content?

        var text: String { (content?.parts ?? []).compactMap(\.text).joined(separator: "\n") }
    }

    /// A text, or parts.
    struct Content: Decodable, Sendable {
        var parts: [Part]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                parts = [Part(type: "text", text: text)]
            } else {
                parts = try container.decode([Part].self)
            }
        }
    }

    struct Part: Decodable, Sendable {
        struct Address: Decodable, Sendable {
            var url: String
        }

        var type: String
        var text: String?
        var imageURL: Address?

        enum CodingKeys: String, CodingKey {
            case type, text
            case imageURL = "image_url"
        }
    }

    struct StreamOptions: Decodable, Sendable {
        var includesUsage: Bool?

        enum CodingKeys: String, CodingKey { case includesUsage = "include_usage" }
    }

    struct ResponseFormat: Decodable, Sendable {
        var type: String
    }

    var model: String?
    var messages: [Message]
    var stream: Bool?
    var streamOptions: StreamOptions?
    var stop: VisionFields.Texts?
    var maxCompletionTokens: Int?
    var task: Task?
    /// Whether the content is without tags.
    var plainText: Bool?
    /// How many of the likeliest tokens are told with the probability of each token; nil tells no probabilities.
    var alternatives: Int?
    /// Parameters that are shared with the other routes.
    var fields: VisionFields

    private enum CodingKeys: String, CodingKey {
        case model, messages, stream, stop, task, n, logprobs, tools, functions
        case topLogprobs = "top_logprobs"
        case streamOptions = "stream_options"
        case maxCompletionTokens = "max_completion_tokens"
        case plainText = "plain_text"
        case responseFormat = "response_format"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        model = try container.decodeIfPresent(String.self, forKey: .model)
        messages = try container.decode([Message].self, forKey: .messages)
        stream = try container.decodeIfPresent(Bool.self, forKey: .stream)
        streamOptions = try container.decodeIfPresent(StreamOptions.self, forKey: .streamOptions)
        stop = try container.decodeIfPresent(VisionFields.Texts.self, forKey: .stop)
        maxCompletionTokens = try container.decodeIfPresent(Int.self, forKey: .maxCompletionTokens)
        task = try container.decodeIfPresent(Task.self, forKey: .task)
        plainText = try container.decodeIfPresent(Bool.self, forKey: .plainText)
        fields = try VisionFields(from: decoder)
        fields.maxTokens = maxCompletionTokens ?? fields.maxTokens
        alternatives = try Self.alternatives(container, isPlain: plainText ?? false)
        try Self.refuse(container)
    }

    private static func alternatives(_ container: KeyedDecodingContainer<CodingKeys>, isPlain: Bool) throws -> Int? {
        let isAsked = try container.decodeIfPresent(Bool.self, forKey: .logprobs) ?? false
        let count = try container.decodeIfPresent(Int.self, forKey: .topLogprobs)
        if let count, !(0...20).contains(count) { throw ServerError.value("top_logprobs", "must be within 0...20") }
        if count != nil, !isAsked { throw ServerError.value("top_logprobs", "needs logprobs to be true") }
        if isAsked, isPlain {
            throw ServerError.value("logprobs", "are of the text with tags; leave plain_text out")
        }
        return isAsked ? count ?? 0 : nil
    }

    /// What is not there is refused, so that nobody takes a silence for an answer.
    private static func refuse(_ container: KeyedDecodingContainer<CodingKeys>) throws {
        if let count = try container.decodeIfPresent(Int.self, forKey: .n), count != 1 {
            throw ServerError.unsupported("n", "there is one answer a request")
        }
        for key in [CodingKeys.tools, .functions] where container.contains(key) {
            // An empty list asks for nothing; some clients always send one.
            if try !container.decodeNil(forKey: key), try !container.nestedUnkeyedContainer(forKey: key).isAtEnd {
                throw ServerError.unsupported(key.rawValue, "the model calls no functions")
            }
        }
        if let format = try container.decodeIfPresent(ResponseFormat.self, forKey: .responseFormat),
            format.type != "text"
        {
            throw ServerError.unsupported("response_format", "answers are text; detections come beside it")
        }
    }
}

extension ChatRequest {
    /// Reads `nano:chat` as the model `nano` with the task `chat`, for clients that cannot send the field. False where another model is
    /// meant.
    mutating func takeTask(fromModelNamed name: String) -> Bool {
        guard let model, model != name else { return true }
        guard model.hasPrefix(name + ":"), let asked = Task(rawValue: String(model.dropFirst(name.count + 1))) else {
            return false
        }
        task = task ?? asked
        return true
    }

    /// The text of the last turn and the latest picture, as a data URL or an address.
    func lastTurn() throws -> (text: String, picture: String) {
        guard let last = messages.last, last.role == "user" else {
            throw ServerError.value("messages", "must end with a turn of the user")
        }
        let roles: Set<String> = ["system", "developer", "user", "assistant"]
        if let odd = messages.first(where: { !roles.contains($0.role) }) {
            throw ServerError.value("messages", "has the unknown role '\(odd.role.prefix(40))'")
        }
        for message in messages {
            for part in message.content?.parts ?? [] where part.type != "text" && part.type != "image_url" {
                throw ServerError.value("messages", "has a part of the unknown type '\(part.type.prefix(40))'")
            }
        }
        let parts = messages.filter { $0.role == "user" }.flatMap { $0.content?.parts ?? [] }
        guard let address = parts.last(where: { $0.type == "image_url" })?.imageURL else {
            throw ServerError(
                .badRequest, .missingImage, "no turn has a picture; add a part of type image_url", parameter: "messages"
            )
        }
        return (last.text, address.url)
    }

    /// The turns before the last one, in pairs. What the assistant said first, and system messages, have no place in the model's prompt.
    var history: [PastExchange] {
        var exchanges: [PastExchange] = [], question: String?
        for message in messages.dropLast() {
            if message.role == "user" {
                question = message.text
            } else if message.role == "assistant", let asked = question {
                exchanges.append(PastExchange(question: asked, answer: message.text))
                question = nil
            }
        }
        return exchanges
    }

    /// The task with its subject, and the boxes it is asked with.
    func question(_ text: String, _ limits: ServerOptions) throws -> (task: VisionTask, boxes: BoxSource) {
        let given = try fields.regions(limits)
        switch task ?? .ask {
        case .ask: return (.groundedQuestion(text), try fields.proposals(limits))
        case .chat: return (.question(text), given.isEmpty ? .none : .given(given))
        case .detect: return (.detect([text]), try fields.proposals(limits))
        case .count: return (.count([text]), try fields.proposals(limits))
        case .caption: return (.groundedCaption(fields.style ?? .brief), try fields.proposals(limits))
        case .describe:
            if given.isEmpty { throw ServerError.value("boxes", "must name the regions to describe") }
            return (.describeRegions(Array(given.indices), level: fields.level ?? .category), .given(given))
        }
    }
}
