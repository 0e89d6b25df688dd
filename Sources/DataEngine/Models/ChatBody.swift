import Crypto
import Foundation

/// The JSON of a request, `POST /v1/chat/completions`.
struct ChatBody: Sendable {
    private let settings: EndpointSettings

    /// Temperature of answers that are asked for again, at least.
    private static let variedTemperature = 0.7

    init(_ settings: EndpointSettings) { self.settings = settings }

    /// What is sent.
    func json(_ question: ChatQuestion) throws -> Data {
        try json(question) { "data:image/jpeg;base64," + Data($0).base64EncodedString() }
    }

    /// Equal for questions whose answers are interchangeable: a digest of the model and of all that is sent, with pictures by their own
    /// digests.
    func digest(_ question: ChatQuestion) throws -> Data {
        var document = try json(question) { bytes in
            SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        }
        // A server with one model is known by its address alone.
        if settings.model.isEmpty { document += Data(settings.url.utf8) }
        return Data(SHA256.hash(data: document))
    }

    private func json(_ question: ChatQuestion, picture: ([UInt8]) -> String) throws -> Data {
        var body: [String: Any] = [
            "messages": messages(question, picture), "temperature": settings.temperature, "seed": settings.seed,
            "max_tokens": min(question.maxTokens ?? settings.maxTokens, settings.maxTokens),
        ]
        if !settings.model.isEmpty { body["model"] = settings.model }
        if question.variation > 0 {
            body["temperature"] = max(settings.temperature, Self.variedTemperature)
            body["seed"] = settings.seed &+ question.variation
        }
        if question.wantsJSON { body["response_format"] = ["type": "json_object"] }
        if !question.choices.isEmpty {
            switch settings.choices {
            case .free: break
            case .grammar:
                let words = question.choices.map {
                    "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
                }
                body["grammar"] = "root ::= " + words.joined(separator: " | ")
            case .structured: body["structured_outputs"] = ["choice": question.choices]
            }
        }
        for (name, value) in try settings.extra() { body[name] = value is NSNull ? nil : value }
        return try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes])
    }

    private func messages(_ question: ChatQuestion, _ picture: ([UInt8]) -> String) -> [[String: Any]] {
        var messages: [[String: Any]] = []
        if !question.system.isEmpty { messages.append(["role": "system", "content": question.system]) }
        for example in question.examples {
            messages.append(["role": "user", "content": example.question])
            messages.append(["role": "assistant", "content": example.answer])
        }
        var content: Any = question.text
        if !question.pictures.isEmpty {
            let pictures = question.pictures.map {
                ["type": "image_url", "image_url": ["url": picture($0)]] as [String: Any]
            }
            content = pictures + [["type": "text", "text": question.text]]
        }
        messages.append(["role": "user", "content": content])
        return messages
    }
}

/// The JSON of an answer.
struct ChatCompletion: Decodable {
    struct Choice: Decodable {
        var message: Message?
        var finishReason: String?

        enum CodingKeys: String, CodingKey {
            case message
            case finishReason = "finish_reason"
        }
    }

    struct Message: Decodable {
        var content: Content?
        /// What some servers write instead of a content that they withhold.
        var refusal: String?
    }

    /// A text, or parts.
    struct Content: Decodable {
        struct Part: Decodable {
            var text: String?
        }

        var text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                text = try container.decode([Part].self).compactMap(\.text).joined()
            }
        }
    }

    struct Usage: Decodable {
        var promptTokens: Int?, completionTokens: Int?

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case completionTokens = "completion_tokens"
        }
    }

    var choices: [Choice]?
    var usage: Usage?

    /// Reads the body of a successful answer.
    static func reply(from body: Data) throws(ChatFailure) -> ChatReply {
        guard (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) != nil else {
            let text = String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            // Without its end, or without anything.
            if text.isEmpty || text.hasPrefix("{") { throw .again(.brokenOff) }
            throw .final(.notJSON(beginning: text.excerpt(80)))
        }
        guard let completion = try? JSONDecoder().decode(ChatCompletion.self, from: body) else {
            throw .final(.missing(field: "choices"))
        }
        guard let choice = completion.choices?.first else {
            // Some servers report an error with status 200.
            if let message = errorMessage(in: body) { throw .final(.status(200, message)) }
            throw .final(.missing(field: "choices"))
        }
        guard let message = choice.message else { throw .final(.missing(field: "choices[0].message")) }
        let reason = choice.finishReason ?? "stop"
        return ChatReply(
            text: message.content?.text ?? message.refusal ?? "",
            finishReason: message.content == nil && message.refusal != nil ? "content_filter" : reason,
            promptTokens: max(0, completion.usage?.promptTokens ?? 0),
            completionTokens: max(0, completion.usage?.completionTokens ?? 0))
    }

    /// What an answer that is no success says of itself, in the forms that servers use.
    static func errorMessage(in body: Data) -> String? {
        guard let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any] else { return nil }
        for key in ["error", "message", "detail"] {
            if let text = object[key] as? String { return text.excerpt(300) }
            if let inner = object[key] as? [String: Any], let text = inner["message"] as? String {
                return text.excerpt(300)
            }
        }
        return nil
    }
}

/// An attempt that failed.
enum ChatFailure: Error {
    /// Another attempt has a chance.
    case again(EndpointError.Problem)
    /// As `again`; and it may be that nobody is there.
    case perhapsDown(EndpointError.Problem)
    /// The endpoint wants to be asked later; seconds where it says when.
    case later(EndpointError.Problem, after: Double?)
    /// It will always fail.
    case final(EndpointError.Problem)
    /// Every question will fail.
    case unusable(EndpointError.Problem)
}

extension String {
    /// The beginning on one line.
    func excerpt(_ length: Int) -> String {
        let line = split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > length ? line.prefix(length) + "…" : line
    }
}
