import Torch

/// One continuation to be generated.
public struct GenerationRequest {
    /// Embeddings of what follows the shared prefix, [T, D] with T >= 1.
    public let rows: Tensor
    /// What may be generated; nil allows everything.
    public let grammar: (any TokenGrammar)?

    public init(rows: Tensor, grammar: (any TokenGrammar)? = nil) {
        (self.rows, self.grammar) = (rows, grammar)
    }
}

/// How likely a token was among all that could have been written in its place, by the model's own logits.
public struct TokenLikelihood: Sendable, Equatable {
    public let id: Int
    public let logProbability: Double
}

/// A generated token.
public struct GeneratedToken: Sendable, Equatable {
    public let id: Int
    /// p(token) / (p(token) + p(contrast)) by the model's own logits; 1 for tokens that a grammar forced and without a contrast token.
    public internal(set) var confidence: Double
    /// Its logarithmic probability; 0 for tokens that a grammar forced, nil unless asked for.
    public internal(set) var logProbability: Double? = nil
    /// The likeliest tokens in its place, the best first, as many as were asked for.
    public internal(set) var alternatives: [TokenLikelihood] = []
}

/// What came of a request.
public struct Generation: Sendable, Equatable {
    /// Generated tokens, a stop token included.
    public internal(set) var tokens: [GeneratedToken] = []
    /// Whether the limit, or the end of the caller's interest, came before a stop token or the grammar's end.
    public internal(set) var isTruncated = false

    public var ids: [Int] { tokens.map(\.id) }
}

/// Settings of a generation.
public struct GenerationOptions: Sendable, Equatable {
    public var maxTokens: Int
    public var stopTokens: Set<Int>
    public var sampling: SamplingOptions
    /// A token that ends lists. Every other is weighed against it for `GeneratedToken.confidence`.
    public var contrastToken: Int?
    /// When greedy decoding ends a list where a grammar offers the contrast token beside others.
    public var listEnd = ListEnd.whenLikelierThanAll

    public enum ListEnd: Sendable, Equatable {
        /// When the end is more likely than all others together, for lists whose items count one by one: near copies of a box share
        /// its probability, so that the end would often be the likeliest single token although some further box is more likely than none.
        case whenLikelierThanAll
        /// When the end is more likely than any other, for lists that are right or wrong as a whole, as counts are. That there is nothing
        /// at all is still said only where it is more likely than all else.
        case whenLikeliest
    }
    /// How many of the likeliest tokens are told beside each token's own probability; nil tells none of them.
    public var alternatives: Int?

    public init(
        maxTokens: Int, stopTokens: Set<Int>, sampling: SamplingOptions = .greedy, contrastToken: Int? = nil,
        alternatives: Int? = nil
    ) {
        (self.maxTokens, self.stopTokens, self.sampling) = (maxTokens, stopTokens, sampling)
        (self.contrastToken, self.alternatives) = (contrastToken, alternatives)
    }
}

extension Qwen2 {
    /// Generates continuations of one prefix, and returns when all are complete.
    ///
    /// - Parameter prefix: its cache, which stays as it is; nil for none.
    /// - Returns: one generation a request, in their order.
    /// - Throws: `LanguageModelError.tooLong`, `TorchError`.
    public func generate(
        _ requests: [GenerationRequest], after prefix: KeyValueCache? = nil, _ options: GenerationOptions
    ) throws -> [Generation] {
        let batch = DecodingBatch(self, limit: max(requests.count, 1))
        var outcome = Result<[Generation], any Error>.success([])
        try batch.join(requests, after: prefix, options) { outcome = $0 }
        while !batch.isIdle { batch.step() }
        return try outcome.get()
    }
}
