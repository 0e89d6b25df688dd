// A contrastive warm-up of both vision encoders on labelled regions. The paper starts from pretrained encoders; for a model that is
// trained from nothing this plays their part: features of a region are drawn to the embedding of its category's name and away from
// those of all others.

import Boxes
import ChatRex
import Foundation
import Imaging
import LanguageModels
import Scenes
import Tokenizers
import Torch
import TorchNN
import VisionEncoders

/// Pictures with labelled boxes, padded to equally many boxes a picture.
public struct RegionBatch: Sendable {
    /// RGB, [B, S, S, 3]
    var pixels: [UInt8] = []
    /// In the square frame, [B][N].
    var boxes: [[SIMD4<Float>]] = []
    /// Category of each box or -100, [B * N].
    var labels: [Int] = []
}

/// Trains CLIP and ConvNeXt of a ChatRex model to name regions.
public final class EncoderWarmUp: TrainingTask {
    public let tensors: [(name: String, tensor: Tensor)]
    public let parameterGroups: [AdamW.Group]
    let model: ChatRexModel
    private let tokenizer: BytePairTokenizer
    private let names: Tensor
    private let heads: [RegionHead]
    private let generator: SceneGenerator, validation: SceneGenerator
    private let batchSize: Int, seed: UInt64
    private let preprocessor: ImagePreprocessor
    private var prefetcher: Prefetcher<RegionBatch>?

    /// - Parameters:
    ///   - generator: of training scenes
    ///   - validation: of scenes of the same names on seeds that training never sees
    public init(
        _ model: ChatRexModel, tokenizer: BytePairTokenizer, generator: SceneGenerator, validation: SceneGenerator, batchSize: Int, seed: UInt64
    ) throws {
        (self.generator, self.validation, self.batchSize, self.seed) = (generator, validation, batchSize, seed)
        (self.model, self.tokenizer) = (model, tokenizer)
        let configuration = model.configuration, store = ParameterStore()
        preprocessor = ImagePreprocessor(
            highResolution: configuration.highResolution, lowResolution: configuration.clip.imageSize)
        let warmUp = store.weights / "warm_up", width = 256
        names = try warmUp.parameter("names", [generator.vocabulary.count, width], .normal(deviation: 1))
        heads = try [
            RegionHead(configuration.objectChannels, width, warmUp / "high"),
            RegionHead(configuration.clip.width, width, warmUp / "low"),
        ]
        let trained = model.convNeXt.namedParameters + model.clip.namedParameters + heads.flatMap(\.namedParameters)
            + [(name: "warm_up.names", tensor: names)]
        parameterGroups = WeightDecay.groups(trained, decay: 0.05)
        // The language model waits for its own training; only what is trained here is kept.
        tensors = trained
    }

    public func batch(_ number: Int, progress: Double) throws -> RegionBatch {
        if let prefetcher, prefetcher.position == number { return try prefetcher.take() }
        let (generator, batchSize, seed, side) = (generator, batchSize, seed, preprocessor.highResolution)
        let started = Prefetcher(start: number, threads: 1, depth: 3) { number in
            let seeds = (0..<batchSize).map { seed &+ UInt64(number * batchSize + $0) }
            // One batch in four shows things where they will be met; the others show many more of them for the same work.
            return number % 4 == 3
                ? try Self.makeBatch(generator, side: side, seeds: seeds) : try Self.makeMosaics(generator, side: side, seeds: seeds)
        }
        prefetcher = started
        return try started.take()
    }

    /// Pictures tiled with close-ups of single things: a scene has about seven regions to learn from, a mosaic up to 64.
    private static func makeMosaics(_ generator: SceneGenerator, side: Int, seeds: [UInt64]) throws -> RegionBatch {
        let positions = Dictionary(uniqueKeysWithValues: generator.vocabulary.enumerated().map { ($1.id, $0) })
        // One size of tile in a batch, so that all its pictures have equally many.
        let rows = [4, 6, 8][Int(seeds.first ?? 0) / max(seeds.count, 1) % 3], tile = side / rows
        var batch = RegionBatch()
        for seed in seeds {
            var picture = [UInt8](repeating: 0, count: side * side * 3)
            var boxes: [SIMD4<Float>] = []
            for cell in 0..<rows * rows {
                let crop = generator.crop(seed: seed &* 64 &+ UInt64(cell), side: tile)
                let (x, y) = (cell % rows * tile, cell / rows * tile)
                for line in 0..<tile {
                    let target = ((y + line) * side + x) * 3, source = line * tile * 3
                    picture.replaceSubrange(target..<target + tile * 3, with: crop.image.pixels[source..<source + tile * 3])
                }
                boxes.append(SIMD4(Float(x), Float(y), Float(x + tile), Float(y + tile)))
                batch.labels.append(positions[crop.category.id] ?? -100)
            }
            batch.pixels += picture
            batch.boxes.append(boxes)
        }
        return batch
    }

