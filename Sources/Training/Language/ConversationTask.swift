// The three stages of ChatRex (paper, section 3.2): alignment, perception and joint training differ in what is asked and what is trained.

import Boxes
import ChatRex
import Evaluation
import Foundation
import Imaging
import LanguageModels
import Scenes
import Tokenizers
import Torch
import TorchNN
import UPN
import VisionEncoders

/// One of the paper's stages.
public enum ConversationStage: String, Codable, Sendable, CaseIterable {
    /// Names of what true boxes show teach the projectors and embeddings, and the language model to point.
    case align
    /// Detection, referring, regions and counts teach to perceive.
    case perception
    /// All tasks together.
    case joint

    public var mixture: TaskMixture {
        switch self {
        case .align: .alignment
        case .perception: .perception
        case .joint: .joint
        }
    }
}

/// Settings of a stage.
public struct ConversationOptions: Codable, Sendable, Equatable {
    public var stage = ConversationStage.perception
    public var batchSize = 8
    /// Most positions of a sequence.
    public var sequenceLimit = 768
    /// Factor on the learning rate of the two vision encoders; 0 freezes them, as the paper's alignment does.
    public var encoderRate = 0.3
    /// Factor on the learning rate of the two projectors.
    public var projectorRate = 0.3
    /// Factor on the learning rate of the embedding table, which is the output's as well where they are tied. Where names stand
    /// beside their objects, full steps would scatter them.
    public var embeddingRate = 1.0
    /// Whether the language model's layers are trained. The paper's alignment keeps them; a model without pretraining cannot.
    public var trainsLanguageModel = true
    /// Low-rank updates that are trained in place of the language model's layers; none at a rank of 0.
    public var lora = LowRankConfiguration()
    /// Whether what gradients need is computed again in the backward pass instead of kept: less memory, a third more time.
    public var recomputesActivations = false
    /// Most boxes of a picture. Paper, section 3.2: 100.
    public var boxLimit = 60
    /// Share of pictures shown with proposals alone, as at inference; the others mix in the truth.
    public var proposalsAloneRate = 0.5
    /// Proposals that overlap a true box by more are left out where the truth is mixed in. Paper, section 3.2: 0.9.
    public var truthOverlapLimit = 0.9
    /// Exchanges about a picture, as a multiple of the stage's mixture. Most of a step's time goes into pictures where the encoders
    /// are frozen, so that more questions about each are nearly free.
    public var exchangeDensity = 1.0
    /// Mean numbers of exchanges of some kinds for one picture in place of the stage's, by their names in `TaskMixture`.
    public var tasks: [String: Double] = [:]
    public var weightDecay = 0.05
    public var seed: UInt64 = 1

    public init() {}

    func validate() throws {
        func check<Value>(_ value: Value, _ range: ClosedRange<Value>, _ name: String) throws {
            try TrainingError.check(value, range, "conversation." + name)
        }
        try check(batchSize, 1...1024, "batchSize")
        try check(sequenceLimit, 64...1_000_000, "sequenceLimit")
        for (rate, name) in [
            (encoderRate, "encoderRate"), (projectorRate, "projectorRate"), (embeddingRate, "embeddingRate"),
        ] { try check(rate, 0...100, name) }
        try check(boxLimit, 1...100, "boxLimit")
        try lora.validate()
        try check(proposalsAloneRate, 0...1, "proposalsAloneRate")
        try check(truthOverlapLimit, 0...1, "truthOverlapLimit")
        try check(exchangeDensity, 0.01...100, "exchangeDensity")
        for (name, count) in tasks { try check(count, 0...100, "tasks.\(name)") }
        try check(weightDecay, 0...10, "weightDecay")
    }

    /// What is asked about a picture.
    var mixture: TaskMixture {
        get throws { try stage.mixture.replacing(tasks) }
    }
}

extension LowRankConfiguration {
    fileprivate func validate() throws {
        try TrainingError.check(rank, 0...4096, "conversation.lora.rank")
        try TrainingError.check(
            alpha > 0 && alpha.isFinite, "conversation.lora.alpha", "\(alpha) is not positive")
        try TrainingError.check(
            (0..<1).contains(dropout), "conversation.lora.dropout", "\(dropout) is not within 0..<1")
        let unknown = targets.filter { !Self.layerNames.contains($0) }
        try TrainingError.check(
            unknown.isEmpty && !targets.isEmpty, "conversation.lora.targets",
            "\(unknown) is none of \(Self.layerNames.joined(separator: ", "))")
    }
}

