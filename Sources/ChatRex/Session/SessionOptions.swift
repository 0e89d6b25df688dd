import LanguageModels
import UPN

/// How a question is answered.
public struct AnswerOptions: Sendable, Equatable {
    /// Most tokens of one answer; raised where the question's own phrases need more.
    public var maxTokens: Int
    public var sampling: SamplingOptions
    /// Detections below this combined score are left out of the answer's groups.
    public var minimumScore: Double
    public var scoring: DetectionScore
    public var limits: TaskLimits
    /// Whether the answer is held to the grammar. Without it the model may write anything, and `GroundedAnswer.issues` says what is wrong.
    public var usesGrammar: Bool
    /// How many of the likeliest tokens `GroundedAnswer.tokens` tells for each token; nil leaves it out.
    public var alternatives: Int?
    /// What was asked and answered before about the same picture and boxes, the oldest first. For models that were trained on
    /// conversations; the built-in one was not.
    public var history: [PastExchange]

    public init(
        maxTokens: Int = 512, sampling: SamplingOptions = .greedy, minimumScore: Double = 0,
        scoring: DetectionScore = DetectionScore(), limits: TaskLimits = TaskLimits(), usesGrammar: Bool = true,
        alternatives: Int? = nil, history: [PastExchange] = []
    ) {
        (self.maxTokens, self.sampling, self.minimumScore) = (maxTokens, sampling, minimumScore)
        (self.scoring, self.limits, self.usesGrammar) = (scoring, limits, usesGrammar)
        (self.alternatives, self.history) = (alternatives, history)
    }
}

/// A question that was asked before, with its answer, which may have tags.
public struct PastExchange: Sendable, Hashable {
    public var question: String
    public var answer: String

    public init(question: String, answer: String) {
        (self.question, self.answer) = (question, answer)
    }
}

/// Where a question's boxes come from.
public enum BoxSource: Sendable, Equatable {
    /// The proposal network.
    case proposals(granularities: [Granularity] = [.fine], filter: ProposalFilter = ProposalFilter())
    /// The caller, in pixels of the picture; `<obj0>` is the first.
    case given([RegionBox])
    /// The caller's boxes first, then proposals up to the limit, so that a question about one region may be answered with others.
    case givenWithProposals(
        [RegionBox], granularities: [Granularity] = [.fine], filter: ProposalFilter = ProposalFilter())
    /// No boxes at all: plain conversation.
    case none

    /// The caller's boxes without any proposals.
    var givenAlone: BoxSource {
        switch self {
        case .given(let regions), .givenWithProposals(let regions, _, _): .given(regions)
        case .proposals, .none: .none
        }
    }
}
