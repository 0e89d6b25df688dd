// Generation: several continuations of one prefix decoded together, each under its own grammar.

import Foundation
import Torch
import TorchNN

/// One continuation to be generated.
public struct GenerationRequest {
    /// Embeddings of what follows the shared prefix, [T, D] with T >= 1.
    public let rows: Tensor
    /// What may be generated; nil allows everything.
    public let grammar: (any TokenGrammar)?

    public init(rows: Tensor, grammar: (any TokenGrammar)? = nil) {
        (self.rows, self.grammar) = (rows, grammar)
    }
}

/// A generated token.
public struct GeneratedToken: Sendable, Equatable {
    public let id: Int
    /// p(token) / (p(token) + p(contrast)) by the model's own logits; 1 for tokens that a grammar forced and without a contrast token.
    public let confidence: Double
}

/// What came of a request.
public struct Generation: Sendable, Equatable {
    /// Generated tokens, a stop token included.
    public internal(set) var tokens: [GeneratedToken] = []
    /// Whether the limit came before a stop token or the grammar's end.
    public internal(set) var isTruncated = false

    public var ids: [Int] { tokens.map(\.id) }
}

/// Settings of a generation.
public struct GenerationOptions: Sendable, Equatable {
    public var maxTokens: Int
    public var stopTokens: Set<Int>
    public var sampling: SamplingOptions
    /// A token that ends lists. Every other is weighed against it for `GeneratedToken.confidence`, and where a grammar offers it
    /// beside others, greedy decoding takes it when it is more likely than all of them together.
    public var contrastToken: Int?

    public init(maxTokens: Int, stopTokens: Set<Int>, sampling: SamplingOptions = .greedy, contrastToken: Int? = nil) {
        (self.maxTokens, self.stopTokens, self.sampling) = (maxTokens, stopTokens, sampling)
        self.contrastToken = contrastToken
    }
}

/// Decodes requests that share a prefix as one batch.
public struct Generator {
    public let model: Qwen2
    public let options: GenerationOptions
    /// Called with the request's number and each of its tokens as it is chosen; returning false stops everything.
    public var onToken: ((Int, GeneratedToken) -> Bool)?

    public init(_ model: Qwen2, _ options: GenerationOptions) {
        (self.model, self.options) = (model, options)
    }

    /// - Parameter prefix: the cache of the shared prefix (one row); it stays as it is. Nil for none.
    /// - Returns: one generation a request, in their order.
    public func callAsFunction(_ requests: [GenerationRequest], after prefix: KeyValueCache?) throws -> [Generation] {
        if requests.isEmpty { return [] }
        return try inference {
            let longest = requests.map { $0.rows.size(0) }.max() ?? 0
            let start = prefix?.length ?? 0, room = longest + options.maxTokens
            let limit = model.configuration.maxPositions
            if start + room > limit { throw LanguageModelError.tooLong(positions: start + room, limit: limit) }
            let cache =
                try prefix?.branched(batch: requests.count, room: room)
                ?? KeyValueCache(
                    model.configuration, batch: requests.count, capacity: room, dtype: model.embedding.weight.dtype,
                    device: model.embedding.weight.device)
            var batch = Batch(model: model, cache: cache, count: requests.count)
            var sequences = requests.enumerated().map { Sequence(number: $0, grammar: $1.grammar, options) }
            var logits = try batch.feed(requests.map(\.rows))
            while true {
                let runs = try chooseTokens(&sequences, logits)
                guard let runs else { break }
                logits = try batch.feed(runs.map { run in try run.isEmpty ? nil : embedded(run) })
            }
            return sequences.map(\.result)
        }
    }

    private func embedded(_ tokens: [Int]) throws -> Tensor {
        try model.embedding(Tensor(tokens).to(device: model.embedding.weight.device))
    }

    /// The next tokens of each sequence (none for finished ones), or nil when all are finished.
    private func chooseTokens(_ sequences: inout [Sequence], _ logits: [Float]) throws -> [[Int]]? {
        let width = logits.count / sequences.count
        var runs: [[Int]] = []
        for index in sequences.indices {
            runs.append(
                logits.withUnsafeBufferPointer { all in
                    sequences[index].advance(
                        UnsafeBufferPointer(rebasing: all[index * width..<(index + 1) * width]), options, onToken)
                })
            if sequences[index].isCancelled { return nil }
        }
        return runs.allSatisfy(\.isEmpty) ? nil : runs
    }
}

/// One continuation while it is being generated.
private struct Sequence {
    let number: Int
    var grammar: (any TokenGrammar)?
    var sampler: TokenSampler
    var result = Generation()
    var isDone = false
    var isCancelled = false

    init(number: Int, grammar: (any TokenGrammar)?, _ options: GenerationOptions) {
        (self.number, self.grammar) = (number, grammar)
        sampler = TokenSampler(options.sampling, sequence: number, closing: options.contrastToken)
    }

