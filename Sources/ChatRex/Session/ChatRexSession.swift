// The library's front door: pictures and questions in, grounded answers out.

import Boxes
import Foundation
import Imaging
import LanguageModels
import Synchronization
import Tokenizers
import Torch
import TorchNN
import UPN
import VisionEncoders

/// A loaded model that answers questions about pictures.
///
/// Work runs on a thread of its own. Answers that are asked for at the same time are written together, token by token; the last
/// pictures stay prepared, so that further questions about them cost only their own words.
///
///     let rex = try await ChatRexSession()
///     let answer = try await rex.detect(["dog", "red car"], in: Image(contentsOf: "street.jpg"))
///     for (phrase, object) in answer.detections { print(phrase, object.box, object.score) }
public actor ChatRexSession {
    private let model: ChatRexModel
    private let proposalNetwork: UniversalProposalNetwork
    /// What proposals pass where a question says nothing else: the limits that their network states.
    public nonisolated let proposalFilter: ProposalFilter
    private let tokenizer: BytePairTokenizer
    private let vocabulary: ChatRexVocabulary
    private let layout: PromptLayout
    private let preprocessor: ImagePreprocessor
    private var prepared: PreparedImages
    /// The answers that are being written.
    private let decoding: DecodingBatch
    private var isDecoding = false
    private let executor: ModelExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - folder: of the model; the built-in one when nil
    ///   - proposalNetwork: file or folder of the proposal network; the model folder's own when nil
    ///   - dtype: of the weights; float32 on the CPU and bfloat16 elsewhere when nil
    ///   - pictureMemory: bytes that prepared pictures may take
    /// - Throws: what `ModelFolder.find`, `ChatRexModel.load` and `UniversalProposalNetwork.load` throw.
    public init(
        model folder: ModelFolder? = nil, proposalNetwork: URL? = nil, device: Device = .cpu, dtype: DType? = nil,
        pictureMemory: Int = 256 << 20
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
        prepared = PreparedImages(limit: pictureMemory)
        decoding = DecodingBatch(model.language, limit: Self.batchLimit)
        preprocessor = ImagePreprocessor(
            highResolution: model.configuration.highResolution, lowResolution: model.configuration.clip.imageSize)
        // Boxes are read in float32: half a pixel matters to them, and the network is small beside the language model.
        self.proposalNetwork = try UniversalProposalNetwork.load(
            proposalNetwork ?? folder.proposalNetwork, device: device, dtype: .float32)
        let limits = self.proposalNetwork.configuration
        proposalFilter = ProposalFilter(minimumScore: limits.minimumScore, iouThreshold: limits.overlapLimit)
    }

    // MARK: Tasks

    /// Boxes for categories, phrases or referring expressions; each string may itself be a list separated by `;`.
    /// - Throws: `TaskError` for phrases that cannot be asked, `TorchError` when memory runs out.
    public func detect(
        _ phrases: [String], in image: Image, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) async throws -> GroundedAnswer {
        try await answer(.detect(phrases), about: image, boxes: boxes, options: options)
    }

    /// The number and places of objects of each category or phrase.
    public func count(
        _ phrases: [String], in image: Image, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) async throws -> GroundedAnswer {
        try await answer(.count(phrases), about: image, boxes: boxes, options: options)
    }

    /// A caption whose objects are located.
    public func caption(
        _ image: Image, style: VisionTask.CaptionStyle = .brief, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) async throws -> GroundedAnswer {
        try await answer(.groundedCaption(style), about: image, boxes: boxes, options: options)
    }

    /// An answer to a question. With `grounded`, the objects that it names are located.
    public func ask(
        _ question: String, about image: Image, grounded: Bool = false, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) async throws -> GroundedAnswer {
        try await answer(
            grounded ? .groundedQuestion(question) : .question(question), about: image, boxes: boxes, options: options)
    }

    /// What is in each of some regions: one answer a region, in their order; its first mention is the region itself.
    ///
    /// - Parameter openings: words that each answer begins with, in the regions' order; the model goes on from there. Empty for none.
    /// - Throws: `TaskError`, among others `.reservedText` for an opening with tags.
    public func describe(
        _ regions: [RegionBox], of image: Image, level: VisionTask.RegionLevel = .category, openings: [String] = [],
        options: AnswerOptions = AnswerOptions()
    ) async throws -> [GroundedAnswer] {
        if regions.isEmpty { throw TaskError.noRegion }
        return try await describeAll(try prepare(image, .given(regions)), level, openings, options)
    }

    /// What is in each region that the proposal network finds; the first mention of an answer is its region.
    public func describeProposals(
        of image: Image, level: VisionTask.RegionLevel = .category, boxes: BoxSource = .proposals(),
        options: AnswerOptions = AnswerOptions()
    ) async throws -> [GroundedAnswer] {
        try await describeAll(try prepare(image, boxes), level, [], options)
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
    ) async throws -> GroundedAnswer {
        let prepared = try prepare(image, boxes)
        let prompts = try task.prompts(boxCount: prepared.boxes.count, limits: options.limits)
        let progress = onUpdate.map { AnswerProgress($0) }
        let answer = GroundedAnswer.joined(
            try await answers(prompts, about: prepared, options, progress: prompts.count == 1 ? progress : nil))
        progress?.finish(answer)
        return answer
    }

    // MARK: Measuring

    /// Lets go of the prepared pictures, and of their memory; the next question about one prepares it again.
    public func forgetPictures() { prepared.removeAll() }

    private func timed<Result>(
        _ stage: any WritableKeyPath<StageTimes, Duration> & Sendable, _ body: () throws -> Result
    ) throws -> Result {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        defer { StageMeter.note { [time = ContinuousClock.now - start] in $0[keyPath: stage] += time } }
        return try body()
    }

    // MARK: Steps

    private func describeAll(
        _ prepared: PreparedImage, _ level: VisionTask.RegionLevel, _ openings: [String], _ options: AnswerOptions
    ) async throws -> [GroundedAnswer] {
        let indices = Array(prepared.boxes.indices)
        let prompts = try indices.flatMap { index in
            try VisionTask.describeRegions([index], level: level).prompts(
                boxCount: prepared.boxes.count, limits: options.limits
            ).map { prompt in
                var prompt = prompt
                if openings.indices.contains(index) { prompt.opening = openings[index] }
                return prompt
            }
        }
        return try await zip(indices, answers(prompts, about: prepared, options)).map { index, answer in
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
        // A model that writes coordinates finds its own boxes.
        let source = model.configuration.boxNotation == .indices ? source : source.givenAlone
        if let found = prepared.find(image, source) {
            StageMeter.note { $0.reusedPictures += 1 }
            return found
        }
        let made = try inference { try makePrepared(image, source) }
        prepared.insert(made)
        // Where many pictures come at once, answers still get on between two of them.
        decoding.step()
        return made
    }

    private func makePrepared(_ image: Image, _ source: BoxSource) throws -> PreparedImage {
        let (boxes, scores) = try timed(\.propose) { try self.boxes(of: image, source) }
        StageMeter.note { [count = boxes.count] in $0.boxes += count }
        let shown = model.configuration.boxNotation == .indices ? boxes : []
        let prompt = try layout.prompt(question: "", boxCount: shown.count)
        let dtype = model.language.embedding.weight.dtype, device = model.language.embedding.weight.device
        let (imageRows, objectRows) = try timed(\.encode) {
            let input = try preprocessor(image)
            let features = try model.visualFeatures(
                lowResolution: input.lowResolution.to(device: device, dtype: dtype),
                highResolution: input.highResolution.to(device: device, dtype: dtype))
            let objects =
                shown.isEmpty
                ? nil : try model.objectTokens(features.pyramid, boxes: [shown.map(input.frame.converted)])[0]
            return (try model.imageTokens(features)[0], objects)
        }
        let ids = Array(prompt.ids.prefix(prompt.prefixCount))
        let cache = try timed(\.read) {
            let rows = try model.splice(ids, image: imageRows, objects: objectRows).rows
            let cache = try KeyValueCache(
                model.configuration.language, capacity: rows.size(0), dtype: dtype, device: device)
            _ = try model.language(continuing: [(rows, cache)])
            return cache
        }
        return PreparedImage(
            image: image, source: source, boxes: boxes, proposalScores: scores, copies: copies(of: boxes), prefix: cache
        )
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

    /// For each box those that lie within it, or it within them, by more than the model's limit.
    private func copies(of boxes: [Box]) -> [[Int]] {
        let limit = model.configuration.nestingLimit
        if limit >= 1 { return [] }
        return boxes.indices.map { index in
            boxes.indices.filter { other in
                let smaller = min(boxes[index].area, boxes[other].area)
                return other != index && boxes[index].overlapArea(with: boxes[other]) > limit * smaller
            }
        }
    }

    /// Answers to some prompts about one picture.
    private func answers(
        _ prompts: [TaskPrompt], about prepared: PreparedImage, _ options: AnswerOptions,
        progress: AnswerProgress? = nil
    ) async throws -> [GroundedAnswer] {
        let boxCount = prepared.boxes.count, copies = prepared.copies, coordinates = coordinates(in: prepared.image)
        var budget = options.maxTokens
        let grammars = try prompts.map { prompt -> IndexGrammar? in
            if !options.usesGrammar || coordinates != nil { return nil }
            do {
                return try prompt.grammar(boxCount: boxCount, copies: copies, budget: budget, vocabulary: vocabulary)
            } catch TaskError.budgetTooSmall(_, let minimum) {
                budget = minimum + options.maxTokens
                return try prompt.grammar(boxCount: boxCount, copies: copies, budget: budget, vocabulary: vocabulary)
            }
        }
        let requests = try zip(prompts, grammars).map { prompt, grammar in
            let question = coordinates?.spelled(prompt.question, boxes: prepared.boxes) ?? prompt.question
            let ids = try layout.prompt(
                question: question, history: options.history, boxCount: coordinates == nil ? boxCount : 0)
            let rows = try inference {
                try model.splice(Array(ids.ids.dropFirst(ids.prefixCount)), image: nil, objects: nil).rows
            }
            return GenerationRequest(rows: rows, grammar: grammar)
        }
        let read = requests.reduce(0) { $0 + prepared.prefix.length + $1.rows.size(0) }
        var settings = GenerationOptions(
            maxTokens: budget, stopTokens: [vocabulary.end], sampling: options.sampling,
            contrastToken: vocabulary.objectsEnd, alternatives: options.alternatives)
        // A box too many spoils a count, but not the other boxes of a detection.
        if case .count? = prompts.first?.task { settings.listEnd = .whenLikeliest }
        var written: [GeneratedToken] = []
        let start = ContinuousClock.now
        let generations = try await generations(requests, after: prepared.prefix, settings) { _, token in
            guard let progress else { return true }
            written.append(token)
            let answer = self.bind(written, isTruncated: false, prepared, options)
            return progress.advance(to: answer, isGroupClosed: token.id == self.vocabulary.objectsEnd)
        }
        let time = ContinuousClock.now - start, tokens = generations.reduce(0) { $0 + $1.tokens.count }
        StageMeter.note {
            $0.answer += time
            $0.promptTokens += read
            $0.tokens += tokens
        }
        return generations.map { bind($0.tokens, isTruncated: $0.isTruncated, prepared, options) }
    }

    /// How boxes are written about a picture, of a model that writes coordinates.
    private func coordinates(in image: Image) -> CoordinateText? {
        model.configuration.boxNotation == .coordinates ? CoordinateText(width: image.width, height: image.height) : nil
    }

    // MARK: Decoding

    /// Sequences that are decoded at a time, of all callers together.
    private static let batchLimit = 16

    /// Joins the batch and waits until these sequences are complete.
    private func generations(
        _ requests: [GenerationRequest], after prefix: KeyValueCache, _ options: GenerationOptions,
        onToken: @escaping (Int, GeneratedToken) -> Bool
    ) async throws -> [Generation] {
        try Task.checkCancellation()
        let isCancelled = Atomic(false)
        let generations = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try decoding.join(
                        requests, after: prefix, options, isCancelled: { isCancelled.load(ordering: .relaxed) },
                        onToken: onToken
                    ) { continuation.resume(with: $0) }
                    decodeIfIdle()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
        try Task.checkCancellation()
        return generations
    }

    private func decodeIfIdle() {
        if isDecoding { return }
        isDecoding = true
        Task { await decode() }
    }

    /// Steps until nothing is left to decode. Between steps others have the thread, to prepare pictures and to join.
    private func decode() async {
        while !decoding.isIdle {
            decoding.step()
            await Task.yield()
        }
        isDecoding = false
    }

    private func choice(_ token: GeneratedToken) -> TokenChoice {
        func candidate(_ id: Int, _ logProbability: Double) -> TokenChoice.Candidate {
            .init(bytes: vocabulary.bytes(of: id), logProbability: logProbability)
        }
        return TokenChoice(
            chosen: candidate(token.id, token.logProbability ?? 0),
            alternatives: token.alternatives.map { candidate($0.id, $0.logProbability) })
    }

    private func bind(
        _ generated: [GeneratedToken], isTruncated: Bool, _ prepared: PreparedImage, _ options: AnswerOptions
    ) -> GroundedAnswer {
        let tokens = generated.filter { $0.id != vocabulary.end }
        let text = tokenizer.decode(tokens.map(\.id))
        let confidences = tokens.filter { vocabulary.objectIndex(of: $0.id) != nil }.map(\.confidence)
        var answer =
            if let reading = coordinates(in: prepared.image)?.read(text, confidences: confidences) {
                GroundedAnswer(
                    rawText: text, parsed: AnswerParser.parse(reading.text, boxCount: reading.boxes.count),
                    boxes: reading.boxes, indexConfidences: reading.confidences, scoring: options.scoring,
                    isTruncated: isTruncated)
            } else {
                GroundedAnswer(
                    rawText: text, boxes: prepared.boxes, proposalScores: prepared.proposalScores,
                    indexConfidences: confidences, scoring: options.scoring, isTruncated: isTruncated)
            }
        if options.alternatives != nil { answer.tokens = tokens.map(choice) }
        if options.minimumScore > 0 {
            for index in answer.groups.indices {
                answer.groups[index].objects.removeAll { $0.score < options.minimumScore }
            }
        }
        return answer
    }
}
