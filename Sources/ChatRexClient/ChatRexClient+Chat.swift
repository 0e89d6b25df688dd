import ChatRexAPI
import Foundation

/// An answer in words.
public struct ChatAnswer: Sendable, Hashable {
    /// With tags: `<ground>a dog</ground><objects><obj3></objects> on a sofa`.
    public var content: String
    /// Without tags.
    public var text: String
    public var detections: [Detection]
    /// What was asked for and is not there.
    public var notFound: [String]
    /// Whether the limit of tokens came before the answer's end.
    public var isTruncated: Bool
}

extension ChatRexClient {
    /// An answer to a question, with the places of what it names.
    ///
    /// - Parameters:
    ///   - boxes: `[x1, y1, x2, y2]` in pixels; the question may call them `<obj0>`, `<obj1>`, …
    ///   - isGrounded: false for plain conversation, without suggested boxes
    public func ask(
        _ question: String, about image: Data, boxes: [[Double]] = [], isGrounded: Bool = true,
        options: Options = Options()
    ) async throws -> ChatAnswer {
        let body = ChatBody(
            messages: [.init(content: [.init(text: question), .init(picture: image)])],
            task: isGrounded ? "ask" : "chat", boxes: boxes.isEmpty ? nil : boxes, minScore: options.minimumScore,
            maxTokens: options.maxTokens, temperature: options.temperature, seed: options.seed)
        let completion: Completion = try await send("v1/chat/completions", body)
        guard let choice = completion.choices.first else { throw ClientError.unexpected("an answer without choices") }
        let message = choice.message
        return ChatAnswer(
            content: message.content, text: message.plainText, detections: message.detections,
            notFound: message.notFound, isTruncated: choice.finishReason == "length")
    }
}

private struct ChatBody: Encodable {
    struct Message: Encodable {
        var role = "user"
        var content: [Part]
    }

    struct Part: Encodable {
        struct Address: Encodable {
            var url: String
        }

        var type: String
        var text: String?
        var imageURL: Address?

        init(text: String) { (type, self.text) = ("text", text) }

        /// The server goes by the bytes, not by the name of their type.
        init(picture: Data) {
            (type, imageURL) = ("image_url", Address(url: "data:image/*;base64," + picture.base64EncodedString()))
        }

        enum CodingKeys: String, CodingKey {
            case type, text
            case imageURL = "image_url"
        }
    }

    var messages: [Message]
    var task: String
    var boxes: [[Double]]?
    var minScore: Double?, maxTokens: Int?, temperature: Double?, seed: Int?

    enum CodingKeys: String, CodingKey {
        case messages, task, boxes, temperature, seed
        case minScore = "min_score"
        case maxTokens = "max_tokens"
    }
}

private struct Completion: Decodable {
    struct Message: Decodable {
        var content: String, plainText: String, detections: [Detection], notFound: [String]

        enum CodingKeys: String, CodingKey {
            case content, detections
            case plainText = "plain_text"
            case notFound = "not_found"
        }
    }

    struct Choice: Decodable {
        var message: Message, finishReason: String

        enum CodingKeys: String, CodingKey {
            case message
            case finishReason = "finish_reason"
        }
    }

    var choices: [Choice]
}
