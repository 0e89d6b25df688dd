import Checkpoints
import Foundation
import GroundingDINO
import Testing
import Torch
import TorchNN
import VisionEncoders

@Suite struct CheckpointTests {
    /// Names and shapes alone.
    private struct Listed: TensorSource {
        var shapes: [String: [Int]]
        var tensorNames: [String] { Array(shapes.keys) }

        func shape(of name: String) -> [Int]? { shapes[name] }
        func tensor(named name: String) throws -> Tensor { try Tensor.empty(shapes[name] ?? [], device: .meta) }
    }

    /// As transformers lists the released models; `tensors-base.tsv` has what differs from the tiny one.
    private static func listed(_ files: String...) throws -> Listed {
        var listed = Listed(shapes: [:])
        for file in files {
            let table = try String(contentsOf: fixtures.appending(path: file), encoding: .utf8)
            for line in table.split(separator: "\n") {
                let fields = line.split(separator: "\t")
                listed.shapes[String(fields[0])] = fields[1].split(separator: ",").compactMap { Int($0) }
            }
        }
        return listed
    }

    @Test func theNamesAndShapesOfTheReleasedModelsAreOurs() throws {
        let tiny = try Self.listed("tensors-tiny.tsv")
        let network = try GroundingDINONetwork.load(.tiny, from: tiny, device: .meta)
        #expect(network.namedParameters.reduce(0) { $0 + $1.tensor.count } == 172_249_090)
        let base = try Self.listed("tensors-tiny.tsv", "tensors-base.tsv")
        let larger = try GroundingDINONetwork.load(.base, from: base, device: .meta)
        #expect(larger.namedParameters.reduce(0) { $0 + $1.tensor.count } == 232_313_216)
    }

