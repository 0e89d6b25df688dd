import Tokenizers

/// Phrases that the network reads at once: `[CLS] a dog . a red car . [SEP]`.
package struct PhrasePass {
    /// Phrases with the same tokens, by their numbers, and where those are.
    package struct Span {
        package let phrases: [Int]
        package let tokens: Range<Int>
    }

    package private(set) var ids: [Int]
    package private(set) var spans: [Span] = []

    /// As many passes as the limit on tokens asks for. Phrases that are the same are asked once; those without words are left out.
    package static func passes(for phrases: [String], _ tokenizer: GroundingTokenizer, limit: Int) -> [PhrasePass] {
        var numbers: [[Int]: [Int]] = [:], order: [[Int]] = []
        for (number, phrase) in phrases.enumerated() {
            let tokens = tokenizer.phrase(phrase, limit: limit)
            if tokens.isEmpty { continue }
            if numbers[tokens] == nil { order.append(tokens) }
            numbers[tokens, default: []].append(number)
        }
        let start = [tokenizer.pieces.classification]
        var passes: [PhrasePass] = []
        var pass = PhrasePass(ids: start)
        for tokens in order {
            if pass.ids.count + tokens.count + 2 > limit {
                passes.append(pass)
                pass = PhrasePass(ids: start)
            }
            let first = pass.ids.count
            pass.spans.append(Span(phrases: numbers[tokens, default: []], tokens: first..<first + tokens.count))
            pass.ids += tokens + [tokenizer.fullStop]
        }
        if !pass.spans.isEmpty { passes.append(pass) }
        for index in passes.indices { passes[index].ids.append(tokenizer.pieces.separator) }
        return passes
    }
}
