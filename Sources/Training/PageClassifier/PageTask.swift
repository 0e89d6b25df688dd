import DataEngine
import Foundation
import Imaging
import Scenes
import Torch
import TorchNN

/// Pictures of which it is known whether they have little content.
public struct PageBatch: Sendable {
    /// RGB squares, [B, S, S, 3].
    var pixels: [UInt8] = []
    /// 1 for low content, [B].
    var targets: [Float] = []
}

/// Trains the classifier of low-content pictures on generated examples.
public final class PageTask: TrainingTask {
    public let recipe: PageRecipe
    public let network: PageClassifierNetwork
    private let generator: PageGenerator, validation: PageGenerator
    private let parallel: DataParallel
    private var prefetcher: Prefetcher<PageBatch>?

    /// - Parameters:
    ///   - generator: of training examples
    ///   - validation: of examples on other photographs
    ///   - parallel: the processes that train together
    public init(
        _ recipe: PageRecipe, generator: PageGenerator, validation: PageGenerator, parallel: DataParallel = .alone
    ) throws {
        try recipe.validateTask()
        try parallel.check(batchSize: recipe.batchSize, "batchSize")
        self.parallel = parallel
        (self.recipe, self.generator, self.validation) = (recipe, generator, validation)
        try Runtime.seed(recipe.options.seed)
        network = try PageClassifierNetwork(recipe.network, ParameterStore().weights)
    }

    public var tensors: [(name: String, tensor: Tensor)] { network.namedParameters }

    public var parameterGroups: [AdamW.Group] {
        WeightDecay.groups(network.namedParameters, decay: recipe.weightDecay)
    }

    public func batch(_ number: Int, progress: Double) throws -> PageBatch {
        if let prefetcher, prefetcher.position == number { return try prefetcher.take() }
        let (generator, size, side) = (generator, recipe.batchSize, recipe.network.side)
        let first = recipe.options.seed &* 0x1_0000_0000, part = parallel.part(of: size)
        let started = Prefetcher(start: number, threads: recipe.loaderThreads, depth: recipe.loaderThreads + 2) {
            number in
            try Self.batch(generator, seeds: part.map { first &+ UInt64(number * size + $0) }, side: side)
        }
        prefetcher = started
        return try started.take()
    }

    private static func batch(_ generator: PageGenerator, seeds: [UInt64], side: Int) throws -> PageBatch {
        var batch = PageBatch()
        for seed in seeds {
            let example = generator.example(seed: seed)
            batch.pixels += try PageClassifierNetwork.square(example.image, side: side).pixels
            batch.targets.append(example.isLowContent ? 1 : 0)
        }
        return batch
    }

    private func logits(_ batch: PageBatch) throws -> Tensor {
        let side = recipe.network.side
        return try network(Tensor(batch.pixels, shape: [batch.targets.count, side, side, 3]))
    }

    public func losses(_ batch: PageBatch) throws -> TrainingLosses {
        // Targets a little off 0 and 1 keep probabilities honest where an example is not clear.
        let targets = batch.targets.map { $0 + recipe.labelSmoothing * (0.5 - $0) }
        return try TrainingLosses(
            total: logits(batch).binaryCrossEntropy(Tensor(targets), reduction: .sum) / Double(recipe.batchSize))
    }

    /// Shares of what is dropped that should be, and of what should be that is.
    public func evaluate() throws -> [String: Double] {
        try inference {
            var dropped = 0.0, low = 0.0, right = 0.0
            for start in stride(from: 0, to: recipe.evaluationExamples, by: recipe.batchSize) {
                let end = min(start + recipe.batchSize, recipe.evaluationExamples)
                let batch = try Self.batch(
                    validation, seeds: (start..<end).map(UInt64.init), side: recipe.network.side)
                let isDropped = try logits(batch).array(of: Float.self).map { $0 > 0 }
                dropped += Double(isDropped.count { $0 })
                low += Double(batch.targets.count { $0 > 0.5 })
                right += Double(zip(isDropped, batch.targets).count { $0 && $1 > 0.5 })
            }
            return ["precision": right / max(dropped, 1), "recall": right / max(low, 1)]
        }
    }

    public func export(to folder: URL) throws {
        try network.save(to: folder)
    }
}
