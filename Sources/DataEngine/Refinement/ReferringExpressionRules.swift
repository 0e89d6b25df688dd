import Foundation

/// What a referring expression must be like.
enum ReferringExpressionRules {
    enum Fault: String, Error {
        case empty = "expression empty"
        case tooLong = "expression too long"
        /// It names neither the thing nor anything else of the phrase.
        case unrelated = "expression without a word of the phrase"
    }

    /// The expression of a model's answer: one line without quotation marks and full stop.
    static func judge(_ answer: String, phrase: String, words limit: Int) -> Result<String, Fault> {
        // What follows the first line is the model going on with the next example.
        let lines = answer.split(whereSeparator: \.isNewline).map { AnswerCleaner.unwrapped(String($0)) }
        guard let line = lines.first(where: { !$0.isEmpty }) else { return .failure(.empty) }
        let text = line.filter { !"\"\u{201C}\u{201D}".contains($0) }
            .trimmingCharacters(in: CharacterSet(charactersIn: " .!,;:"))
        guard text.contains(where: \.isLetter), !Refusal.matches(text) else { return .failure(.empty) }
        if text.split(separator: " ").count > limit { return .failure(.tooLong) }
        let stems = EnglishPhrase.contentStems(of: phrase)
        if !stems.isEmpty, !EnglishPhrase.mentions(text, anyOf: stems) { return .failure(.unrelated) }
        return .success(text)
    }

    /// The shortest clause of a description that names the thing, as an expression; nil where none does.
    static func expression(of description: String, naming phrase: String, words limit: Int) -> String? {
        let heads = EnglishPhrase.heads(of: phrase)
        let sentences = AnswerCleaner.unwrapped(description)
            .split { ".!?;:,".contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
        let clauses = sentences.compactMap { clause -> [String]? in
            let words = nominal(clause.split(separator: " ").map(String.init))
            // The thing itself comes first: "a ball beside the dog" refers to a ball.
            let core = words.prefix { !EnglishPhrase.stoppers.contains($0.lowercased()) }
            let names = EnglishPhrase.mentions(core.joined(separator: " "), anyOf: heads)
            return names && (2...limit).contains(words.count) ? words : nil
        }
        guard let shortest = clauses.min(by: { $0.count < $1.count }) else { return nil }
        return shortest.joined(separator: " ")
    }

    private static let leadIns: [[String]] = [
        ["the", "image", "shows"], ["the", "picture", "shows"], ["the", "photo", "shows"], ["the", "crop", "shows"],
        ["this", "image", "shows"], ["this", "picture", "shows"], ["the", "image", "features"],
        ["the", "image", "depicts"],
        ["this", "is"], ["there", "is"], ["there", "are"], ["it", "is"], ["it", "shows"], ["here", "is"],
    ]

    /// A statement turned into what it speaks of: "A dog is lying on grass" into "the dog lying on grass".
    private static func nominal(_ clause: [String]) -> [String] {
        var words = clause
        let lower = words.map { $0.lowercased() }
        if let leadIn = leadIns.first(where: { lower.starts(with: $0) }) { words.removeFirst(leadIn.count) }
        // A name in capitals stays one.
        if let first = words.first, first.dropFirst().allSatisfy(\.isLowercase) { words[0] = first.lowercased() }
        if words.first == "a" || words.first == "an" { words[0] = "the" }
        if let verb = words.firstIndex(where: { $0 == "is" || $0 == "are" }), verb + 1 < words.count, verb > 0 {
            let next = words[verb + 1]
            if next.hasSuffix("ing") || EnglishPhrase.stoppers.contains(next) {
                words.remove(at: verb)
            } else {
                words.insert("that", at: verb)
            }
        }
        return words
    }
}
