import ChatRex
import Scenes
import Tokenizers

/// The vocabulary of a model that is trained on scenes.
public enum SceneTokenizer {
    /// Learns byte pairs from what is asked and answered about some scenes.
    /// - Throws: `TokenizerError`, `TaskError`.
    public static func train(_ generator: SceneGenerator, scenes count: Int, vocabularySize: Int) throws
        -> BytePairTokenizer
    {
        var texts: [String] = []
        for seed in 0..<UInt64(count) {
            // Seeds of their own, far from those of training.
            let scene = generator.scene(seed: seed &+ 1 << 40)
            var random = SceneRandom(seed: seed, stream: "tokenizer")
            let boxes = Dictionary(uniqueKeysWithValues: scene.objects.map { ($0.id, [$0.id]) })
            let dialogue = PictureDialogue(picture: scene, boxesOfObject: boxes, boxCount: scene.objects.count)
            for exchange in try TaskMixture.joint.exchanges(dialogue, &random) {
                texts += [exchange.question, exchange.answer]
            }
            texts += scene.inventory.flatMap { [$0.category.name, $0.category.plural] }
        }
        texts += generator.vocabulary.flatMap { [$0.name, $0.plural] }
        return try BytePairTrainer(vocabularySize: vocabularySize).train(on: texts)
    }
}
