import Foundation
import Testing
import Tokenizers

/// Ids and texts from the upstream tokenizer (`Tests/Golden/*/README.md`).
@Suite struct GoldenTests {
    struct Cases: Decodable {
        struct Case: Decodable {
            let text: String
            let ids: [Int]
            let decoded: String
            let decoded_skip_special: String
        }
        struct Partial: Decodable {
            let ids: [Int]
            let decoded: String
        }
        let added_tokens: [String: Int]
        let cases: [Case]
        let partial_utf8: [Partial]
    }

    struct Prompt: Decodable {
        let prompt: String
        let input_ids: [Int]
    }

    struct GoldenSet: CustomTestStringConvertible, Sendable {
        let tokenizer: BytePairTokenizer
        let casesPath: String
        var testDescription: String { casesPath }
        var cases: Cases {
            get throws { try TestFiles.decode(Cases.self, from: TestFiles.golden(casesPath)) }
        }
    }

    static let sets: [GoldenSet] = [
        ("qwen2-tokenizer", "cases-a.json"), ("chatrex-tiny", "tokenizer_cases.json"),
    ].compactMap { folder, cases in
        let url = TestFiles.golden("\(folder)/tokenizer.json")
        return (try? BytePairTokenizer(contentsOf: url)).map {
            GoldenSet(tokenizer: $0, casesPath: "\(folder)/\(cases)")
        }
    }

    @Test func `both golden tokenizers load`() {
        #expect(Self.sets.map(\.tokenizer.vocabularySize) == [151_769, 509])
    }

    @Test(arguments: sets) func `encoding gives the upstream ids`(set: GoldenSet) throws {
        let cases = try set.cases.cases
        #expect(cases.count == 107)
        for item in cases {
            #expect(set.tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
        }
    }

    @Test(arguments: sets) func `decoding gives the upstream text`(set: GoldenSet) throws {
        for item in try set.cases.cases {
            #expect(scalars(set.tokenizer.decode(item.ids)) == scalars(item.decoded))
            // Upstream's special tokens are those that its configuration names, which leaves out `<|im_start|>`; here
            // they are those that tokenizer.json flags.
            let expected = item.decoded_skip_special.replacing("<|im_start|>user", with: "user")
            #expect(scalars(set.tokenizer.decode(item.ids, skippingSpecialTokens: true)) == scalars(expected))
        }
    }

    @Test(arguments: sets) func `cut characters decode as upstream decodes them`(set: GoldenSet) throws {
        let cases = try set.cases.partial_utf8
        #expect(!cases.isEmpty)
        for item in cases {
            #expect(scalars(set.tokenizer.decode(item.ids)) == scalars(item.decoded), "\(item.ids)")
        }
    }

    @Test(arguments: sets) func `added tokens have the upstream ids`(set: GoldenSet) throws {
        let expected = try set.cases.added_tokens
        #expect(set.tokenizer.addedTokens.count == expected.count)
        for (content, id) in expected {
            #expect(set.tokenizer.tokenID(for: content) == id)
            #expect(set.tokenizer.token(for: id) == content)
        }
    }

    @Test(arguments: [
        (0, "qwen2-tokenizer/cases-a.json"), (1, "chatrex-tiny/prompt_cases.json"),
    ])
    func `the text pieces of prompts encode as upstream`(index: Int, path: String) throws {
        struct Holder: Decodable { let prompts: [Prompt] }
        let url = TestFiles.golden(path)
        let prompts =
            try index == 0
            ? TestFiles.decode(Holder.self, from: url).prompts : TestFiles.decode([Prompt].self, from: url)
        #expect(!prompts.isEmpty)
        for item in prompts {
            // The image and object placeholders (-200, -300) are no text; what is between them is encoded on its own.
            let pieces = item.input_ids.split { $0 < 0 }.map(Array.init)
            let texts = item.prompt.replacing("<objfeat>", with: "<image>").split(separator: "<image>")
            #expect(texts.map { Self.sets[index].tokenizer.encode(String($0)) } == pieces)
        }
    }

    @Test func `Qwen2 has its end of text and its eight ordinary added tokens`() throws {
        let tokenizer = Self.sets[0].tokenizer
        #expect(tokenizer.endOfText == 151_643)
        #expect(tokenizer.addedTokens.count - tokenizer.specialTokens.count == 8)
        #expect(tokenizer.tokenID(for: " world") == 1879)
        #expect(tokenizer.tokenBytes(for: 160) == [0xE4])
        #expect(tokenizer.token(for: 160) == "\u{FFFD}")
        #expect(tokenizer.token(for: 151_769) == nil && tokenizer.token(for: -1) == nil)
    }

    @Test(arguments: sets) func `adding ChatRex's tokens where they are changes nothing`(set: GoldenSet) throws {
        let extended = try set.tokenizer.adding(specialTokens: ChatRexTokens.all)
        #expect(extended.addedTokens == set.tokenizer.addedTokens)
    }
}