extension ConversationOptions {
    /// What of a model is trained, at which share of the learning rate.
    /// - Parameter adapters: what is trained in place of the language model's layers
    func parameterGroups(_ model: ChatRexModel, adapters: LowRankAdapters?) -> [AdamW.Group] {
        let encoders = model.clip.namedParameters + model.convNeXt.namedParameters
        let projectors = model.imageProjector.namedParameters + model.objectProjector.namedParameters
        let embeddings = model.language.embedding.namedParameters
        let apart = Set((encoders + projectors + embeddings).map(\.name))
        var rest = model.namedParameters.filter { !apart.contains($0.name) }
        if !trainsLanguageModel || adapters != nil {
            rest.removeAll { $0.name.hasPrefix("model.layers.") || $0.name.hasPrefix("model.norm.") }
        }
        // Where the output weights are not the embeddings they rest with them.
        if adapters != nil && embeddingRate == 0 { rest.removeAll { $0.name.hasPrefix("lm_head.") } }
        rest += adapters?.namedParameters ?? []
        let groups = [
            (rest, 1), (embeddings, embeddingRate), (projectors, projectorRate), (encoders, encoderRate),
        ]
        return groups.filter { $0.1 > 0 }.flatMap { parameters, rate in
            WeightDecay.groups(parameters, decay: weightDecay, rateScale: rate)
        }
    }
}

/// Trains a ChatRex model on exchanges about pictures.
public final class ConversationTask: TrainingTask {
    public let tensors: [(name: String, tensor: Tensor)]
    public let parameterGroups: [AdamW.Group]
    public let model: ChatRexModel
    /// What is trained in place of the language model's layers.
    public let adapters: LowRankAdapters?
    private let frozen: FrozenWeights?
    private let options: ConversationOptions
    private let mixture: TaskMixture
    private let layout: PromptLayout
    private let indexTokens: Set<Int>
    private let tokenizer: BytePairTokenizer
    private let pictures: TrainingPictures
    private let validation: SceneGenerator
    private let proposalNetwork: UniversalProposalNetwork?
    private let preprocessor: ImagePreprocessor
    private let parallel: DataParallel
    private var prefetcher: Prefetcher<[any PictureTruth]>?

    /// - Parameters:
    ///   - model: fresh or loaded
    ///   - pictures: what is learned from
    ///   - validation: scenes that training never sees
    ///   - proposalNetwork: gives the boxes beside the truth; imitated ones are used when nil.
    ///   - parallel: the processes that train together
    public init(
        _ model: ChatRexModel, tokenizer: BytePairTokenizer, options: ConversationOptions, pictures: TrainingPictures,
        validation: SceneGenerator, proposalNetwork: UniversalProposalNetwork?, parallel: DataParallel = .alone
    ) throws {
        try parallel.check(batchSize: options.batchSize, "conversation.batchSize")
        self.parallel = parallel
        (self.model, self.options, self.pictures, self.validation) = (model, options, pictures, validation)
        (self.proposalNetwork, mixture) = (proposalNetwork, try options.mixture)
        self.tokenizer = tokenizer
        let vocabulary = try ChatRexVocabulary(tokenizer, logitCount: model.configuration.language.vocabularySize)
        layout = PromptLayout(vocabulary: vocabulary)
        indexTokens = Set(vocabulary.objects)
        preprocessor = ImagePreprocessor(
            highResolution: model.configuration.highResolution, lowResolution: model.configuration.clip.imageSize)
        // Updates are drawn; the same ones for the same recipe.
        if options.lora.isOn { try Runtime.seed(options.seed) }
        adapters = options.lora.isOn ? try LowRankAdapters(options.lora, for: model.language) : nil
        parameterGroups = options.parameterGroups(model, adapters: adapters)
        let all = model.weights.store.entries.map { ($0.name, $0.tensor) }
        if adapters == nil {
            (tensors, frozen) = (all, nil)
        } else {
            // Checkpoints hold what is trained; the rest comes from the model that the run started from.
            let trained = parameterGroups.flatMap(\.parameters), names = Set(trained.map(\.name))
            let frozen = try FrozenWeights(all.filter { !names.contains($0.0) })
            (tensors, self.frozen) = (trained + [frozen.entry], frozen)
        }
        model.language.recomputesActivations = options.recomputesActivations
        model.clip.recomputesActivations = options.recomputesActivations
        model.convNeXt.recomputesActivations = options.recomputesActivations
    }

