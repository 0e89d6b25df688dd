/// Module 5 without a language model.
public struct RuleRefiner: TextRefiner {
    private let agreement: PhraseAgreement

    /// Most words of an expression.
    private static let wordLimit = 20

    public init(_ agreement: PhraseAgreement) { self.agreement = agreement }

    public func agrees(_ description: String, with phrase: String) async throws -> Bool {
        try await agreement(description, phrase)
    }

    /// The shortest clause of the description that names the thing; the phrase where there is none.
    public func referringExpression(from description: String, phrase: String) async throws -> String? {
        if let expression = ReferringExpressionRules.expression(of: description, naming: phrase, words: Self.wordLimit)
        {
            return expression
        }
        let phrase = phrase.excerpt(200)
        return phrase.isEmpty ? nil : phrase
    }
}

/// A refiner that is asked only about what passes a cheaper check.
public struct CheckedRefiner: TextRefiner {
    private let agreement: PhraseAgreement
    private let refiner: any TextRefiner

    public init(_ refiner: any TextRefiner, after agreement: PhraseAgreement) {
        (self.refiner, self.agreement) = (refiner, agreement)
    }

    public func agrees(_ description: String, with phrase: String) async throws -> Bool {
        guard try await agreement(description, phrase) else { return false }
        return try await refiner.agrees(description, with: phrase)
    }

    public func referringExpression(from description: String, phrase: String) async throws -> String? {
        try await refiner.referringExpression(from: description, phrase: phrase)
    }
}
