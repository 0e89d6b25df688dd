// A contrastive warm-up of the vision encoders, the projectors and the embedding table on labelled regions. The paper starts from pretrained
// encoders and a pretrained language model; for a model that is trained from nothing this plays their part: the rows that stand for a
// region in the sequence are drawn to the embeddings of its category's name and away from those of all others, so that the
// language model finds a thing and its name at one place.

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
    /// Whether the whole picture means something, so that its image tokens are trained as well.
    var isScene = false
    /// Which way of writing the names is meant, as in `NameTable.spellings`.
    var spelling = 0
}

/// Trains CLIP, ConvNeXt, both projectors and the embedding table of a ChatRex model to name regions.
public final class EncoderWarmUp: TrainingTask {
    public let tensors: [(name: String, tensor: Tensor)]
    public let parameterGroups: [AdamW.Group]
    let model: ChatRexModel
    private let tokenizer: BytePairTokenizer
    private let names: NameTable
    private let generator: SceneGenerator, validation: SceneGenerator
    private let batchSize: Int, seed: UInt64
    private let trainsProjectors: Bool
    private let preprocessor: ImagePreprocessor
    private let parallel: DataParallel
    private var prefetcher: Prefetcher<RegionBatch>?

    /// - Parameters:
    ///   - generator: of training scenes
    ///   - validation: of scenes of the same names on seeds that training never sees
    ///   - trainsEmbeddings: whether names move as well; fixed names keep a language model that knows them in step.
    ///   - trainsProjectors: whether the projectors move as well; fixed ones keep what else a language model reads from rows.
    ///   - parallel: the processes that train together
    public init(
        _ model: ChatRexModel, tokenizer: BytePairTokenizer, generator: SceneGenerator, validation: SceneGenerator,
        batchSize: Int, trainsEmbeddings: Bool, trainsProjectors: Bool = true, seed: UInt64,
        parallel: DataParallel = .alone
    ) throws {
        try parallel.check(batchSize: batchSize, "warmUpBatchSize")
        self.parallel = parallel
        (self.generator, self.validation, self.batchSize, self.seed) = (generator, validation, batchSize, seed)
        (self.model, self.tokenizer, self.trainsProjectors) = (model, tokenizer, trainsProjectors)
        let configuration = model.configuration
        preprocessor = ImagePreprocessor(
            highResolution: configuration.highResolution, lowResolution: configuration.clip.imageSize)
        names = try NameTable(generator.vocabulary, tokenizer: tokenizer)
        let projectors = model.objectProjector.namedParameters + model.imageProjector.namedParameters
        let trained =
            model.convNeXt.namedParameters + model.clip.namedParameters + (trainsProjectors ? projectors : [])
            + (trainsEmbeddings ? model.language.embedding.namedParameters : [])
        parameterGroups = WeightDecay.groups(trained, decay: 0.05)
        // The language model's layers wait for their own training; only what is trained here is kept.
        tensors = trained
    }

    public func batch(_ number: Int, progress: Double) throws -> RegionBatch {
        if let prefetcher, prefetcher.position == number { return try prefetcher.take() }
        let (generator, batchSize, seed, side) = (generator, batchSize, seed, preprocessor.highResolution)
        let part = parallel.part(of: batchSize)
        let started = Prefetcher(start: number, threads: 1, depth: 3) { number in
            let first = seed &+ UInt64(number * batchSize), seeds = part.map { first &+ UInt64($0) }
            // One batch in four shows things where they will be met; the others show many more of them for the same work.
            var batch =
                number % 4 == 3
                ? try Self.makeBatch(generator, side: side, seeds: seeds)
                // One size of tile in a batch, so that all its pictures have equally many.
                : Self.makeMosaics(generator, side: side, seeds: seeds, rows: 4 + Int(first / UInt64(batchSize) % 4))
            batch.spelling = number % NameTable.spellings.count
            return batch
        }
        prefetcher = started
        return try started.take()
    }

