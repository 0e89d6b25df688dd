import Boxes
import ChatRex
import Checkpoints
import Foundation
import Imaging
import LanguageModels
import Scenes
import Testing
import Tokenizers
import Torch
import TorchNN
import Training
import UPN
import VisionEncoders

/// Learns y = x W from six rows a batch, of which a process sees its part.
private final class SharedToy: TrainingTask {
    let store = ParameterStore()
    let layer: MLP
    let parallel: DataParallel
    /// A batch of which the last rows are no numbers.
    let badBatch: Int?

    init(_ parallel: DataParallel, badBatch: Int? = nil) throws {
        (self.parallel, self.badBatch) = (parallel, badBatch)
        // Processes need not begin alike: the first one's weights are taken.
        try Runtime.seed(1 + UInt64(parallel.rank))
        layer = try MLP([3, 7, 2], store.weights / "layer")
    }

    var tensors: [(name: String, tensor: Tensor)] { store.entries.map { ($0.name, $0.tensor) } }
    var parameterGroups: [AdamW.Group] {
        [
            AdamW.Group(layer.namedParameters.filter { $0.tensor.rank > 1 }, weightDecay: 0.01),
            AdamW.Group(layer.namedParameters.filter { $0.tensor.rank == 1 }, rateScale: 0.5, weightDecay: 0),
        ]
    }

    func batch(_ number: Int, progress: Double) -> [[Float]] {
        parallel.part(of: 6).map { row in
            number == badBatch && row == 5
                ? [.nan, 0, 0] : (0..<3).map { Float(($0 * 7 + row * 3 + number * 5) % 11) / 11 }
        }
    }

    func losses(_ batch: [[Float]]) throws -> TrainingLosses {
        let x = try Tensor(batch.flatMap { $0 }, shape: [batch.count, 3])
        let wanted = try x.matmul(Tensor([1, 2, -1, 0.5, 0, 1] as [Float], shape: [3, 2]))
        let loss = try (layer(x) - wanted).power(2).sum() / 12
        return TrainingLosses(total: loss, parts: [("square", loss)])
    }

    func evaluate() throws -> [String: Double] { ["zero": 0] }

    func export(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
}

private func options(steps: Int) -> TrainingOptions {
    var options = TrainingOptions()
    (options.steps, options.learningRate, options.warmupSteps, options.clipNorm) = (steps, 0.02, 3, 0.5)
    (options.accumulation, options.logSteps, options.averageDecay, options.evaluationMinutes) = (2, 4, 0.9, nil)
    return options
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parallel-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}

/// Trains tasks, one for each rank, until `steps`.
private func train<Task: TrainingTask>(
    _ tasks: [Task], _ parallel: [DataParallel], _ options: TrainingOptions, _ folder: URL, until steps: Int = .max
) throws {
    let threads = Runtime.threadCount
    try Runtime.setThreadCount(1)
    defer { try? Runtime.setThreadCount(threads) }
    for outcome in onThreads(
        tasks.count,
        { rank in
            try TrainingRun(
                tasks[rank], options: options, folder: folder, configuration: ["test": true], parallel: parallel[rank]
            ).run(until: steps)
        })
    { _ = try outcome.get() }
}

/// The largest difference between two checkpoints' tensors, each against the largest element of its tensor.
private func difference(_ a: URL, _ b: URL, _ file: String) throws -> Double {
    let files = try [a, b].map { try SafetensorsFile(url: $0.appendingPathComponent(file)) }
    #expect(files[0].names.sorted() == files[1].names.sorted())
    var largest = 0.0
    // The state of libtorch's generator belongs to the process, which these threads share.
    for name in files[0].names where !name.hasPrefix("random") {
        let (x, y) = (
            try files[0].tensor(named: name).array(of: Float.self),
            try files[1].tensor(named: name).array(of: Float.self)
        )
        #expect(x.count == y.count)
        let size = x.map { Double($0.magnitude) }.max() ?? 0
        let off = zip(x, y).map { Double(($0 - $1).magnitude) }.max() ?? 0
        largest = max(largest, off / max(size, 1e-6))
    }
    return largest
}

extension SharedStateTests {
    @Suite struct DataParallelTests {
        @Test(arguments: [2, 3]) func severalProcessesTrainWhatOneWould(count: Int) throws {
            try withFolder { folder in
                let (one, many) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("many"))
                try train([SharedToy(.alone)], [.alone], options(steps: 20), one)
                let parallel = try groups(count).map(DataParallel.init)
                let toys = try parallel.map { try SharedToy($0) }
                try train(toys, parallel, options(steps: 20), many)
                for file in ["weights.safetensors", "training.safetensors"] {
                    let off = try difference(
                        one.appendingPathComponent("step-20"), many.appendingPathComponent("step-20"), file)
                    #expect(off < 1e-4, "\(file): \(off)")
                }
                // Every process has the same bits.
                for (a, b) in zip(toys[0].tensors, toys[count - 1].tensors) {
                    #expect(try a.tensor.array(of: Float.self) == b.tensor.array(of: Float.self))
                }
            }
        }

