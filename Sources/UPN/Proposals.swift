// From pictures to proposals. Reference: upn.md, sections 12 and 13.

import Boxes
import Imaging
import Torch

/// A box that may hold something.
public struct Proposal: Sendable, Hashable, Codable {
    /// In pixels of the original picture; may reach a little beyond it.
    public var box: Box
    /// 0…1
    public var score: Double
    public var granularity: Granularity

    public init(box: Box, score: Double, granularity: Granularity) {
        (self.box, self.score, self.granularity) = (box, score, granularity)
    }
}

/// Which proposals are kept.
public struct ProposalFilter: Sendable, Equatable {
    /// Lowest score; nil for the network's own, ``UPNConfiguration/minimumScore``.
    public var minimumScore: Double?
    /// Boxes that overlap a better one by more are dropped, 1 keeps all; nil for the network's own, ``UPNConfiguration/overlapLimit``.
    public var iouThreshold: Double?
    /// The best ones are kept.
    public var maximumCount: Int

    public init(minimumScore: Double? = nil, iouThreshold: Double? = nil, maximumCount: Int = 100) {
        (self.minimumScore, self.iouThreshold, self.maximumCount) = (minimumScore, iouThreshold, maximumCount)
    }

    /// Kept proposals, best first. Scores are compared in float32, as the reference does.
    ///
    /// - Parameters:
    ///   - lowest: minimum score where the filter has none
    ///   - overlap: IoU threshold where the filter has none
    public func callAsFunction(
        _ proposals: [Proposal], minimumScore lowest: Double = UPNConfiguration.usualMinimumScore,
        iouThreshold overlap: Double = UPNConfiguration.usualOverlapLimit
    )
        throws -> [Proposal]
    {
        let lowest = Float(minimumScore ?? lowest)
        let passing = proposals.filter { Float($0.score) >= lowest }
        let order = try nonMaximumSuppression(
            boxes: passing.map(\.box), scores: passing.map(\.score), iouThreshold: iouThreshold ?? overlap)
        return order.prefix(max(0, maximumCount)).map { passing[$0] }
    }
}

extension UniversalProposalNetwork {
    /// Proposals for pictures of any sizes.
    ///
    /// - Parameters:
    ///   - images: RGB
    ///   - granularities: one, or both; both share backbone and encoder, and their boxes are filtered together.
    ///   - filter: applied to each picture
    /// - Returns: a list for each picture, best first; empty where nothing passes.
    public func propose(
        _ images: [Image], granularities: [Granularity] = [.fine], filter: ProposalFilter = ProposalFilter()
    ) throws -> [[Proposal]] {
        if images.isEmpty { return [] }
        return try inference {
            let batch = try UPNPreprocessor(shortSide: configuration.shortSide, longSide: configuration.longSide)(
                images)
            let device = levelEmbedding.device
            let memory = try encode(batch.pixels.to(device: device), mask: batch.mask.to(device: device))
            let lists = try granularities.map { granularity in
                let output = try decode(memory, select(memory, granularity), granularity)
                guard let boxes = output.boxes.last, let logits = output.logits.last else { return [[Proposal]]() }
                return try Self.proposals(boxes, logits, sizes: images.map { ($0.width, $0.height) }, granularity)
            }
            return try images.indices.map { index in
                try filter(
                    lists.flatMap { $0[index] }, minimumScore: configuration.minimumScore,
                    iouThreshold: configuration.overlapLimit)
            }
        }
    }

    /// All queries as boxes in pixels, best first.
    ///
    /// - Parameters:
    ///   - boxes: [B, K, 4] as cx, cy, w, h in 0…1
    ///   - logits: [B, K]
    ///   - sizes: of the original pictures
    public static func proposals(
        _ boxes: Tensor, _ logits: Tensor, sizes: [(width: Int, height: Int)], _ granularity: Granularity
    ) throws -> [[Proposal]] {
        let scores = try logits.converted(to: .float32).sigmoid().array(of: Float.self)
        let values = try boxes.array(of: Float.self)
        let count = boxes.size(1)
        return sizes.enumerated().map { index, size in
            let (width, height) = (Float(size.width), Float(size.height))
            let all = (0..<count).map { query -> Proposal in
                let at = (index * count + query) * 4
                let (w, h) = (values[at + 2], values[at + 3])
                let x = values[at] - 0.5 * w, y = values[at + 1] - 0.5 * h
                let box = Box(
                    x1: Double(x * width), y1: Double(y * height), x2: Double((x + w) * width),
                    y2: Double((y + h) * height))
                return Proposal(box: box, score: Double(scores[index * count + query]), granularity: granularity)
            }
            return all.sorted { $0.score > $1.score }
        }
    }
}
