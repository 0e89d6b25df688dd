/// SplitMix64 with a stream of its own for every purpose.
///
/// The standard library's `random(in:using:)` may change between Swift versions, so drawing is written out here: the same
/// seed gives the same scene with every compiler and on every machine.
public struct SceneRandom: Sendable {
    private var state: UInt64
    private let increment: UInt64

    /// The generator of one seed within a stream.
    ///
    /// Streams have different increments, so the sequences of two streams differ whatever their seeds are. The scenes of
    /// a split are a stream, which is what keeps held-out scenes apart from training scenes.
    public init(seed: UInt64, stream: String) {
        // An odd increment gives the full period; FNV-1a spreads the names.
        increment = Self.mixed(Self.hash(stream)) | 1
        state = Self.mixed(seed &+ increment)
    }

    /// FNV-1a of a text's UTF-8.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= increment
        return Self.mixed(state)
    }

    /// Uniform in 0..<1.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in a range; its lower bound where the range is empty.
    public mutating func double(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    /// Uniform in 0..<bound; 0 where `bound` is below 1.
    public mutating func int(below bound: Int) -> Int {
        bound < 1 ? 0 : Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Uniform in a range.
    public mutating func int(_ range: ClosedRange<Int>) -> Int {
        let (width, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
        return overflow || width == Int.max ? range.lowerBound : range.lowerBound + int(below: width + 1)
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool {
        unit() < probability
    }

    /// -1 or 1.
    mutating func sign() -> Double {
        chance(0.5) ? 1 : -1
    }

    /// One of the elements, nil where there are none.
    public mutating func pick<Elements: RandomAccessCollection>(_ elements: Elements) -> Elements.Element? {
        elements.isEmpty ? nil : elements[elements.index(elements.startIndex, offsetBy: int(below: elements.count))]
    }

    /// One of several wordings.
    mutating func word(_ first: String, _ others: String...) -> String {
        let index = int(below: others.count + 1)
        return index == 0 ? first : others[index - 1]
    }

    /// The index of a weight, drawn in proportion to the weights; negative weights count as 0.
    mutating func weightedIndex(_ weights: [Double]) -> Int {
        var rest = unit() * weights.reduce(0) { $0 + max(0, $1) }
        for (index, weight) in weights.enumerated() where weight > 0 {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.lastIndex { $0 > 0 } ?? 0
    }

    /// Fisher-Yates.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for index in elements.indices.dropFirst().reversed() {
            elements.swapAt(index, int(below: index + 1))
        }
    }
}