        @Test(arguments: [(2, 1), (1, 2), (3, 2)]) func aRunGoesOnWithAnotherNumberOfProcesses(first: Int, then: Int)
            throws
        {
            try withFolder { folder in
                let (whole, parts) = (folder.appendingPathComponent("whole"), folder.appendingPathComponent("parts"))
                try train([SharedToy(.alone)], [.alone], options(steps: 16), whole)
                for (count, end) in [(first, 7), (then, 16)] {
                    let parallel = count == 1 ? [.alone] : try groups(count).map(DataParallel.init)
                    try train(parallel.map { try SharedToy($0) }, parallel, options(steps: 16), parts, until: end)
                }
                for file in ["weights.safetensors", "training.safetensors"] {
                    let off = try difference(
                        whole.appendingPathComponent("step-16"), parts.appendingPathComponent("step-16"), file)
                    #expect(off < 1e-4, "\(file): \(off)")
                }
            }
        }

        @Test func aLossThatIsNoNumberForOneProcessStopsAllAtTheSameStep() throws {
            try withFolder { folder in
                let parallel = try groups(2).map(DataParallel.init)
                let toys = try parallel.map { try SharedToy($0, badBatch: 7) }
                let outcomes = onThreads(2) { rank in
                    try TrainingRun(
                        toys[rank], options: options(steps: 20), folder: folder, configuration: ["test": true],
                        parallel: parallel[rank]
                    ).run()
                }
                for outcome in outcomes {
                    #expect { try outcome.get() } throws: {
                        if case .notFinite(_, 3, _) = $0 as? TrainingError { true } else { false }
                    }
                }
            }
        }

        @Test func processesWithDifferentSettingsDoNotBegin() throws {
            try withFolder { folder in
                let parallel = try groups(2).map(DataParallel.init)
                let toys = try parallel.map { try SharedToy($0) }
                let outcomes = onThreads(2) { rank in
                    try TrainingRun(
                        toys[rank], options: options(steps: 1), folder: folder, configuration: ["rank": rank],
                        parallel: parallel[rank]
                    ).run()
                }
                for outcome in outcomes {
                    #expect { try outcome.get() } throws: { "\($0)".contains("rank 1 have other settings") }
                }
            }
        }

