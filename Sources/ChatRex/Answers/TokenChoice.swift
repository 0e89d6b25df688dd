/// A token of an answer with its probability among all that the grammar allowed in its place.
public struct TokenChoice: Sendable, Hashable, Codable {
    /// A token that could have been written.
    public struct Candidate: Sendable, Hashable, Codable {
        /// Its text in UTF-8; a character may span tokens.
        public var bytes: [UInt8]
        /// Natural logarithm of its probability, at temperature 1.
        public var logProbability: Double

        public init(bytes: [UInt8], logProbability: Double) {
            (self.bytes, self.logProbability) = (bytes, logProbability)
        }
    }

    /// The token that was written; its probability is 1 where the grammar left no choice.
    public var chosen: Candidate
    /// The likeliest tokens, the best first; empty where the grammar left no choice.
    public var alternatives: [Candidate]

    public init(chosen: Candidate, alternatives: [Candidate]) {
        (self.chosen, self.alternatives) = (chosen, alternatives)
    }
}
