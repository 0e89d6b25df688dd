/// Learns a byte-level vocabulary from texts: the most frequent pair of neighbours becomes a token, again and again.
///
/// The result depends on the texts alone, not on their order nor on the run. Ids: the 256 bytes in GPT-2's order, the
/// learnt tokens in the order they were learnt, then the special tokens.
public struct BytePairTrainer: Sendable {
    /// Qwen2's three chat tokens, then ChatRex's.
    public static let defaultSpecialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + ChatRexTokens.all

    /// The most tokens the vocabulary may have, special ones included; few texts may give fewer.
    public var vocabularySize: Int
    /// A pair that occurs less often is not merged.
    public var minimumPairCount = 2
    /// Tokens that are never split and never learnt from.
    public var specialTokens: [String]

    public init(vocabularySize: Int, specialTokens: [String] = defaultSpecialTokens) {
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
    }

    /// Trains on `texts`, which are read once and not kept.
    ///
    /// - Throws: `vocabularyTooSmall` when there is no room for the bytes and the special tokens.
    public func train(on texts: some Sequence<String>) throws(TokenizerError) -> BytePairTokenizer {
        let minimum = 256 + specialTokens.count
        guard vocabularySize >= minimum else {
            throw .vocabularyTooSmall(requested: vocabularySize, minimum: minimum)
        }
        var vocabulary = Vocabulary()
        for (id, byte) in ByteLevelAlphabet.bytesInOrder.enumerated() { try vocabulary.insert([byte], id: id) }
        var merges = MergeRules()
        let untrained = try BytePairTokenizer(
            vocabulary: vocabulary, merges: merges, added: AddedTokens(), composesText: true
        ).adding(specialTokens: specialTokens)

        var learner = PairLearner(words: untrained.countPieces(in: texts), minimumPairCount: minimumPairCount)
        while vocabulary.idCount < vocabularySize - specialTokens.count, let pair = learner.mostFrequentPair() {
            let bytes = vocabulary.bytesByID[Int(pair.left)] + vocabulary.bytesByID[Int(pair.right)]
            // Two pairs can spell the same token; the second only needs the rule.
            let known = vocabulary.id(of: bytes)
            let id = known ?? vocabulary.idCount
            if known == nil { try vocabulary.insert(bytes, id: id) }
            merges.append(pair.left, pair.right, makes: Int32(id), rank: UInt32(learner.mergeCount))
            learner.merge(pair, into: Int32(id))
        }
        return try BytePairTokenizer(
            vocabulary: vocabulary, merges: merges, added: AddedTokens(), composesText: true
        ).adding(specialTokens: specialTokens)
    }
}

extension BytePairTokenizer {
    /// The pieces of `texts` between added tokens, each as the ids of its bytes, and how often each occurs.
    fileprivate func countPieces(in texts: some Sequence<String>) -> [(symbols: [Int32], count: Int)] {
        var counts: [[UInt8]: Int] = [:]
        for text in texts {
            let bytes = CanonicalNormalizer.shared.composed(text)
            for case .text(let range) in added.segments(of: bytes) {
                for piece in PieceScanner(bytes, in: range) { counts[Array(bytes[piece]), default: 0] += 1 }
            }
        }
        return counts.map { (symbols: $0.key.map { byteIDs[Int($0)] }, count: $0.value) }
    }
}

/// Two neighbouring tokens.
private struct Pair: Hashable, Comparable {
    let left: Int32
    let right: Int32

    static func < (a: Pair, b: Pair) -> Bool { (a.left, a.right) < (b.left, b.right) }
}

/// How often each pair occurs in the words, kept up to date merge by merge.
private struct PairLearner {
    /// The most frequent pair comes first, of several the one with the lowest ids.
    private struct Candidate: Comparable {
        let count: Int
        let pair: Pair

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.count == b.count ? a.pair < b.pair : a.count > b.count
        }
    }

    private var words: [(symbols: [Int32], count: Int)]
    private let minimumPairCount: Int
    private var counts: [Pair: Int] = [:]
    /// The words that hold a pair, and perhaps some that did.
    private var places: [Pair: Set<Int>] = [:]
    private var candidates = Heap<Candidate>()
    /// How many merges were done.
    private(set) var mergeCount = 0

    init(words: [(symbols: [Int32], count: Int)], minimumPairCount: Int) {
        self.words = words
        self.minimumPairCount = max(1, minimumPairCount)
        for index in words.indices { count(word: index, sign: 1) }
        for (pair, count) in counts { candidates.push(Candidate(count: count, pair: pair)) }
    }

    /// The pair to merge next, or nil when none is frequent enough.
    mutating func mostFrequentPair() -> Pair? {
        while let candidate = candidates.popMinimum() {
            guard candidate.count >= minimumPairCount else { return nil }
            // Counts that changed were pushed anew.
            if counts[candidate.pair] == candidate.count { return candidate.pair }
        }
        return nil
    }

    mutating func merge(_ pair: Pair, into id: Int32) {
        mergeCount += 1
        var changed: Set<Pair> = []
        for index in places.removeValue(forKey: pair) ?? [] {
            changed.formUnion(count(word: index, sign: -1))
            words[index].symbols = words[index].symbols.merging(pair, into: id)
            changed.formUnion(count(word: index, sign: 1))
        }
        for pair in changed {
            guard let count = counts[pair] else { continue }
            if count == 0 {
                counts[pair] = nil
            } else {
                candidates.push(Candidate(count: count, pair: pair))
            }
        }
    }

    /// Adds (or, with sign -1, takes away) the pairs of a word; returns them.
    @discardableResult
    private mutating func count(word index: Int, sign: Int) -> [Pair] {
        let (symbols, count) = words[index]
        let pairs = zip(symbols, symbols.dropFirst()).map { Pair(left: $0, right: $1) }
        for pair in pairs {
            counts[pair, default: 0] += sign * count
            if sign > 0 { places[pair, default: []].insert(index) }
        }
        return pairs
    }
}

extension [Int32] {
    /// With each occurrence of `pair`, from the left, replaced by `id`.
    fileprivate func merging(_ pair: Pair, into id: Int32) -> [Int32] {
        var result: [Int32] = []
        var index = 0
        while index < count {
            if index + 1 < count, self[index] == pair.left, self[index + 1] == pair.right {
                result.append(id)
                index += 2
            } else {
                result.append(self[index])
                index += 1
            }
        }
        return result
    }
}
