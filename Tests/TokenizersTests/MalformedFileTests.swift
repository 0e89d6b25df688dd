import Foundation
import Testing
import Tokenizers

@Suite struct MalformedFileTests {
    /// What to do to a good file and what it should be refused with.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: TokenizerError
        let apply: @Sendable (inout TokenizerJSON) -> Void

        init(_ name: String, _ expected: TokenizerError, _ apply: @escaping @Sendable (inout TokenizerJSON) -> Void) {
            testDescription = name
            self.expected = expected
            self.apply = apply
        }
    }

    static let damages: [Damage] = [
        Damage("negative id", .invalidID(token: "ab", value: "-1")) { $0.vocabulary[256].id = "-1" },
        Damage("huge id", .invalidID(token: "ab", value: "999999999999")) { $0.vocabulary[256].id = "999999999999" },
        Damage("id beyond Int", .invalidID(token: "ab", value: "1e+300")) { $0.vocabulary[256].id = "1e300" },
        Damage("fractional id", .invalidID(token: "ab", value: "1.5")) { $0.vocabulary[256].id = "1.5" },
        Damage("id as text", .wrongType(field: "model.vocab.ab", expected: "a whole number")) {
            $0.vocabulary[256].id = "\"256\""
        },
        Damage("one id twice", .duplicateID(id: 257, first: "ab", second: "abc")) { $0.vocabulary[256].id = "257" },
        Damage("one token twice", .duplicateToken(token: "ab", first: 256, second: 700)) {
            $0.vocabulary.append(("ab", "700"))
        },
        Damage("empty token", .emptyToken(id: 700)) { $0.vocabulary.append(("", "700")) },
        Damage("a token of another alphabet", .notByteLevel(token: "▁the")) { $0.vocabulary.append(("▁the", "700")) },
        Damage("a token with a plain space", .notByteLevel(token: "a b")) { $0.vocabulary.append(("a b", "700")) },
        Damage("a byte missing", .missingByte(0x41)) { $0.vocabulary.remove(at: 0x41) },
        Damage("no bytes at all", .missingByte(0)) {
            $0.vocabulary = []
            $0.merges = "[]"
        },
        Damage("merge of an unknown left token", .unknownTokenInMerge(index: 0, token: "zz")) {
            $0.merges = #"["zz b"]"#
        },
        Damage("merge that makes an unknown token", .unknownTokenInMerge(index: 1, token: "ba")) {
            $0.merges = #"["a b", ["b", "a"]]"#
        },
        Damage("merge of foreign characters", .unknownTokenInMerge(index: 0, token: "▁")) { $0.merges = #"["▁ a"]"# },
        Damage("merge of one token", .malformedMerge(index: 0)) { $0.merges = #"["ab"]"# },
        Damage("merge of three", .malformedMerge(index: 0)) { $0.merges = #"[["a", "b", "c"]]"# },
        Damage("merge of numbers", .malformedMerge(index: 0)) { $0.merges = #"[[1, 2]]"# },
        Damage("merges as an object", .wrongType(field: "model.merges", expected: "an array")) { $0.merges = "{}" },
        Damage("merges null", .missingField("model.merges")) { $0.merges = "null" },
        Damage("added tokens as text", .wrongType(field: "added_tokens", expected: "an array")) {
            $0.addedTokens = "\"x\""
        },
        Damage("added token without id", .missingField("added_tokens[0].id")) {
            $0.addedTokens = #"[{"content": "x"}]"#
        },
        Damage("added token with a bad flag", .wrongType(field: "added_tokens[0].special", expected: "true or false")) {
            $0.addedTokens = #"[{"id": 300, "content": "x", "special": 1}]"#
        },
        Damage("added token with a huge id", .invalidID(token: "x", value: "4294967296")) {
            $0.addedTokens = #"[{"id": 4294967296, "content": "x"}]"#
        },
        Damage("added token on another's id", .duplicateID(id: 97, first: "a", second: "<x>")) {
            $0.addedTokens = #"[{"id": 97, "content": "<x>"}]"#
        },
        Damage("added token with two ids", .duplicateToken(token: "ab", first: 300, second: 256)) {
            $0.addedTokens = #"[{"id": 300, "content": "ab"}]"#
        },
        Damage("added tokens with one id", .duplicateID(id: 300, first: "x", second: "y")) {
            $0.addedTokens = #"[{"id": 300, "content": "x"}, {"id": 300, "content": "y"}]"#
        },
        Damage("empty added token", .emptyToken(id: 300)) { $0.addedTokens = #"[{"id": 300, "content": ""}]"# },
        Damage("single-word added token", .unsupported(field: "added_tokens[0].single_word", value: "true")) {
            $0.addedTokens = #"[{"id": 300, "content": "x", "single_word": true}]"#
        },
        Damage("another model", .unsupported(field: "model.type", value: "Unigram")) {
            $0.modelExtras = #""type": "Unigram""#
        },
        Damage("byte fallback", .unsupported(field: "model.byte_fallback", value: "true")) {
            $0.modelExtras = #""byte_fallback": true"#
        },
        Damage("another normaliser", .unsupported(field: "normalizer.type", value: "NFKC")) {
            $0.normalizer = #"{"type": "NFKC"}"#
        },
        Damage(
            "another pre-tokeniser",
            .unsupported(field: "pre_tokenizer.pretokenizers[0].pattern.Regex", value: #"\w+"#)
        ) { $0.pattern = #"\w+"# },
    ]

    @Test(arguments: damages) func `a damaged file is refused with the reason`(damage: Damage) throws {
        var json = TokenizerJSON()
        damage.apply(&json)
        #expect(throws: damage.expected) { try json.tokenizer() }
        #expect(!damage.expected.description.isEmpty)
    }

    @Test(arguments: [
        "", "{", "[1, 2", "\"open", "{\"a\": }", "{\"a\" 1}", "{a: 1}", "nul", "truth", "1 2", "{\"a\": \"\\x\"}",
        "{\"a\": \"\\u12\"}", "{\"a\": \"\\ud83d\\u12", "\"\\", "-", "1e999", "{\"a\": \"\n\"}", "[1,]",
        String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
    ])
    func `text that is not JSON is refused`(text: String) {
        do {
            _ = try BytePairTokenizer(json: text.utf8)
            Issue.record("accepted")
        } catch {
            guard case .malformedJSON(let offset, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect((0...text.utf8.count).contains(offset))
        }
    }

    @Test(arguments: [
        ("[]", TokenizerError.wrongType(field: "(top level)", expected: "an object")),
        ("{}", .missingField("model")), (#"{"model": 3}"#, .wrongType(field: "model", expected: "an object")),
        (#"{"model": {"type": 3}}"#, .wrongType(field: "model.type", expected: "a string")),
        (#"{"model": {}}"#, .missingField("pre_tokenizer")),
    ])
    func `JSON of another shape is refused`(text: String, expected: TokenizerError) {
        #expect(throws: expected) { try BytePairTokenizer(json: text.utf8) }
    }

    @Test func `a file cut off or altered anywhere loads or is refused, but never crashes`() throws {
        let bytes = Array(TokenizerJSON().text.utf8)
        for length in stride(from: 0, to: bytes.count, by: 37) {
            #expect(throws: TokenizerError.self) { try BytePairTokenizer(json: bytes[..<length]) }
        }
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            var altered = bytes
            for _ in 0..<3 { altered[Int.random(in: altered.indices, using: &generator)] = .random(in: 0...255) }
            let tokenizer = try? BytePairTokenizer(json: altered)
            if let tokenizer { #expect(!tokenizer.encode("abc <end>").isEmpty) }
        }
    }

    @Test func `a missing file is refused by name`() {
        #expect { try BytePairTokenizer(contentsOf: URL(filePath: "/nowhere/tokenizer.json")) } throws: { error in
            "\(error)".contains("/nowhere/tokenizer.json")
        }
    }
}
