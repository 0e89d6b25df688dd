import Foundation
import Scenes
import Torch
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
        try TrainingError.check(encoderMatchesPerTarget, 1...10_000, "encoderMatchesPerTarget")
        try TrainingError.check(
            !phases.isEmpty && phases.allSatisfy { !$0.sides.isEmpty && $0.sides.allSatisfy((64...4096).contains) },
            "phases", "every phase needs sides within 64...4096")
        try TrainingError.check(sceneSide, 64...4096, "sceneSide")
        try TrainingError.check(evaluationScenes, 0...1_000_000, "evaluationScenes")
        try TrainingError.check(weightDecay, 0...10, "weightDecay")
        try TrainingError.check(loaderThreads, 1...64, "loaderThreads")
        do { try network.validate() } catch { throw TrainingError.invalidSetting(name: "network", reason: "\(error)") }
    }

    /// The phase of a progress.
    func phase(at progress: Double) -> Int { phases.firstIndex { progress < $0.end } ?? phases.count - 1 }
}

/// Trains proposal networks on scenes and annotated pictures.
public enum UPNTraining {
    /// Scenes for evaluation have seeds that training never reaches.
    static let firstEvaluationSeed: UInt64 = .max - 1_000_000

    /// Starts a run, or goes on with the one in `folder`. Every scene is a new one: drawing it takes a fiftieth of what a network
    /// needs to learn from it. Evaluation is on scenes, whatever the training is on.
    ///
    /// - Parameters:
    ///   - folder: the run's; checkpoints have a loadable network in `step-N/export`.
    ///   - parallel: the processes that train together
    /// - Throws: `TrainingError`, `ScenesError` naming packages to install, `CheckpointError`, `TorchError`,
    ///   `ProcessGroupError`.
    public static func run(
        _ recipe: UPNRecipe, folder: URL, device: Device = .cpu, parallel: DataParallel = .alone
    ) throws -> TrainingRun<UPNTask>.Outcome {
        try TrainingRun(
            task(recipe, device: device, parallel), options: recipe.options, folder: folder, configuration: recipe,
            parallel: parallel
        ).run()
    }

    /// What `run` would do.
    public static func plan(_ recipe: UPNRecipe, device: Device = .cpu) throws -> TrainingPlan {
        try TrainingPlan(task(recipe, device: device, .alone), recipe.options)
    }

    private static func task(_ recipe: UPNRecipe, device: Device, _ parallel: DataParallel) throws -> UPNTask {
        let assets = try SceneAssets()
        var configuration = SceneConfiguration(split: .training)
        (configuration.width, configuration.height) = (recipe.sceneSide, recipe.sceneSide)
        let generator = try SceneGenerator(configuration: configuration, assets: assets)
        let firstSeed = recipe.options.seed &* 0x1_0000_0000
        let pictures = try TrainingPictures(recipe.data, seed: recipe.options.seed, isTold: parallel.isFirst) {
            generator.scene(seed: firstSeed &+ UInt64($0))
        }
        return try UPNTask(
            recipe, source: { try pictures.picture($0) },
            evaluationPictures: (0..<(parallel.isFirst ? recipe.evaluationScenes : 0)).map {
                AnnotatedPicture(generator.scene(seed: firstEvaluationSeed + UInt64($0)))
            }, device: device, parallel: parallel)
    }
}
