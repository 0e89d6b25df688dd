import Testing
import Tokenizers

@Suite struct StreamingDecoderTests {
    @Test func `a character is held back until it is complete`() throws {
        let tokenizer = try TokenizerJSON().tokenizer()
        var decoder = StreamingDecoder(tokenizer)
        // The ids of single bytes are the bytes.
        let parts = Array("a\u{E9}\u{1F600}".utf8).map { decoder.append(Int($0)) }
        #expect(parts == ["a", "", "\u{E9}", "", "", "", "\u{1F600}"])
        #expect(decoder.finish() == "")
    }

    @Test(arguments: [
        // Bytes, what each gives, what the end gives.
        ([0xF0, 0x9F, 0x98], ["", "", ""], "\u{FFFD}"),
        ([0xE0, 0x80], ["", "\u{FFFD}\u{FFFD}"], ""),
        ([0xED, 0xA0], ["", "\u{FFFD}\u{FFFD}"], ""),
        ([0xF4, 0x90], ["", "\u{FFFD}\u{FFFD}"], ""),
        ([0xC0, 0x41], ["\u{FFFD}", "A"], ""),
        ([0x80, 0xFF], ["\u{FFFD}", "\u{FFFD}"], ""),
        ([0xE4, 0xBD, 0x41], ["", "", "\u{FFFD}A"], ""),
        ([0xF0, 0x9F, 259], ["", "", "\u{FFFD}<end>"], ""),
        ([0xC3, 100_000, 0xA9], ["", "", "\u{E9}"], ""),
    ])
    func `broken sequences become replacement characters at once`(ids: [Int], parts: [String], rest: String) throws {
        var decoder = StreamingDecoder(try TokenizerJSON().tokenizer())
        #expect(ids.map { decoder.append($0) } == parts)
        #expect(decoder.finish() == rest)
    }

    @Test func `the parts join to what decoding all bytes at once gives`() throws {
        let tokenizer = try TokenizerJSON().tokenizer()
        var generator = SeededGenerator(seed: 5)
        let interesting: [UInt8] = [0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC3, 0xE0, 0xED, 0xE4, 0xF0, 0xF4, 0x90, 0xF5]
        for _ in 0..<5000 {
            let bytes = (0..<8).map { _ in interesting.randomElement(using: &generator) ?? 0 }
            #expect(scalars(tokenizer.decode(bytes.map(Int.init))) == scalars(String(decoding: bytes, as: UTF8.self)))
        }
    }

    @Test func `special tokens can be left out, and bytes around them join`() throws {
        var decoder = StreamingDecoder(try TokenizerJSON().tokenizer(), skippingSpecialTokens: true)
        #expect([97, 259, 0xC3, 259, 0xA9].map { decoder.append($0) } == ["a", "", "", "", "\u{E9}"])
    }
}
