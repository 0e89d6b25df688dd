import Testing
import Tokenizers

@Suite struct BytePairTrainerTests {
    static let texts = [
        "low low low low low lower lower newest newest newest newest newest newest widest widest widest",
        "<ground>a red ball</ground><objects><obj3><obj12></objects>", "caf\u{E9} cafe\u{301} caf\u{E9}",
    ]

    static func train(_ texts: [String], size: Int = 400) throws -> BytePairTokenizer {
        try BytePairTrainer(vocabularySize: size).train(on: texts)
    }

    @Test func `the most frequent pairs are learnt first, ties by the lowest ids`() throws {
        let tokenizer = try Self.train(Array(Self.texts[..<1]), size: 256 + 107 + 8)
        // By hand: e+s 9, es+t 9, l+o 7, lo+w 7, then six times each e+w, n+ew, space+low, space+new.
        let learnt = (256..<264).map { tokenizer.token(for: $0) }
        #expect(learnt == ["es", "est", "lo", "low", "ew", "new", " low", " new"])
        #expect(tokenizer.encode(" newest low") == [263, 257, 262])
    }

    @Test func `ids are bytes, then what was learnt, then the special tokens`() throws {
        let tokenizer = try Self.train(Self.texts)
        #expect(tokenizer.tokenID(for: "!") == 0 && tokenizer.tokenID(for: " ") == 220)
        let first = try #require(tokenizer.endOfText)
        #expect(tokenizer.vocabularySize == first + 107 && tokenizer.vocabularySize <= 400)
        #expect(tokenizer.specialTokens.map(\.id) == Array(first..<first + 107))
        #expect(
            tokenizer.specialTokens.prefix(4).map(\.content) == [
                "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<obj0>",
            ])
        #expect(tokenizer.specialTokens.last?.content == "</objects>")
    }

    @Test func `special tokens are not learnt from and both spellings of a letter count as one`() throws {
        let tokenizer = try Self.train(Self.texts + Array(repeating: "<objects><obj1></objects>", count: 50))
        #expect(
            (256..<tokenizer.vocabularySize - 107).allSatisfy { tokenizer.token(for: $0)?.contains("obj") == false })
        #expect(tokenizer.tokenID(for: "\u{E9}") != nil)
        #expect(tokenizer.tokenID(for: "e\u{301}") == nil)
    }

    @Test func `the order of the texts does not matter`() throws {
        func tokens(_ tokenizer: BytePairTokenizer) -> [[UInt8]?] {
            (0..<tokenizer.vocabularySize).map { tokenizer.tokenBytes(for: $0) }
        }
        #expect(tokens(try Self.train(Self.texts)) == tokens(try Self.train(Self.texts.reversed())))
    }

    @Test func `a trained tokenizer encodes anything and reads back from its file`() throws {
        let tokenizer = try Self.train(Self.texts)
        let copy = try TestFiles.withTemporaryFile { url in
            try tokenizer.write(to: url)
            return try BytePairTokenizer(contentsOf: url)
        }
        for text in Self.texts + ["\u{1F600} unseen \u{4F60}\u{597D}", "aaaaaaaaaaa", ""] {
            #expect(tokenizer.decode(tokenizer.encode(text)) == text)
            #expect(copy.encode(text) == tokenizer.encode(text))
        }
    }

    @Test func `repeated letters and single words train without trouble`() throws {
        let tokenizer = try Self.train(["aaaaaaaa aaaaaaaa", "b"], size: 372)
        #expect(tokenizer.decode(tokenizer.encode("aaaaaaaaa b")) == "aaaaaaaaa b")
        #expect(try Self.train([]).vocabularySize == 256 + 107)
    }

    @Test func `a vocabulary without room is refused`() {
        #expect(throws: TokenizerError.vocabularyTooSmall(requested: 300, minimum: 363)) {
            try Self.train(Self.texts, size: 300)
        }
    }
}
