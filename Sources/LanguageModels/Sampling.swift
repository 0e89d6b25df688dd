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
    /// Ends a list; see ``GenerationOptions/contrastToken``.
    private let closing: Int?
    private var seen: Set<Int> = []
    private var random: SplitMix64

    package init(_ options: SamplingOptions, sequence: Int, closing: Int? = nil) {
        (self.options, self.closing) = (options, closing)
        random = SplitMix64(state: options.seed &+ UInt64(bitPattern: Int64(sequence)) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// - Parameter logits: one row [V], of any values (those that are not numbers are never chosen)
    /// - Returns: an allowed token, or nil where nothing is allowed.
    package mutating func next(_ logits: UnsafeBufferPointer<Float>, allowed: AllowedTokens) -> Int? {
        var candidates: [(token: Int, logit: Float)] = []
        switch allowed {
        case .end: return nil
        case .forced(let run): return run.first
        case .only(let tokens):
            candidates = tokens.filter { logits.indices.contains($0) }.map { ($0, penalized(logits[$0], $0)) }
        case .any(let excluded):
            candidates.reserveCapacity(logits.count)
            var row = [Float](logits)
            AllowedTokens.any(except: excluded).mask(&row)
            for token in row.indices where row[token] != -.infinity {
                candidates.append((token, penalized(row[token], token)))
            }
        }
        for index in candidates.indices where !candidates[index].logit.isFinite {
            candidates[index].logit = -.greatestFiniteMagnitude
        }
        if options.temperature > 0, candidates.count > 1 { return sampled(&candidates) }
        if case .only = allowed { dropTheLessLikelyOfEndingAndGoingOn(&candidates) }
        return candidates.max { ($0.logit, $1.token) < ($1.logit, $0.token) }?.token
    }

    /// First whether a list goes on, then with what: near copies of a box share its probability, so that the likeliest single
    /// token would often be the list's end although some further box is more likely than none.
    private func dropTheLessLikelyOfEndingAndGoingOn(_ candidates: inout [(token: Int, logit: Float)]) {
        guard let closing, let end = candidates.firstIndex(where: { $0.token == closing }), candidates.count > 2
        else { return }
        let close = Double(candidates[end].logit)
        let others = candidates.reduce(0) { $0 + ($1.token == closing ? 0 : exp(Double($1.logit) - close)) }
        if others > 1 { candidates.remove(at: end) } else { candidates = [candidates[end]] }
    }

    mutating func record(_ token: Int) {
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
