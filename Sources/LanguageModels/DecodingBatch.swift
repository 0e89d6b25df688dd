// Continuous batching: sequences of different callers are decoded together. They join and leave between steps; each has its own
// memory, grammar and sampler, so that it becomes what it would have become alone.

import Foundation
import Torch
import TorchNN

/// Sequences that are decoded together. Belongs to one thread at a time.
public final class DecodingBatch {
    private let model: Qwen2
    /// Most sequences in a step; others wait.
    private let limit: Int
    private var active: [(sequence: Sequence, cache: KeyValueCache)] = []
    private var waiting: [Sequence] = []

    /// - Parameter limit: of sequences that are decoded at a time; it bounds the memory for their positions.
    public init(_ model: Qwen2, limit: Int) {
        (self.model, self.limit) = (model, limit)
    }

    /// Whether there is nothing to do.
    public var isIdle: Bool { active.isEmpty && waiting.isEmpty }

    /// Adds continuations of one prefix; they take part from the next step on.
    ///
    /// - Parameters:
    ///   - prefix: its cache, which stays as it is; nil for none.
    ///   - isCancelled: asked before every step; true ends these sequences there.
    ///   - onToken: called with the request's number and each of its tokens as it is chosen; false ends all of these sequences.
    ///   - completion: called once with one generation a request, in their order.
    /// - Throws: `LanguageModelError.tooLong` where the model has too few positions.
    public func join(
        _ requests: [GenerationRequest], after prefix: KeyValueCache?, _ options: GenerationOptions,
        isCancelled: @escaping () -> Bool = { false }, onToken: ((Int, GeneratedToken) -> Bool)? = nil,
        completion: @escaping (Result<[Generation], any Error>) -> Void
    ) throws {
        let longest = requests.map { $0.rows.size(0) }.max() ?? 0
        let positions = (prefix?.length ?? 0) + longest + options.maxTokens, most = model.configuration.maxPositions
        if positions > most { throw LanguageModelError.tooLong(positions: positions, limit: most) }
        let job = Job(requests.count, prefix, options, isCancelled, onToken, completion)
        waiting += requests.enumerated().map { Sequence($1, number: $0, of: job) }
        job.completeIfDone()
    }

    /// Lets every sequence read what it was given or chose last, and choose its next tokens.
    public func step() {
        for job in jobs where job.isCancelled() { job.end() }
        removeEnded()
        do {
            try inference {
                try admit()
                if !active.isEmpty { try advance() }
            }
        } catch {
            // Whose memory is in which state is not known, so none of these goes on.
            for (sequence, _) in active { sequence.job.fail(error) }
        }
        removeEnded()
    }

    // MARK: Steps

    private var jobs: [Job] {
        var seen: Set<ObjectIdentifier> = []
        return (active.map(\.sequence) + waiting).map(\.job).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    private func removeEnded() {
        active.removeAll { $0.sequence.isDone || $0.sequence.job.isOver }
        waiting.removeAll { $0.job.isOver }
    }

    /// Fills free places, first with sequences of the jobs that have the fewest, so that a long list of questions lets others by.
    private func admit() throws {
        while active.count < limit, !waiting.isEmpty {
            let shares = Dictionary(grouping: active) { ObjectIdentifier($0.sequence.job) }.mapValues(\.count)
            func share(_ index: Int) -> Int { shares[ObjectIdentifier(waiting[index].job)] ?? 0 }
            let next = waiting.indices.min { (share($0), $0) < (share($1), $1) } ?? 0
            let sequence = waiting.remove(at: next)
            do {
                active.append((sequence, try sequence.memory(model)))
            } catch {
                sequence.job.fail(error)
                throw error
            }
        }
    }

    private func advance() throws {
        let reads = try active.map { (rows: try $0.sequence.due(model), cache: $0.cache) }
        let hidden = try model(continuing: reads)  // [sum of T, D]
        var end = -1
        let ends = reads.map { read -> Int in
            end += read.rows.size(0)
            return end
        }
        let logits = try model.logits(hidden.selected(0, Tensor(ends).to(device: hidden.device)))
            .array(of: Float.self)
        let width = logits.count / active.count
        logits.withUnsafeBufferPointer { all in
            for (index, (sequence, _)) in active.enumerated() where !sequence.job.isOver {
                sequence.advance(UnsafeBufferPointer(rebasing: all[index * width..<(index + 1) * width]))
            }
        }
    }
}

/// What one caller asked for.
private final class Job {
    let prefix: KeyValueCache?
    let options: GenerationOptions
    let isCancelled: () -> Bool
    let onToken: ((Int, GeneratedToken) -> Bool)?
    private var generations: [Generation]
    private var isComplete: [Bool]
    private var completion: ((Result<[Generation], any Error>) -> Void)?

