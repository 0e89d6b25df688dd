import Foundation

/// The score of a detection: how sure the language model is of an index, combined with how sure the proposal network is
/// of its box.
///
/// score = confidence^(1 - w) · proposal^w, a weighted geometric mean, with w = ``proposalWeight``. With the default w
/// = ½ it is √(confidence · proposal): either doubt lowers it, neither alone decides. An unknown factor drops out,
/// leaving the other; when both are unknown the score is 1, so that boxes drawn by hand pass every threshold.
///
/// The released programs use the proposal's score alone, which is w = 1.
public struct DetectionScore: Sendable, Hashable, Codable {
    /// w, 0…1.
    public let proposalWeight: Double

    /// - Parameter proposalWeight: w; kept within 0…1, and ½ when not a number.
    public init(proposalWeight: Double = 0.5) {
        self.proposalWeight = proposalWeight.isNaN ? 0.5 : min(max(proposalWeight, 0), 1)
    }

    /// The combined score, 0…1.
    ///
    /// - Parameters:
    ///   - confidence: the language model's, from ``confidence(index:close:)``; nil when unknown.
    ///   - proposal: the proposal's score; nil when unknown.
    public func callAsFunction(confidence: Double?, proposal: Double?) -> Double {
        switch (confidence.map(Self.unit), proposal.map(Self.unit)) {
        case (let confidence?, let proposal?):
            pow(confidence, 1 - proposalWeight) * pow(proposal, proposalWeight)
        case (let known?, nil), (nil, let known?): known
        case (nil, nil): 1
        }
    }

    /// How sure the language model is that an index belongs to its group.
    ///
    /// p(index) / (p(index) + p(close)): the choice between naming this box and ending the group. The plain probability
    /// p(index | allowed) is shared among all boxes that still fit, so that ten sure people would score 0.1 each;
    /// against the end of the group alone, the number and order of the others do not matter.
    ///
    /// - Parameters:
    ///   - index: the probability of the index token, among any set of tokens that holds both.
    ///   - close: the probability of `</objects>` in the same step; nil gives p(index) itself.
    public static func confidence(index: Double, close: Double?) -> Double {
        let index = unit(index)
        guard let close = close.map(unit) else { return index }
        return index + close > 0 ? index / (index + close) : 0
    }

    private static func unit(_ value: Double) -> Double { value.isNaN ? 0 : min(max(value, 0), 1) }
}
