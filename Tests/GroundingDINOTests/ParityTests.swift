import Boxes
import Checkpoints
import Foundation
import GroundingDINO
import Imaging
import Testing
import Tokenizers
import Torch
import TorchNN
import UPN

/// Numbers of transformers; `Scripts/oracles/grounding_dino.py` made them.
@Suite struct ParityTests {
    private let expected: Expected

    init() throws {
        expected = try Expected()
    }

    private static let separators: Set<Int> = [101, 102, 1012, 1029]

    private static func text(_ expected: Expected) throws -> GroundingText {
        try GroundingText(expected.rows, padding: 0, separators: separators)
    }

    private static func configuration(of folder: URL) throws -> GroundingDINOConfiguration {
        try JSONDecoder().decode(
            GroundingDINOConfiguration.self, from: Data(contentsOf: folder.appending(path: "config.json")))
    }

    @Test func picturesAreResizedNormalisedAndPadded() throws {
        let batch = try GroundingDINOPreprocessor(folder: smallModel)(expected.pictures)
        #expect(try difference(batch.pixels, expected["pixels"]) < 1e-5)
        #expect(try difference(batch.mask, expected["padding"]) == 0)
        let usual = GroundingDINOPreprocessor()
        for size in expected.results.sizes {
            #expect(usual.targetSize(width: size[0], height: size[1]) == (size[2], size[3]), "\(size)")
        }
    }

    @Test func textsBecomeIDsAndPhrasesSeeOnlyThemselves() throws {
        let tokenizer = try WordPieceTokenizer(contentsOf: smallModel.appending(path: "tokenizer.json"))
        #expect(try expected.results.texts.map { tokenizer.encode($0) } == expected.rows)
        let text = try Self.text(expected)
        #expect(try difference(text.ids, expected["ids"]) == 0)
        #expect(try difference(text.visible, expected["visible"]) == 0)
        #expect(try difference(text.positions, expected["positions"]) == 0)
    }

    @Test func everyStageOfTheNetworkGivesTheSameNumbers() throws {
        let network = try GroundingDINONetwork.load(smallModel)
        try inference {
            let picture = try network.picture(expected["pixels"], mask: expected["padding"])
            let memory = try network.encode(picture, Self.text(expected))
            #expect(try difference(memory.tokens, expected["tokens"]) < 1e-4)
            #expect(try difference(memory.words, expected["words"]) < 1e-4)
            let selection = try network.select(memory)
            #expect(try difference(#require(selection.indices), expected["indices"]) == 0)
            #expect(try difference(selection.coordinates, expected["coordinates"]) < 1e-4)
            let (logits, boxes) = try network.decode(memory, selection)
            #expect(try difference(logits, expected["logits"]) < 1e-4)
            #expect(try difference(boxes, expected["boxes"]) < 1e-4)
        }
    }

    @Test func boxesAndLabelsAreThoseOfTransformers() throws {
        let tokenizer = try GroundingTokenizer(folder: smallModel)
        let results = expected.results
        for (index, image) in try expected.pictures.enumerated() {
            let answer = try GroundingAnswer(
                logits: expected["logits"][.at(index)], boxes: expected["boxes"][.at(index)], width: image.width,
                height: image.height)
            let found = answer.labelled(
                try expected["ids"][.at(index)].array(of: Int.self), limit: 32, boxThreshold: results.boxThreshold,
                textThreshold: results.textThreshold, decode: tokenizer.pieces.decode)
            #expect(found.count > 2 && found.map(\.label) == results.labelled[index].map(\.label))
            for (own, other) in zip(found, results.labelled[index]) {
                #expect(zip(own.box.values(.xyxy), other.box).allSatisfy { abs($0 - $1) < 1e-3 })
                #expect(abs(own.score - other.score) < 1e-5)
            }
        }
    }

