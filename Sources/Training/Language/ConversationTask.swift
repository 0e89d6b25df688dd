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
    /// Share of pictures shown with proposals alone, as at inference; the others mix in the truth.
    public var proposalsAloneRate = 0.5
    /// Proposals that overlap a true box by more are left out where the truth is mixed in. Paper, section 3.2: 0.9.
    public var truthOverlapLimit = 0.9
    /// Exchanges about a picture, as a multiple of the stage's mixture. Most of a step's time goes into pictures where the encoders
    /// are frozen, so that more questions about each are nearly free.
    public var exchangeDensity = 1.0
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
        try check(proposalsAloneRate, 0...1, "proposalsAloneRate")
        try check(truthOverlapLimit, 0...1, "truthOverlapLimit")
        try check(exchangeDensity, 0.01...100, "exchangeDensity")
        try check(weightDecay, 0...10, "weightDecay")
    }
}

/// Trains a ChatRex model on exchanges about pictures.
public final class ConversationTask: TrainingTask {
    public let tensors: [(name: String, tensor: Tensor)]
    public let parameterGroups: [AdamW.Group]
    public let model: ChatRexModel
    private let options: ConversationOptions
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
        self.proposalNetwork = proposalNetwork
        tensors = model.weights.store.entries.map { ($0.name, $0.tensor) }
        self.tokenizer = tokenizer
        let vocabulary = try ChatRexVocabulary(tokenizer, logitCount: model.configuration.language.vocabularySize)
        layout = PromptLayout(vocabulary: vocabulary)
        indexTokens = Set(vocabulary.objects)
        preprocessor = ImagePreprocessor(
            highResolution: model.configuration.highResolution, lowResolution: model.configuration.clip.imageSize)
        let encoders = model.clip.namedParameters + model.convNeXt.namedParameters
        let projectors = model.imageProjector.namedParameters + model.objectProjector.namedParameters
        let embeddings = model.language.embedding.namedParameters
        let apart = Set((encoders + projectors + embeddings).map(\.name))
        var rest = model.namedParameters.filter { !apart.contains($0.name) }
        if !options.trainsLanguageModel {
            rest.removeAll { $0.name.hasPrefix("model.layers.") || $0.name.hasPrefix("model.norm.") }
        }
        let groups = [
            (rest, 1), (embeddings, options.embeddingRate), (projectors, options.projectorRate),
            (encoders, options.encoderRate),
        ]
        parameterGroups = groups.filter { $0.1 > 0 }.flatMap { parameters, rate in
            WeightDecay.groups(parameters, decay: options.weightDecay, rateScale: rate)
        }
    }

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
        let imageRows = model.configuration.imageTokenCount
        let proposals =
            options.stage == .align
            ? nil
            : try proposalNetwork?.propose(
                pictures.map(\.image), filter: ProposalFilter(maximumCount: 60))
        let examples = try pictures.enumerated().map { index, picture in
            var random = SceneRandom(seed: picture.seed &+ options.seed, stream: stream)
            let boxes = mixedBoxes(picture, proposals?[index].map(\.box), &random)
            let dialogue = PictureDialogue(
                picture: picture, boxesOfObject: boxes.boxesOfObject, boxCount: boxes.boxes.count)
            let frame = SquareFrame(
                width: picture.image.width, height: picture.image.height, side: preprocessor.highResolution)
            return try ConversationExample(
                pixels: preprocessor.squarePixels(picture.image).pixels, boxes: boxes.boxes.map(frame.converted),
                copies: boxes.boxesOfObject.values.filter { $0.count > 1 },
                exchanges: options.stage.mixture.exchanges(dialogue, density: options.exchangeDensity, &random),
                layout: layout, imageRows: imageRows,
                limit: options.sequenceLimit)
        }
        return ConversationBatch(examples, imageRows: imageRows)
    }

    private func mixedBoxes(_ picture: some PictureTruth, _ proposals: [Box]?, _ random: inout SceneRandom)
        -> MixedBoxes
    {
        if options.stage == .align { return BoxMixing.truth(of: picture, with: [], limit: 60, &random) }
        guard let proposals else {
            return BoxMixing.truth(of: picture, with: BoxMixing.imitated(for: picture, &random), limit: 60, &random)
        }
        let inside = proposals.map {
            $0.clipped(toWidth: Double(picture.image.width), height: Double(picture.image.height))
        }
        .filter { $0.width > 0 && $0.height > 0 }
        return random.chance(options.proposalsAloneRate)
            ? BoxMixing.proposals(inside, for: picture, limit: 60)
            : BoxMixing.truth(of: picture, with: inside, overlapLimit: options.truthOverlapLimit, limit: 60, &random)
    }

    // MARK: Loss

    public func losses(_ batch: ConversationBatch) throws -> TrainingLosses {
        let (logits, targets) = try answerLogits(batch)
        let count = try parallel.sum(targets.count)
        return try TrainingLosses(total: Self.surprise(logits, targets).sum() / Double(max(1, count)))
    }

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

    /// Logits where an answer's next token is due [A, V], and these tokens.
    private func answerLogits(_ batch: ConversationBatch) throws -> (logits: Tensor, targets: [AnswerToken]) {
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
        return (try model.language.logits(due), batch.targets.map(\.token))
    }

    private var isEvaluating = false

    public func export(to folder: URL) throws {
        try model.save(to: folder)
        try tokenizer.write(to: ModelFolder(folder).tokenizer)
    }

    // MARK: Evaluation

    /// How often the most likely token is the right one on validation scenes, over all tokens and over indices.
    public func evaluate() throws -> [String: Double] {
        isEvaluating = true
        defer { isEvaluating = false }
        return try inference {
            var right = 0, total = 0, indicesRight = 0, indices = 0, loss = 0.0
            for start in stride(from: 0, to: 32, by: 8) {
                let batch = try makeBatch(
                    (start..<start + 8).map { validation.scene(seed: UInt64($0)) }, stream: "validation")
                let (logits, targets) = try answerLogits(batch)
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
