// Sets of texts with ids: `qwen2-tokenizer`, and the tokenizer's part of `chatrex-tiny`. All exact.

import ChatRex
import Foundation
import Tokenizers

struct TokenizerGolden {
    private struct Cases: Decodable {
        struct Case: Decodable {
            let text: String, ids: [Int], decoded: String, decoded_skip_special: String
        }
        struct Partial: Decodable {
            let ids: [Int], decoded: String
        }
        let added_tokens: [String: Int]
        let cases: [Case]
        let partial_utf8: [Partial]
        let prompts: [PromptCase]?
    }

    struct PromptCase: Decodable {
        let num_boxes: Int, question: String, prompt: String, input_ids: [Int]
    }

    private let folder: URL
    private let files: [URL]

    /// - Parameter files: case files beside `tokenizer.json`
    init(_ folder: URL, _ files: [URL]) {
        (self.folder, self.files) = (folder, files)
    }

    func climb(_ ladder: inout GoldenLadder) throws {
        let tokenizer = try BytePairTokenizer(contentsOf: folder.appendingPathComponent("tokenizer.json"))
        // What upstream's configuration names as special; tokenizer.json flags `<|im_start|>` as well.
        let special = Set((["<|endoftext|>", "<|im_end|>"] + ChatRexTokens.all).compactMap(tokenizer.tokenID))
        for file in files {
            let name = file.deletingPathExtension().lastPathComponent
            let cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: file))
            ladder.add(
                "\(name).added_tokens", isExact: cases.added_tokens.allSatisfy { tokenizer.tokenID(for: $0) == $1 })
            ladder.count("\(name).ids", of: cases.cases) { tokenizer.encode($0.text) == $0.ids }
            ladder.count("\(name).decoded", of: cases.cases) { same(tokenizer.decode($0.ids), $0.decoded) }
            ladder.count("\(name).decoded_skip_special", of: cases.cases) {
                same(tokenizer.decode($0.ids.filter { !special.contains($0) }), $0.decoded_skip_special)
            }
            ladder.count("\(name).partial_utf8", of: cases.partial_utf8) { same(tokenizer.decode($0.ids), $0.decoded) }
            if let prompts = cases.prompts { try Self.climbPrompts(&ladder, name, prompts, tokenizer) }
        }
    }

    static func climbPrompts(
        _ ladder: inout GoldenLadder, _ name: String, _ prompts: [PromptCase], _ tokenizer: BytePairTokenizer
    ) throws {
        let layout = PromptLayout(vocabulary: try ChatRexVocabulary(tokenizer))
        ladder.count("\(name).prompts", of: prompts) { item in
            guard let prompt = try? layout.prompt(question: item.question, boxCount: item.num_boxes) else {
                return false
            }
            return prompt.ids == item.input_ids && same(prompt.text, item.prompt)
        }
    }
}

/// Equal scalar by scalar: Swift's own comparison takes canonically equivalent texts for equal.
func same(_ a: String, _ b: String) -> Bool { Array(a.unicodeScalars) == Array(b.unicodeScalars) }

extension GoldenLadder {
    /// A rung for cases that are each right or wrong; the error is the number of wrong ones.
    mutating func count<Case>(_ name: String, of cases: [Case], _ isRight: (Case) -> Bool) {
        add(name, error: cases.isEmpty ? .infinity : Double(cases.count { !isRight($0) }), tolerance: 0)
    }
}
