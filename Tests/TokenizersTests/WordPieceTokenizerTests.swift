import Foundation
import Testing
import Tokenizers

@Suite struct WordPieceTokenizerTests {
    /// Made by `Scripts/wordpiece_fixture.py` with Hugging Face's tokenizers and BERT's vocabulary.
    struct Fixture: Decodable {
        struct Case: Decodable {
            let text: String
            let ids: [Int]
            let plain_ids: [Int]
        }
        let cases: [Case]
    }

    /// The fixture's `tokenizer` member, as text.
    static func fixtureTokenizer() throws -> WordPieceTokenizer {
        let data = try Data(contentsOf: TestFiles.fixture("wordpiece.json"))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return try WordPieceTokenizer(json: JSONSerialization.data(withJSONObject: try #require(object?["tokenizer"])))
    }

    @Test func `encoding gives the reference ids`() throws {
        let tokenizer = try Self.fixtureTokenizer()
        let cases = try TestFiles.decode(Fixture.self, from: TestFiles.fixture("wordpiece.json")).cases
        #expect(cases.count > 50)
        for item in cases {
            #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
            #expect(tokenizer.encode(item.text, addingSpecialTokens: false) == item.plain_ids)
        }
    }

    static func vocabularyTokenizer(_ lines: String, lowercases: Bool = true) throws -> WordPieceTokenizer {
        try TestFiles.withTemporaryFile { url in
            try Data(lines.utf8).write(to: url)
            return try WordPieceTokenizer(vocabularyAt: url, lowercases: lowercases)
        }
    }

    static let lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nA\na\n##b\n"

    @Test(arguments: [lines, lines.replacing("\n", with: "\r\n"), String(lines.dropLast())])
    func `a vocabulary is one token a line`(lines: String) throws {
        let tokenizer = try Self.vocabularyTokenizer(lines)
        #expect(tokenizer.vocabularySize == 11)
        #expect(tokenizer.encode("Unaffable, Ab [MASK] unaffx") == [2, 5, 6, 7, 1, 9, 10, 4, 1, 3])
        #expect((tokenizer.padding, tokenizer.mask) == (0, 4))
        #expect((tokenizer.unknown, tokenizer.classification, tokenizer.separator) == (1, 2, 3))
        #expect(tokenizer.token(for: 7) == "##able" && tokenizer.tokenID(for: "##able") == 7)
        #expect(tokenizer.token(for: 11) == nil && tokenizer.token(for: -1) == nil)
    }

    @Test func `ids become text with pieces joined`() throws {
        let tokenizer = try Self.vocabularyTokenizer(Self.lines + ".\n,\n?\n")
        #expect(tokenizer.decode([2, 5, 6, 7, 12, 9, 10, 11, 13, 99, 3]) == "[CLS] unaffable, ab.? [SEP]")
        #expect(tokenizer.decode([6, 7]) == "##affable" && tokenizer.decode([]) == "")
    }

    @Test func `a cased model keeps case and accents`() throws {
        let tokenizer = try Self.vocabularyTokenizer(Self.lines, lowercases: false)
        #expect(tokenizer.encode("A a \u{E0}", addingSpecialTokens: false) == [8, 9, 1])
    }

    @Test(arguments: [(nil, [2, 9, 9, 9, 3]), (4, [2, 9, 9, 3]), (2, [2, 3]), (0, [2, 3]), (-5, [2, 3])])
    func `an input is cut before the separator`(limit: Int?, expected: [Int]) throws {
        let tokenizer = try Self.vocabularyTokenizer(Self.lines)
        #expect(tokenizer.encode("a a a", maximumLength: limit) == expected)
    }

    @Test(arguments: [
        ("[PAD]\n[UNK]\n[CLS]\n", TokenizerError.missingToken("[SEP]")), ("", .missingToken("[UNK]")),
        ("[UNK]\na\n\nb\n", .emptyToken(id: 2)), ("a\nb\na\n", .duplicateToken(token: "a", first: 0, second: 2)),
    ])
    func `a damaged vocabulary is refused`(lines: String, expected: TokenizerError) {
        #expect(throws: expected) { try Self.vocabularyTokenizer(lines) }
    }

    @Test func `a byte-level file is refused as another kind`() {
        #expect(throws: TokenizerError.unsupported(field: "model.type", value: "BPE")) {
            try WordPieceTokenizer(json: TokenizerJSON().text.utf8)
        }
    }
}
