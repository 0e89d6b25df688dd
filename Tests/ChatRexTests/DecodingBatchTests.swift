import LanguageModels
import Testing
import Torch
import TorchNN

/// Sequences that are decoded together.
@Suite struct DecodingBatchTests {
    private let model: Qwen2

    init() throws {
        try Runtime.seed(11)
        model = try Qwen2(
            Qwen2Configuration(
                width: 32, hiddenWidth: 48, layerCount: 2, headCount: 4, keyValueHeadCount: 2, vocabularySize: 60,
                maxPositions: 200), ParameterStore().weights)
    }

    private func rows(_ count: Int) throws -> Tensor { try Tensor.normal([count, 32]) }

    /// A cache that has read some random positions.
    private func prefix(_ count: Int) throws -> KeyValueCache {
        let cache = try KeyValueCache(model.configuration, capacity: count)
        _ = try inference { try model(continuing: [(rows(count), cache)]) }
        return cache
    }

    private func options(_ limit: Int, temperature: Double = 0, stops: Set<Int> = [7, 8, 9]) -> GenerationOptions {
        GenerationOptions(
            maxTokens: limit, stopTokens: stops, sampling: SamplingOptions(temperature: temperature, seed: 5))
    }

    @Test("Sequences that join at different times become what they become alone", arguments: [0, 1.0])
    func sameAsAlone(temperature: Double) throws {
        let jobs = try (0..<9).map { number in
            (
                prefix: number % 3 == 0 ? nil : try prefix(3 + number), limit: 4 + number * 3,
                requests: try (0...number % 3).map { GenerationRequest(rows: try rows(2 + $0 + number)) }
            )
        }
        let alone = try jobs.map {
            try model.generate($0.requests, after: $0.prefix, options($0.limit, temperature: temperature))
        }
        let batch = DecodingBatch(model, limit: 5)
        var together = [[Generation]](repeating: [], count: jobs.count)
        for (number, job) in jobs.enumerated() {
            try batch.join(job.requests, after: job.prefix, options(job.limit, temperature: temperature)) {
                together[number] = (try? $0.get()) ?? []
            }
            for _ in 0..<number % 4 { batch.step() }
        }
        while !batch.isIdle { batch.step() }
        #expect(together.map { $0.map(\.ids) } == alone.map { $0.map(\.ids) })
        #expect(together.map { $0.map(\.isTruncated) } == alone.map { $0.map(\.isTruncated) })
        #expect(Set(together.joined().map(\.ids.count)).count > 3)
    }

    @Test("A prefix stays as it is, whoever continues from it")
    func prefixIsKept() throws {
        let prefix = try prefix(6), request = GenerationRequest(rows: try rows(3))
        let first = try model.generate([request], after: prefix, options(12))
        _ = try model.generate([GenerationRequest(rows: try rows(9))], after: prefix, options(20))
        #expect(prefix.length == 6)
        #expect(try model.generate([request, request], after: prefix, options(12)) == [first[0], first[0]])
    }

    @Test("A short question is not kept waiting by a long list")
    func fairness() throws {
        let batch = DecodingBatch(model, limit: 4)
        var order: [String] = []
        let many = try (0..<40).map { _ in GenerationRequest(rows: try rows(3)) }
        try batch.join(many, after: nil, options(10)) { _ in order.append("list") }
        batch.step()
        try batch.join([GenerationRequest(rows: try rows(3))], after: nil, options(10)) { _ in order.append("question")
        }
        while !batch.isIdle { batch.step() }
        #expect(order == ["question", "list"])
    }

    @Test("Who is cancelled or has heard enough ends, the others go on")
    func endings() throws {
        let request = GenerationRequest(rows: try rows(4)), options = options(30, stops: [])
        let whole = try model.generate([request], options)[0]
        try #require(whole.ids.count == 30)
        let batch = DecodingBatch(model, limit: 8)
        var isCancelled = false
        var results: [String: Generation] = [:]
        func join(_ name: String, isCancelled: @escaping () -> Bool = { false }, most: Int = .max) throws {
            var heard = 0
            try batch.join(
                [request], after: nil, options, isCancelled: isCancelled,
                onToken: { _, _ in
                    heard += 1
                    return heard < most
                },
                completion: { results[name] = try? $0.get()[0] })
        }
        try join("cancelled", isCancelled: { isCancelled })
        try join("enough", most: 3)
        try join("whole")
        for _ in 0..<5 { batch.step() }
        isCancelled = true
        while !batch.isIdle { batch.step() }
        #expect(results["whole"] == whole)
        #expect(results["enough"]?.ids == Array(whole.ids.prefix(3)) && results["enough"]?.isTruncated == true)
        #expect(results["cancelled"]?.ids == Array(whole.ids.prefix(5)) && results["cancelled"]?.isTruncated == true)
    }

    @Test("Nothing to generate is complete at once, and too much is refused")
    func limits() throws {
        #expect(try model.generate([], options(5)).isEmpty)
        let request = GenerationRequest(rows: try rows(150))
        #expect(throws: LanguageModelError.tooLong(positions: 210, limit: 200)) {
            try model.generate([request], options(60))
        }
    }

    @Test("A failure is told to everyone whom it concerns, and the batch goes on")
    func failure() throws {
        let batch = DecodingBatch(model, limit: 4)
        var failures = 0
        let wrong = GenerationRequest(rows: try Tensor.normal([3, 31]))
        try batch.join([wrong], after: nil, options(5)) { if case .failure = $0 { failures += 1 } }
        while !batch.isIdle { batch.step() }
        #expect(failures == 1)
        var answered = false
        try batch.join([GenerationRequest(rows: try rows(3))], after: nil, options(5)) {
            answered = (try? $0.get().count) == 1
        }
        while !batch.isIdle { batch.step() }
        #expect(answered)
    }
}
