import ChatRex
import Foundation
import LanguageModels
import Torch

/// When a description is taken to speak of its phrase, without a language model.
public struct AgreementSettings: Codable, Sendable, Equatable {
    public enum Rule: String, Codable, Sendable, CaseIterable {
        /// The description names the thing.
        case word
        /// The two are alike in meaning.
        case similarity
        case either, both
    }

    public var rule = Rule.word
    /// Folder of a sentence model such as all-MiniLM-L6-v2; needed by every rule but `word`.
    public var embedder = ""
    /// Least cosine of the two texts' embeddings.
    public var minimumSimilarity = 0.25

    public init() {}

    /// - Throws: `EngineError.invalidSetting`.
    public func validate(as name: String = "agreement") throws {
        try EngineError.check(
            rule == .word || !embedder.isEmpty, "\(name).embedder",
            "the rule '\(rule.rawValue)' needs the folder of a sentence model")
        try EngineError.check(minimumSimilarity, -1...1, "\(name).minimumSimilarity")
    }
}

/// How alike texts are in meaning; works on a thread of its own.
public actor SentenceSimilarity {
    private let embedder: SentenceEmbedder
    private let executor: ModelExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter folder: as for `SentenceEmbedder`
    /// - Throws: what `SentenceEmbedder` throws.
    public init(contentsOf folder: URL) async throws {
        executor = ModelExecutor(name: "sentences")
        embedder = try SentenceEmbedder(contentsOf: folder)
    }

    /// Cosine of the embeddings, -1...1.
    public func callAsFunction(_ text: String, _ other: String) throws -> Double {
        try embedder.similarities([(text, other)]).first ?? 0
    }
}

/// Whether a description speaks of what a phrase names.
public struct PhraseAgreement: Sendable {
    private let settings: AgreementSettings
    private let similarity: SentenceSimilarity?

    /// - Throws: `EngineError.invalidSetting`, and what `SentenceEmbedder` throws.
    public init(_ settings: AgreementSettings = AgreementSettings()) async throws {
        try settings.validate()
        self.settings = settings
        similarity =
            settings.rule == .word
            ? nil : try await SentenceSimilarity(contentsOf: URL(fileURLWithPath: settings.embedder))
    }

    public func callAsFunction(_ description: String, _ phrase: String) async throws -> Bool {
        switch settings.rule {
        case .word: Self.names(description, phrase)
        case .similarity: try await isSimilar(description, phrase)
        case .either: if Self.names(description, phrase) { true } else { try await isSimilar(description, phrase) }
        case .both: if Self.names(description, phrase) { try await isSimilar(description, phrase) } else { false }
        }
    }

    /// Whether a description has the noun that a phrase is about, in singular or plural.
    public static func names(_ description: String, _ phrase: String) -> Bool {
        EnglishPhrase.mentions(description, anyOf: EnglishPhrase.heads(of: phrase))
    }

    private func isSimilar(_ description: String, _ phrase: String) async throws -> Bool {
        guard let similarity else { return false }
        return try await similarity(description, phrase) >= settings.minimumSimilarity
    }
}
