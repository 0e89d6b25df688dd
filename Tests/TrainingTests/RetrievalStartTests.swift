import ChatRex
import LanguageModels
import Scenes
import Testing
import Tokenizers
import Torch
import TorchNN
import Training

/// Weights that are written down instead of learned.
@Suite struct RetrievalStartTests {
    @Test(arguments: [-1, 0, 7, 50, 98]) func theNextIndexScoresHighestAfterOneWasSaid(said: Int) throws {
        let order = try IndexOrder(), identity = try Tensor.identity(IndexOrder.channels)
        let pairs = try order.pairs(said: identity, candidate: identity)
        func products(_ index: Int, _ side: KeyPath<(query: Tensor?, key: Tensor), Tensor?>) throws -> [Double] {
            let features = try Tensor(order.features(index))
            return try pairs.map { try features.matmul($0[keyPath: side] ?? identity).item(Double.self) }
        }
        let queries = try products(said, \.query)
        let scores = try (0..<100).map { candidate in
            let features = try Tensor(order.features(candidate))
            return try zip(queries, pairs).map { try $0 * features.matmul($1.key).item(Double.self) }.reduce(0, +)
        }
        for (candidate, score) in scores.enumerated() { #expect((score > 0) == (candidate > said), "\(candidate)") }
        // Of candidates that lie apart the nearer one wins.
        if said + 60 < 100 { #expect(scores[said + 20] > scores[said + 60]) }
    }

    @Test func aFreshModelPointsAtRowsThatAreLikeTheirNames() throws {
        let fresh = try FreshModel()
        let before = try fresh.accuracy()
        try fresh.prepare()
        let after = try fresh.accuracy()
        // Many scenes hold few kinds of things, so that a guess is often right.
        #expect(after > 0.5 && after > before + 0.2)
    }

    @Test func aFreshModelTellsThingsOfOneKindByTheirPlaces() throws {
        let fresh = try FreshModel()
        let start = try fresh.prepare()
        // [cx, cy, w, h] of the wanted box and of the other one.
        let cases: [(word: String, wanted: [Float], other: [Float])] = [
            ("leftmost", [0.2, 0.5, 0.2, 0.2], [0.7, 0.5, 0.2, 0.2]),
            ("rightmost", [0.7, 0.4, 0.2, 0.2], [0.2, 0.5, 0.2, 0.2]),
            ("topmost", [0.6, 0.2, 0.2, 0.2], [0.5, 0.8, 0.2, 0.2]),
            ("bottommost", [0.6, 0.9, 0.1, 0.1], [0.5, 0.3, 0.1, 0.1]),
            ("largest", [0.5, 0.5, 0.4, 0.4], [0.4, 0.4, 0.1, 0.1]),
            ("smallest", [0.5, 0.5, 0.1, 0.1], [0.4, 0.4, 0.4, 0.5]),
        ]
        var right = 0, total = 0
        for entry in cases {
            for category in stride(from: 0, to: fresh.categories.count, by: 20) {
                for isFirst in [true, false] {
                    let pair = isFirst ? [entry.wanted, entry.other] : [entry.other, entry.wanted]
                    // Something else lies between them in the list and farther out than both.
                    let stranger = (category + 17) % fresh.categories.count
                    let places = try PlaceUnits.places(
                        Tensor(pair[0] + [0.9, 0.1, 0.05, 0.05] + pair[1], shape: [3, 4]))
                    let rows =
                        try fresh.names().selected(0, Tensor([category, stranger, category]))
                        + places.matmul(start.spaces.place) * start.placeLength
                    let name = fresh.categories[category].name
                    let phrase = "the \(entry.word) \(name)"
                    let exchange = Exchange(
                        kind: .detect, question: "Please detect \(phrase) in this image.",
                        answer: "<ground>\(phrase)</ground><objects><obj\(isFirst ? 0 : 2)></objects>")
                    let (logits, batch) = try fresh.logits([exchange], rows: rows)
                    let best = try logits[.all, .range(0..<3)].argmax(1).array(of: Int.self)
                    for (target, best) in zip(batch.targets, best)
                    where batch.tokens[target.position] == fresh.vocabulary.objectsStart {
                        total += 1
                        if best == (isFirst ? 0 : 2) { right += 1 }
                    }
                }
            }
        }
        // Half of them would be right by chance.
        #expect(total > 100 && Double(right) > 0.8 * Double(total), "\(right) of \(total)")
    }

    @Test func projectedRowsTellTheirPlaces() throws {
        try Runtime.seed(3)
        let projector = try Projector(64, 32, ParameterStore().weights)
        // Half of the boxes for writing, half for reading. Their features are a mixture of waves, as in a box embedding.
        let boxes = try Tensor.uniform([800, 4]) * 0.8 + 0.1
        let waves = try [1.5, 3, 6].flatMap { [try (boxes * $0).sine(), try (boxes * $0).cosine()] }
        let told = try Tensor.concatenated(waves, dimension: 1)  // [N, 24]
        let features = try told.matmul(Tensor.normal([24, 64])) + Tensor.normal([800, 64]) * 0.02
        func half(_ part: Int) throws -> RegionSample {
            let range = part * 400..<(part + 1) * 400
            return RegionSample(features: try features[.range(range)], boxes: try boxes[.range(range)])
        }
        let directions = try Tensor.normal([PlaceUnits.count, 32]).orthonormalRows()
        try withoutGradients {
            try PlaceUnits.write(projector.namedParameters, directions: directions, length: 2, half(0))
        }
        let unseen = try half(1)
        let read = try inference { try projector(unseen.features).matmul(directions.transposed(0, 1)) / 2 }
        let error = try (read - PlaceUnits.places(unseen.boxes)).power(2).mean(0)
        for value in try error.array(of: Float.self) { #expect(value < 0.02) }
    }

    @Test func modelsWithoutRoomAreRefused() throws {
        let fresh = try FreshModel { $0.language.ropeTheta = 10_000 }
        #expect(throws: TrainingError.self) { try fresh.prepare() }
    }
}

/// The built-in vocabulary and embeddings as training left them, everything else fresh.
private struct FreshModel {
    let model: ChatRexModel
    let vocabulary: ChatRexVocabulary
    let generator: SceneGenerator
    private let table: NameTable

    init(_ change: (inout ChatRexConfiguration) -> Void = { _ in }) throws {
        var small = SceneConfiguration(split: .training)
        (small.width, small.height) = (128, 128)
        generator = try SceneGenerator(configuration: small, assets: SceneAssets())
        let trained = try ChatRexModel.load(ModelFolder.find().url)
        let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
        let rows = trained.configuration.language.vocabularySize
        var configuration = ChatRexConfiguration.nano(vocabularySize: rows)
        change(&configuration)
        let model = try ChatRexModel(configuration, ParameterStore().weights)
        try withoutGradients { try model.language.embedding.weight.copy(from: trained.language.embedding.weight) }
        self.model = model
        vocabulary = try ChatRexVocabulary(tokenizer, logitCount: rows)
        table = try NameTable(generator.vocabulary, tokenizer: tokenizer)
    }

    var categories: [SceneCategory] { generator.vocabulary }

    /// One row for each category.
    func names() throws -> Tensor { try table.embeddings(model.language.embedding, spelling: 0).detached() }

    @discardableResult func prepare() throws -> RetrievalStart {
        let channels = model.configuration.objectChannels
        let boxes = try Tensor.uniform([700, 4]) * 0.8 + 0.1
        let sample = RegionSample(features: try Tensor.normal([700, channels]), boxes: boxes)
        return try RetrievalStart.prepare(model, vocabulary: vocabulary, names: names(), regions: sample)
    }

    /// Logits of index tokens wherever an answer's token is due, for one picture whose boxes have these rows: [A, 100].
    func logits(_ exchanges: [Exchange], rows objects: Tensor) throws -> (Tensor, ConversationBatch) {
        let example = try ConversationExample(
            pixels: [], boxes: Array(repeating: SIMD4(0, 0, 1, 1), count: objects.shape[0]), exchanges: exchanges,
            layout: PromptLayout(vocabulary: vocabulary), imageRows: 0, limit: 1000)
        let batch = ConversationBatch([example], imageRows: 0)
        let logits = try inference {
            let rows = try Tensor.concatenated([model.language.embedding(Tensor(batch.tokens)), objects])
            let hidden = try model.language(
                rows.selected(0, Tensor(batch.sources)).unsqueezed(0),
                positions: Tensor(batch.positions, shape: [1, batch.length]), mask: batch.attentionMask())
            let due = try hidden[0].selected(0, Tensor(batch.targets.map(\.position)))
            return try model.language.logits(due).selected(1, Tensor(vocabulary.objects))
        }
        return (logits, batch)
    }

    /// How often the likeliest index after `<objects>` is one of the asked category, where every object's row is its name's.
    func accuracy() throws -> Double {
        let positions = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1.id, $0) })
        let names = try names()
        var right = 0, total = 0
        for seed in 0..<24 {
            let scene = generator.scene(seed: UInt64(seed))
            var random = SceneRandom(seed: UInt64(seed), stream: "test")
            let objects = Dictionary(uniqueKeysWithValues: scene.objects.enumerated().map { ($1.id, [$0]) })
            let dialogue = PictureDialogue(picture: scene, boxesOfObject: objects, boxCount: scene.objects.count)
            let exchanges = try (0..<4).compactMap { _ in
                try dialogue.detection(phrases: 1, absentRate: 0, &random)
            }
            let kinds = scene.objects.map { positions[$0.category.id] ?? 0 }
            let (logits, batch) = try logits(exchanges, rows: names.selected(0, Tensor(kinds)))
            let best = try logits.argmax(1).array(of: Int.self)
            for (target, best) in zip(batch.targets, best)
            where batch.tokens[target.position] == vocabulary.objectsStart {
                guard let wanted = vocabulary.objectIndex(of: target.token.id) else { continue }
                total += 1
                if best < kinds.count && kinds[best] == kinds[wanted] { right += 1 }
            }
        }
        return Double(right) / Double(total)
    }
}
