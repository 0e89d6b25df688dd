/// Module 3's noun phrases by spaCy, in a Python process that is kept running.
public final class SpacyPhraseExtractor: PhraseExtractor {
    private static let name = "noun phrases"
    private let worker: PythonWorker
    private let rules: PhraseRules

    /// - Throws: `EngineError.invalidSetting`.
    public init(_ settings: PhraseSettings = PhraseSettings(), options: PythonWorker.Options = .init()) throws {
        struct Setup: Encodable {
            let models: [String]
        }
        try settings.validate()
        rules = PhraseRules(settings)
        worker = try PythonWorker(
            name: Self.name, script: PackageResources.noun_phrases_py, settings: Setup(models: settings.models),
            python: settings.python, options: options)
    }

    /// Loads the model; without it the first text does.
    ///
    /// - Throws: `WorkerError` where spaCy or its model is not installed.
    public func start() async throws { try await worker.start() }

    public func stop() async { await worker.stop() }

    public func phrases(in text: String) async throws -> [NounPhrase] {
        guard text.unicodeScalars.contains(where: \.properties.isAlphabetic) else { return [] }
        let parse = try await parse(text)
        return rules.phrases(of: parse, in: text)
    }

    /// - Throws: `WorkerError`, `WorkerRequestError`.
    package func parse(_ text: String) async throws -> ParsedText {
        let parse = try await worker.ask(text, for: ParsedText.self)
        guard parse.fits(scalarCount: text.unicodeScalars.count) else {
            throw WorkerRequestError.unreadableAnswer(
                worker: Self.name, reason: "its positions do not fit the text of \(text.utf8.count) bytes")
        }
        return parse
    }
}