    public var heldTensors: [(name: String, tensor: Tensor)] {
        model.weights.store.entries.map { ($0.name, $0.tensor) } + (adapters?.namedParameters ?? [])
    }

    public func restored() throws { try frozen?.check() }

    // MARK: Batches

    public func batch(_ number: Int, progress: Double) throws -> ConversationBatch {
        let batchSize = options.batchSize, part = parallel.part(of: batchSize), pictures = pictures
        if prefetcher?.position != number {
            prefetcher = Prefetcher(start: number, threads: 1, depth: 3) { number in
                try part.map { try pictures.truth(number * batchSize + $0) }
            }
        }
        return try makeBatch(prefetcher?.take() ?? [], stream: "train/\(options.stage.rawValue)")
    }

    private func makeBatch(_ pictures: [any PictureTruth], stream: String) throws -> ConversationBatch {
        let imageRows = model.configuration.imageTokenCount, notation = model.configuration.boxNotation
        let proposals =
            options.stage == .align || notation == .coordinates
            ? nil
            : try proposalNetwork?.propose(
                pictures.map(\.image), filter: ProposalFilter(maximumCount: options.boxLimit))
        let examples = try pictures.enumerated().map { index, picture in
            var random = SceneRandom(seed: picture.seed &+ options.seed, stream: stream)
            let boxes = mixedBoxes(picture, proposals?[index].map(\.box), &random)
            let dialogue = PictureDialogue(
                picture: picture, boxesOfObject: boxes.boxesOfObject, boxCount: boxes.boxes.count)
            let pixels = try preprocessor.squarePixels(picture.image).pixels
            let exchanges = try mixture.exchanges(dialogue, density: options.exchangeDensity, &random)
            if notation == .coordinates {
                let text = CoordinateText(width: picture.image.width, height: picture.image.height)
                return try ConversationExample(
                    pixels: pixels, boxes: [], exchanges: exchanges.map { $0.spelled(by: text, boxes.boxes) },
                    layout: layout, imageRows: imageRows, limit: options.sequenceLimit, notation: notation)
            }
            let frame = SquareFrame(
                width: picture.image.width, height: picture.image.height, side: preprocessor.highResolution)
            return try ConversationExample(
                pixels: pixels, boxes: boxes.boxes.map(frame.converted),
                copies: boxes.boxesOfObject.values.filter { $0.count > 1 }, exchanges: exchanges, layout: layout,
                imageRows: imageRows, limit: options.sequenceLimit)
        }
        return ConversationBatch(examples, imageRows: imageRows)
    }

    private func mixedBoxes(_ picture: some PictureTruth, _ proposals: [Box]?, _ random: inout SceneRandom)
        -> MixedBoxes
    {
        if model.configuration.boxNotation == .coordinates { return BoxMixing.truthInReadingOrder(of: picture) }
        if options.stage == .align { return BoxMixing.truth(of: picture, with: [], limit: options.boxLimit, &random) }
        guard let proposals else {
            return BoxMixing.truth(
                of: picture, with: BoxMixing.imitated(for: picture, &random), limit: options.boxLimit, &random)
        }
        let inside = proposals.map {
            $0.clipped(toWidth: Double(picture.image.width), height: Double(picture.image.height))
        }
        .filter { $0.width > 0 && $0.height > 0 }
        return random.chance(options.proposalsAloneRate)
            ? BoxMixing.proposals(inside, for: picture, limit: options.boxLimit)
            : BoxMixing.truth(
                of: picture, with: inside, overlapLimit: options.truthOverlapLimit, limit: options.boxLimit, &random)
    }

    // MARK: Loss

    public func losses(_ batch: ConversationBatch) throws -> TrainingLosses {
        let (states, targets) = try answerStates(batch)
        let count = Double(max(1, try parallel.sum(targets.count)))
        guard options.recomputesActivations else {
            return try TrainingLosses(total: Self.surprise(model.language.logits(states), targets).sum() / count)
        }
        // Logits are the largest tensor of all with a large vocabulary: only those of some answers exist at a time.
        let sums = try stride(from: 0, to: targets.count, by: Self.answersAtOnce).map { start in
            let end = min(start + Self.answersAtOnce, targets.count), part = Array(targets[start..<end])
            return try recomputed([states[.range(start..<end)]]) { [language = model.language] in
                try Self.surprise(language.logits($0[0]), part).sum()
            }
        }
        return try TrainingLosses(total: Tensor.stacked(sums).sum() / count)
    }