    private static func makeBatch(_ generator: SceneGenerator, side: Int, seeds: [UInt64]) throws -> RegionBatch {
        var batch = RegionBatch()
        let positions = Dictionary(uniqueKeysWithValues: generator.vocabulary.enumerated().map { ($1.id, $0) })
        let scenes = seeds.map(generator.scene)
        let count = scenes.map(\.objects.count).max() ?? 1
        for scene in scenes {
            let square = try ImagePreprocessor(highResolution: side, lowResolution: side).squarePixels(scene.image)
            batch.pixels += square.pixels
            let frame = SquareFrame(width: scene.image.width, height: scene.image.height, side: side)
            let padding = count - scene.objects.count
            batch.boxes.append(scene.objects.map { frame.converted($0.box) } + Array(repeating: SIMD4(0, 0, 1, 1), count: padding))
            batch.labels += scene.objects.map { positions[$0.category.id] ?? -100 } + Array(repeating: -100, count: padding)
        }
        return batch
    }

    public func losses(_ batch: RegionBatch) throws -> TrainingLosses {
        let targets = try Tensor(batch.labels)
        let losses = try logits(batch).map { try $0.crossEntropy(targets, labelSmoothing: 0.05) }
        return try TrainingLosses(total: losses[0] + losses[1], parts: [("high", losses[0]), ("low", losses[1])])
    }

    /// Similarities of all regions to all names by the high- and the low-resolution encoder, [B * N, names] each.
    private func logits(_ batch: RegionBatch) throws -> [Tensor] {
        let side = preprocessor.highResolution
        let high = try preprocessor.normalized(Tensor(batch.pixels, shape: [batch.boxes.count, side, side, 3]))
        let features = try model.visualFeatures(
            lowResolution: preprocessor.reduced(high), highResolution: high, trainingConvNeXt: true)
        let grid = model.configuration.clip.gridSide, width = model.configuration.clip.width
        let patches = try features.image[.rest, .upTo(width)].transposed(1, 2)
            .reshaped(batch.boxes.count, width, grid, grid)
        let regions = try [features.pyramid, [patches]].map { try model.objectEncoder.averages($0, boxes: batch.boxes).flattened(to: 1) }
        let names = try unit(self.names)
        return try zip(heads, regions).map { head, region in
            try unit(head(region)).matmul(names.transposed(0, 1)).converted(to: .float32) * 16
        }
    }

    private func unit(_ x: Tensor) throws -> Tensor { try x / (x.norm(over: -1, keepingDimension: true) + 1e-6) }

    /// Writes the whole model, of which only the encoders are trained.
    public func export(to folder: URL) throws {
        try model.save(to: folder)
        try tokenizer.write(to: ModelFolder(folder).tokenizer)
    }

    /// How often the nearest name is the right one, on validation scenes.
    public func evaluate() throws -> [String: Double] {
        try inference {
            var right = [0.0, 0.0], total = 0.0
            for start in stride(from: 0, to: 96, by: 16) {
                let batch = try Self.makeBatch(
                    validation, side: preprocessor.highResolution, seeds: (start..<start + 16).map(UInt64.init))
                let labels = batch.labels
                total += Double(labels.count { $0 >= 0 })
                for (index, logits) in try logits(batch).enumerated() {
                    right[index] += Double(zip(try logits.argmax(1).array(of: Int.self), labels).count { $0 == $1 })
                }
            }
            return ["high_accuracy": right[0] / total, "low_accuracy": right[1] / total]
        }
    }
}

/// Brings region features to the space of names. Names: `norm`, `project`.
private final class RegionHead: Module {
    let norm: LayerNorm
    let project: Linear

    init(_ inputs: Int, _ outputs: Int, _ weights: Weights) throws {
        norm = try LayerNorm(inputs, weights / "norm")
        project = try Linear(inputs, outputs, weights / "project", initializer: .xavierUniform)
        super.init(weights)
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor { try project(norm(x)) }
}

/// Which parameters weight decay applies to.
enum WeightDecay {
    /// Matrices and kernels decay; biases, norms and scales do not.
    static func groups(_ parameters: [(name: String, tensor: Tensor)], decay: Double, rateScale: Double = 1) -> [AdamW.Group] {
        [
            AdamW.Group(parameters.filter { $0.tensor.rank > 1 }, rateScale: rateScale, weightDecay: decay),
            AdamW.Group(parameters.filter { $0.tensor.rank <= 1 }, rateScale: rateScale, weightDecay: 0),
        ]
    }
}
