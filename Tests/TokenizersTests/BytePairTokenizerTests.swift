import Foundation
import Testing
import Tokenizers

@Suite struct BytePairTokenizerTests {
    /// Random text of every script, of marks, spaces, tags and broken-looking things.
    static func randomText(_ generator: inout some RandomNumberGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0x20...0x7E, 0x80...0x24F, 0x300...0x36F, 0x370...0x5FF, 0x900...0xDFF, 0x1100...0x11FF,
            0x1E00...0x206F, 0x3040...0x30FF, 0x4E00...0x4EFF, 0xAC00...0xAC7F, 0xF900...0xFFFF, 0x1F300...0x1F64F,
            0x0...0x10FFFF,
        ]
        let fragments = ["<obj7>", "<ground>", "</objects>", "<|im_end|>", "<obj", "\r\n", "  ", "'re", "don't", " a"]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            if Bool.random(using: &generator), let fragment = fragments.randomElement(using: &generator) {
                text += fragment
            } else if let range = ranges.randomElement(using: &generator),
                let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator))
            {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    @Test func `any text comes back from its ids, in normalisation form C`() throws {
        var generator = SeededGenerator(seed: 7)
        for set in GoldenTests.sets {
            for _ in 0..<2000 {
                let text = Self.randomText(&generator)
                let ids = set.tokenizer.encode(text)
                #expect(ids.allSatisfy { (0..<set.tokenizer.vocabularySize).contains($0) })
                let decoded = set.tokenizer.decode(ids)
                // `==` is canonical equivalence; encoding once more shows that the text is in one form.
                #expect(decoded == text)
                #expect(scalars(set.tokenizer.decode(set.tokenizer.encode(decoded))) == scalars(decoded))
            }
        }
    }

    @Test(arguments: [
        ("e\u{301}", "\u{E9}"), ("\u{212B}", "\u{C5}"), ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
        ("\u{AC00}\u{11A8}", "\u{AC01}"), ("e\u{301}\u{327}", "\u{229}\u{301}"), ("\u{958}", "\u{915}\u{93C}"),
        ("\u{1D15E}", "\u{1D157}\u{1D165}"), ("\u{11131}\u{11127}", "\u{1112E}"), ("\u{F73}", "\u{F71}\u{F72}"),
        ("a\u{5AE}\u{300}\u{62}", "\u{E0}\u{5AE}b"), ("\u{1F71}", "\u{3AC}"), ("\u{2F800}", "\u{4E3D}"),
        ("\u{FB01}", "\u{FB01}"), ("q\u{344}", "q\u{308}\u{301}"), ("\u{9C7}\u{9BE}", "\u{9CB}"),
        // Foundation joins these, which do not belong together.
        ("\u{10043}\u{301}", "\u{10043}\u{301}"), ("\u{1100}\u{1176}", "\u{1100}\u{1176}"),
        ("\u{1113}\u{1161}", "\u{1113}\u{1161}"),
    ])
    func `text is brought to normalisation form C`(text: String, expected: String) throws {
        let tokenizer = try TokenizerJSON().tokenizer()
        #expect(scalars(tokenizer.decode(tokenizer.encode("x" + text + "y"))) == scalars("x" + expected + "y"))
        var plain = TokenizerJSON()
        plain.normalizer = "null"
        let unchanged = try plain.tokenizer()
        #expect(scalars(unchanged.decode(unchanged.encode(text))) == scalars(text))
    }

    @Test func `merges apply by rank, from the left`() throws {
        let tokenizer = try TokenizerJSON().tokenizer()
        #expect(tokenizer.encode("abcab") == [257, 256])
        #expect(tokenizer.encode(" ab abc") == [258, 32, 257])
    }

    @Test func `added tokens match longest first and may take the space around them`() throws {
        var json = TokenizerJSON()
        json.addedTokens = """
            [{"id": 300, "content": "<a>", "special": true, "lstrip": true},
             {"id": 301, "content": "<a><b>"}, {"id": 302, "content": "<c>", "rstrip": true}]
            """
        let tokenizer = try json.tokenizer()
        #expect(tokenizer.encode("x \u{3000}<a> <a><b>") == [120, 300, 32, 301])
        #expect(tokenizer.encode("<c> \n <c>\ty <a") == [302, 302, 121, 32, 60, 97])
        #expect(tokenizer.vocabularySize == 303)
        #expect(tokenizer.token(for: 280) == nil && tokenizer.decode([97, 280, 98]) == "ab")
        #expect(tokenizer.addedTokens.map(\.isSpecial) == [true, false, false])
        #expect(tokenizer.addedTokens.map(\.stripsRight) == [false, false, true])
    }

    @Test func `special tokens are appended in order, known ones keep their ids`() throws {
        let tokenizer = try TokenizerJSON().tokenizer().adding(specialTokens: ["<x>", "", "<end>", "abc", "<y>", "<x>"])
        #expect(["<x>", "<end>", "abc", "<y>"].map { tokenizer.tokenID(for: $0) } == [260, 259, 257, 261])
        #expect(tokenizer.encode("ab<x>abcd<y>") == [256, 260, 257, 100, 261])
        #expect(tokenizer.decode([256, 260, 257, 100], skippingSpecialTokens: true) == "abd")
        let chatRex = try tokenizer.adding(specialTokens: ChatRexTokens.all)
        #expect(chatRex.vocabularySize == 262 + 104)
        #expect(chatRex.tokenID(for: ChatRexTokens.object(99)) == 262 + 99)
        #expect(chatRex.tokenID(for: ChatRexTokens.objectsEnd) == 262 + 103)
    }

    @Test func `canonically equivalent added tokens stay apart`() throws {
        // U+2126 and U+03A9 are the same letter to `String ==`.
        var json = TokenizerJSON()
        json.normalizer = "null"
        json.addedTokens = #"[{"id": 300, "content": "\u2126"}, {"id": 301, "content": "\u03A9"}]"#
        let tokenizer = try json.tokenizer()
        #expect(tokenizer.encode("\u{3A9}\u{2126}") == [301, 300])
        #expect(tokenizer.tokenID(for: "\u{2126}") == 300)
    }

    @Test func `a written file reads back the same`() throws {
        var json = TokenizerJSON()
        json.addedTokens = """
            [{"id": 270, "content": "a\\"b\\\\c\\n\\u0001\\ud83d\\ude00", "special": true, "lstrip": true},
             {"id": 271, "content": "<n>", "normalized": true, "rstrip": true}]
            """
        for tokenizer in [try json.tokenizer(), GoldenTests.sets[1].tokenizer] {
            let copy = try TestFiles.withTemporaryFile { url in
                try tokenizer.write(to: url)
                return try BytePairTokenizer(contentsOf: url)
            }
            #expect(copy.addedTokens == tokenizer.addedTokens)
            #expect(copy.vocabularySize == tokenizer.vocabularySize)
            for id in 0..<tokenizer.vocabularySize {
                #expect(copy.tokenBytes(for: id) == tokenizer.tokenBytes(for: id))
            }
            let text = "abcab the <n> quick\r\n thing <obj3> e\u{301} \u{1F600}"
            #expect(copy.encode(text) == tokenizer.encode(text))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["ab", " ", "\n", "'", "\u{11A8}", "e\u{301}", "<obj", "\u{4F60}"])
    func `a long run without a break is encoded in reasonable time`(unit: String) throws {
        let text = String(repeating: unit, count: 300_000)
        let tokenizer = GoldenTests.sets[1].tokenizer
        #expect(tokenizer.decode(tokenizer.encode(text)).utf8.count == (unit == "e\u{301}" ? 600_000 : text.utf8.count))
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
