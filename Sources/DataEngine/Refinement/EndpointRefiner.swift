/// Module 5 by a language model behind an endpoint.
public struct EndpointRefiner: TextRefiner {
    private let settings: RefinementSettings
    private let interview: Interview

    /// - Throws: `EngineError.invalidSetting`.
    public init(_ model: any ChatModel, _ settings: RefinementSettings = RefinementSettings()) throws {
        try settings.validate()
        self.settings = settings
        interview = Interview(model, repetitions: settings.repetitions)
    }

    /// How many answers could not be used, by reason; `unverified` counts descriptions that were turned down for want of a clear answer.
    public var faults: [String: Int] { interview.faults }

    public func agrees(_ description: String, with phrase: String) async throws -> Bool {
        let finding: Interview.Finding<Bool, VerificationFault>
        switch settings.verification {
        case .question:
            var question = self.question(
                settings.verificationPrompt, description, phrase, Self.verified, tokens: settings.verificationTokens)
            question.choices = ["yes", "no"]
            finding = try await interview.ask(question) { YesOrNo.judge($0.text) }
        case .naming:
            let question = question(
                settings.namingPrompt, description, phrase, Self.named, tokens: settings.verificationTokens)
            finding = try await interview.ask(question) { ThingName.judge($0.text, phrase: phrase) }
        }
        if case .good(let agrees) = finding { return agrees }
        interview.note("unverified")
        return false
    }

    public func referringExpression(from description: String, phrase: String) async throws -> String? {
        let question = question(
            settings.rewritingPrompt, description, phrase, Self.rewritten, tokens: settings.expressionTokens)
        let finding = try await interview.ask(question) {
            ReferringExpressionRules.judge($0.text, phrase: phrase, words: settings.expressionWords)
        }
        if case .good(let expression) = finding { return expression }
        return nil
    }

    private func question(
        _ prompt: String, _ description: String, _ phrase: String, _ examples: [Example], tokens: Int
    ) -> ChatQuestion {
        func filled(_ description: String, _ phrase: String) -> String {
            // The phrase goes in first, and no gap that its text may hold is filled.
            prompt.components(split: RefinementSettings.descriptionGap)
                .map { $0.replacing(RefinementSettings.phraseGap, with: phrase.excerpt(200)) }
                .joined(separator: description.excerpt(1000))
        }
        let shown = settings.showsExamples ? examples : []
        return ChatQuestion(
            filled(description, phrase),
            examples: shown.map { .init(filled($0.description, $0.phrase), $0.answer) }, maxTokens: tokens)
    }

    // MARK: Examples

    private typealias Example = (description: String, phrase: String, answer: String)

    private static let verified: [Example] = [
        ("A dog with brown fur lies on the grass beside a ball.", "a brown dog", "yes"),
        ("A woman in a red coat waits at a bus stop.", "a red car", "no"),
        ("The wooden chair stands at a window and has a green cushion.", "chair", "yes"),
        ("Two slices of pizza on a white plate.", "a cup of coffee", "no"),
    ]

    private static let named: [Example] = [
        ("A dog with brown fur lies on the grass beside a ball.", "", "dog"),
        ("A woman in a red coat waits at a bus stop.", "", "woman"),
        ("Two slices of pizza lie on a white plate.", "", "pizza"),
        ("The wooden chair stands at a window and has a green cushion.", "", "chair"),
    ]

    private static let rewritten: [Example] = [
        (
            "A dog with brown fur lies on the grass beside a ball. It looks into the camera.", "dog",
            "the brown dog lying on the grass"
        ),
        (
            "The man wears a blue shirt and glasses, and holds a phone in his left hand.", "a man in a shirt",
            "the man in a blue shirt who holds a phone"
        ),
        ("A large red bus is parked at the side of the street.", "bus", "the large red bus at the side of the street"),
    ]
}

enum VerificationFault: String, Error {
    case unparseable = "verification unparseable"
}

/// A yes or a no, and nothing that could be either.
enum YesOrNo {
    static func judge(_ answer: String) -> Result<Bool, VerificationFault> {
        let words = EnglishPhrase.words(AnswerCleaner.withoutThoughts(answer)).drop { $0 == "answer" }
        switch words.first {
        case "yes"? where !words.contains("no"): return .success(true)
        case "no"? where !words.contains("yes"): return .success(false)
        default: return .failure(.unparseable)
        }
    }
}

/// The name of a thing, which is a phrase's or is not.
enum ThingName {
    static func judge(_ answer: String, phrase: String) -> Result<Bool, VerificationFault> {
        let line = AnswerCleaner.withoutThoughts(answer).split(whereSeparator: \.isNewline).first ?? ""
        let heads = EnglishPhrase.heads(of: AnswerCleaner.unwrapped(String(line)))
        if heads.isEmpty { return .failure(.unparseable) }
        return .success(!Set(heads).isDisjoint(with: EnglishPhrase.heads(of: phrase)))
    }
}

extension String {
    /// The parts around a separator.
    fileprivate func components(split separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
