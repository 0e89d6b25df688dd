/// What can go wrong when a tokenizer is read, trained or written.
public enum TokenizerError: Error, Equatable, Sendable {
    /// The file cannot be read or written.
    case inaccessibleFile(path: String, reason: String)
    /// The text is not JSON; `offset` counts bytes from the start.
    case malformedJSON(offset: Int, reason: String)
    /// A field that the format requires is absent; fields are named by their path, such as `model.vocab`.
    case missingField(String)
    /// A field holds another kind of value than the format says.
    case wrongType(field: String, expected: String)
    /// The file describes a tokenizer of another kind.
    case unsupported(field: String, value: String)
    /// An id is negative, fractional or 4 194 304 (2²²) or more.
    case invalidID(token: String, value: String)
    /// Two tokens claim one id.
    case duplicateID(id: Int, first: String, second: String)
    /// One token is listed under two ids.
    case duplicateToken(token: String, first: Int, second: Int)
    /// A token has no text.
    case emptyToken(id: Int)
    /// A token is written with characters outside the byte-level alphabet.
    case notByteLevel(token: String)
    /// No token stands for this single byte, so that some text could not be encoded.
    case missingByte(UInt8)
    /// A merge rule is not two tokens.
    case malformedMerge(index: Int)
    /// A merge rule names a token, or makes one, that the vocabulary lacks.
    case unknownTokenInMerge(index: Int, token: String)
    /// The vocabulary lacks a token that the tokenizer cannot work without.
    case missingToken(String)
    /// The vocabulary asked for has no room for the single bytes and the special tokens.
    case vocabularyTooSmall(requested: Int, minimum: Int)
}

extension TokenizerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inaccessibleFile(let path, let reason):
            "cannot access the tokenizer file \(path): \(reason)"
        case .malformedJSON(let offset, let reason):
            "the tokenizer file is not valid JSON at byte \(offset): \(reason); fetch the file again"
        case .missingField(let field):
            "the tokenizer file has no field \(field); a Hugging Face tokenizer.json is expected"
        case .wrongType(let field, let expected):
            "the tokenizer file's field \(field) should be \(expected)"
        case .unsupported(let field, let value):
            "the tokenizer file asks for \(field) = \(value), which is not supported; "
                + "supported are Qwen2's byte-level BPE and BERT's WordPiece"
        case .invalidID(let token, let value):
            "token \(token.debugDescription) has the id \(value); "
                + "ids are whole numbers from 0 to \(Vocabulary.idLimit - 1)"
        case .duplicateID(let id, let first, let second):
            "id \(id) is given to \(first.debugDescription) and to \(second.debugDescription)"
        case .duplicateToken(let token, let first, let second):
            "token \(token.debugDescription) is listed with the ids \(first) and \(second)"
        case .emptyToken(let id):
            "the token with id \(id) is empty"
        case .notByteLevel(let token):
            "token \(token.debugDescription) is not written in the byte-level alphabet; "
                + "is this a SentencePiece vocabulary?"
        case .missingByte(let byte):
            "no token stands for the byte \(byte); a byte-level vocabulary holds all 256"
        case .malformedMerge(let index):
            "merge rule \(index) is neither \"a b\" nor [\"a\", \"b\"]"
        case .unknownTokenInMerge(let index, let token):
            "merge rule \(index) needs the token \(token.debugDescription), which the vocabulary lacks"
        case .missingToken(let token):
            "the vocabulary lacks the token \(token)"
        case .vocabularyTooSmall(let requested, let minimum):
            "a vocabulary of \(requested) tokens was asked for; bytes and special tokens alone need \(minimum)"
        }
    }
}