    /// Pictures tiled with close-ups of single things: a scene has about seven regions to learn from, a mosaic up to 49.
    private static func makeMosaics(_ generator: SceneGenerator, side: Int, seeds: [UInt64], rows: Int)
        -> RegionBatch
    {
        let positions = Dictionary(uniqueKeysWithValues: generator.vocabulary.enumerated().map { ($1.id, $0) })
        let tile = side / rows
        var batch = RegionBatch()
        for seed in seeds {
            var picture = [UInt8](repeating: 0, count: side * side * 3)
            var boxes: [SIMD4<Float>] = []
            for cell in 0..<rows * rows {
                let crop = generator.crop(seed: seed &* 64 &+ UInt64(cell), side: tile)
                let (x, y) = (cell % rows * tile, cell / rows * tile)
                for line in 0..<tile {
                    let target = ((y + line) * side + x) * 3, source = line * tile * 3
                    picture.replaceSubrange(
                        target..<target + tile * 3, with: crop.image.pixels[source..<source + tile * 3])
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
        batch.isScene = true
        let positions = Dictionary(uniqueKeysWithValues: generator.vocabulary.enumerated().map { ($1.id, $0) })
        let scenes = seeds.map(generator.scene)
        let count = scenes.map(\.objects.count).max() ?? 1
        for scene in scenes {
            let square = try ImagePreprocessor(highResolution: side, lowResolution: side).squarePixels(scene.image)
            batch.pixels += square.pixels
            let frame = SquareFrame(width: scene.image.width, height: scene.image.height, side: side)
            let padding = count - scene.objects.count
            batch.boxes.append(
                scene.objects.map { frame.converted($0.box) } + Array(repeating: SIMD4(0, 0, 1, 1), count: padding))
            batch.labels +=
                scene.objects.map { positions[$0.category.id] ?? -100 } + Array(repeating: -100, count: padding)
        }
        return batch
    }

    public func losses(_ batch: RegionBatch) throws -> TrainingLosses {
        let names = try names.embeddings(model.language.embedding, spelling: batch.spelling)
        let targets = try Tensor(batch.labels)
        let kinds = try rows(batch)
        let count = try Double(max(1, parallel.sum(batch.labels.count { $0 >= 0 })))
        let naming = try kinds.map {
            try similarities($0, names).crossEntropy(targets, labelSmoothing: 0.05, reduction: .sum) / count
        }
        guard trainsProjectors else {
            return try TrainingLosses(total: naming.dropFirst().reduce(naming[0]) { try $0 + $1 })
        }
        // Similarities do not depend on how long a row is, but a language model does: projectors make rows as long as names.
        let target = try names.norm(over: -1).mean().detached()
        let isLabelled = try targets.greaterOrEqual(to: 0)
        let lengths = try kinds.map { rows in
            try (rows.norm(over: -1).selected(where: isLabelled) / target - 1).power(2).sum() / count
        }
        // Mosaics train objects alone, so their total has one kind of row.
        let total = try (naming + lengths).dropFirst().reduce(naming[0]) { try $0 + $1 }
        return TrainingLosses(total: total, parts: [("objects", naming[0]), ("length", lengths[0])])
    }

    /// Object tokens of all regions and, for scenes, the image tokens below the boxes, [B * N, D] each.
    private func rows(_ batch: RegionBatch) throws -> [Tensor] {
        let side = preprocessor.highResolution, count = batch.boxes.count
        let high = try preprocessor.normalized(Tensor(batch.pixels, shape: [count, side, side, 3]))
        guard batch.isScene else {
            let pyramid = try model.pyramid(lowResolution: preprocessor.reduced(high), highResolution: high)
            return [try model.objectTokens(pyramid, boxes: batch.boxes).flattened(to: 1)]
        }
        let features = try model.visualFeatures(
            lowResolution: preprocessor.reduced(high), highResolution: high, trainingConvNeXt: true)
        let grid = model.configuration.clip.gridSide, width = model.configuration.language.width
        let cells = try model.imageTokens(features).transposed(1, 2).reshaped(count, width, grid, grid)
        return [
            try model.objectTokens(features.pyramid, boxes: batch.boxes).flattened(to: 1),
            try model.objectEncoder.averages([cells], boxes: batch.boxes).flattened(to: 1),
        ]
    }

    /// Of rows [R, D] to names [names, D]: [R, names].
    private func similarities(_ rows: Tensor, _ names: Tensor) throws -> Tensor {
        try unit(rows).matmul(unit(names).transposed(0, 1)).converted(to: .float32) * 16
    }

    private func unit(_ x: Tensor) throws -> Tensor { try x / (x.norm(over: -1, keepingDimension: true) + 1e-6) }

    /// Writes the whole model, of which the language model's layers are still fresh.
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
                let names = try names.embeddings(model.language.embedding, spelling: batch.spelling)
                for (index, rows) in try rows(batch).enumerated() {
                    let best = try similarities(rows, names).argmax(1).array(of: Int.self)
                    right[index] += Double(zip(best, labels).count { $0 == $1 })
                }
            }
            return ["object_accuracy": right[0] / total, "image_accuracy": right[1] / total]
        }
    }
}

/// The names of categories as means of their tokens' embeddings.
package struct NameTable {
    /// As a name stands within a sentence, at the start of a tag, and for several things.
    static let spellings: [@Sendable (SceneCategory) -> String] = [{ " " + $0.name }, { $0.name }, { " " + $0.plural }]

    /// For each spelling token ids, padded with 0, and the share of each token in its name: [names, L].
    private let tables: [(ids: Tensor, shares: Tensor)]

    package init(_ categories: [SceneCategory], tokenizer: BytePairTokenizer) throws {
        tables = try Self.spellings.map { spelling in
            let ids = categories.map { tokenizer.encode(spelling($0)) }
            let length = ids.map(\.count).max() ?? 0
            let padded = ids.flatMap { $0 + [Int](repeating: 0, count: length - $0.count) }
            let shares = ids.flatMap { ids in (0..<length).map { $0 < ids.count ? 1 / Float(ids.count) : 0 } }
            return (
                try Tensor(padded, shape: [ids.count, length]), try Tensor(shares, shape: [ids.count, length, 1])
            )
        }
    }

    /// [names, D]
    package func embeddings(_ embedding: Embedding, spelling: Int) throws -> Tensor {
        let (ids, shares) = tables[spelling]
        return try (embedding(ids) * shares).sum(1)
    }
}

/// Which parameters weight decay applies to.
enum WeightDecay {
    /// Matrices and kernels decay; biases, norms and scales do not.
    static func groups(_ parameters: [(name: String, tensor: Tensor)], decay: Double, rateScale: Double = 1) -> [AdamW
        .Group]
    {
        [
            AdamW.Group(parameters.filter { $0.tensor.rank > 1 }, rateScale: rateScale, weightDecay: decay),
            AdamW.Group(parameters.filter { $0.tensor.rank <= 1 }, rateScale: rateScale, weightDecay: 0),
        ]
    }
}
