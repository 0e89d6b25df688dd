import Boxes
import UPN

/// How many of a picture's boxes are among a network's best proposals.
public enum ProposalRecall {
    /// Share of boxes that are found, one-to-one, with an IoU of at least 0.5 (and 0.75) among the best `limit` proposals of
    /// their granularity: `fine_recall`, `fine_recall75`, `coarse_recall`, `coarse_recall75`.
    ///
    /// Nothing is filtered by score or overlap.
    public static func measure(
        _ network: UniversalProposalNetwork, _ pictures: [AnnotatedPicture], limit: Int = 100, batchSize: Int
    ) throws -> [String: Double] {
        let keepAll = ProposalFilter(minimumScore: 0, iouThreshold: 1, maximumCount: .max)
        var found: [String: Int] = [:], total: [Granularity: Int] = [:]
        for start in stride(from: 0, to: pictures.count, by: batchSize) {
            let part = pictures[start..<min(start + batchSize, pictures.count)]
            let lists = try network.propose(part.map(\.image), granularities: Granularity.allCases, filter: keepAll)
            for (picture, proposals) in zip(part, lists) {
                for granularity in Granularity.allCases {
                    let wanted = granularity == .fine ? picture.boxes.fine : picture.boxes.coarse
                    let best = proposals.lazy.filter { $0.granularity == granularity }.prefix(limit).map(\.box)
                    total[granularity, default: 0] += wanted.count
                    for (suffix, threshold) in thresholds {
                        found[granularity.rawValue + suffix, default: 0] += try count(
                            Array(best), wanted, threshold: threshold)
                    }
                }
            }
        }
        return Dictionary(
            uniqueKeysWithValues: Granularity.allCases.flatMap { granularity in
                thresholds.map { suffix, _ in
                    let name = granularity.rawValue + suffix
                    return (name, Double(found[name] ?? 0) / Double(max(1, total[granularity] ?? 0)))
                }
            })
    }

    private static let thresholds = [("_recall", 0.5), ("_recall75", 0.75)]

    /// Size of the largest one-to-one assignment of boxes that overlap enough.
    static func count(_ proposals: [Box], _ wanted: [Box], threshold: Double) throws -> Int {
        if proposals.isEmpty || wanted.isEmpty { return 0 }
        let cost = wanted.flatMap { box in proposals.map { box.iou(with: $0) >= threshold ? -1.0 : 0 } }
        let pairs = try linearAssignment(cost: cost, rows: wanted.count, columns: proposals.count)
        return pairs.count { cost[$0.row * proposals.count + $0.column] < 0 }
    }
}
