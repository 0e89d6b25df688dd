import DataEngine
import Foundation
import Scenes

/// Everything that decides how the classifier of low-content pictures is trained.
public struct PageRecipe: TrainingRecipe, Equatable {
    public var network = PageClassifierConfiguration()
    public var options = TrainingOptions()
    public var batchSize = 24
    public var weightDecay = 0.05
    public var labelSmoothing: Float = 0.02
    public var evaluationExamples = 512
    public var loaderThreads = 1

    public init() {}

    public func validate() throws {
        try options.validate()
        try validateTask()
    }

    /// Everything but how the run goes on.
    func validateTask() throws {
        try TrainingError.check(batchSize, 1...1024, "batchSize")
        try TrainingError.check(weightDecay, 0...10, "weightDecay")
        try TrainingError.check(labelSmoothing, 0...0.5, "labelSmoothing")
        try TrainingError.check(evaluationExamples, 0...1_000_000, "evaluationExamples")
        try TrainingError.check(loaderThreads, 1...64, "loaderThreads")
        do { try network.validate() } catch { throw TrainingError.invalidSetting(name: "network", reason: "\(error)") }
    }
}

/// Trains classifiers of low-content pictures on generated examples.
public enum PageTraining {
    /// Starts a run, or goes on with the one in `folder`.
    ///
    /// - Parameter folder: the run's; checkpoints have a loadable network in `step-N/export`.
    /// - Throws: `TrainingError`, `ScenesError` naming packages to install, `CheckpointError`, `TorchError`.
    public static func run(_ recipe: PageRecipe, folder: URL, parallel: DataParallel = .alone) throws
        -> TrainingRun<PageTask>.Outcome
    {
        try TrainingRun(
            task(recipe, parallel), options: recipe.options, folder: folder, configuration: recipe, parallel: parallel
        ).run()
    }

    /// What `run` would do.
    public static func plan(_ recipe: PageRecipe) throws -> TrainingPlan {
        try TrainingPlan(task(recipe, .alone), recipe.options)
    }

    private static func task(_ recipe: PageRecipe, _ parallel: DataParallel) throws -> PageTask {
        let assets = try SceneAssets()
        return try PageTask(
            recipe, generator: PageGenerator(split: .training, assets: assets),
            validation: PageGenerator(split: .validation, assets: assets), parallel: parallel)
    }
}
