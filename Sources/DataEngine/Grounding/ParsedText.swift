/// A text as a parser sees it: words with their relations, and the noun chunks among them.
///
/// Parts of speech and relations go by spaCy's names: the universal ones and those of its English models.
public struct ParsedText: Decodable, Sendable, Hashable {
    public struct Token: Decodable, Sendable, Hashable {
        /// In Unicode scalars of the text; `end` is excluded.
        public var start: Int, end: Int
        /// The word's basic form: `be` of `is`, `dog` of `dogs`.
        public var lemma: String
        /// `NOUN`, `DET`, `ADP`.
        public var partOfSpeech: String
        /// To the head: `compound`, `amod`, `pobj`.
        public var relation: String
        /// The token that this one depends on; itself for the root of a sentence.
        public var head: Int
        public var sentence: Int

        public init(
            start: Int, end: Int, lemma: String, partOfSpeech: String, relation: String, head: Int, sentence: Int = 0
        ) {
            (self.start, self.end, self.lemma, self.partOfSpeech) = (start, end, lemma, partOfSpeech)
            (self.relation, self.head, self.sentence) = (relation, head, sentence)
        }

        public init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            start = try values.decode(Int.self)
            end = try values.decode(Int.self)
            lemma = try values.decode(String.self)
            partOfSpeech = try values.decode(String.self)
            relation = try values.decode(String.self)
            head = try values.decode(Int.self)
            sentence = try values.decode(Int.self)
        }
    }

    /// A noun with the words that belong to it, without what follows by a preposition or in a clause.
    public struct Chunk: Decodable, Sendable, Hashable {
        /// Tokens; `end` is excluded.
        public var start: Int, end: Int
        /// The noun.
        public var root: Int

        public init(start: Int, end: Int, root: Int) {
            (self.start, self.end, self.root) = (start, end, root)
        }

        public init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            start = try values.decode(Int.self)
            end = try values.decode(Int.self)
            root = try values.decode(Int.self)
        }
    }

    public var tokens: [Token]
    public var chunks: [Chunk]

    public init(tokens: [Token], chunks: [Chunk]) {
        (self.tokens, self.chunks) = (tokens, chunks)
    }

    /// Whether all positions lie within a text of so many scalars, in order, and all references within the tokens.
    func fits(scalarCount: Int) -> Bool {
        var end = 0
        for token in tokens {
            guard token.start >= end, token.end >= token.start, token.end <= scalarCount else { return false }
            guard tokens.indices.contains(token.head) else { return false }
            end = token.end
        }
        return chunks.allSatisfy {
            $0.start >= 0 && $0.end <= tokens.count && ($0.start..<max($0.end, $0.start)).contains($0.root)
        }
    }
}