    @Test func whatIsMissingTooMuchOrOfAnotherShapeIsNamedAtOnce() throws {
        var listed = try Self.listed("tensors-tiny.tsv")
        let swin = "model.backbone.conv_encoder.model.encoder.layers.0.blocks.1.attention.self"
        listed.shapes["model.level_embed"] = nil
        listed.shapes[swin + ".key.bias"] = nil
        listed.shapes["model.text_projection.bias"] = [255]
        listed.shapes["model.encoder.layers.6.fusion_layer.text_param"] = [256]
        listed.shapes["model.text_backbone.embeddings.position_ids"] = [1, 512]
        let report = try #require(throws: LoadReport.self) {
            try GroundingDINONetwork.load(.tiny, from: listed, device: .meta)
        }
        #expect(report.missing.sorted() == [swin + ".{query,key,value}.bias", "model.level_embed"])
        #expect(report.misshaped == [.init(name: "model.text_projection.bias", expected: [256], found: [255])])
        #expect(report.unexpected == ["model.encoder.layers.6.fusion_layer.text_param"])
    }

    @Test func aConfigurationMayLeaveOutWhatIsAsUsual() throws {
        func read(_ text: String) throws -> GroundingDINOConfiguration {
            try JSONDecoder().decode(GroundingDINOConfiguration.self, from: Data(text.utf8))
        }
        #expect(try read(#"{"model_type": "grounding-dino"}"#) == .tiny)
        let backbone = """
            {"model_type": "swin", "embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 12,
            "out_features": ["stage2", "stage3", "stage4"]}
            """
        let base = try read(
            #"{"model_type": "grounding-dino", "text_config": {"model_type": "bert"}, "backbone_config": \#(backbone)}"#
        )
        #expect(base == .base)
    }

    @Test(arguments: [
        (#""d_model": 32"#, #""d_model": 33"#), (#""d_model": 32"#, #""d_model": 0"#),
        (#""d_model": 32"#, #""d_model": 9223372036854775807"#), (#""d_model": 32"#, #""d_model": "wide""#),
        (#""encoder_attention_heads": 4"#, #""encoder_attention_heads": 3"#),
        (#""num_feature_levels": 4"#, #""num_feature_levels": 1"#), (#""num_queries": 12"#, #""num_queries": -1"#),
        (#""encoder_layers": 2"#, #""encoder_layers": 1000000"#), (#""max_text_len": 32"#, #""max_text_len": 3"#),
        (#""max_text_len": 32"#, #""max_text_len": 41"#), (#""window_size": 4"#, #""window_size": 0"#),
        (#""hidden_size": 24"#, #""hidden_size": 25"#), (#""model_type": "grounding-dino""#, #""model_type": "detr""#),
        (#""model_type": "grounding-dino","#, ""),
        (#""position_embedding_type": "sine""#, #""position_embedding_type": "learned""#),
        (#""activation_function": "relu""#, #""activation_function": "gelu""#),
        (#""model_type": "swin""#, #""model_type": "resnet""#),
        (#""two_stage": true"#, #""two_stage": 7"#),
    ])
    func aConfigurationThatCannotBeIsRefused(_ former: String, _ changed: String) async throws {
        try await withCopyOfModel { folder in
            let file = folder.appending(path: "config.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            try #require(text.contains(former))
            try text.replacing(former, with: changed).write(to: file, atomically: true, encoding: .utf8)
            let error = try await #require(throws: (any Error).self) { try await GroundingDINO.load(folder) }
            #expect("\(error)".contains("configuration"), "\(error)")
        }
    }

    @Test func aConfigurationOfOtherSizesIsNotLoaded() async throws {
        try await withCopyOfModel { folder in
            let file = folder.appending(path: "config.json")
            let text = try String(contentsOf: file, encoding: .utf8)
                .replacing(#""num_queries": 12"#, with: #""num_queries": 13"#)
            try text.write(to: file, atomically: true, encoding: .utf8)
            let report = try await #require(throws: LoadReport.self) { try await GroundingDINO.load(folder) }
            #expect(report.misshaped.map(\.name) == ["model.query_position_embeddings.weight"])
        }
    }

    @Test(arguments: ["config.json", "model.safetensors", "tokenizer.json"])
    func aFolderThatLacksAFileIsRefusedByName(_ name: String) async throws {
        try await withCopyOfModel { folder in
            try FileManager.default.removeItem(at: folder.appending(path: name))
            let error = try await #require(throws: (any Error).self) { try await GroundingDINO.load(folder) }
            #expect("\(error)".contains(name), "\(error)")
        }
    }

    @Test func aFolderThatIsNoneIsRefused() async throws {
        await #expect(throws: CheckpointError.self) { try await GroundingDINO.load(URL(filePath: "/nowhere")) }
        await #expect(throws: CheckpointError.self) {
            try await GroundingDINO.load(smallModel.appending(path: "config.json"))
        }
    }

    @Test func aVocabularyServesAsTokenizerAndPreprocessingHasUsualValues() async throws {
        try await withCopyOfModel { folder in
            let image = try testImage(width: 60, height: 50)
            let usual = try await GroundingDINO.load(folder).ground(["a red cat"], in: image, boxThreshold: 0)
            try FileManager.default.removeItem(at: folder.appending(path: "tokenizer.json"))
            try FileManager.default.copyItem(
                at: fixtures.appending(path: "vocab.txt"), to: folder.appending(path: "vocab.txt"))
            #expect(try await GroundingDINO.load(folder).ground(["a red cat"], in: image, boxThreshold: 0) == usual)
            let file = folder.appending(path: "preprocessor_config.json")
            for (text, size) in [
                (#"{"size": 100, "max_size": 200}"#, (100, 200)), (#"{"size": {"shortest_edge": 100}}"#, (100, 1333)),
                ("{}", (800, 1333)),
            ] {
                try Data(text.utf8).write(to: file)
                let found = try GroundingDINOPreprocessor(folder: folder)
                #expect((found.shortSide, found.longSide) == size)
            }
            for text in [
                #"{"size": 0}"#, #"{"size": {"height": 9}}"#, #"{"image_std": [1, 0, 1]}"#, #"{"resample": 3}"#, "[]",
            ] {
                try Data(text.utf8).write(to: file)
                #expect(throws: ConfigurationError.self) { try GroundingDINOPreprocessor(folder: folder) }
            }
            try FileManager.default.removeItem(at: file)
            #expect(try GroundingDINOPreprocessor(folder: folder) == GroundingDINOPreprocessor())
        }
    }
}
