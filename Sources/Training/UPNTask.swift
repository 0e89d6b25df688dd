import Boxes
import Foundation
import Torch
import TorchNN
import UPN
import VisionEncoders

/// A batch of pictures and the prompt that it trains.
public struct UPNBatch: Sendable {
    public let pictures: PictureBatch
    public let granularity: Granularity

    public init(pictures: PictureBatch, granularity: Granularity) {
        (self.pictures, self.granularity) = (pictures, granularity)
    }
}

/// Trains a Universal Proposal Network (upn.md, section 15). Batches train the fine and the coarse prompt by turns:
/// most boxes are the same for both, so that two decoder runs for a batch teach less than a second batch does.
public final class UPNTask: TrainingTask {
    public let recipe: UPNRecipe
    public let network: UniversalProposalNetwork
    let denoising: ContrastiveDenoising
    let criterion = DetectionCriterion()
    private let source: SceneLoader.Source
    private let evaluationPictures: [AnnotatedPicture]
    private var loader: (phase: Int, SceneLoader)?
    private let device: Device
    private let parallel: DataParallel

    /// - Parameters:
    ///   - start: a network to go on from, or a pretrained backbone
    ///   - source: training pictures
    ///   - evaluationPictures: held-out ones
    ///   - parallel: the processes that train together
    public init(
        _ recipe: UPNRecipe, from start: URL? = nil, source: @escaping SceneLoader.Source,
        evaluationPictures: [AnnotatedPicture], device: Device = .cpu, parallel: DataParallel = .alone
    ) throws {
        try recipe.validateTask()
        try parallel.check(batchSize: recipe.batchSize, "batchSize")
        self.parallel = parallel
        (self.recipe, self.source, self.evaluationPictures, self.device) = (recipe, source, evaluationPictures, device)
        try Runtime.seed(recipe.options.seed)
        network = try UniversalProposalNetwork(recipe.network, ParameterStore(device: device).weights)
        if let start { try network.takeWeights(from: start) }
        denoising = try ContrastiveDenoising(
            recipe.denoising, labels: Granularity.allCases.count, channels: recipe.network.width,
            ParameterStore(device: device).weights / "denoising")
        network.recomputesActivations = recipe.recomputesActivations
        // A backbone that rests keeps nothing for the backward pass anyway.
        network.backbone.recomputesActivations = recipe.recomputesActivations && recipe.backboneRate > 0
    }

    public var tensors: [(name: String, tensor: Tensor)] {
        network.namedParameters + network.namedBuffers + denoising.namedParameters
    }

    public var parameterGroups: [AdamW.Group] {
        recipe.parameterGroups(network, denoising)
    }

    public func batch(_ number: Int, progress: Double) throws -> UPNBatch {
        let pictures = try loader(recipe.phase(at: progress)).batch(number)
        return recipe.promptsApart
            ? UPNBatch(pictures: pictures, granularity: Self.granularity(ofBatch: number))
            : UPNBatch(pictures: pictures.joined, granularity: .fine)
    }

    /// The prompt that a batch trains.
    static func granularity(ofBatch number: Int) -> Granularity {
        Granularity.allCases[number % Granularity.allCases.count]
    }

    private func loader(_ phase: Int) -> SceneLoader {
        if let loader, loader.phase == phase { return loader.1 }
        var augmentation = recipe.augmentation
        augmentation.sides = recipe.phases[phase].sides
        let started = SceneLoader(
            source, augmentation: augmentation, batchSize: recipe.batchSize,
            part: parallel.part(of: recipe.batchSize), seed: recipe.options.seed, threads: recipe.loaderThreads)
        loader = (phase, started)
        return started
    }

    public func losses(_ batch: UPNBatch) throws -> TrainingLosses {
        network.backbone.dropsPaths = recipe.backboneRate > 0
        defer { network.backbone.dropsPaths = false }
        let input = try batch.pictures.networkInput(device: device)
        let boxes = batch.pictures.boxes(batch.granularity)
        let targets = try DetectionTargets(boxes, whole: BatchOfTargets(boxes.map(\.count), parallel), device: device)
        let parts = try losses(network.encode(input.pixels, mask: input.mask), targets, batch.granularity)
        let total = try parts.dropFirst().reduce(parts[0].value) { try $0 + $1.value }
        return TrainingLosses(total: total, parts: parts)
    }

