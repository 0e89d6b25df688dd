import Foundation

/// How the next token is chosen.
public struct SamplingOptions: Sendable, Equatable, Codable {
    /// 0 takes the most likely token; 1 samples as the model says; higher is wilder.
    public var temperature: Double
    /// Only the most likely tokens that together reach this probability may be sampled.
    public var topP: Double
    /// Only this many of the most likely tokens may be sampled; 0 sets no limit.
    public var topK: Int
    /// Divides the positive logits of tokens generated before (and multiplies negative ones); 1 leaves them alone.
    public var repetitionPenalty: Double
    public var seed: UInt64

    public init(
        temperature: Double = 0, topP: Double = 1, topK: Int = 0, repetitionPenalty: Double = 1, seed: UInt64 = 0
    ) {
        (self.temperature, self.topP, self.topK) = (temperature, topP, topK)
        (self.repetitionPenalty, self.seed) = (repetitionPenalty, seed)
    }

    public static let greedy = SamplingOptions()
}

/// Chooses tokens from logits. A value: each sequence has its own.
package struct TokenSampler {
    private let options: SamplingOptions
    /// Ends lists; see `GenerationOptions.contrastToken`.
    private let closing: Int?
    private let listEnd: GenerationOptions.ListEnd
    /// Whether a list has begun that something has been put into.
    private var isWithinList = false
    private var seen: Set<Int> = []
    private var random: SplitMix64

    package init(
        _ options: SamplingOptions, sequence: Int, closing: Int? = nil,
        listEnd: GenerationOptions.ListEnd = .whenLikelierThanAll
    ) {
        (self.options, self.closing, self.listEnd) = (options, closing, listEnd)
        random = SplitMix64(state: options.seed &+ UInt64(bitPattern: Int64(sequence)) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// - Parameter logits: one row [V], of any values (those that are not numbers are never chosen)
    /// - Returns: an allowed token, or nil where nothing is allowed.
    package mutating func next(_ logits: UnsafeBufferPointer<Float>, allowed: AllowedTokens) -> Int? {
        if case .forced(let run) = allowed { return run.first }
        var candidates = Self.candidates(logits, allowed)
        for index in candidates.indices {
            candidates[index].logit = penalized(candidates[index].logit, candidates[index].token)
        }
        if options.temperature > 0, candidates.count > 1 { return sampled(&candidates) }
        if case .only = allowed, let closing, candidates.contains(where: { $0.token == closing }) {
            if listEnd == .whenLikelierThanAll || !isWithinList { dropTheLessLikelyOfEndingAndGoingOn(&candidates) }
            isWithinList = true
        }
        return candidates.max { ($0.logit, $1.token) < ($1.logit, $0.token) }?.token
    }

    /// First whether a list goes on, then with what.
    private func dropTheLessLikelyOfEndingAndGoingOn(_ candidates: inout [(token: Int, logit: Float)]) {
        guard let closing, let end = candidates.firstIndex(where: { $0.token == closing }), candidates.count > 2
        else { return }
        let close = Double(candidates[end].logit)
        let others = candidates.reduce(0) { $0 + ($1.token == closing ? 0 : exp(Double($1.logit) - close)) }
        if others > 1 { candidates.remove(at: end) } else { candidates = [candidates[end]] }
    }

    /// The allowed tokens of a row. What is no number is as good as impossible.
    private static func candidates(
        _ logits: UnsafeBufferPointer<Float>, _ allowed: AllowedTokens
    ) -> [(token: Int, logit: Float)] {
        func logit(_ token: Int) -> Float { logits[token].isFinite ? logits[token] : -.greatestFiniteMagnitude }
        switch allowed {
        case .end: return []
        case .forced(let run): return run.prefix(1).map { ($0, 0) }
        case .only(let tokens): return tokens.filter(logits.indices.contains).map { ($0, logit($0)) }
        case .any:
            var row = [Float](logits)
            allowed.mask(&row)
            return row.indices.filter { row[$0] != -.infinity }.map { ($0, logit($0)) }
        }
    }

    /// The logarithm of a token's probability among the allowed ones, and the likeliest of these.
    static func likelihood(
        of token: Int, _ logits: UnsafeBufferPointer<Float>, allowed: AllowedTokens, alternatives: Int
    ) -> (logProbability: Double, alternatives: [TokenLikelihood]) {
        var candidates = Self.candidates(logits, allowed)
        let most = Double(candidates.map(\.logit).max() ?? 0)
        let total = most + log(candidates.reduce(0) { $0 + exp(Double($1.logit) - most) })
        let own = candidates.first { $0.token == token }.map { Double($0.logit) - total }
        candidates.sort { ($1.logit, $0.token) < ($0.logit, $1.token) }
        let best = candidates.prefix(alternatives).map {
            TokenLikelihood(id: $0.token, logProbability: Double($0.logit) - total)
        }
        return (own ?? -.greatestFiniteMagnitude, best)
    }

    package mutating func record(_ token: Int) {
        if token == closing { isWithinList = false }
        if options.repetitionPenalty != 1 { seen.insert(token) }
    }

    private func penalized(_ logit: Float, _ token: Int) -> Float {
        guard options.repetitionPenalty != 1, seen.contains(token) else { return logit }
        let penalty = Float(options.repetitionPenalty)
        return logit > 0 ? logit / penalty : logit * penalty
    }

    private mutating func sampled(_ candidates: inout [(token: Int, logit: Float)]) -> Int? {
        candidates.sort { ($1.logit, $0.token) < ($0.logit, $1.token) }
        if options.topK > 0 { candidates.removeLast(max(0, candidates.count - options.topK)) }
        guard let best = candidates.first?.logit else { return nil }
        var weights = candidates.map { exp(Double($0.logit - best) / options.temperature) }
        let total = weights.reduce(0, +)
        var kept = 0.0, count = 0
        while count < weights.count && (count == 0 || kept < options.topP * total) {
            kept += weights[count]
            count += 1
        }
        weights.removeLast(weights.count - count)
        var point = random.unit() * kept
        for (index, weight) in weights.enumerated() {
            point -= weight
            if point <= 0 { return candidates[index].token }
        }
        return candidates[count - 1].token
    }
}

/// A small, fast random generator (Steele, Lea and Flood 2014).
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0..<1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