    /// Chooses tokens until the model has to be asked again: one, or a run that the grammar forces.
    mutating func advance(
        _ logits: UnsafeBufferPointer<Float>, _ options: GenerationOptions, _ onToken: ((Int, GeneratedToken) -> Bool)?
    ) -> [Int] {
        if isDone { return [] }
        var run: [Int] = []
        if case .forced(let tokens)? = grammar?.allowed() {
            for token in tokens where !isDone { take(token, confidence: 1, &run, options, onToken) }
        } else if let token = sampler.next(logits, allowed: grammar?.allowed() ?? .any(except: [])) {
            var confidence = 1.0
            if let contrast = options.contrastToken, logits.indices.contains(contrast) {
                confidence = 1 / (1 + exp(Double(logits[contrast] - logits[token])))
            }
            take(token, confidence: confidence, &run, options, onToken)
        } else {
            isDone = true
        }
        // What follows a finished sequence is of no interest, so its last run need not be fed.
        return isDone ? [] : run
    }

    private mutating func take(
        _ id: Int, confidence: Double, _ run: inout [Int], _ options: GenerationOptions,
        _ onToken: ((Int, GeneratedToken) -> Bool)?
    ) {
        let token = GeneratedToken(id: id, confidence: confidence)
        result.tokens.append(token)
        run.append(id)
        grammar?.advance(id)
        sampler.record(id)
        if options.stopTokens.contains(id) {
            isDone = true
        } else if case .end? = grammar?.allowed() {
            isDone = true
        } else if result.tokens.count >= options.maxTokens {
            (isDone, result.isTruncated) = (true, true)
        }
        if onToken?(number, token) == false { (isDone, isCancelled, result.isTruncated) = (true, true, true) }
    }
}

/// Sequences of different lengths in one cache: every step writes the same slots of every row, and a mask hides the slots in which a
/// row had nothing to write.
private struct Batch {
    let model: Qwen2
    let cache: KeyValueCache
    /// Position of each row's next token.
    private var positions: [Int]
    /// Which slots each row may look at.
    private var visible: [[Bool]]

    init(model: Qwen2, cache: KeyValueCache, count: Int) {
        (self.model, self.cache) = (model, cache)
        positions = [Int](repeating: cache.length, count: count)
        visible = [[Bool]](repeating: [Bool](repeating: true, count: cache.length), count: count)
    }

    /// Feeds each row its embeddings [T_b, D] (nil: nothing) and gives the logits after each row's last one, [B * V].
    mutating func feed(_ rows: [Tensor?]) throws -> [Float] {
        let lengths = rows.map { $0?.size(0) ?? 0 }
        let longest = lengths.max() ?? 0
        let uniform = lengths.allSatisfy { $0 == longest } && visible.allSatisfy { $0.allSatisfy { $0 } }
        let width = model.configuration.width, device = model.embedding.weight.device
        let padded = try rows.map { row in
            let missing = longest - (row?.size(0) ?? 0)
            guard let row else {
                return try Tensor.zeros([longest, width], dtype: model.embedding.weight.dtype, device: device)
            }
            return try missing == 0 ? row : row.padded([0, 0, 0, missing])
        }
        var steps: [Int] = []
        for (index, length) in lengths.enumerated() {
            steps += (0..<longest).map { positions[index] + min($0, max(length - 1, 0)) }
            positions[index] += length
            visible[index] += (0..<longest).map { $0 < length }
        }
        let embeddings = try Tensor.stacked(padded)  // [B, T, D]
        // Runs of different lengths leave holes, so a batch may need more slots than any of its rows has tokens.
        try cache.reserve(longest)
        let hidden =
            try uniform
            ? model(embeddings, cache: cache)
            : model(
                embeddings, positions: Tensor(steps, shape: [rows.count, longest]).to(device: device), cache: cache,
                mask: mask(longest, device: device))
        let ends = try Tensor(lengths.enumerated().map { $0 * longest + max($1 - 1, 0) }).to(device: device)
        let picked = try hidden.reshaped(rows.count * longest, width).selected(0, ends)
        return try model.logits(picked).array(of: Float.self)
    }

    /// True where a new position of a row may look: [B, 1, T, S].
    private func mask(_ count: Int, device: Device) throws -> Tensor {
        let slots = visible[0].count, start = slots - count
        let seen = try Tensor(visible.flatMap { $0 }, shape: [visible.count, 1, 1, slots])
        let causal = try Tensor.ones([count, slots], dtype: .bool).lowerTriangle(diagonal: start)
        // A padded position sees at least itself, so that no row of the softmax is empty.
        let own = try causal.logicalAnd(Tensor.ones([count, slots], dtype: .bool).upperTriangle(diagonal: start))
        return try seen.logicalAnd(causal).logicalOr(own).to(device: device)
    }
}