    init(
        _ count: Int, _ prefix: KeyValueCache?, _ options: GenerationOptions, _ isCancelled: @escaping () -> Bool,
        _ onToken: ((Int, GeneratedToken) -> Bool)?, _ completion: @escaping (Result<[Generation], any Error>) -> Void
    ) {
        (self.prefix, self.options, self.isCancelled) = (prefix, options, isCancelled)
        (self.onToken, self.completion) = (onToken, completion)
        generations = [Generation](repeating: Generation(), count: count)
        isComplete = [Bool](repeating: false, count: count)
    }

    /// Whether the caller has been told.
    var isOver: Bool { completion == nil }

    func add(_ token: GeneratedToken, to number: Int) {
        generations[number].tokens.append(token)
        if onToken?(number, token) == false { end() }
    }

    func count(of number: Int) -> Int { generations[number].tokens.count }

    func complete(_ number: Int, isTruncated: Bool = false) {
        generations[number].isTruncated = isTruncated
        isComplete[number] = true
        completeIfDone()
    }

    func completeIfDone() {
        if isComplete.allSatisfy({ $0 }) { tell(.success(generations)) }
    }

    /// Ends what is not complete yet.
    func end() {
        for number in generations.indices where !isComplete[number] { generations[number].isTruncated = true }
        tell(.success(generations))
    }

    func fail(_ error: any Error) { tell(.failure(error)) }

    private func tell(_ outcome: Result<[Generation], any Error>) {
        let completion = completion
        self.completion = nil
        completion?(outcome)
    }
}

/// One continuation while it is being generated.
private final class Sequence {
    let job: Job
    /// Of the request within its job.
    private let number: Int
    private var rows: Tensor?
    private var chosen: [Int] = []
    private var grammar: (any TokenGrammar)?
    private var sampler: TokenSampler
    private(set) var isDone = false

    init(_ request: GenerationRequest, number: Int, of job: Job) {
        (self.job, self.number) = (job, number)
        (rows, grammar) = (request.rows, request.grammar)
        // By the number within the job, so that a sample does not depend on who else is there.
        sampler = TokenSampler(
            job.options.sampling, sequence: number, closing: job.options.contrastToken, listEnd: job.options.listEnd)
    }

    /// A cache that continues from the prefix.
    func memory(_ model: Qwen2) throws -> KeyValueCache {
        let room = (rows?.size(0) ?? 0) + job.options.maxTokens, weight = model.embedding.weight
        return try job.prefix?.branched(room: room)
            ?? KeyValueCache(model.configuration, capacity: room, dtype: weight.dtype, device: weight.device)
    }

    /// Embeddings of what the model has not read yet, [T, D].
    func due(_ model: Qwen2) throws -> Tensor {
        if let rows {
            self.rows = nil
            return rows
        }
        return try model.embedding(Tensor(chosen).to(device: model.embedding.weight.device))
    }

    /// Chooses tokens until the model has to be asked again: one, or a run that the grammar forces.
    func advance(_ logits: UnsafeBufferPointer<Float>) {
        chosen = []
        let allowed = grammar?.allowed() ?? .any(except: [])
        if case .forced(let tokens) = allowed {
            for id in tokens where !isDone && !job.isOver {
                take(GeneratedToken(id: id, confidence: 1, logProbability: job.options.alternatives.map { _ in 0 }))
            }
        } else if let id = sampler.next(logits, allowed: allowed) {
            var token = GeneratedToken(id: id, confidence: 1)
            if let contrast = job.options.contrastToken, logits.indices.contains(contrast) {
                token.confidence = 1 / (1 + exp(Double(logits[contrast] - logits[id])))
            }
            if let count = job.options.alternatives {
                (token.logProbability, token.alternatives) = TokenSampler.likelihood(
                    of: id, logits, allowed: allowed, alternatives: count)
            }
            take(token)
        } else {
            finish()
        }
    }

    private func take(_ token: GeneratedToken) {
        let id = token.id
        chosen.append(id)
        grammar?.advance(id)
        sampler.record(id)
        job.add(token, to: number)
        if job.isOver { return }
        if job.options.stopTokens.contains(id) {
            finish()
        } else if case .end? = grammar?.allowed() {
            finish()
        } else if job.count(of: number) >= job.options.maxTokens {
            finish(isTruncated: true)
        }
    }

    private func finish(isTruncated: Bool = false) {
        isDone = true
        job.complete(number, isTruncated: isTruncated || grammar?.isCutShort == true)
    }
}
