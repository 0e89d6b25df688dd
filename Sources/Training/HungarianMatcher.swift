import Boxes
import Torch

/// Which prediction answers for which target, over all layers and images of a batch.
struct DetectionMatches {
    /// Positions among `layers * images * queries` predictions, layer by layer; every layer has equally many.
    var predictions: [Int] = []
    /// Positions among the batch's targets, one for each prediction.
    var targets: [Int] = []
}

/// One-to-one matching at least cost, for every layer and image on its own (DETR; weights of the paper).
public struct HungarianMatcher: Sendable {
    public var classCost = 2.0, l1Cost = 5.0, giouCost = 2.0
    /// Of the focal loss that the class cost is made from.
    public var alpha = 0.25, gamma = 2.0

    public init() {}

    func matches(_ outputs: DetectionOutputs, _ targets: DetectionTargets) throws -> DetectionMatches {
        let (layers, images, queries) = try outputs.checked(images: targets.counts.count)
        let width = targets.padded.size(1)
        var matches = DetectionMatches()
        if width == 0 || queries == 0 { return matches }
        let costs = try cost(outputs, targets).array(of: Float.self)
        let offsets = targets.offsets
        for layer in 0..<layers {
            for image in 0..<images {
                let start = (layer * images + image) * queries
                for pair in try assignment(costs[(start * width)...], rows: queries, width, targets.counts[image]) {
                    matches.predictions.append(start + pair.row)
                    matches.targets.append(offsets[image] + pair.column)
                }
            }
        }
        return matches
    }

    /// Gives every target the `count` cheapest predictions of a single layer; a prediction that several targets want goes to
    /// the one that it costs least.
    func matches(_ outputs: DetectionOutputs, _ targets: DetectionTargets, perTarget count: Int) throws
        -> DetectionMatches
    {
        let (_, images, queries) = try outputs.checked(images: targets.counts.count)
        let width = targets.padded.size(1), count = min(count, queries)
        var matches = DetectionMatches()
        if width == 0 || count == 0 { return matches }
        let best = try (-cost(outputs, targets)[0]).top(count, dimension: 1)
        // [B, count, M]
        let gains = try best.values.array(of: Float.self), indices = try best.indices.array(of: Int.self)
        for (image, offset) in targets.offsets.enumerated() where image < images {
            var owners: [Int: (target: Int, gain: Float)] = [:]
            for rank in 0..<count {
                for target in 0..<targets.counts[image] {
                    let position = (image * count + rank) * width + target
                    if let owner = owners[indices[position]], owner.gain >= gains[position] { continue }
                    owners[indices[position]] = (target, gains[position])
                }
            }
            for (query, owner) in owners.sorted(by: { $0.key < $1.key }) {
                matches.predictions.append(image * queries + query)
                matches.targets.append(offset + owner.target)
            }
        }
        return matches
    }

    /// Costs of all pairs: [L, B, K, M].
    func cost(_ outputs: DetectionOutputs, _ targets: DetectionTargets) throws -> Tensor {
        try withoutGradients {
            let boxes = try outputs.boxes.detached().converted(to: .float32).unsqueezed(3)  // [L, B, K, 1, 4]
            let wanted = try targets.padded[.new, .all, .new]  // [1, B, 1, M, 4]
            let l1 = try (boxes - wanted).absolute().sum(-1)
            let giou = try boxes.cornersFromCenters().generalizedIoU(with: wanted.cornersFromCenters())
            let p = try outputs.logits.detached().converted(to: .float32).sigmoid()
            let absent = try (-p) + 1
            let positive = try -(absent.power(gamma) * (p + 1e-8).log()) * alpha
            let negative = try -(p.power(gamma) * (absent + 1e-8).log()) * (1 - alpha)
            return try (positive - negative).unsqueezed(3) * classCost + l1 * l1Cost - giou * giouCost
        }
    }

    /// The best pairs of one image's first `columns` targets in rows of `width` costs.
    private func assignment(_ costs: ArraySlice<Float>, rows: Int, _ width: Int, _ columns: Int) throws
        -> [AssignedPair]
    {
        var used: [Double] = []
        used.reserveCapacity(rows * columns)
        for row in 0..<rows {
            let start = costs.startIndex + row * width
            for cost in costs[start..<start + columns] {
                // A network that diverged is reported through its loss, which stays NaN, and not from here.
                used.append(cost.isFinite ? Double(cost) : 1e9)
            }
        }
        return try linearAssignment(cost: used, rows: rows, columns: columns)
    }
}
