/// The merge rules of a byte-pair vocabulary: which two tokens make which third, and in which order of preference.
struct MergeRules: Sendable {
    struct Rule {
        /// Place in the file; the lowest is applied first.
        let rank: UInt32
        /// The token that the pair becomes.
        let id: Int32
    }

    private var rules: [UInt64: Rule] = [:]

    init(reserving capacity: Int = 0) { rules.reserveCapacity(capacity) }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    func rule(_ left: Int32, _ right: Int32) -> Rule? { rules[Self.key(left, right)] }

    /// Adds a rule of the lowest preference so far. Of a pair listed twice the later place counts, as upstream.
    mutating func append(_ left: Int32, _ right: Int32, makes id: Int32, rank: UInt32) {
        rules[Self.key(left, right)] = Rule(rank: rank, id: id)
    }

    /// All pairs in order of rank.
    var pairs: [(left: Int, right: Int)] {
        rules.sorted { $0.value.rank < $1.value.rank }.map { (Int($0.key >> 32), Int($0.key & 0xFFFF_FFFF)) }
    }
}

/// Merges the bytes of one piece after another into tokens; holds the buffers that the work reuses.
///
/// Candidates wait in a heap, so that a piece of n bytes, even one megabyte without a break, takes O(n log n).
struct BytePairMerger {
    private static let none = UInt32.max

    private let rules: MergeRules
    private let byteIDs: [Int32]
    private var symbols: [Int32] = []
    private var previous: [Int] = []
    private var next: [Int] = []
    /// The rule, if any, that merges the symbol here with the next; a heap entry of another rank is out of date.
    private var pending: [MergeRules.Rule] = []
    /// Rank in the high half, position in the low one: of one rule, the leftmost place is merged first.
    private var candidates = Heap<UInt64>()

    /// - Parameter byteIDs: the token of each byte.
    init(rules: MergeRules, byteIDs: [Int32]) {
        self.rules = rules
        self.byteIDs = byteIDs
    }

    /// Appends the tokens of the bytes `text[range]`.
    mutating func encode(_ text: [UInt8], in range: Range<Int>, into ids: inout [Int]) {
        if range.count == 1 {
            ids.append(Int(byteIDs[Int(text[range.lowerBound])]))
            return
        }
        load(text, range)
        while let candidate = candidates.popMinimum() {
            let position = Int(candidate & 0xFFFF_FFFF)
            if pending[position].rank == UInt32(candidate >> 32) { merge(at: position) }
        }
        var position = 0
        while position < symbols.count {
            ids.append(Int(symbols[position]))
            position = next[position]
        }
    }

    private mutating func load(_ text: [UInt8], _ range: Range<Int>) {
        symbols.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        for (position, byte) in text[range].enumerated() {
            symbols.append(byteIDs[Int(byte)])
            previous.append(position - 1)
            next.append(position + 1)
            pending.append(MergeRules.Rule(rank: Self.none, id: 0))
        }
        for position in symbols.indices { findRule(at: position) }
    }

    private mutating func merge(at position: Int) {
        let right = next[position]
        symbols[position] = pending[position].id
        pending[right] = MergeRules.Rule(rank: Self.none, id: 0)
        next[position] = next[right]
        if next[right] < symbols.count { previous[next[right]] = position }
        if previous[position] >= 0 { findRule(at: previous[position]) }
        findRule(at: position)
    }

    private mutating func findRule(at position: Int) {
        let right = next[position]
        guard right < symbols.count, let rule = rules.rule(symbols[position], symbols[right]) else {
            pending[position] = MergeRules.Rule(rank: Self.none, id: 0)
            return
        }
        pending[position] = rule
        candidates.push(UInt64(rule.rank) << 32 | UInt64(position))
    }
}
