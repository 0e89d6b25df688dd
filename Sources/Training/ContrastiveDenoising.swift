import Foundation
import Torch
import TorchNN

/// Settings of contrastive denoising (DINO, arXiv 2203.03605).
public struct DenoisingConfiguration: Codable, Sendable, Equatable {
    /// Targets to disturb for an image, over all groups; at least one group is made.
    public var count: Int
    /// Half a side times this is how far an edge of a positive box moves at most; a negative one moves up to twice as far.
    public var boxNoise: Double

    public init(count: Int = 100, boxNoise: Double = 0.4) {
        (self.count, self.boxNoise) = (count, boxNoise)
    }
}

/// Disturbed targets as decoder queries, to be put before the selected ones.
public struct DenoisingQueries {
    /// What the queries start from, the same learned vector for all: [B, Q, C].
    public let content: Tensor
    /// Reference boxes before the sigmoid: [B, Q, 4].
    public let references: Tensor
    /// True where a query (row) may look at another one (column): [Q + K, Q + K].
    public let attentionMask: Tensor
    /// Copies of every target pair.
    public let groups: Int
    /// Positions of the positive queries among `B * Q`, and the target of each among all of the batch.
    let positives: [Int], targets: [Int]
    /// 1 where a query was made from a target, 0 where it only fills a row up: [B, Q].
    let isReal: Tensor

    /// Q, the number of these queries.
    public var count: Int { references.size(1) }
}

/// Makes denoising queries. Its label embedding exists only in training: `labels.weight` [labels, C].
///
/// A query of group g starts at column 2 g M, M being the largest number of targets of an image: M positive copies (near
/// their target, to be moved onto it), then M negative ones (farther away, to be refused).
public final class ContrastiveDenoising: Module {
    public let configuration: DenoisingConfiguration
    let labels: Embedding

    /// - Parameters:
    ///   - labels: kinds of target that get a vector of their own.
    ///   - channels: C, the decoder's width.
    public init(_ configuration: DenoisingConfiguration, labels: Int, channels: Int, _ weights: Weights) throws {
        guard configuration.count >= 0, configuration.boxNoise >= 0 else {
            throw TrainingError.invalidSetting(name: "denoising", reason: "count and noise cannot be negative")
        }
        self.configuration = configuration
        self.labels = try Embedding(labels, channels, weights / "labels", initializer: .normal(deviation: 0.1))
        super.init(weights)
    }

    /// Draws queries with libtorch's generator; nil where the batch has no target or denoising is off.
    /// - Parameters:
    ///   - label: the kind that all targets are of.
    ///   - selected: K, the number of queries that follow.
    public func callAsFunction(_ targets: DetectionTargets, label: Int, selected: Int) throws -> DenoisingQueries? {
        let longest = targets.padded.size(1), images = targets.counts.count
        guard longest > 0, configuration.count > 0 else { return nil }
        let groups = max(1, configuration.count / longest), count = 2 * longest * groups
        let content = try labels.weight[.range(label..<label + 1)].unsqueezed(1).expanded(images, count, -1)
        let (positives, owners, isReal) = bookkeeping(targets, groups: groups)
        return DenoisingQueries(
            content: content, references: try references(targets.padded, of: targets.whole, groups: groups),
            attentionMask: try attentionMask(groups: groups, width: 2 * longest, selected).to(device: content.device),
            groups: groups, positives: positives, targets: owners,
            isReal: try Tensor(isReal, shape: [images, count]).to(device: content.device))
    }

    /// Each edge moves by sign * u * half a side * noise, u in 0..<1 for positives and 1..<2 for negatives.
    private func references(_ boxes: Tensor, of whole: BatchOfTargets, groups: Int) throws -> Tensor {
        try withoutGradients {
            let (images, longest, _) = try boxes.shape3()
            let wanted = try boxes[.all, .new, .new]  // [B, 1, 1, M, 4]
            let half = try wanted[.rest, .from(2)] * (0.5 * configuration.boxNoise)
            let reach = try Tensor.concatenated([half, half], dimension: -1)
            // Drawn for the whole batch, so that processes that share it draw what one would, and go on drawing alike.
            let shape = [whole.images, groups, 2, longest, 4], device = boxes.device
            let own = TensorIndex.range(whole.before..<whole.before + images)
            let sign = try Tensor.integers(in: 0..<2, shape: shape, device: device).converted(to: .float32) * 2 - 1
            let distance = try Tensor.uniform(shape, device: device)
            let isNegative = try Tensor([0, 1] as [Float], shape: [1, 1, 2, 1, 1]).to(device: device)
            let moved =
                try wanted.cornersFromCenters() + sign[own] * (distance[own] + isNegative) * reach
            return try moved.clamped(0, 1).centersFromCorners().inverseSigmoid().reshaped(images, -1, 4)
        }
    }

    private func bookkeeping(_ targets: DetectionTargets, groups: Int) -> (
        positives: [Int], owners: [Int], isReal: [Float]
    ) {
        let longest = targets.padded.size(1), count = 2 * longest * groups
        var positives: [Int] = [], owners: [Int] = []
        var isReal = [Float](repeating: 0, count: targets.counts.count * count)
        for (image, offset) in targets.offsets.enumerated() {
            for group in 0..<groups {
                for index in 0..<targets.counts[image] {
                    let position = image * count + group * 2 * longest + index
                    positives.append(position)
                    owners.append(offset + index)
                    isReal[position] = 1
                    isReal[position + longest] = 1
                }
            }
        }
        return (positives, owners, isReal)
    }

    /// Groups see themselves and the selected queries; selected queries see each other only.
    private func attentionMask(groups: Int, width: Int, _ selected: Int) throws -> Tensor {
        let extra = groups * width, total = extra + selected
        var mask = [Bool](repeating: false, count: total * total)
        for row in 0..<total {
            let start = row * total
            for column in extra..<total { mask[start + column] = true }
            guard row < extra else { continue }
            let own = row / width * width
            for column in own..<own + width { mask[start + column] = true }
        }
        return try Tensor(mask, shape: [total, total])
    }
}
