import ChatRex
import Checkpoints
import Foundation
import LanguageModels
import Scenes
import Testing
import Tokenizers
import Torch
import TorchNN
import Training

private let generator = Result {
    var configuration = SceneConfiguration(split: .training)
    (configuration.width, configuration.height) = (160, 160)
    return try SceneGenerator(configuration: configuration, assets: SceneAssets(withPhotos: false))
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lora-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}

private func languageModel(_ seed: UInt64 = 1) throws -> Qwen2 {
    try Runtime.seed(seed)
    return try Qwen2(
        Qwen2Configuration(
            width: 32, hiddenWidth: 48, layerCount: 2, headCount: 4, keyValueHeadCount: 2, vocabularySize: 40),
        ParameterStore().weights)
}

/// A model of the built-in sizes around the built-in tokenizer.
private func task(_ seed: UInt64 = 1, _ change: (inout ConversationOptions) -> Void = { _ in }) throws
    -> ConversationTask
{
    let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
    try Runtime.seed(seed)
    let model = try ChatRexModel(
        .nano(vocabularySize: (tokenizer.vocabularySize + 63) / 64 * 64), ParameterStore().weights)
    var options = ConversationOptions()
    (options.stage, options.batchSize, options.encoderRate, options.projectorRate) = (.joint, 1, 0, 0.5)
    options.embeddingRate = 0
    options.lora = LowRankConfiguration(rank: 4, alpha: 8, dropout: 0.1, targets: ["q_proj", "v_proj", "down_proj"])
    change(&options)
    let generator = try generator.get()
    return try ConversationTask(
        model, tokenizer: tokenizer, options: options,
        pictures: TrainingPictures(TrainingData(), seed: 1) { generator.scene(seed: UInt64($0)) },
        validation: generator,
        proposalNetwork: nil)
}

private func options(steps: Int) -> TrainingOptions {
    var options = TrainingOptions()
    (options.steps, options.learningRate, options.warmupSteps) = (steps, 1e-3, 1)
    (options.averageDecay, options.evaluationMinutes, options.logSteps) = (0.9, nil, 1)
    return options
}

extension SharedStateTests {
    @Suite struct LowRankTests {
        @Test func anUpdateEqualsTheMergedWeight() throws {
            let model = try languageModel()
            let x = try Tensor.normal([2, 7, 32])
            let before = try model(x).array(of: Float.self)
            let adapters = try LowRankAdapters(LowRankConfiguration(rank: 3, alpha: 6), for: model)
            #expect(adapters.namedParameters.count == 2 * 7 * 2)
            #expect(adapters.namedParameters[0].name == "model.layers.0.self_attn.q_proj.lora_A.weight")
            #expect(adapters.namedParameters[0].tensor.shape == [3, 32])
            // As long as B is zero nothing changes.
            #expect(try model(x).array(of: Float.self) == before)
            for (_, tensor) in adapters.namedParameters { try tensor.copy(from: Tensor.normal(tensor.shape) * 0.2) }
            let changed = try model(x).array(of: Float.self)
            #expect(zip(changed, before).map { abs($0 - $1) }.max() ?? 0 > 0.05)

            let merged = try languageModel()
            #expect(try merged(x).array(of: Float.self) == before)
            let weights = adapters.mergedWeights
            try withoutGradients {
                for (name, tensor) in merged.namedParameters {
                    if let weight = try weights[name]?() { try tensor.copy(from: weight) }
                }
            }
            let difference = try zip(merged(x).array(of: Float.self), changed).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-5, "\(difference)")
        }

