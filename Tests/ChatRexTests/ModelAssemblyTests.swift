import ChatRex
import Checkpoints
import Foundation
import LanguageModels
import Testing
import Tokenizers
import Torch
import TorchNN
import VisionEncoders

/// Pretrained parts as others write them, and the model made of them.
@Suite struct ModelAssemblyTests {
    private static let width = 32

    private func withParts(_ body: (_ folder: URL, _ rows: Int, _ table: Tensor) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parts-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        func part(_ name: String) throws -> URL {
            let url = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            return url
        }
        let language = try part("language"), clip = try part("clip"), convNeXt = try part("convnext")

        // The built-in tokenizer without the tokens that ChatRex adds.
        let text = try Data(contentsOf: ModelFolder.find().tokenizer)
        var file = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let added = try #require(file["added_tokens"] as? [[String: Any]])
        file["added_tokens"] = added.filter { !ChatRexTokens.all.contains($0["content"] as? String ?? "") }
        let tokenizerURL = language.appendingPathComponent("tokenizer.json")
        try JSONSerialization.data(withJSONObject: file).write(to: tokenizerURL)
        let used = try BytePairTokenizer(contentsOf: tokenizerURL).vocabularySize

        // Qwen pads its table.
        let store = ParameterStore()
        let sizes = Qwen2Configuration(
            width: Self.width, hiddenWidth: 48, layerCount: 2, headCount: 4, keyValueHeadCount: 2,
            vocabularySize: used + 7)
        let model = try Qwen2(sizes, store.weights)
        var config = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(sizes)) as? [String: Any])
        config["model_type"] = "qwen2"
        try JSONSerialization.data(withJSONObject: config).write(to: language.appendingPathComponent("config.json"))
        try SafetensorsWriter.write(store.entries.map { ($0.name, $0.tensor) }, toFolder: language)

        let tower = CLIPConfiguration(
            imageSize: 32, patchSize: 8, width: 16, layerCount: 2, headCount: 2, hiddenWidth: 32)
        let clipStore = ParameterStore()
        _ = try CLIPVisionTower(tower, clipStore.weights / "vision_model")
        struct File: Encodable {
            let vision_config: CLIPConfiguration
        }
        try JSONEncoder().encode(File(vision_config: tower)).write(to: clip.appendingPathComponent("config.json"))
        try SafetensorsWriter.write(
            clipStore.entries.map { ($0.name, $0.tensor) } + [("text_model.extra", Tensor.ones([2]))], toFolder: clip)

        let trunk = ParameterStore()
        _ = try ConvNeXt(ConvNeXtConfiguration(widths: [8, 8, 16, 16], depths: [1, 1, 2, 1]), trunk.weights)
        try SafetensorsWriter.write(
            trunk.entries.map {
                ("visual.trunk." + $0.name.dropFirst("vision_".count).replacing("ramma", with: "gamma"), $0.tensor)
            }, toFolder: convNeXt)
        try body(folder, used, model.embedding.weight)
    }

    private func assembly(_ folder: URL) throws -> ModelAssembly {
        try ModelAssembly(
            language: folder.appendingPathComponent("language"), clip: folder.appendingPathComponent("clip"),
            convNeXt: folder.appendingPathComponent("convnext"))
    }

    @Test func aModelIsMadeOfPartsAndLoads() throws {
        try withParts { folder, used, table in
            let out = folder.appendingPathComponent("model")
            try assembly(folder).write(to: out)
            let model = try ChatRexModel.load(out)
            let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder(out).tokenizer)
            #expect(tokenizer.vocabularySize == used + ChatRexTokens.all.count)
            #expect(model.configuration.language.vocabularySize == tokenizer.vocabularySize)
            #expect(
                model.configuration.highResolution == 4 * 32 && model.configuration.convNeXt.depths == [1, 1, 2, 1])
            _ = try ChatRexVocabulary(tokenizer)
            // Known rows are the part's, new ones their mean.
            let rows = model.language.embedding.weight
            let known = try table[.upTo(used)].detached()
            #expect(try rows[.upTo(used)].array(of: Float.self) == known.array(of: Float.self))
            let mean = try known.mean(0).array(of: Float.self)
            let new = try rows[.at(used + 5)].array(of: Float.self)
            #expect(zip(mean, new).allSatisfy { abs($0 - $1) < 1e-6 })
            // The parts' weights, under the model's names.
            let values = Dictionary(uniqueKeysWithValues: model.namedParameters)
            let trunk = try SafetensorsFile(url: folder.appendingPathComponent("convnext/model.safetensors"))
            #expect(
                try values["vision_tower_aux.vision_stages.2.blocks.1.mlp.fc2.weight"]?.array(of: Float.self)
                    == trunk.tensor(named: "visual.trunk.stages.2.blocks.1.mlp.fc2.weight").array(of: Float.self))
        }
    }

    @Test func partsThatDoNotFitAreNamed() throws {
        try withParts { folder, _, _ in
            let config = folder.appendingPathComponent("language/config.json")
            let text = try String(contentsOf: config, encoding: .utf8)
            try text.replacing("\"qwen2\"", with: "\"llama\"").write(to: config, atomically: true, encoding: .utf8)
            #expect { try assembly(folder) } throws: { "\($0)".contains("'llama'") }
            try text.replacing("\"intermediate_size\":48", with: "\"intermediate_size\":64").write(
                to: config, atomically: true, encoding: .utf8)
            let out = folder.appendingPathComponent("model")
            #expect { try assembly(folder).write(to: out) } throws: {
                "\($0)".contains("model.layers.0.mlp.gate_proj.weight") && "\($0)".contains("[48, 32]")
            }
            #expect(!FileManager.default.fileExists(atPath: out.path))
        }
    }
}
