import Foundation
import Scenes
import Torch
import TorchNN
import UPN
import VisionEncoders

/// Everything that decides how a proposal network is trained.
public struct UPNRecipe: TrainingRecipe, Equatable {
    /// Sizes of the pictures over a part of the run.
    public struct Phase: Codable, Sendable, Equatable {
        /// Progress, 0...1, at which the phase ends.
        public var end: Double
        /// Longer sides in pixels to draw from.
        public var sides: [Int]

        public init(end: Double, sides: [Int]) {
            (self.end, self.sides) = (end, sides)
        }
    }

    public var network = UPNConfiguration.nano
    public var options = TrainingOptions()
    public var data = TrainingData()
    public var batchSize = 8
    public var weightDecay = 0.05
    /// Factor on the learning rate of the backbone; 0 freezes it. DINO: 0.1.
    public var backboneRate = 1.0
    /// Factor on the rate from one block of the backbone to the one before it: 1 for the same rate in all depths.
    public var backboneLayerDecay = 1.0
    /// Whether what gradients need is computed again in the backward pass instead of kept: less memory, a third more time.
    public var recomputesActivations = false
    /// Whether fine and coarse boxes have a prompt each. Otherwise one prompt asks for all of them: what the paper's section 3.1 argues
    /// against.
    public var promptsApart = true
    public var denoising = DenoisingConfiguration(count: 50)
    /// Tokens of the encoder that every target takes as its own. 1 trains the selected tokens one-to-one as DINO does; more
    /// train all tokens and learn sooner.
    public var encoderMatchesPerTarget = 6
    public var encoderWeight = 1.0
    public var phases = [Phase(end: 0.7, sides: [256]), Phase(end: 1, sides: [256, 320, 384])]
    public var augmentation = PictureAugmentation()
    /// Side of rendered scenes, pixels.
    public var sceneSide = 384
    public var evaluationScenes = 64
    public var loaderThreads = 1

    public init() {}

    public func validate() throws {
        try options.validate()
        try validateTask()
    }

    /// Everything but how the run goes on.
    func validateTask() throws {
        try data.validate()
        try TrainingError.check(batchSize, 1...1024, "batchSize")
        for granularity in Granularity.allCases where data.scenes == 0 {
            try TrainingError.check(
                data.folders.contains { $0.weight > 0 && ($0.granularity ?? granularity) == granularity },
                "data.folders",
                "no folder trains the \(granularity.rawValue) prompt")
        }
        try TrainingError.check(encoderMatchesPerTarget, 1...10_000, "encoderMatchesPerTarget")
        try TrainingError.check(
            !phases.isEmpty && phases.allSatisfy { !$0.sides.isEmpty && $0.sides.allSatisfy((64...4096).contains) },
            "phases", "every phase needs sides within 64...4096")
        try TrainingError.check(sceneSide, 64...4096, "sceneSide")
        try TrainingError.check(evaluationScenes, 0...1_000_000, "evaluationScenes")
        try TrainingError.check(weightDecay, 0...10, "weightDecay")
        try TrainingError.check(backboneRate, 0...100, "backboneRate")
        try TrainingError.check(backboneLayerDecay, 0.01...1, "backboneLayerDecay")
        try TrainingError.check(
            augmentation.longSideLimit == 0
                || augmentation.longSideLimit >= phases.flatMap(\.sides).max() ?? 0, "augmentation.longSideLimit",
            "\(augmentation.longSideLimit) is below the phases' longest short side")
        try TrainingError.check(loaderThreads, 1...64, "loaderThreads")
        do { try network.validate() } catch { throw TrainingError.invalidSetting(name: "network", reason: "\(error)") }
    }

    /// The phase of a progress.
    func phase(at progress: Double) -> Int { phases.firstIndex { progress < $0.end } ?? phases.count - 1 }
}

extension UPNRecipe {
    /// What of a network is trained, at which share of the learning rate. Vectors (norms, biases) and bias tables are not decayed.
    func parameterGroups(_ network: UniversalProposalNetwork, _ denoising: ContrastiveDenoising) -> [AdamW.Group] {
        let backbone = network.backbone.weights.path + "."
        var groups: [(rate: Double, isDecayed: Bool, parameters: [(name: String, tensor: Tensor)])] = []
        for (name, tensor) in network.namedParameters + denoising.namedParameters {
            let rate = name.hasPrefix(backbone) ? backboneRate(of: String(name.dropFirst(backbone.count))) : 1
            if rate == 0 { continue }
            let isDecayed = tensor.rank > 1 && !name.hasSuffix("bias_table")
            if let index = groups.firstIndex(where: { $0.rate == rate && $0.isDecayed == isDecayed }) {
                groups[index].parameters.append((name, tensor))
            } else {
                groups.append((rate, isDecayed, [(name, tensor)]))
            }
        }
        return groups.map {
            AdamW.Group($0.parameters, rateScale: $0.rate, weightDecay: $0.isDecayed ? weightDecay : 0)
        }
    }

