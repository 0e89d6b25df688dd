/// User input that cannot be asked. The message says what to change.
public enum TaskError: Error, Sendable, Hashable {
    /// No phrase is left after cleaning.
    case noPhrase
    /// More phrases than one call may have.
    case tooManyPhrases(count: Int, limit: Int)
    /// A phrase longer than the limit; lengths in Unicode scalars.
    case phraseTooLong(beginning: String, length: Int, limit: Int)
    /// The question is empty.
    case emptyQuestion
    /// A question longer than the limit; lengths in Unicode scalars.
    case questionTooLong(length: Int, limit: Int)
    /// A tag or control token of the prompt language in user text.
    case reservedText(String)
    /// `<objK>` within a phrase to look for.
    case objectInPhrase(String)
    /// `<objK>` or an index for which there is no box.
    case unknownObject(String, boxCount: Int)
    /// `<obj07>` and the like, which is no token.
    case malformedObject(String)
    /// No region was named.
    case noRegion
    /// More boxes than there are index tokens.
    case tooManyBoxes(count: Int, limit: Int)
    /// A tokenizer that lacks a token of the prompt language.
    case missingToken(String)
    /// A vocabulary in which no answer could be written.
    case unusableVocabulary(String)
    /// A generation budget in which the answer cannot be closed.
    case budgetTooSmall(budget: Int, minimum: Int)
    /// An answer is to name more objects than there are boxes, or bounds that exclude each other.
    case impossibleObjectCount(minimum: Int, maximum: Int, boxCount: Int)
}

extension TaskError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noPhrase:
            "nothing to look for: give at least one category or phrase; separate several with ';'"
        case .tooManyPhrases(let count, let limit):
            "\(count) phrases in one call; the limit is \(limit): split the list"
        case .phraseTooLong(let beginning, let length, let limit):
            "the phrase \"\(beginning)…\" has \(length) characters; the limit is \(limit): shorten it or "
                + "separate phrases with ';'"
        case .emptyQuestion:
            "the question is empty"
        case .questionTooLong(let length, let limit):
            "the question has \(length) characters; the limit is \(limit): shorten it"
        case .reservedText(let text):
            "\"\(text)\" has a meaning of its own for the model: remove it from the text"
        case .objectInPhrase(let tag):
            "\(tag) cannot be part of a phrase to look for: describe the object in words, or ask a question about it"
        case .unknownObject(let tag, let boxCount):
            boxCount == 0
                ? "there is no \(tag): no boxes are given"
                : "there is no \(tag): the boxes are <obj0> to <obj\(boxCount - 1)>"
        case .malformedObject(let tag):
            "\(tag) is no box: write the number without leading zeros"
        case .noRegion:
            "no region to describe: give at least one box"
        case .tooManyBoxes(let count, let limit):
            "\(count) boxes; the model has tokens for \(limit): keep those with the highest scores"
        case .missingToken(let token):
            "the tokenizer has no token \(token): it does not belong to a ChatRex model"
        case .unusableVocabulary(let reason):
            "no answer can be written with this vocabulary: \(reason)"
        case .budgetTooSmall(let budget, let minimum):
            "\(budget) new tokens are too few for a complete answer; at least \(minimum) are needed"
        case .impossibleObjectCount(let minimum, let maximum, let boxCount):
            "a group of \(minimum) to \(maximum) objects cannot be made of \(boxCount) boxes"
        }
    }
}
