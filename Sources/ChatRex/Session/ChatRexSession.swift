// The library's front door: pictures and questions in, grounded answers out.

import Boxes
import Foundation
import Imaging
import LanguageModels
import Tokenizers
import Torch
import TorchNN
import UPN
import VisionEncoders

/// A loaded model that answers questions about pictures.
///
/// Work runs on a thread of its own, one request after the other. The last pictures stay prepared, so that further questions about them
/// cost only their own words.
///
///     let rex = try await ChatRexSession()
///     let answer = try await rex.detect(["dog", "red car"], in: Image(contentsOf: "street.jpg"))
///     for (phrase, object) in answer.detections { print(phrase, object.box, object.score) }
public actor ChatRexSession {
    private let model: ChatRexModel
    private let proposalNetwork: UniversalProposalNetwork
    private let tokenizer: BytePairTokenizer
    private let vocabulary: ChatRexVocabulary
    private let layout: PromptLayout
    private let preprocessor: ImagePreprocessor
    private var prepared: [PreparedImage] = []
    private let preparedLimit = 4
    private let executor: ModelExecutor
    /// Time by stage since loading or `resetTimes()`.
    public private(set) var times = StageTimes()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - folder: of the model; the built-in one when nil
    ///   - proposalNetwork: file or folder of the proposal network; the model folder's own when nil
    ///   - dtype: of the weights; float32 on the CPU and bfloat16 elsewhere when nil
    /// - Throws: what `ModelFolder.find`, `ChatRexModel.load` and `UniversalProposalNetwork.load` throw.
    public init(
        model folder: ModelFolder? = nil, proposalNetwork: URL? = nil, device: Device = .cpu, dtype: DType? = nil
    ) async throws {
        let folder = try folder ?? ModelFolder.find()
        let device = try device.checked()
        let dtype = dtype ?? (device.kind == .cpu ? .float32 : .bfloat16)
        Runtime.initialize()
        executor = ModelExecutor(name: "chatrex")
        tokenizer = try BytePairTokenizer(contentsOf: folder.tokenizer).adding(specialTokens: ChatRexTokens.all)
        model = try ChatRexModel.load(folder.url, device: device, dtype: dtype)
        vocabulary = try ChatRexVocabulary(tokenizer, logitCount: model.configuration.language.vocabularySize)
        layout = PromptLayout(vocabulary: vocabulary)
        preprocessor = ImagePreprocessor(
            highResolution: model.configuration.highResolution, lowResolution: model.configuration.clip.imageSize)
        // Boxes are read in float32: half a pixel matters to them, and the network is small beside the language model.
        self.proposalNetwork = try UniversalProposalNetwork.load(
            proposalNetwork ?? folder.proposalNetwork, device: device, dtype: .float32)
    }

    // MARK: Tasks

    /// Boxes for categories, phrases or referring expressions; each string may itself be a list separated by `;`.
    /// - Throws: `TaskError` for phrases that cannot be asked, `TorchError` when memory runs out.
    public func detect(
        _ phrases: [String], in image: Image, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) throws -> GroundedAnswer {
        try answer(.detect(phrases), about: image, boxes: boxes, options: options)
    }

    /// The number and places of objects of each category or phrase.
    public func count(
        _ phrases: [String], in image: Image, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) throws -> GroundedAnswer {
        try answer(.count(phrases), about: image, boxes: boxes, options: options)
    }

    /// A caption whose objects are located.
    public func caption(
        _ image: Image, style: VisionTask.CaptionStyle = .brief, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) throws -> GroundedAnswer {
        try answer(.groundedCaption(style), about: image, boxes: boxes, options: options)
    }

    /// An answer to a question. With `grounded`, the objects that it names are located.
    public func ask(
        _ question: String, about image: Image, grounded: Bool = false, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) throws -> GroundedAnswer {
        try answer(
            grounded ? .groundedQuestion(question) : .question(question), about: image, boxes: boxes, options: options)
    }

    /// What is in each of some regions: one answer a region, in their order; its first mention is the region itself.
    public func describe(
        _ regions: [RegionBox], of image: Image, level: VisionTask.RegionLevel = .category,
        options: AnswerOptions = AnswerOptions()
    ) throws -> [GroundedAnswer] {
        if regions.isEmpty { throw TaskError.noRegion }
        return try describeAll(try prepare(image, .given(regions)), level, options)
    }

    /// What is in each region that the proposal network finds; the first mention of an answer is its region.
    public func describeProposals(
        of image: Image, level: VisionTask.RegionLevel = .category, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) throws -> [GroundedAnswer] {
        try describeAll(try prepare(image, boxes), level, options)
    }

    /// Proposals for pictures of any sizes.
    public func propose(
        _ images: [Image], granularities: [Granularity] = [.fine], filter: ProposalFilter = ProposalFilter()
    ) throws -> [[Proposal]] {
        try proposalNetwork.propose(images, granularities: granularities, filter: filter)
    }

    /// Any task; a long list of phrases is asked in several prompts that are decoded together.
    ///
    /// Cancelling the calling task ends the work within a token or a stage.
    ///
    /// - Parameter onUpdate: called on the model's thread with each piece of the answer, which joined make the answer; returning false
    ///   ends it there. An answer of several prompts comes in one piece.
    /// - Throws: `CancellationError`, `TaskError` for what cannot be asked, `TorchError` when memory runs out.
    public func answer(
        _ task: VisionTask, about image: Image, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions(), onUpdate: (@Sendable (AnswerUpdate) -> Bool)? = nil
    ) throws -> GroundedAnswer {
        let prepared = try prepare(image, boxes)
        let prompts = try task.prompts(boxCount: prepared.boxes.count, limits: options.limits)
        let progress = onUpdate.map { AnswerProgress($0) }
        let answer = GroundedAnswer.joined(
            try answers(prompts, about: prepared, options, progress: prompts.count == 1 ? progress : nil))
        progress?.finish(answer)
        return answer
    }

    // MARK: Measuring

    /// Starts the times anew.
    public func resetTimes() { times = StageTimes() }

    /// Lets go of the prepared pictures, and of their memory; the next question about one prepares it again.
    public func forgetPictures() { prepared = [] }

    private func timed<Result>(_ stage: WritableKeyPath<StageTimes, Duration>, _ body: () throws -> Result) throws
        -> Result
    {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        defer { times[keyPath: stage] += .now - start }
        return try body()
    }

    // MARK: Steps

    private func describeAll(
        _ prepared: PreparedImage, _ level: VisionTask.RegionLevel, _ options: AnswerOptions
    ) throws -> [GroundedAnswer] {
        let indices = Array(prepared.boxes.indices)
        let prompts = try indices.flatMap {
            try VisionTask.describeRegions([$0], level: level).prompts(
                boxCount: prepared.boxes.count, limits: options.limits)
        }
        return try zip(indices, answers(prompts, about: prepared, options)).map { index, answer in
            let score = prepared.proposalScores[index]
            let region = GroundedAnswer.Object(
                index: index, box: prepared.boxes[index], score: options.scoring(confidence: nil, proposal: score),
                proposalScore: score)
            var answer = answer
            answer.mentions.removeAll { $0.object.index == index }
            answer.mentions.insert(.init(position: 0, object: region), at: 0)
            return answer
        }
    }

    /// Encodes picture and boxes and lets the language model read them, unless it has just done so.
    private func prepare(_ image: Image, _ source: BoxSource) throws -> PreparedImage {
        if let index = prepared.firstIndex(where: { $0.source == source && $0.image == image }) {
            let found = prepared.remove(at: index)
            prepared.append(found)
            times.reusedPictures += 1
            return found
        }
        let made = try inference { try makePrepared(image, source) }
        prepared.append(made)
        if prepared.count > preparedLimit { prepared.removeFirst() }
        return made
    }

    private func makePrepared(_ image: Image, _ source: BoxSource) throws -> PreparedImage {
        let (boxes, scores) = try timed(\.propose) { try self.boxes(of: image, source) }
        times.boxes += boxes.count
        let prompt = try layout.prompt(question: "", boxCount: boxes.count)
        let dtype = model.language.embedding.weight.dtype, device = model.language.embedding.weight.device
        let (imageRows, objectRows) = try timed(\.encode) {
            let input = try preprocessor(image)
            let features = try model.visualFeatures(
                lowResolution: input.lowResolution.to(device: device, dtype: dtype),
                highResolution: input.highResolution.to(device: device, dtype: dtype))
            let objects =
                boxes.isEmpty
                ? nil : try model.objectTokens(features.pyramid, boxes: [boxes.map(input.frame.converted)])[0]
            return (try model.imageTokens(features)[0], objects)
        }
        let ids = Array(prompt.ids.prefix(prompt.prefixCount))
        let cache = try timed(\.read) {
            let rows = try model.splice(ids, image: imageRows, objects: objectRows).rows
            let cache = try KeyValueCache(
                model.configuration.language, batch: 1, capacity: rows.size(0), dtype: dtype, device: device)
            _ = try model.language(rows.unsqueezed(0), cache: cache)
            return cache
        }
        return PreparedImage(image: image, source: source, boxes: boxes, proposalScores: scores, prefix: cache)
    }

    /// The boxes of a source, at most as many as there are index tokens.
    private func boxes(of image: Image, _ source: BoxSource) throws -> ([Box], [Double?]) {
        switch source {
        case .none: return ([], [])
        case .given(let regions):
            if regions.count > vocabulary.objects.count {
                throw TaskError.tooManyBoxes(count: regions.count, limit: vocabulary.objects.count)
            }
            let boxes = try regions.map { try $0.clipped(width: image.width, height: image.height) }
            return (boxes, boxes.map { _ in nil })
        case .proposals(let granularities, let filter):
            return try proposals(image, granularities, filter, room: vocabulary.objects.count)
        case .givenWithProposals(let regions, let granularities, let filter):
            let (given, none) = try boxes(of: image, .given(regions))
            let (more, scores) = try proposals(
                image, granularities, filter, room: vocabulary.objects.count - given.count)
            return (given + more, none + scores)
        }
    }

    private func proposals(
        _ image: Image, _ granularities: [Granularity], _ filter: ProposalFilter, room: Int
    ) throws -> ([Box], [Double?]) {
        var filter = filter
        filter.maximumCount = min(filter.maximumCount, room)
        let found = try proposalNetwork.propose([image], granularities: granularities, filter: filter)[0]
        let inside = found.map {
            ($0.box.clipped(toWidth: Double(image.width), height: Double(image.height)), $0.score)
        }
        .filter { $0.0.width > 0 && $0.0.height > 0 }
        return (inside.map(\.0), inside.map(\.1))
    }

    /// Decodes the answers to some prompts about one picture together.
    private func answers(
        _ prompts: [TaskPrompt], about prepared: PreparedImage, _ options: AnswerOptions,
        progress: AnswerProgress? = nil
    ) throws -> [GroundedAnswer] {
        let boxCount = prepared.boxes.count
        var budget = options.maxTokens
        let grammars = try prompts.map { prompt -> IndexGrammar? in
            if !options.usesGrammar { return nil }
            do {
                return try prompt.grammar(boxCount: boxCount, budget: budget, vocabulary: vocabulary)
            } catch TaskError.budgetTooSmall(_, let minimum) {
                budget = minimum + options.maxTokens
                return try prompt.grammar(boxCount: boxCount, budget: budget, vocabulary: vocabulary)
            }
        }
        var generator = Generator(
            model.language,
            GenerationOptions(
                maxTokens: budget, stopTokens: [vocabulary.end], sampling: options.sampling,
                contrastToken: vocabulary.objectsEnd))
        var written: [GeneratedToken] = []
        generator.onToken = { _, token in
            if let progress {
                written.append(token)
                let answer = self.bind(written, isTruncated: false, prepared, options)
                if !progress.advance(to: answer, isGroupClosed: token.id == self.vocabulary.objectsEnd) { return false }
            }
            return !Task.isCancelled
        }
        // A batch is bounded so that a thousand categories do not multiply the memory of the prefix a thousandfold.
        var generations: [Generation] = []
        for start in stride(from: 0, to: prompts.count, by: Self.batchLimit) {
            let range = start..<min(start + Self.batchLimit, prompts.count)
            let requests = try range.map { index in
                let ids = try layout.prompt(question: prompts[index].question, boxCount: boxCount)
                let rows = try inference {
                    try model.splice(Array(ids.ids.dropFirst(ids.prefixCount)), image: nil, objects: nil).rows
                }
                times.promptTokens += prepared.prefix.length + rows.size(0)
                return GenerationRequest(rows: rows, grammar: grammars[index])
            }
            generations += try timed(\.answer) { try generator(requests, after: prepared.prefix) }
            try Task.checkCancellation()
        }
        times.tokens += generations.reduce(0) { $0 + $1.tokens.count }
        return generations.map { bind($0.tokens, isTruncated: $0.isTruncated, prepared, options) }
    }

    private static let batchLimit = 16

    private func bind(
        _ generated: [GeneratedToken], isTruncated: Bool, _ prepared: PreparedImage, _ options: AnswerOptions
    ) -> GroundedAnswer {
        let tokens = generated.filter { $0.id != vocabulary.end }
        var answer = GroundedAnswer(
            rawText: tokenizer.decode(tokens.map(\.id)), boxes: prepared.boxes, proposalScores: prepared.proposalScores,
            indexConfidences: tokens.filter { vocabulary.objectIndex(of: $0.id) != nil }.map(\.confidence),
            scoring: options.scoring, isTruncated: isTruncated)
        if options.minimumScore > 0 {
            for index in answer.groups.indices {
                answer.groups[index].objects.removeAll { $0.score < options.minimumScore }
            }
        }
        return answer
    }
}
