import Foundation

/// What a JSON object says about a picture, in the names that are in use: those of COYO, LAION, img2dataset and LLaVA. A value of another
/// kind than expected counts as missing.
package struct ItemMetadata: Decodable, Sendable {
    package var url: String?
    /// Name of the picture's file.
    package var image: String?
    package var width: Int?, height: Int?
    package var unsafeScore: Double?, watermarkScore: Double?
    package var text: String?
    package var conversation: [ConversationTurn]?

    /// - Throws: `DecodingError` for what is no JSON object.
    package init(json: [UInt8]) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json))
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func first<Value: Decodable>(_ type: Value.Type, _ names: String...) -> Value? {
            names.lazy.compactMap { try? values.decodeIfPresent(type, forKey: Key($0)) }.first
        }
        url = first(String.self, "url", "URL", "image_url")
        image = first(String.self, "image", "file_name")
        width = first(Double.self, "original_width", "width", "WIDTH").flatMap(Self.side)
        height = first(Double.self, "original_height", "height", "HEIGHT").flatMap(Self.side)
        unsafeScore =
            first(
                Score.self, "punsafe", "nsfw_score_opennsfw2", "nsfw_score_gantman", "nsfw_score", "nsfw", "NSFW")?
            .value
        watermarkScore = first(Score.self, "pwatermark", "watermark_score")?.value
        text = first(String.self, "text", "caption", "TEXT").flatMap { Self.trimmed($0) }
        conversation = first([Message].self, "conversations", "messages").flatMap(Self.turns)
    }

    /// Adds what is known to an item.
    package func describe(_ item: inout SourceItem) {
        item.width = width ?? item.width
        item.height = height ?? item.height
        item.unsafeScore = unsafeScore ?? item.unsafeScore
        item.watermarkScore = watermarkScore ?? item.watermarkScore
        item.text = text ?? item.text
        item.conversation = conversation ?? item.conversation
    }

    private static func side(_ value: Double) -> Int? {
        value >= 1 && value <= 1e9 ? Int(value) : nil
    }

    package static func trimmed(_ text: String) -> String? {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }

    /// Questions with their answers; what is said without the other is left out.
    private static func turns(_ messages: [Message]) -> [ConversationTurn]? {
        var turns: [ConversationTurn] = [], question: String?
        for message in messages {
            switch message.speaker {
            case "human", "user": question = trimmed(message.text.replacingOccurrences(of: "<image>", with: ""))
            case "gpt", "assistant", "model":
                if let asked = question, let answer = trimmed(message.text) {
                    turns.append(ConversationTurn(question: asked, answer: answer))
                }
                question = nil
            default: continue
            }
        }
        return turns.isEmpty ? nil : turns
    }
}

private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

/// `{"from": "human", "value": "…"}` or `{"role": "user", "content": "…"}`.
private struct Message: Decodable {
    let speaker: String, text: String

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let isLLaVA = values.contains(Key("from"))
        speaker = try values.decode(String.self, forKey: Key(isLLaVA ? "from" : "role")).lowercased()
        text = try values.decode(String.self, forKey: Key(isLLaVA ? "value" : "content"))
    }
}

/// A number, true or false, or one of LAION's tags.
private struct Score: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            value = min(max(number, 0), 1)
        } else if let flag = try? container.decode(Bool.self) {
            value = flag ? 1 : 0
        } else {
            switch try container.decode(String.self).lowercased() {
            case "nsfw", "unsafe", "true", "yes": value = 1
            case "unsure": value = 0.5
            case "unlikely", "sfw", "safe", "false", "no": value = 0
            case let text:
                guard let number = Double(text), number.isFinite else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "no score")
                }
                value = min(max(number, 0), 1)
            }
        }
    }
}
