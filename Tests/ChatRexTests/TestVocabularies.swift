import ChatRex
import Tokenizers

/// A vocabulary to generate with, and how to turn ids back into text.
struct TestVocabulary: Sendable {
    var name: String
    var vocabulary: ChatRexVocabulary
    var logitCount: Int
    /// Tokens worth trying often.
    var favourites: [Int]
    var text: @Sendable ([Int]) -> String

    /// All bytes and parts of tags in many cuts, whose ids come first or last.
    static func adversarial(addedFirst: Bool) throws -> TestVocabulary {
        var parts: [[UInt8]] = (0...255).map { [$0] }
        parts += [
            "<g", "<gro", "und>", "ground", "ground>", "</", "</ground", "obj", "<obj", "objects>", "ects", "1>", "12",
            "2><",
            "><", "/ground>", "<|", "im_end", "|>", "<|im", "_end|>", "<|endoftext", "image>", "<obj1", "<objfeat",
            " the", "cat",
            "\r\n", "  ", "x>", "<obj7>", "<ground>", "\u{3000}", "\u{732B}",
        ].map { Array($0.utf8) }
        let added =
            (["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"] + (0..<12).map { "<obj\($0)>" }
            + ["<ground>", "</ground>", "<objects>", "</objects>"]).map { Array($0.utf8) }
        let gap: [[UInt8]] = [[], []]
        let tokens = addedFirst ? added + gap + parts : parts + gap + added
        let offset = addedFirst ? 0 : parts.count + gap.count
        let byteOffset = addedFirst ? added.count + gap.count : 0
        let ids = Set(added.indices.map { $0 + offset })
        let vocabulary = try ChatRexVocabulary(tokens: tokens, added: ids, logitCount: tokens.count + 7) { text in
            var rest = Array(text.utf8)[...]
            var encoded: [Int] = []
            while let byte = rest.first {
                if let match = added.firstIndex(where: { rest.starts(with: $0) }) {
                    encoded.append(match + offset)
                    rest = rest.dropFirst(added[match].count)
                } else {
                    encoded.append(Int(byte) + byteOffset)
                    rest = rest.dropFirst()
                }
            }
            return encoded
        }
        return TestVocabulary(
            name: "parts of tags, added tokens \(addedFirst ? "first" : "last")", vocabulary: vocabulary,
            logitCount: tokens.count + 7, favourites: Array(ids) + parts.indices.dropFirst(256).map { $0 + byteOffset }
        ) { ids in String(decoding: ids.flatMap { tokens.indices.contains($0) ? tokens[$0] : [] }, as: UTF8.self) }
    }

    static func tiny() throws -> TestVocabulary {
        let (tokenizer, vocabulary) = try Golden.tiny.get()
        return TestVocabulary(
            name: "tiny model", vocabulary: vocabulary, logitCount: tokenizer.vocabularySize,
            favourites: Array(400..<509) + [27, 29, 14, 91].map { $0 }
        ) { tokenizer.decode($0) }
    }

    static func qwen() throws -> TestVocabulary {
        let tokenizer = try Golden.qwen.get().0
        let vocabulary = try ChatRexVocabulary(tokenizer, logitCount: 152064)
        return TestVocabulary(
            name: "Qwen2.5, padded", vocabulary: vocabulary, logitCount: 152064,
            favourites: Array(151643..<151780)
                + ["<", ">", "obj", "ground", "</", "1", "objects", "\n", "|>"].compactMap {
                    tokenizer.tokenID(for: $0)
                }
        ) { tokenizer.decode($0) }
    }
}