    /// Answer tokens whose logits are in memory together where activations are computed again.
    static let answersAtOnce = 2048

    /// Minus the logarithm of the probability of all that is right together, among all that the grammar offers: [A].
    package static func surprise(_ logits: Tensor, _ targets: [AnswerToken]) throws -> Tensor {
        let width = logits.size(1), most = targets.map(\.right.count).max() ?? 1
        var excluded = [Bool](repeating: false, count: targets.count * width)
        var right: [Int] = [], isPadding: [Bool] = []
        for (row, target) in targets.enumerated() {
            for id in target.excluded { excluded[row * width + id] = true }
            let padding = most - target.right.count
            right += target.right + [Int](repeating: target.id, count: padding)
            isPadding += [Bool](repeating: false, count: target.right.count) + [Bool](repeating: true, count: padding)
        }
        let offered = try logits.converted(to: .float32).filled(
            where: Tensor(excluded, shape: [targets.count, width]), with: -.infinity)
        let chosen = try offered.gathered(1, Tensor(right, shape: [targets.count, most])).filled(
            where: Tensor(isPadding, shape: [targets.count, most]), with: -.infinity)
        return try offered.logSumExp(over: 1) - chosen.logSumExp(over: 1)
    }

    /// The language model's states where an answer's next token is due [A, D], and these tokens.
    private func answerStates(_ batch: ConversationBatch) throws -> (states: Tensor, targets: [AnswerToken]) {
        let side = preprocessor.highResolution, width = model.configuration.language.width
        let high = try preprocessor.normalized(Tensor(batch.pixels, shape: [batch.count, side, side, 3]))
        let trains = options.encoderRate > 0 && !isEvaluating
        let features = try withGradients(trains) {
            try model.visualFeatures(
                lowResolution: preprocessor.reduced(high), highResolution: high, trainingConvNeXt: trains)
        }
        let tokens = try model.language.embedding(Tensor(batch.tokens))  // [B T, D]
        let table = try Tensor.concatenated(
            [tokens, model.imageTokens(features), model.objectTokens(features.pyramid, boxes: batch.boxes)].map {
                try $0.reshaped(-1, width).converted(to: .float32)
            })
        let rows = try table.selected(0, Tensor(batch.sources)).reshaped(batch.count, batch.length, width)
        let hidden = try model.language(
            rows, positions: Tensor(batch.positions, shape: [batch.count, batch.length]), mask: batch.attentionMask())
        let due = try hidden.reshaped(-1, width).selected(0, Tensor(batch.targets.map(\.position)))
        return (due, batch.targets.map(\.token))
    }

    private var isEvaluating = false

    /// Where an exported model's low-rank updates lie beside its merged weights, in PEFT's form.
    public static let adapterFolder = "adapter"

    public func export(to folder: URL) throws {
        try model.save(to: folder, replacing: adapters?.mergedWeights ?? [:])
        try tokenizer.write(to: ModelFolder(folder).tokenizer)
        try adapters?.save(to: folder.appendingPathComponent(Self.adapterFolder))
    }

    // MARK: Evaluation

    /// How often the most likely token is the right one on validation scenes, over all tokens and over indices.
    public func evaluate() throws -> [String: Double] {
        isEvaluating = true
        adapters?.setDropout(false)
        defer {
            isEvaluating = false
            adapters?.setDropout(true)
        }
        return try inference {
            var right = 0, total = 0, indicesRight = 0, indices = 0, loss = 0.0
            for start in stride(from: 0, to: 32, by: 8) {
                let batch = try makeBatch(
                    (start..<start + 8).map { validation.scene(seed: UInt64($0)) }, stream: "validation")
                let (states, targets) = try answerStates(batch)
                let logits = try model.language.logits(states)
                for (best, target) in zip(try logits.argmax(1).array(of: Int.self), targets) {
                    let isRight = target.right.contains(best)
                    (right, total) = (right + (isRight ? 1 : 0), total + 1)
                    if indexTokens.contains(target.id) {
                        (indicesRight, indices) = (indicesRight + (isRight ? 1 : 0), indices + 1)
                    }
                }
                loss += try Self.surprise(logits, targets).sum().item(Double.self)
            }
            return [
                "token_accuracy": Double(right) / Double(total), "token_loss": loss / Double(total),
                "index_accuracy": Double(indicesRight) / Double(max(indices, 1)),
            ]
        }
    }
}
