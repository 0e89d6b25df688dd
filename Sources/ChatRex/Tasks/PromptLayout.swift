import LanguageModels

/// A prompt as token ids with placeholders for what is not text.
public struct Prompt: Sendable, Hashable {
    /// Stands in ``ids`` for the rows of the image.
    public static let imageID = -200
    /// Stands in ``ids`` for the feature row of a box; the k-th one for box k.
    public static let objectFeatureID = -300

    /// The prompt as text, with `<image>` and `<objfeat>` for the placeholders.
    public let text: String
    /// Token ids and placeholders.
    public let ids: [Int]
    /// How many boxes the prompt has.
    public let boxCount: Int
    /// How many of ``ids`` depend on image and boxes alone: questions about the same image share them.
    public let prefixCount: Int
}

/// Lays out image, boxes and question as the model was trained to read them.
///
///     <|im_start|>user\n<image>\n<obj0><objfeat><obj1><objfeat>…\nquestion<|im_end|>\n<|im_start|>assistant\n
///
/// and `<image>\n\nquestion` without boxes. Earlier exchanges stand before the question, each ended by
/// `<|im_end|>\n<|im_start|>user\n`. There is no system turn and no start token. The text is cut at the
/// placeholders and each piece is tokenised on its own. Source: section 9 of the specification.
public struct PromptLayout: Sendable {
    private static let image = "<image>"
    private static let objectFeature = "<objfeat>"
    private static let turn = "<|im_start|>user\n"
    private static let toAnswer = "<|im_end|>\n<|im_start|>assistant\n"

    package let vocabulary: ChatRexVocabulary

    /// A layout for one tokenizer.
    public init(vocabulary: ChatRexVocabulary) {
        self.vocabulary = vocabulary
    }

    /// The prompt for a question about an image.
    ///
    /// - Parameters:
    ///   - question: a ``TaskPrompt/question``. Any `<image>` in it is dropped, as upstream does.
    ///   - history: what was asked and answered before, the oldest first.
    ///   - boxCount: how many boxes follow the image, at most as many as there are index tokens.
    /// - Throws: ``TaskError/tooManyBoxes(count:limit:)``; ``TaskError/reservedText(_:)`` for a question that holds
    ///   `<objfeat>`, a tag or a control token, any of which would change the structure of the prompt.
    public func prompt(question: String, history: [PastExchange] = [], boxCount: Int) throws(TaskError) -> Prompt {
        let boxCount = max(0, boxCount)
        if boxCount > vocabulary.objects.count {
            throw .tooManyBoxes(count: boxCount, limit: vocabulary.objects.count)
        }
        var dialogue = ""
        for exchange in history {
            let answer = try checked(exchange.answer, mayHaveGroups: true)
            dialogue += try checked(exchange.question) + Self.toAnswer + answer + "<|im_end|>\n" + Self.turn
        }
        dialogue += try checked(question) + Self.toAnswer

        var text = Self.turn + Self.image
        var ids = vocabulary.encode(Self.turn) + [Prompt.imageID]
        for index in 0..<boxCount {
            let piece = (index == 0 ? "\n" : "") + "<obj\(index)>"
            text += piece + Self.objectFeature
            ids += vocabulary.encode(piece)
            ids.append(Prompt.objectFeatureID)
        }
        let prefixCount = ids.count
        let rest = (boxCount == 0 ? "\n\n" : "\n") + dialogue
        text += rest
        ids += vocabulary.encode(rest)
        return Prompt(text: text, ids: ids, boxCount: boxCount, prefixCount: prefixCount)
    }

    /// The ids of an answer and its end token, as they follow the prompt in training.
    public func answer(_ text: String) -> [Int] { vocabulary.encode(text) + [vocabulary.end] }

    /// A text that cannot change the structure of the prompt.
    private func checked(_ text: String, mayHaveGroups: Bool = false) throws(TaskError) -> String {
        let text = Self.removingImageTags(text)
        if let tag = TagScanner.shared.firstTag(
            in: text, where: { $0 != .object && !(mayHaveGroups && $0.isOfGroup) })
        {
            throw .reservedText(tag.text)
        }
        let control = vocabulary.encode(text).first {
            vocabulary.control.contains($0)
                && !(mayHaveGroups && ($0 == vocabulary.ground || vocabulary.groupTags.contains($0)))
        }
        if let control { throw .reservedText(String(decoding: vocabulary.bytes(of: control), as: UTF8.self)) }
        return text
    }

    /// Scalar by scalar: a combining mark after the tag must not hide it.
    private static func removingImageTags(_ text: String) -> String {
        let tag = Array(image.utf8)
        let bytes = Array(text.utf8)
        var kept: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position...].starts(with: tag) {
                position += tag.count
            } else {
                kept.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
