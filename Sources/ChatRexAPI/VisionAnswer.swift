// What the server's routes of one task answer with, for the server that writes it and the client that reads it.

import Boxes

/// A box that an answer names.
public struct Detection: Codable, Sendable, Hashable {
    public var label: String
    /// In pixels of the picture as it was sent; `[x1, y1, x2, y2]` in JSON.
    public var box: Box
    /// Of the box in the list that the model was shown.
    public var index: Int
    /// 0…1, see the model's `DetectionScore`.
    public var score: Double
    /// The proposal network's; nil for boxes that the request gave.
    public var proposalScore: Double?
    /// Where the label stands in the plain text, in Unicode scalars: its start and its end.
    public var span: [Int]

    public init(label: String, box: Box, index: Int, score: Double, proposalScore: Double?, span: [Int]) {
        (self.label, self.box, self.index, self.score) = (label, box, index, score)
        (self.proposalScore, self.span) = (proposalScore, span)
    }

    enum CodingKeys: String, CodingKey {
        case label, box, index, score, span
        case proposalScore = "proposal_score"
    }
}

/// The result of a task about one picture.
public struct VisionAnswer: Codable, Sendable, Hashable {
    public struct Size: Codable, Sendable, Hashable {
        public var width: Int, height: Int

        public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
    }

    public struct Count: Codable, Sendable, Hashable {
        public var label: String, count: Int

        public init(label: String, count: Int) { (self.label, self.count) = (label, count) }
    }

    public struct Region: Codable, Sendable, Hashable {
        public var index: Int
        public var box: Box
        public var text: String
        public var proposalScore: Double?

        public init(index: Int, box: Box, text: String, proposalScore: Double?) {
            (self.index, self.box, self.text, self.proposalScore) = (index, box, text, proposalScore)
        }

        enum CodingKeys: String, CodingKey {
            case index, box, text
            case proposalScore = "proposal_score"
        }
    }

    /// A box that holds something, whatever it is.
    public struct Proposal: Codable, Sendable, Hashable {
        public var box: Box
        public var score: Double
        /// `fine` or `coarse`.
        public var granularity: String

        public init(box: Box, score: Double, granularity: String) {
            (self.box, self.score, self.granularity) = (box, score, granularity)
        }
    }

    public var model: String
    public var image: Size
    /// The answer without tags.
    public var text: String?
    public var detections: [Detection]?
    /// Labels of which there is none.
    public var notFound: [String]?
    public var counts: [Count]?
    public var regions: [Region]?
    public var proposals: [Proposal]?
    /// Whether the limit of tokens came before the answer's end.
    public var isTruncated: Bool

    public init(
        model: String, image: Size, text: String? = nil, detections: [Detection]? = nil, notFound: [String]? = nil,
        regions: [Region]? = nil, proposals: [Proposal]? = nil, isTruncated: Bool = false
    ) {
        (self.model, self.image, self.text, self.detections) = (model, image, text, detections)
        (self.notFound, self.regions, self.proposals) = (notFound, regions, proposals)
        self.isTruncated = isTruncated
    }

    enum CodingKeys: String, CodingKey {
        case model, image, text, detections, counts, regions, proposals
        case notFound = "not_found"
        case isTruncated = "truncated"
    }
}
