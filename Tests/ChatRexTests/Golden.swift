import ChatRex
import Foundation
import Tokenizers

/// Files of `Tests/Golden`.
enum Golden {
    static func url(_ path: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden").appending(path: path)
    }

    static func json<Value: Decodable>(_ path: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: url(path)))
    }

    /// The 509-token vocabulary of the tiny golden model.
    static let tiny = Result { try vocabulary("chatrex-tiny") }
    /// The published Qwen2.5 vocabulary with the ChatRex tokens.
    static let qwen = Result { try vocabulary("qwen2-tokenizer") }

    private static func vocabulary(_ folder: String) throws -> (BytePairTokenizer, ChatRexVocabulary) {
        let tokenizer = try BytePairTokenizer(contentsOf: url("\(folder)/tokenizer.json"))
        return (tokenizer, try ChatRexVocabulary(tokenizer))
    }
}

/// A small deterministic generator (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
