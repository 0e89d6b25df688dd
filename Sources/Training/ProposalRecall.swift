import Boxes
import UPN

/// How many of a picture's boxes are among a network's best proposals.
public enum ProposalRecall {
    /// Share of boxes that are found, one-to-one, among the best `limit` proposals of their granularity: with an IoU of at least 0.5
    /// and 0.75 (`fine_recall`, `fine_recall75`), on average from 0.5 to 0.95 (`fine_ar`), and the same for `coarse`.
    ///
    /// Nothing is filtered by score or overlap.
    ///
    /// - Parameter promptsApart: whether each granularity is asked for by its own prompt; otherwise the fine one gives all boxes.
    public static func measure(
        _ network: UniversalProposalNetwork, _ pictures: [AnnotatedPicture], limit: Int = 100, batchSize: Int,
        promptsApart: Bool = true
    ) throws -> [String: Double] {
        let keepAll = ProposalFilter(minimumScore: 0, iouThreshold: 1, maximumCount: .max)
        let prompts = promptsApart ? Granularity.allCases : [.fine]
        var found: [Granularity: [Int]] = [:], total: [Granularity: Int] = [:]
        for start in stride(from: 0, to: pictures.count, by: batchSize) {
            let part = pictures[start..<min(start + batchSize, pictures.count)]
            let lists = try network.propose(part.map(\.image), granularities: prompts, filter: keepAll)
            for (picture, proposals) in zip(part, lists) {
                for granularity in Granularity.allCases {
                    let wanted = granularity == .fine ? picture.boxes.fine : picture.boxes.coarse
                    let prompt = promptsApart ? granularity : .fine
                    let best = Array(proposals.lazy.filter { $0.granularity == prompt }.prefix(limit).map(\.box))
                    total[granularity, default: 0] += wanted.count
                    let counts = try thresholds.map { try count(best, wanted, threshold: $0) }
                    found[granularity] = zip(found[granularity] ?? thresholds.map { _ in 0 }, counts).map(+)
                }
            }
        }
        var figures: [String: Double] = [:]
        for granularity in Granularity.allCases {
            let recalls = (found[granularity] ?? []).map { Double($0) / Double(max(1, total[granularity] ?? 0)) }
            if recalls.isEmpty { continue }
            figures[granularity.rawValue + "_recall"] = recalls[0]
            figures[granularity.rawValue + "_recall75"] = recalls[5]
            figures[granularity.rawValue + "_ar"] = recalls.reduce(0, +) / Double(recalls.count)
        }
        return figures
    }

    private static let thresholds = (0..<10).map { 0.5 + 0.05 * Double($0) }

    /// Size of the largest one-to-one assignment of boxes that overlap enough.
    static func count(_ proposals: [Box], _ wanted: [Box], threshold: Double) throws -> Int {
        if proposals.isEmpty || wanted.isEmpty { return 0 }
        let cost = wanted.flatMap { box in proposals.map { box.iou(with: $0) >= threshold ? -1.0 : 0 } }
        let pairs = try linearAssignment(cost: cost, rows: wanted.count, columns: proposals.count)
        return pairs.count { cost[$0.row * proposals.count + $0.column] < 0 }
    }
}