        @Test func aBatchThatIsSmallerThanTheGroupIsRefused() throws {
            let parallel = try groups(2).map(DataParallel.init)
            var recipe = upnRecipe()
            recipe.batchSize = 1
            #expect {
                _ = try UPNTask(recipe, source: picture, evaluationPictures: [], parallel: parallel[1])
            } throws: { "\($0)".contains("2 processes cannot share a batch of 1") }
        }

        @Test(arguments: [1, 4]) func twoProcessesTrainTheProposalNetworkThatOneWould(encoderMatches: Int) throws {
            try withFolder { folder in
                var recipe = upnRecipe()
                recipe.encoderMatchesPerTarget = encoderMatches
                try compare(folder, recipe.options) {
                    try UPNTask(recipe, source: picture, evaluationPictures: [picture(0)], parallel: $0)
                }
            }
        }

        @Test func twoProcessesTrainTheModelThatOneWould() throws {
            try withFolder { folder in
                let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
                var configuration = SceneConfiguration(split: .training)
                (configuration.width, configuration.height) = (160, 160)
                let generator = try SceneGenerator(
                    configuration: configuration, assets: SceneAssets(withPhotos: false))
                var stage = ConversationOptions()
                (stage.stage, stage.batchSize, stage.encoderRate, stage.exchangeDensity) = (.joint, 3, 0.5, 0.5)
                var options = options(steps: 2)
                (options.accumulation, options.averageDecay) = (1, 0)
                try compare(folder, options) { parallel in
                    try Runtime.seed(3)
                    let model = try ChatRexModel(
                        ChatRexConfiguration(
                            language: Qwen2Configuration(
                                width: 32, hiddenWidth: 64, layerCount: 2, headCount: 4, keyValueHeadCount: 2,
                                vocabularySize: (tokenizer.vocabularySize + 63) / 64 * 64),
                            clip: CLIPConfiguration(
                                imageSize: 32, patchSize: 16, width: 32, layerCount: 2, headCount: 4, hiddenWidth: 64),
                            convNeXt: ConvNeXtConfiguration(widths: [8, 16, 16, 24], depths: [1, 1, 1, 1]),
                            highResolution: 64), ParameterStore().weights)
                    return try ConversationTask(
                        model, tokenizer: tokenizer, options: stage,
                        pictures: TrainingPictures(TrainingData(), seed: 1) { generator.scene(seed: UInt64($0)) },
                        validation: generator, proposalNetwork: nil, parallel: parallel)
                }
            }
        }

        /// Trains with one process and with two. After the first step moments are gradients up to a factor and must agree; the
        /// weights are held to the step that Adam takes, since it makes as much of a gradient that is nothing but rounding.
        private func compare<Task: TrainingTask>(
            _ folder: URL, _ options: TrainingOptions, _ make: (DataParallel) throws -> Task
        ) throws {
            let (one, two) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("two"))
            let parallel = try groups(2).map(DataParallel.init)
            let alone = try make(.alone), tasks = try parallel.map(make)
            let start = try values(alone)
            try train([alone], [.alone], options, one, until: 1)
            try train(tasks, parallel, options, two, until: 1)
            let (a, b) = (one.appendingPathComponent("step-1"), two.appendingPathComponent("step-1"))
            let off = try largestShare(a, b)
            #expect(off < 1e-4, "gradients differ by \(off) of the largest")
            #expect(try values(alone) != start)
            try train([alone], [.alone], options, one)
            try train(tasks, parallel, options, two)
            let moved = zip(try values(alone), start).map { ($0 - $1).magnitude }.max() ?? 0
            let apart = zip(try values(alone), try values(tasks[0])).map { ($0 - $1).magnitude }.max() ?? 1
            #expect(apart < moved / 20, "weights moved by \(moved) and are apart by \(apart)")
            #expect(try values(tasks[0]) == values(tasks[1]))
        }

        /// The largest difference of first moments, against the largest of them all.
        private func largestShare(_ a: URL, _ b: URL) throws -> Double {
            let files = try [a, b].map { try SafetensorsFile(url: $0.appendingPathComponent("training.safetensors")) }
            var off = 0.0, largest = 0.0
            for name in files[0].names where name.hasPrefix("first.") {
                let x = try files[0].tensor(named: name).array(of: Float.self)
                let y = try files[1].tensor(named: name).array(of: Float.self)
                largest = max(largest, x.map { Double($0.magnitude) }.max() ?? 0)
                off = max(off, zip(x, y).map { Double(($0 - $1).magnitude) }.max() ?? 0)
            }
            return off / largest
        }

        private func values<Task: TrainingTask>(_ task: Task) throws -> [Float] {
            try task.parameterGroups.flatMap(\.parameters).flatMap { try $0.tensor.detached().array(of: Float.self) }
        }

        @Test func aPartOfABatchIsDenoisedAsInTheWhole() throws {
            try Runtime.seed(2)
            let denoising = try ContrastiveDenoising(
                DenoisingConfiguration(count: 9), labels: 2, channels: 8, ParameterStore().weights / "denoising")
            let images = (1...4).map { count in
                (0..<count).map { Box(x: Double($0) * 0.1, y: 0.2, width: 0.1 * Double(count), height: 0.3) }
            }
            func references(_ images: [[Box]], before: Int) throws -> (Tensor, next: Float) {
                try Runtime.seed(5)
                let whole = BatchOfTargets((1...4).map { $0 }, before: before)
                let queries = try #require(
                    try denoising(DetectionTargets(images, whole: whole), label: 0, selected: 3))
                #expect(queries.groups == 2)
                return (queries.references, try Tensor.uniform([1]).item())
            }
            let (whole, next) = try references(images, before: 0)
            for part in [0..<2, 2..<4] {
                let (found, after) = try references(Array(images[part]), before: part.lowerBound)
                #expect(try found.array(of: Float.self) == whole[.range(part)].array(of: Float.self))
                #expect(after == next)
            }
        }

        @Test func aPartOfABatchOfPicturesIsWhatItIsInTheWhole() throws {
            var augmentation = PictureAugmentation()
            augmentation.sides = [64]
            func loader(_ part: Range<Int>?) -> SceneLoader {
                SceneLoader(picture, augmentation: augmentation, batchSize: 5, part: part, seed: 3)
            }
            let whole = loader(nil), parts = [loader(0..<2), loader(2..<5)]
            for number in 0..<3 {
                let found = try parts.map { try $0.batch(number) }, wanted = try whole.batch(number)
                #expect(found.flatMap(\.pixels) == wanted.pixels && found.flatMap(\.fine) == wanted.fine)
            }
        }
    }
}

private func upnRecipe() -> UPNRecipe {
    var recipe = TinyUPN.recipe
    recipe.batchSize = 3
    // Its draws come from libtorch's generator, which belongs to the process: two threads would share it.
    recipe.denoising = DenoisingConfiguration(count: 0)
    recipe.options = options(steps: 3)
    (recipe.options.accumulation, recipe.options.averageDecay, recipe.options.learningRate) = (1, 0, 1e-3)
    return recipe
}

/// As many bright squares on a dark ground as the number says, one to three.
private func picture(_ number: Int) throws -> AnnotatedPicture {
    try TinyUPN.squares([(8, 10), (38, 36), (34, 6)].prefix(1 + number % 3))
}