    /// - Parameter name: below the backbone, such as `layers.2.blocks.5.mlp.fc1.weight`
    private func backboneRate(of name: String) -> Double {
        let depths = network.backbone.depths, parts = name.split(separator: ".")
        // The norms of the returned maps come after all blocks, the patches before them.
        var depth = name.hasPrefix("patch_embed") ? 0 : depths.reduce(0, +) + 1
        if parts.count > 1, parts[0] == "layers", let stage = Int(parts[1]), depths.indices.contains(stage) {
            let before = depths.prefix(stage).reduce(0, +)
            depth = before + (parts.count > 3 && parts[2] == "blocks" ? Int(parts[3]) ?? 0 : depths[stage] - 1) + 1
        }
        let steps = depths.reduce(0, +) + 1 - depth
        return backboneRate * (0..<steps).reduce(1) { rate, _ in rate * backboneLayerDecay }
    }
}

/// Trains proposal networks on scenes and annotated pictures.
public enum UPNTraining {
    /// Scenes for evaluation have seeds that training never reaches.
    static let firstEvaluationSeed: UInt64 = .max - 1_000_000

    /// Starts a run, or goes on with the one in `folder`. Every scene is a new one: drawing it takes a fiftieth of what a network
    /// needs to learn from it. Evaluation is on scenes, whatever the training is on.
    ///
    /// - Parameters:
    ///   - start: a network or run to go on from, or a pretrained Swin backbone; fresh weights when nil
    ///   - folder: the run's; checkpoints have a loadable network in `step-N/export`.
    ///   - parallel: the processes that train together
    /// - Throws: `TrainingError`, `ScenesError` naming packages to install, `CheckpointError`, `TorchError`,
    ///   `ProcessGroupError`.
    public static func run(
        _ recipe: UPNRecipe, from start: URL? = nil, folder: URL, device: Device = .cpu,
        parallel: DataParallel = .alone
    ) throws -> TrainingRun<UPNTask>.Outcome {
        try TrainingRun(
            task(recipe, start, device: device, parallel), options: recipe.options, folder: folder,
            configuration: recipe, parallel: parallel
        ).run()
    }

    /// What `run` would do. Where that fits a laptop two batches are tried; larger runs are only reckoned, without data and without
    /// memory for the network.
    public static func plan(_ recipe: UPNRecipe, from start: URL? = nil, device: Device = .cpu) throws -> TrainingPlan {
        let network = try UniversalProposalNetwork(recipe.network, ParameterStore(device: .meta).weights)
        let denoising = try ContrastiveDenoising(
            recipe.denoising, labels: Granularity.allCases.count, channels: recipe.network.width,
            ParameterStore(device: .meta).weights / "denoising")
        var reckoned = try TrainingPlan(
            network.namedParameters + network.namedBuffers + denoising.namedParameters,
            recipe.parameterGroups(network, denoising), recipe.options, batchBytes: ActivationEstimate.bytes(recipe))
        reckoned.picturesPerStep = recipe.batchSize * recipe.options.accumulation
        reckoned.missing = recipe.data.missingFolders
        if !reckoned.allowsTrial || !reckoned.missing.isEmpty { return reckoned }
        return try TrainingPlan(task(recipe, start, device: device, .alone), recipe.options).completed(reckoned)
    }

    private static func task(_ recipe: UPNRecipe, _ start: URL?, device: Device, _ parallel: DataParallel) throws
        -> UPNTask
    {
        let assets = try SceneAssets()
        var configuration = SceneConfiguration(split: .training)
        (configuration.width, configuration.height) = (recipe.sceneSide, recipe.sceneSide)
        let generator = try SceneGenerator(configuration: configuration, assets: assets)
        let firstSeed = recipe.options.seed &* 0x1_0000_0000
        let pictures = try TrainingPictures(recipe.data, seed: recipe.options.seed, isTold: parallel.isFirst) {
            generator.scene(seed: firstSeed &+ UInt64($0))
        }
        return try UPNTask(
            recipe, from: start.map(ChatRexTraining.exported),
            source: { try pictures.picture($0, for: UPNTask.granularity(ofBatch: $0 / recipe.batchSize)) },
            evaluationPictures: (0..<(parallel.isFirst ? recipe.evaluationScenes : 0)).map {
                AnnotatedPicture(generator.scene(seed: firstEvaluationSeed + UInt64($0)))
            }, device: device, parallel: parallel)
    }
}
