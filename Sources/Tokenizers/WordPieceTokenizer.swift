import Foundation

/// BERT's WordPiece: words are cut into the longest known pieces from the left, those within a word marked `##`.
///
/// Follows the "fast" tokenizer of Hugging Face, which BERT and sentence-embedding models are used with today.
public struct WordPieceTokenizer: Sendable {
    private let vocabulary: Vocabulary
    private let added: AddedTokens
    private let normalizer: BertNormalizer
    private let continuation: [UInt8]
    /// Words of more characters are unknown.
    private let wordLengthLimit: Int

    /// The id of `[UNK]`, which stands for a word that has no pieces.
    public let unknown: Int
    /// The id of `[CLS]`, which begins an input.
    public let classification: Int
    /// The id of `[SEP]`, which ends an input.
    public let separator: Int

    private init(
        vocabulary: Vocabulary, added: AddedTokens, normalizer: BertNormalizer,
        unknown: String = "[UNK]", continuation: String = "##", wordLengthLimit: Int = 100
    ) throws(TokenizerError) {
        func find(_ token: String) throws(TokenizerError) -> Int {
            let bytes = Array(token.utf8)
            guard let id = added[content: bytes]?.id ?? vocabulary.id(of: bytes) else { throw .missingToken(token) }
            return id
        }
        self.vocabulary = vocabulary
        self.added = added
        self.normalizer = normalizer
        self.continuation = Array(continuation.utf8)
        self.wordLengthLimit = wordLengthLimit
        self.unknown = try find(unknown)
        self.classification = try find("[CLS]")
        self.separator = try find("[SEP]")
    }

    // MARK: Text to ids

    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addingSpecialTokens: whether `[CLS]` is put before and `[SEP]` after them.
    ///   - maximumLength: the most ids wanted, special tokens included; the rest is cut off before `[SEP]`.
    public func encode(_ text: String, addingSpecialTokens: Bool = true, maximumLength: Int? = nil) -> [Int] {
        let bytes = Array(text.utf8)
        let room = maximumLength.map { max(0, addingSpecialTokens ? $0 - 2 : $0) } ?? .max
        var ids: [Int] = []
        for segment in added.segments(of: bytes) where ids.count < room {
            switch segment {
            case .token(let token): ids.append(token.id)
            case .text(let range):
                for word in normalizer.words(of: lossyText(bytes[range])) { ids += pieces(of: word) }
            }
        }
        if ids.count > room { ids.removeLast(ids.count - room) }
        return addingSpecialTokens ? [classification] + ids + [separator] : ids
    }

    private func pieces(of word: String) -> [Int] {
        guard word.unicodeScalars.count <= wordLengthLimit else { return [unknown] }
        let bytes = Array(word.utf8)
        var ids: [Int] = []
        var start = 0
        while start < bytes.count {
            let prefix = start == 0 ? [] : continuation
            // Tokens are whole characters, so that a cut within one cannot match.
            let end = stride(from: bytes.count, to: start, by: -1).first { end in
                vocabulary.id(of: prefix + bytes[start..<end]) != nil
            }
            guard let end, let id = vocabulary.id(of: prefix + bytes[start..<end]) else { return [unknown] }
            ids.append(id)
            start = end
        }
        return ids
    }

    // MARK: Ids to text

    /// The text that ids stand for: pieces of a word joined, no space before `.`, `?`, `!` and `,`. Unknown ids are left out.
    public func decode(_ ids: [Int]) -> String {
        var text = ""
        for token in ids.compactMap(token(for:)) {
            if text.isEmpty {
                text = token
            } else if token.utf8.starts(with: continuation) {
                text += String(decoding: token.utf8.dropFirst(continuation.count), as: UTF8.self)
            } else {
                text += [".", "?", "!", ","].contains(token) ? token : " " + token
            }
        }
        return text
    }

    // MARK: The vocabulary

    /// One more than the highest id: the number of rows that an embedding needs.
    public var vocabularySize: Int { max(vocabulary.idCount, added.idCount) }

    /// The id of `[PAD]`, where the vocabulary has it.
    public var padding: Int? { tokenID(for: "[PAD]") }

    /// The id of `[MASK]`, where the vocabulary has it.
    public var mask: Int? { tokenID(for: "[MASK]") }

    /// The id of a token as the vocabulary writes it, such as `"cat"` or `"##s"`.
    public func tokenID(for token: String) -> Int? {
        let bytes = Array(token.utf8)
        return added[content: bytes]?.id ?? vocabulary.id(of: bytes)
    }

    /// A token as the vocabulary writes it; nil when no token has this id.
    public func token(for id: Int) -> String? {
        added[id: id]?.content ?? vocabulary.bytes(of: id).map { lossyText($0) }
    }
}

// MARK: - Files

extension WordPieceTokenizer {
    /// Reads BERT's `vocab.txt`: one token a line, ids from 0.
    ///
    /// - Parameter lowercases: whether case and accents are dropped, as "uncased" models want.
    /// - Throws: `TokenizerError` when the file cannot be read or lacks a token that is needed.
    public init(vocabularyAt url: URL, lowercases: Bool = true) throws(TokenizerError) {
        var lines = try readFile(url).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var vocabulary = Vocabulary(reserving: lines.count)
        for (id, line) in lines.enumerated() {
            try vocabulary.insert(Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line), id: id)
        }
        var added = AddedTokens()
        for content in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] {
            guard let id = vocabulary.id(of: Array(content.utf8)) else { continue }
            try added.insert(AddedToken(id: id, content: content))
        }
        try self.init(
            vocabulary: vocabulary, added: added,
            normalizer: BertNormalizer(lowercases: lowercases, stripsAccents: lowercases))
    }

    /// Reads a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError` when the file cannot be read, is damaged or describes another kind of tokenizer.
    public init(contentsOf url: URL) throws(TokenizerError) {
        try self.init(json: try readFile(url))
    }

    /// Reads the content of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError` when it is damaged or describes another kind of tokenizer.
    public init(json: some Sequence<UInt8>) throws(TokenizerError) {
        let file = try JSONField(document: Array(json))
        let model = try file.required("model")
        if let type = try model.optional("type")?.string, type != "WordPiece" {
            throw .unsupported(field: "model.type", value: type)
        }
        try file.required("pre_tokenizer").require("type", "BertPreTokenizer")
        let added = try AddedTokens(file)
        let vocabulary = try model.required("vocab").vocabulary { (key, _) throws(TokenizerError) in key }
        for token in added.all {
            guard let bytes = vocabulary.bytes(of: token.id), !bytes.elementsEqual(token.content.utf8) else { continue }
            throw .duplicateID(id: token.id, first: lossyText(bytes), second: token.content)
        }
        try self.init(
            vocabulary: vocabulary, added: added,
            normalizer: try BertNormalizer(try file.required("normalizer")),
            unknown: try model.optional("unk_token")?.string ?? "[UNK]",
            continuation: try model.optional("continuing_subword_prefix")?.string ?? "##",
            wordLengthLimit: try model.optional("max_input_chars_per_word")?.integer ?? 100)
    }
}

extension BertNormalizer {
    /// Reads the `normalizer` of a `tokenizer.json`.
    init(_ field: JSONField) throws(TokenizerError) {
        try field.require("type", "BertNormalizer")
        cleansText = try field.optional("clean_text")?.bool ?? true
        separatesChinese = try field.optional("handle_chinese_chars")?.bool ?? true
        lowercases = try field.optional("lowercase")?.bool ?? true
        stripsAccents = try field.optional("strip_accents")?.bool ?? lowercases
    }
}