    /// Losses of the decoder, the encoder's selection and the denoising queries under one prompt.
    private func losses(
        _ memory: UniversalProposalNetwork.Memory, _ targets: DetectionTargets, _ granularity: Granularity
    ) throws -> [(name: String, value: Tensor)] {
        let selection = try network.select(memory, granularity)
        let label = granularity == .fine ? 0 : 1
        let noised = try denoising(targets, label: label, selected: recipe.network.queryCount)
        let extra = noised.map {
            ExtraQueries(content: $0.content, references: $0.references, attentionMask: $0.attentionMask)
        }
        let decoded = try network.decode(memory, selection, granularity, extra: extra)
        let all = DetectionOutputs(boxes: try .stacked(decoded.boxes), logits: try .stacked(decoded.logits))
        let first = noised?.count ?? 0
        var selected = try all.queries(first..<first + recipe.network.queryCount)
        var parts: [(name: String, value: Tensor)] = []
        if recipe.encoderMatchesPerTarget > 1 {
            let dense = DetectionOutputs(
                boxes: try memory.coordinates.sigmoid().unsqueezed(0), logits: try selection.scores.unsqueezed(0))
            let losses = try criterion(dense, targets, perTarget: recipe.encoderMatchesPerTarget, parallel)
            parts.append(("encoder", try criterion.total(losses) * recipe.encoderWeight))
        } else {
            selected = try selected.appending(boxes: selection.coordinates.sigmoid(), logits: selection.logits)
        }
        parts.append(("decoder", try criterion.total(criterion(selected, targets))))
        if let noised {
            let losses = try criterion(all.queries(0..<first), targets, denoising: noised)
            parts.append(("denoising", try criterion.total(losses)))
        }
        return parts
    }

    public func evaluate() throws -> [String: Double] {
        try ProposalRecall.measure(
            network, evaluationPictures, batchSize: recipe.batchSize, promptsApart: recipe.promptsApart)
    }

    public func export(to folder: URL) throws {
        try network.save(to: folder)
    }
}

extension PictureBatch {
    /// Boxes of all pictures for a prompt.
    func boxes(_ granularity: Granularity) -> [[Box]] { granularity == .fine ? fine : coarse }

    /// The boxes of both prompts under the fine one; what both have counts once.
    var joined: PictureBatch {
        var joined = self
        joined.fine = zip(fine, coarse).map { fine, coarse in
            fine + coarse.filter { box in !fine.contains { $0.iou(with: box) > 0.9 } }
        }
        return joined
    }

    /// Normalised pixels [B, 3, H, W], zero where padded, and the mask [B, H, W] of padding; no mask where there is none.
    func networkInput(device: Device) throws -> (pixels: Tensor, mask: Tensor?) {
        let count = sizes.count
        let mean = try Tensor([0.485, 0.456, 0.406].map { Float($0 * 255) }, shape: [3, 1, 1])
        let deviation = try Tensor([0.229, 0.224, 0.225].map { Float($0 * 255) }, shape: [3, 1, 1])
        let raw = try Tensor(pixels, shape: [count, height, width, 3]).permuted(0, 3, 1, 2).converted(to: .float32)
        let normalized = try ((raw - mean) / deviation).contiguous()
        if sizes.allSatisfy({ $0.width == width && $0.height == height }) {
            return (try normalized.to(device: device), nil)
        }
        var isPadding = [Bool](repeating: true, count: count * height * width)
        for (index, size) in sizes.enumerated() {
            for y in 0..<size.height {
                let start = (index * height + y) * width
                for x in start..<start + size.width { isPadding[x] = false }
            }
        }
        let mask = try Tensor(isPadding, shape: [count, height, width])
        return (
            try normalized.filled(where: mask.unsqueezed(1), with: 0).to(device: device), try mask.to(device: device)
        )
    }
}