    /// Without a first stage queries start from learned boxes; with heads of their own, decoder layers refine boxes differently. Writers
    /// put the second head under another name than the first.
    @Test(arguments: ["learned", "heads"])
    func otherSwitchesOfTheConfigurationGiveTheSameNumbers(_ variant: String) throws {
        let variants = try TensorArchives.open(at: fixtures.appending(path: "variants.safetensors"))
        var configuration = try Self.configuration(of: smallModel)
        configuration.isTwoStage = variant != "learned"
        configuration.sharesBoxHead = variant != "heads"
        var source = Altered(base: try TensorArchives.open(at: smallModel))
        source.without = {
            variant == "learned" && $0.hasPrefix("model.enc_output")
                || $0.contains("encoder_output_bbox") && variant == "learned"
        }
        for name in variants.names where name.hasPrefix(variant + "/") {
            source.with[String(name.dropFirst(variant.count + 1))] = try variants.tensor(named: name)
        }
        if variant == "learned" { source.with = source.with.filter { !$0.key.contains("bbox_embed") } }
        let network = try GroundingDINONetwork.load(configuration, from: source)
        try inference {
            let picture = try network.picture(expected["pixels"], mask: expected["padding"])
            let memory = try network.encode(picture, Self.text(expected))
            let (logits, boxes) = try network.decode(memory, network.select(memory))
            #expect(try difference(logits, variants.tensor(named: variant + ".logits")) < 1e-4)
            #expect(try difference(boxes, variants.tensor(named: variant + ".boxes")) < 1e-4)
        }
    }

    /// Queries may also take over what the encoder has at their places (transformers itself cannot run this switch).
    @Test func queriesWithoutLearnedContentAreTheTokensTheyComeFrom() throws {
        var configuration = try Self.configuration(of: smallModel)
        configuration.learnsContent = false
        let source = Altered(
            base: try TensorArchives.open(at: smallModel), without: { $0 == "model.query_position_embeddings.weight" })
        let network = try GroundingDINONetwork.load(configuration, from: source)
        try inference {
            let picture = try network.picture(expected["pixels"], mask: expected["padding"])
            let memory = try network.encode(picture, Self.text(expected))
            let selection = try network.select(memory)
            #expect(try difference(#require(selection.indices), expected["indices"]) == 0)
            #expect(selection.content.shape == [2, 12, 32])
            // Their products with the words are what they were chosen by: best first.
            let best = try selection.content.matmul(memory.words.transposed(1, 2))
                .filled(where: memory.isToken.logicalNot().unsqueezed(1), with: -.infinity).max(-1).values
            #expect(try difference(best, best.sorted(1, descending: true).values) == 0)
        }
    }

    /// A model of a released size on real pictures, where `CHATREX_GROUNDING_DINO` names what `grounding_dino.py full` wrote.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["CHATREX_GROUNDING_DINO"] != nil))
    func wholeModel() async throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["CHATREX_GROUNDING_DINO"] ?? "")
        let expected = try Expected(folder), model = folder.appending(path: "model")
        let clock = ContinuousClock()
        let network = try GroundingDINONetwork.load(model)
        let batch = try GroundingDINOPreprocessor(folder: model)(expected.pictures)
        func report(_ name: String, _ own: Tensor, limit: Float) throws {
            let found = try difference(own, expected[name])
            print(name, own.shape, "largest difference", found)
            #expect(found < limit, "\(name)")
        }
        try report("pixels", batch.pixels, limit: 1e-5)
        try inference {
            let start = clock.now
            let picture = try network.picture(batch.pixels, mask: batch.mask)
            let seen = clock.now
            let memory = try network.encode(picture, Self.text(expected))
            let encoded = clock.now
            try report("tokens", memory.tokens, limit: 1e-3)
            try report("words", memory.words, limit: 1e-3)
            let own = try #require(network.select(memory).indices), wanted = try expected["indices"]
            let moved = try own.equal(to: wanted).logicalNot().converted(to: .float32).sum().item(Float.self)
            print("queries in another order", Int(moved), "of", own.count)
            // Where scores nearly tie the order may differ, and the order decides which learned content a query has.
            let selection = try network.selection(memory, at: wanted)
            try report("coordinates", selection.coordinates, limit: 1e-3)
            let chosen = clock.now
            let (logits, boxes) = try network.decode(memory, selection)
            print("backbone", seen - start, "encoder", encoded - seen, "decoder", clock.now - chosen)
            try report("logits", logits, limit: 1e-3)
            try report("boxes", boxes, limit: 1e-4)
        }
        let detector = try await GroundingDINO.load(model), image = try expected.pictures[0]
        let start = clock.now, cycles = Foundation.clock()
        _ = try await detector.ground(["a cat", "a remote control"], in: image)
        print("one picture", clock.now - start, "processor", Double(Foundation.clock() - cycles) / 1e6, "seconds")
    }
}