        @Test func onlyTheUpdatesAndWhatTheStageTrainsLearnAndTheRestStaysBitEqual() throws {
            try withFolder { folder in
                let task = try task()
                let trained = Set(task.parameterGroups.flatMap(\.parameters).map(\.name))
                #expect(trained.filter { $0.contains("lora_") }.count == 4 * 3 * 2)
                #expect(trained.allSatisfy { $0.contains("lora_") || $0.contains("mm_") })
                #expect(trained.contains { $0.hasPrefix("mm_projector") })
                func values() throws -> [String: [Float]] {
                    Dictionary(
                        uniqueKeysWithValues: try task.heldTensors.map {
                            ($0.name, try $0.tensor.array(of: Float.self))
                        })
                }
                let before = try values()
                let run = try TrainingRun(
                    task, options: options(steps: 9), folder: folder, configuration: ["test": true])
                #expect(try run.run(until: 2) == .stopped)
                let after = try values()
                for (name, value) in before where !trained.contains(name) {
                    #expect(after[name] == value, "\(name)")
                }
                for name in trained where name.contains("lora_B") { #expect(after[name] != before[name], "\(name)") }

                // Checkpoints hold what is trained, the exported model has it in its weights.
                let stored = try SafetensorsFile(url: folder.appendingPathComponent("step-2/weights.safetensors"))
                #expect(Set(stored.tensorNames) == trained.union(["frozen.checksum"]))
                let export = folder.appendingPathComponent("step-2/export")
                let loaded = try ChatRexModel.load(export)
                let name = "model.layers.0.self_attn.q_proj.weight"
                let weights = Dictionary(uniqueKeysWithValues: loaded.namedParameters)
                #expect(try weights[name]?.array(of: Float.self) != before[name])
                #expect(
                    try weights["model.layers.0.self_attn.k_proj.weight"]?.array(of: Float.self)
                        == before["model.layers.0.self_attn.k_proj.weight"])

                let adapter = export.appendingPathComponent(ConversationTask.adapterFolder)
                let file = try SafetensorsFile(url: adapter.appendingPathComponent("adapter_model.safetensors"))
                #expect(file.tensorNames.count == 24)
                let down = "base_model.model.model.layers.3.mlp.down_proj.lora_A.weight"
                #expect(file.shape(of: down) == [4, 640])
                let text = try Data(contentsOf: adapter.appendingPathComponent("adapter_config.json"))
                let config = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
                #expect(config["peft_type"] as? String == "LORA" && config["r"] as? Int == 4)
                #expect(config["target_modules"] as? [String] == ["q_proj", "v_proj", "down_proj"])
            }
        }

        @Test func aRunInTwoSessionsEndsWithTheSameUpdatesAndRefusesOtherWeights() throws {
            try withFolder { folder in
                func run(_ task: ConversationTask, _ name: String, until step: Int) throws -> [[Float]] {
                    _ = try TrainingRun(
                        task, options: options(steps: 9), folder: folder.appendingPathComponent(name),
                        configuration: ["test": true]
                    ).run(until: step)
                    return try task.tensors.dropLast().map { try $0.tensor.array(of: Float.self) }
                }
                let whole = try run(task(), "a", until: 3)
                let part = try run(task(), "b", until: 1)
                #expect(part != whole)
                #expect(try run(task(), "b", until: 3) == whole)
                #expect {
                    _ = try run(task(2), "b", until: 4)
                } throws: { "\($0)".contains("--init") }
            }
        }

        @Test func gradientsAreTheSameWhenActivationsAreComputedAgain() throws {
            func gradients(_ recomputes: Bool) throws -> [(String, [Float])] {
                let task = try task {
                    ($0.encoderRate, $0.recomputesActivations) = (0.5, recomputes)
                }
                let parameters = task.parameterGroups.flatMap(\.parameters)
                for parameter in parameters { try parameter.tensor.requiringGradient() }
                try Runtime.seed(4)
                try task.losses(task.batch(0, progress: 0)).total.backward()
                return try parameters.map { ($0.name, try $0.tensor.gradient?.array(of: Float.self) ?? []) }
            }
            let (plain, again) = (try gradients(false), try gradients(true))
            #expect(plain.count { !$0.1.isEmpty } > 100)
            for (a, b) in zip(plain, again) {
                #expect(a.1.count == b.1.count)
                let scale = a.1.map(abs).max() ?? 0
                let difference = zip(a.1, b.1).map { abs($0 - $1) }.max() ?? 0
                #expect(difference <= 1e-4 * scale + 1e-9, "\(a.0): \(difference) of \(scale)")
            }
        }
    }
}
