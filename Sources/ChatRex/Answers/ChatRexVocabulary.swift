import LanguageModels
import Tokenizers

/// The tokens of a ChatRex model as prompts and answers need them: the ids of its tags, and which ordinary tokens could
/// spell something that must not be spelled. Made once for a tokenizer, shared by everything that generates with it.
public final class ChatRexVocabulary: Sendable {
    /// The id of `<objK>` at position K.
    public let objects: [Int]
    /// The id of `<ground>`.
    public let ground: Int
    /// The id of `</ground>`.
    public let groundEnd: Int
    /// The id of `<objects>`.
    public let objectsStart: Int
    /// The id of `</objects>`.
    public let objectsEnd: Int
    /// The id of the end token, `<|im_end|>`.
    public let end: Int

    /// Added tokens other than `<objK>`: none of them may come from user text.
    let control: TokenSet
    /// What free text never holds: added tokens without a role in answers, and ids without a token.
    let reserved: TokenSet
    /// Ordinary tokens of which none, standing alone, is visible text.
    let blank: TokenSet
    /// Ordinary tokens with a line feed.
    let lineBreaks: TokenSet
    /// For each state of ``TagScanner``, the ordinary tokens that would complete a tag.
    let tagCompletions: [TokenSet]
    /// At position n the index tokens from `<objN>` on.
    let objectsFrom: [TokenSet]
    /// At position K `<objK>` alone.
    let objectOnly: [TokenSet]
    let groundOnly: TokenSet
    let groundEndOnly: TokenSet
    let endOnly: TokenSet
    /// `</ground>`, `<objects>` and `</objects>`.
    let groupTags: TokenSet
    /// `<ground>`, `<objects>`, `</objects>` and the end token.
    let notInPhrase: TokenSet

    private let objectIndices: [Int: Int]
    private let bytes: [[UInt8]]
    private let tokenizer: @Sendable (String) -> [Int]

    /// - Parameters:
    ///   - tokens: the bytes of each token, by id; empty for an id without token.
    ///   - added: the ids of added tokens, which are matched in text before anything else.
    ///   - logitCount: how many logits the model gives; ids beyond `tokens` are never generated.
    ///   - tokenize: text to ids.
    /// - Throws: ``TaskError/missingToken(_:)``, ``TaskError/unusableVocabulary(_:)``.
    package init(
        tokens: [[UInt8]], added: Set<Int>, logitCount: Int, tokenize: @escaping @Sendable (String) -> [Int]
    ) throws(TaskError) {
        var ids: [[UInt8]: Int] = [:]
        for id in added where tokens.indices.contains(id) { ids[tokens[id]] = id }
        func id(_ text: String) throws(TaskError) -> Int {
            guard let id = ids[Array(text.utf8)] else { throw .missingToken(text) }
            return id
        }
        var objects: [Int] = []
        while let next = ids[Array(ChatRexTokens.object(objects.count).utf8)] { objects.append(next) }
        if objects.isEmpty { throw .missingToken(ChatRexTokens.object(0)) }
        let (ground, groundEnd) = (try id(ChatRexTokens.ground), try id(ChatRexTokens.groundEnd))
        let (objectsStart, objectsEnd) = (try id(ChatRexTokens.objects), try id(ChatRexTokens.objectsEnd))
        let end = try id("<|im_end|>")

        let tags = [ground, groundEnd, objectsStart, objectsEnd]
        let roles = Set(objects + tags + [end])
        let ordinary = tokens.indices.filter { !tokens[$0].isEmpty && !added.contains($0) }
        let missing = tokens.indices.filter { tokens[$0].isEmpty } + Array(tokens.count..<max(tokens.count, logitCount))
        let closing = ordinary.filter { tokens[$0].contains(UInt8(ascii: ">")) }
        let scanner = TagScanner.shared

        self.control = TokenSet(added.subtracting(objects))
        self.reserved = TokenSet(added.subtracting(roles).union(missing))
        self.blank = TokenSet(ordinary.filter { !Self.isVisible(tokens[$0]) })
        self.lineBreaks = TokenSet(ordinary.filter { tokens[$0].contains(UInt8(ascii: "\n")) })
        self.tagCompletions = (0..<scanner.stateCount).map { state in
            TokenSet(closing.filter { scanner.state(after: tokens[$0], from: UInt8(state)) == nil })
        }
        self.objectOnly = objects.map { TokenSet([$0]) }
        self.objectsFrom = (0...objects.count).map { TokenSet(objects[$0...]) }
        self.groundOnly = TokenSet([ground])
        self.groundEndOnly = TokenSet([groundEnd])
        self.endOnly = TokenSet([end])
        self.groupTags = TokenSet([groundEnd, objectsStart, objectsEnd])
        self.notInPhrase = TokenSet([ground, objectsStart, objectsEnd, end])
        self.objectIndices = Dictionary(uniqueKeysWithValues: objects.enumerated().map { ($1, $0) })
        self.bytes = tokens
        self.tokenizer = tokenize
        (self.objects, self.end) = (objects, end)
        (self.ground, self.groundEnd) = (ground, groundEnd)
        (self.objectsStart, self.objectsEnd) = (objectsStart, objectsEnd)

        let isSafe = { (id: Int) in !self.blank.contains(id) && !self.lineBreaks.contains(id) && !closing.contains(id) }
        if !ordinary.contains(where: isSafe) { throw .unusableVocabulary("no token is plain visible text") }
    }

    /// Text to ids; tags in the text become their tokens.
    public func encode(_ text: String) -> [Int] { tokenizer(text) }

    /// K, if the token is `<objK>`.
    public func objectIndex(of token: Int) -> Int? { objectIndices[token] }

    /// The bytes of a token; none for an id without token.
    func bytes(of token: Int) -> [UInt8] { bytes.indices.contains(token) ? bytes[token] : [] }

    /// Whether the bytes hold a character that can be seen; what is not valid UTF-8 does not count.
    static func isVisible(_ bytes: some Collection<UInt8>) -> Bool {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.contains {
            !$0.properties.isWhitespace && $0 != "\u{FFFD}" && $0.properties.generalCategory != .control
        }
    }
}

extension ChatRexVocabulary {
    /// The vocabulary of a tokenizer that has the ChatRex tokens.
    ///
    /// - Parameter logitCount: how many logits the model gives, where that is more than the tokenizer has tokens.
    /// - Throws: ``TaskError/missingToken(_:)``, ``TaskError/unusableVocabulary(_:)``.
    public convenience init(_ tokenizer: BytePairTokenizer, logitCount: Int = 0) throws(TaskError) {
        try self.init(
            tokens: (0..<tokenizer.vocabularySize).map { tokenizer.tokenBytes(for: $0) ?? [] },
            added: Set(tokenizer.addedTokens.map(\.id)), logitCount: logitCount, tokenize: { tokenizer.encode($0) })
    }
}
