import Torch

/// The parts of a detection loss, summed over boxes and divided by their number in the whole batch, one value for every layer:
/// [L].
public struct DetectionLosses {
    public var classification: Tensor, l1: Tensor, giou: Tensor
}

/// The loss of a one-class detection transformer (upn.md, section 15).
///
/// Every layer is matched with the targets on its own. The encoder's selection counts as one more layer, see
/// `DetectionOutputs.appending`.
public struct DetectionCriterion: Sendable {
    public var matcher = HungarianMatcher()
    public var classWeight = 1.0, l1Weight = 5.0, giouWeight = 2.0
    /// Of the focal loss.
    public var alpha = 0.25, gamma = 2.0

    public init() {}

    /// Weighted sum of a loss's parts over layers.
    public func total(_ losses: DetectionLosses) throws -> Tensor {
        try (losses.classification * classWeight + losses.l1 * l1Weight + losses.giou * giouWeight).sum()
    }

    /// Losses of queries that are free to answer for any target.
    public func callAsFunction(_ outputs: DetectionOutputs, _ targets: DetectionTargets) throws -> DetectionLosses {
        let matches = try matcher.matches(outputs, targets)
        return try losses(outputs, targets, matches, normalizer: Double(max(1, targets.whole.total)))
    }

    /// Losses of one layer of dense predictions, of which every target takes several: they learn sooner than one alone would.
    public func callAsFunction(
        _ outputs: DetectionOutputs, _ targets: DetectionTargets, perTarget count: Int,
        _ parallel: DataParallel = .alone
    ) throws -> DetectionLosses {
        let matches = try matcher.matches(outputs, targets, perTarget: count)
        let total = try parallel.sum(matches.predictions.count)
        return try losses(outputs, targets, matches, normalizer: Double(max(1, total)))
    }

    /// Losses of denoising queries, which know their target from the start.
    public func callAsFunction(
        _ outputs: DetectionOutputs, _ targets: DetectionTargets, denoising: DenoisingQueries
    ) throws -> DetectionLosses {
        let (layers, images, queries) = try outputs.checked(images: targets.counts.count)
        var matches = DetectionMatches()
        for layer in 0..<layers {
            let start = layer * images * queries
            matches.predictions += denoising.positives.map { start + $0 }
            matches.targets += denoising.targets
        }
        return try losses(
            outputs, targets, matches, counting: denoising.isReal,
            normalizer: Double(max(1, targets.whole.total) * denoising.groups))
    }

    /// - Parameter counting: 1 for queries that take part in the class loss, else 0: [B, K]; all when nil.
    private func losses(
        _ outputs: DetectionOutputs, _ targets: DetectionTargets, _ matches: DetectionMatches, counting: Tensor? = nil,
        normalizer: Double
    ) throws -> DetectionLosses {
        let boxes = try outputs.boxes.converted(to: .float32), logits = try outputs.logits.converted(to: .float32)
        let device = logits.device, layers = logits.size(0)
        var isMatched = [Float](repeating: 0, count: logits.count)
        for position in matches.predictions { isMatched[position] = 1 }
        var focal = try focalLoss(logits, Tensor(isMatched, shape: logits.shape).to(device: device))
        if let counting { focal = try focal * counting }
        let classification = try focal.sum(1, 2) / normalizer
        if matches.predictions.isEmpty {
            let nothing = try boxes.sum() * 0
            let zeros = try nothing.unsqueezed(0).expanded(layers)
            return DetectionLosses(classification: classification, l1: zeros, giou: zeros)
        }
        let found = try boxes.reshaped(-1, 4).selected(0, Tensor(matches.predictions).to(device: device))
        let wanted = try targets.boxes.selected(0, Tensor(matches.targets).to(device: device))
        let l1 = try (found - wanted).absolute().reshaped(layers, -1).sum(1) / normalizer
        let giou = try found.cornersFromCenters().generalizedIoU(with: wanted.cornersFromCenters())
        return DetectionLosses(
            classification: classification, l1: l1,
            giou: try ((-giou) + 1).reshaped(layers, -1).sum(1) / normalizer)
    }

    /// Sigmoid focal loss (Lin et al. 2017), element by element.
    func focalLoss(_ logits: Tensor, _ wanted: Tensor) throws -> Tensor {
        let p = try logits.sigmoid()
        let entropy = try logits.binaryCrossEntropy(wanted, reduction: .none)
        // 1 - p where wanted, else p: how wrong the answer is.
        let miss = try (p - wanted).absolute()
        let weight = try wanted * (2 * alpha - 1) + (1 - alpha)
        return try entropy * miss.power(gamma) * weight
    }
}
