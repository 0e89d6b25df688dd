/// A rule that generation consults at every step, so that only well-formed text can come out.
///
/// A grammar is a value: copy it to decode several continuations of one prompt. A decoder alternates the two calls:
///
///     while true {
///         switch grammar.allowed() {
///         case .forced(let run): feed all of `run` in one pass, calling `advance` for each token
///         case .only, .any: mask the logits, pick a token, call `advance`
///         case .end: stop
///         }
///     }
public protocol TokenGrammar: Sendable {
    /// What may come next. Calling it again without `advance` gives the same answer.
    mutating func allowed() -> AllowedTokens

    /// Moves past one token, which must be allowed: after any other token the grammar is at its end, since nothing that
    /// follows could be well formed.
    mutating func advance(_ token: Int)

    /// Whether the text had to be brought to an end because the budget was spent.
    var isCutShort: Bool { get }
}

extension TokenGrammar {
    public var isCutShort: Bool { false }
}

/// The tokens that may come next.
///
/// No case needs an array as long as the vocabulary: exclusions are shared sets, built once.
public enum AllowedTokens: Sendable, Equatable {
    /// Every token that is in none of the sets. The sets hold shared, immutable objects: cache a mask per set.
    case any(except: [TokenSet])
    /// One of these tokens; never empty, without duplicates.
    case only([Int])
    /// Exactly these tokens, in this order; never empty. They may be fed to the model in a single pass.
    case forced([Int])
    /// Nothing: the text is complete.
    case end

    /// Whether `token` may come next.
    public func contains(_ token: Int) -> Bool {
        switch self {
        case .any(let sets): token >= 0 && !sets.contains { $0.contains(token) }
        case .only(let tokens): tokens.contains(token)
        case .forced(let run): run.first == token
        case .end: false
        }
    }

    /// Sets the logit of every token that may not come next to minus infinity.
    ///
    /// - Parameter logits: one row, [V]; its index is the token id.
    public func mask(_ logits: inout [Float]) {
        switch self {
        case .any(let sets):
            for set in sets {
                for token in set.ids where token < logits.count { logits[token] = -.infinity }
            }
        case .only(let tokens): keep(tokens, in: &logits)
        case .forced(let run): keep(run.prefix(1), in: &logits)
        case .end: keep([], in: &logits)
        }
    }

    private func keep(_ tokens: some Sequence<Int>, in logits: inout [Float]) {
        let kept = tokens.filter { logits.indices.contains($0) }.map { ($0, logits[$0]) }
        for index in logits.indices { logits[index] = -.infinity }
        for (token, value) in kept { logits[token] = value }
    }
}

/// An immutable set of token ids with a fast membership test.
///
/// Two sets are equal when they are the same object, so that a decoder can keep one device mask per set.
public final class TokenSet: Sendable, Hashable {
    /// The ids, ascending, without duplicates, none negative.
    public let ids: [Int]
    private let firstWord: Int
    private let words: [UInt64]

    /// A set of these ids; negative ones are left out.
    public init(_ ids: some Sequence<Int>) {
        let ids = Set(ids).filter { $0 >= 0 }.sorted()
        let firstWord = (ids.first ?? 0) / 64
        var words = [UInt64](repeating: 0, count: ids.isEmpty ? 0 : ids[ids.count - 1] / 64 - firstWord + 1)
        for id in ids { words[id / 64 - firstWord] |= 1 << UInt64(id % 64) }
        (self.ids, self.firstWord, self.words) = (ids, firstWord, words)
    }

    /// Whether the id is a member.
    public func contains(_ id: Int) -> Bool {
        guard id >= 0 else { return false }
        let word = id / 64 - firstWord
        return words.indices.contains(word) && words[word] & (1 << UInt64(id % 64)) != 0
    }

    public static func == (lhs: TokenSet, rhs: TokenSet) -> Bool { lhs === rhs }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
