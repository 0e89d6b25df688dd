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
        var small = SceneConfiguration(split: .training)
        (small.width, small.height) = (128, 128)
        let generator = try SceneGenerator(configuration: small, assets: SceneAssets())
        // Vocabulary and embeddings as training left them, everything else fresh.
        let trained = try ChatRexModel.load(ModelFolder.find().url)
        let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
        let rows = trained.configuration.language.vocabularySize
        let model = try ChatRexModel(.nano(vocabularySize: rows), ParameterStore().weights)
        let vocabulary = try ChatRexVocabulary(tokenizer, logitCount: rows)
        try withoutGradients { try model.language.embedding.weight.copy(from: trained.language.embedding.weight) }
        let names = try NameTable(generator.vocabulary, tokenizer: tokenizer)
        func table() throws -> Tensor { try names.embeddings(model.language.embedding, spelling: 0).detached() }
        let before = try Self.accuracy(model, vocabulary, generator, names: table())
        let language = model.language.namedParameters.filter { $0.name.hasPrefix("model.") }
        try RetrievalStart.prepare(
            language, model.configuration.language, vocabulary: vocabulary, names: table())
        let after = try Self.accuracy(model, vocabulary, generator, names: table())
        // Many scenes hold few kinds of things, so that a guess is often right.
        #expect(after > 0.5 && after > before + 0.2)
    }

    @Test func modelsWithoutRoomAreRefused() throws {
        var configuration = ChatRexConfiguration.nano(vocabularySize: 2624).language
        configuration.ropeTheta = 10_000
        let tokenizer = try SceneTokenizer.train(
            SceneGenerator(assets: SceneAssets()), scenes: 20, vocabularySize: 600)
        #expect(throws: TrainingError.self) {
            try RetrievalStart.prepare(
                [], configuration, vocabulary: ChatRexVocabulary(tokenizer), names: Tensor.normal([60, 256]))
        }
    }

    /// How often the likeliest index after `<objects>` is one of the asked category, where every object's row is its name's.
    private static func accuracy(
        _ model: ChatRexModel, _ vocabulary: ChatRexVocabulary, _ generator: SceneGenerator, names: Tensor
    ) throws -> Double {
        let layout = PromptLayout(vocabulary: vocabulary)
        let positions = Dictionary(uniqueKeysWithValues: generator.vocabulary.enumerated().map { ($1.id, $0) })
        var right = 0, total = 0
        for seed in 0..<24 {
            let scene = generator.scene(seed: UInt64(seed))
            var random = SceneRandom(seed: UInt64(seed), stream: "test")
            let objects = Dictionary(uniqueKeysWithValues: scene.objects.enumerated().map { ($1.id, $0) })
            let dialogue = SceneDialogue(scene: scene, boxOfObject: objects, boxCount: scene.objects.count)
            let exchanges = try (0..<4).compactMap { _ in
                try dialogue.detection(phrases: 1, absentRate: 0, &random)
            }
            let example = try ConversationExample(
                pixels: [], boxes: scene.objects.map { _ in SIMD4(0, 0, 1, 1) }, exchanges: exchanges, layout: layout,
                imageRows: 0, limit: 1000)
            let batch = ConversationBatch([example], imageRows: 0)
            let categories = scene.objects.map { positions[$0.category.id] ?? 0 }
            let logits = try inference {
                let rows = try Tensor.concatenated([
                    model.language.embedding(Tensor(batch.tokens)), names.selected(0, Tensor(categories)),
                ])
                let hidden = try model.language(
                    rows.selected(0, Tensor(batch.sources)).unsqueezed(0),
                    positions: Tensor(batch.positions, shape: [1, batch.length]), mask: batch.attentionMask())
                let due = try hidden[0].selected(0, Tensor(batch.targets.map(\.position)))
                return try model.language.logits(due).selected(1, Tensor(vocabulary.objects))
            }
            let best = try logits.argmax(1).array(of: Int.self)
            for (target, best) in zip(batch.targets, best)
            where batch.tokens[target.position] == vocabulary.objectsStart {
                guard let wanted = vocabulary.objectIndex(of: target.token) else { continue }
                total += 1
                if best < categories.count && categories[best] == categories[wanted] { right += 1 }
            }
        }
        return Double(right) / Double(total)
    }
}
