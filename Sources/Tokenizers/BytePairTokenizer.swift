import Foundation

/// Byte-level byte-pair encoding as Qwen2 uses it: every text has an encoding, and decoding gives it back, in Unicode
/// normalisation form C.
///
/// Text is normalised first, then cut at the added tokens, then into words; that is the order of the slow tokenizer
/// that the released models were trained with. Ids can differ from the "fast" one's only where a combining mark
/// follows an added token.
///
/// ```swift
/// let tokenizer = try BytePairTokenizer(contentsOf: folder.appending(path: "tokenizer.json"))
/// let ids = tokenizer.encode("Hello world")  // [9707, 1879] with Qwen2's vocabulary
/// ```
public struct BytePairTokenizer: Sendable {
    let vocabulary: Vocabulary
    let merges: MergeRules
    let composesText: Bool
    private(set) var added: AddedTokens
    let byteIDs: [Int32]

    /// - Parameters:
    ///   - composesText: whether text is brought to normalisation form C.
    /// - Throws: `missingByte` when `vocabulary` lacks one of the 256 single bytes.
    init(
        vocabulary: Vocabulary, merges: MergeRules, added: AddedTokens, composesText: Bool
    ) throws(TokenizerError) {
        var byteIDs: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            guard let id = vocabulary.id(of: [byte]) else { throw .missingByte(byte) }
            byteIDs.append(Int32(id))
        }
        self.vocabulary = vocabulary
        self.merges = merges
        self.added = added
        self.composesText = composesText
        self.byteIDs = byteIDs
    }

    // MARK: Text to ids and back

    /// The ids of `text`. Added tokens in it are recognised; none is put before or after it.
    public func encode(_ text: String) -> [Int] {
        let bytes = composesText ? CanonicalNormalizer.shared.composed(text) : Array(text.utf8)
        var ids: [Int] = []
        ids.reserveCapacity(bytes.count / 3)
        var merger = BytePairMerger(rules: merges, byteIDs: byteIDs)
        for segment in added.segments(of: bytes) {
            switch segment {
            case .token(let token): ids.append(token.id)
            case .text(let range):
                for piece in PieceScanner(bytes, in: range) { merger.encode(bytes, in: piece, into: &ids) }
            }
        }
        return ids
    }

    /// The text of `ids`, with U+FFFD for bytes that are not UTF-8. Ids that no token has give no text.
    public func decode(_ ids: some Sequence<Int>, skippingSpecialTokens: Bool = false) -> String {
        var decoder = StreamingDecoder(self, skippingSpecialTokens: skippingSpecialTokens)
        var text = ""
        for id in ids { text += decoder.append(id) }
        return text + decoder.finish()
    }

    // MARK: The vocabulary

    /// One more than the highest id: the number of rows that an embedding needs.
    public var vocabularySize: Int { max(vocabulary.idCount, added.idCount) }

    /// The tokens that are found in text before it is split, by id.
    public var addedTokens: [AddedToken] { added.all }

    /// The added tokens that decoding can leave out, by id.
    public var specialTokens: [AddedToken] { added.all.filter(\.isSpecial) }

    /// The id of `<|endoftext|>`, where the vocabulary has it.
    public var endOfText: Int? { tokenID(for: "<|endoftext|>") }

    /// The id of the token that stands for exactly this text: `" cat"`, not the file's `"Ġcat"`.
    public func tokenID(for text: String) -> Int? {
        let bytes = Array(text.utf8)
        return added[content: bytes]?.id ?? vocabulary.id(of: bytes)
    }

    /// The text of a token, with U+FFFD where it is only part of a character; nil when no token has this id.
    public func token(for id: Int) -> String? { tokenBytes(for: id).map { lossyText($0) } }

    /// The UTF-8 bytes of a token; nil when no token has this id.
    public func tokenBytes(for id: Int) -> [UInt8]? {
        added[id: id].map { Array($0.content.utf8) } ?? vocabulary.bytes(of: id)
    }

    /// This tokenizer with those of `contents` that are not yet added tokens appended as special ones, in order.
    ///
    /// A content that the vocabulary holds as an ordinary token keeps its id; an empty one is passed over.
    ///
    /// - Throws: `invalidID` when there is no room for more.
    public func adding(specialTokens contents: some Sequence<String>) throws(TokenizerError) -> BytePairTokenizer {
        var copy = self
        for content in contents {
            let bytes = Array(content.utf8)
            guard !bytes.isEmpty, copy.added[content: bytes] == nil else { continue }
            let id = copy.vocabulary.id(ofByteLevel: bytes) ?? copy.vocabularySize
            try copy.added.insert(AddedToken(id: id, content: content))
        }
        return copy
    }
}

extension Vocabulary {
    /// The id of a token by its name in the file.
    func id(ofByteLevel name: [UInt8]) -> Int? { ByteLevelAlphabet.decode(name).flatMap { id(of: $0) } }
}
