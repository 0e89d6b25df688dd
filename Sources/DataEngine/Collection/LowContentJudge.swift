import Imaging

/// Tells pictures that show next to nothing, such as pages on plain white (the paper's trained classifier).
public protocol LowContentJudge: Sendable {
    /// How likely an upright picture is one that a data set can do without, 0...1.
    func lowContentProbability(_ image: Image) async throws -> Double
}
