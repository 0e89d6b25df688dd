import Foundation
import Testing
import Torch
import TorchNN
import Training

/// Learns y = x W with noise on its inputs from libtorch's generator.
private final class Toy: TrainingTask {
    let store = ParameterStore()
    let layer: MLP
    let badStep: Int?

    init(badStep: Int? = nil) throws {
        self.badStep = badStep
        try Runtime.seed(1)
        layer = try MLP([3, 8, 2], store.weights / "layer")
    }

    var tensors: [(name: String, tensor: Tensor)] { store.entries.map { ($0.name, $0.tensor) } }
    var parameterGroups: [AdamW.Group] { [AdamW.Group(layer.namedParameters, weightDecay: 0.01)] }

    func batch(_ number: Int, progress: Double) -> Int { number }

    func losses(_ batch: Int) throws -> TrainingLosses {
        let x = try Tensor((0..<12).map { Float(($0 * 7 + batch * 5) % 11) / 11 }, shape: [4, 3])
        let noisy = try x + Tensor.normal([4, 3]) * 0.01
        let wanted = try x.matmul(Tensor([1, 2, -1, 0.5, 0, 1] as [Float], shape: [3, 2]))
        var loss = try (layer(noisy) - wanted).power(2).mean()
        if batch == badStep { loss = try loss * .nan }
        return TrainingLosses(total: loss, parts: [("square", loss)])
    }

    func evaluate() throws -> [String: Double] { ["zero": 0] }

    func export(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    var values: [[Float]] { get throws { try tensors.map { try $0.tensor.array(of: Float.self) } } }
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("training-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}

private func options(steps: Int) -> TrainingOptions {
    var options = TrainingOptions()
    options.steps = steps
    options.learningRate = 0.02
    options.warmupSteps = 3
    options.clipNorm = 1
    options.accumulation = 2
    options.logSteps = 4
    options.averageDecay = 0.9
    options.evaluationMinutes = nil
    return options
}

/// Runs until `steps` with a schedule made for `planned` steps.
private func train(_ toy: Toy, _ folder: URL, steps: Int, planned: Int) throws -> TrainingRun<Toy> {
    let run = try TrainingRun(toy, options: options(steps: planned), folder: folder, configuration: ["toy": true])
    _ = try run.run(until: steps)
    return run
}

extension SharedStateTests {
    @Suite struct TrainingRunTests {
        @Test("A plan says what is trained and what it takes, and leaves the weights alone") func plan() throws {
            let toy = try Toy(), before = try toy.layer.namedParameters[0].tensor.array(of: Float.self)
            var options = TrainingOptions()
            (options.steps, options.learningRate) = (12, 0.5)
            let plan = try TrainingPlan(toy, options)
            // 3 x 8 and 8 x 2 weights with their biases.
            #expect(plan.elements == 50 && plan.trained == 50 && plan.steps == 12)
            #expect(plan.parts.map(\.name) == ["layer.layers"] && plan.parts[0].rates == [1])
            #expect(plan.weightBytes == 200 && plan.gradientBytes == 200 && plan.momentBytes == 400)
            #expect(try toy.layer.namedParameters[0].tensor.array(of: Float.self) == before)
            #expect(throws: TrainingError.self) { try TrainingPlan(toy, TrainingOptions()) }
        }

        @Test func aRunInTwoSessionsEndsWithTheSameBitsAsOneInOne() throws {
            try withFolder { folder in
                let whole = try Toy(), parts = try Toy(), rest = try Toy()
                let once = try train(whole, folder.appendingPathComponent("a"), steps: 20, planned: 20)
                _ = try train(parts, folder.appendingPathComponent("b"), steps: 9, planned: 20)
                #expect(try parts.values != whole.values)
                let resumed = try train(rest, folder.appendingPathComponent("b"), steps: 20, planned: 20)
                #expect(resumed.step == 20)
                #expect(try rest.values == whole.values)
                for name in ["weights", "training"] {
                    let files = [once, resumed].map {
                        $0.folder.checkpoint(20).appendingPathComponent(name + ".safetensors")
                    }
                    #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
                }
            }
        }

        @Test func trainingLowersTheLoss() throws {
            try withFolder { folder in
                let toy = try Toy()
                let before = try toy.losses(0).total.item(Float.self)
                _ = try train(toy, folder, steps: 200, planned: 200)
                #expect(try toy.losses(0).total.item(Float.self) < before / 20)
            }
        }

        @Test func aLossThatIsNotANumberStopsTheRunAndLeavesTheLastCheckpoint() throws {
            try withFolder { folder in
                _ = try train(Toy(), folder, steps: 4, planned: 20)
                let before = try Data(contentsOf: folder.appendingPathComponent("step-4/weights.safetensors"))
                #expect(throws: TrainingError.self) { _ = try train(Toy(badStep: 12), folder, steps: 20, planned: 20) }
                #expect(try RunFolder(folder).checkpointSteps == [4])
                #expect(try Data(contentsOf: folder.appendingPathComponent("step-4/weights.safetensors")) == before)
            }
        }

        @Test func aSignalSavesAndEndsTheRun() throws {
            try withFolder { folder in
                final class Interrupted: TrainingTask {
                    let toy: Toy
                    init() throws { toy = try Toy() }
                    var tensors: [(name: String, tensor: Tensor)] { toy.tensors }
                    var parameterGroups: [AdamW.Group] { toy.parameterGroups }
                    func batch(_ number: Int, progress: Double) -> Int {
                        // To the process, since the thread of a test may block signals.
                        if number == 10 { kill(getpid(), SIGTERM) }
                        return number
                    }
                    func losses(_ batch: Int) throws -> TrainingLosses { try toy.losses(batch) }
                    func evaluate() throws -> [String: Double] { [:] }
                    func export(to folder: URL) throws { try toy.export(to: folder) }
                }
                let run = try TrainingRun(
                    Interrupted(), options: options(steps: 1_000_000), folder: folder, configuration: ["toy": true])
                #expect(try run.run() == .stopped)
                #expect(try RunFolder(folder).checkpointSteps == [run.step])
            }
        }

        @Test(arguments: ["weights.safetensors", "training.safetensors", "state.json"])
        func aDamagedCheckpointIsSetAsideAndTheOneBeforeIsUsed(file: String) throws {
            try withFolder { folder in
                _ = try train(Toy(), folder, steps: 6, planned: 20)
                _ = try train(Toy(), folder, steps: 9, planned: 20)
                let newest = folder.appendingPathComponent("step-9/\(file)")
                try Data(contentsOf: newest).dropLast(20).write(to: newest)
                let resumed = try TrainingRun(
                    Toy(), options: options(steps: 20), folder: folder, configuration: ["toy": true])
                #expect(resumed.step == 6 && resumed.folder.checkpointSteps == [6])
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(names.contains { $0.hasPrefix("damaged-step-9") })
                // Where none is left, nothing is touched.
                let last = folder.appendingPathComponent("step-6/\(file)")
                try Data().write(to: last)
                #expect(throws: TrainingError.self) {
                    _ = try TrainingRun(
                        Toy(), options: options(steps: 20), folder: folder, configuration: ["toy": true])
                }
                #expect(resumed.folder.checkpointSteps == [6])
            }
        }

        @Test func onlyTheNewestCheckpointsAreKeptAndHalfWrittenOnesAreNotSeen() throws {
            try withFolder { folder in
                let runs = try RunFolder(folder)
                for step in [5, 50, 9] {
                    try runs.writeCheckpoint(step, keeping: 2) {
                        try Data("x".utf8).write(to: $0.appendingPathComponent("f"))
                    }
                }
                #expect(runs.checkpointSteps == [9, 50])
                struct Full: Error {}
                #expect(throws: Full.self) { try runs.writeCheckpoint(60, keeping: 2) { _ in throw Full() } }
                #expect(runs.checkpointSteps == [9, 50])
                #expect(runs.latest?.lastPathComponent == "step-50")
            }
        }

        @Test func settingsThatNothingCanBeTrainedWithAreNamed() throws {
            try withFolder { folder in
                let faults: [(String, (inout TrainingOptions) -> Void)] = [
                    ("steps", { $0.steps = nil }), ("learningRate", { $0.learningRate = 0 }),
                    ("clipNorm", { $0.clipNorm = -1 }), ("accumulation", { $0.accumulation = 0 }),
                    ("averageDecay", { $0.averageDecay = 1 }), ("logSteps", { $0.logSteps = 0 }),
                ]
                for (name, spoil) in faults {
                    var spoilt = options(steps: 5)
                    spoil(&spoilt)
                    #expect {
                        _ = try TrainingRun(Toy(), options: spoilt, folder: folder, configuration: ["toy": true])
                    } throws: { error in
                        if case .invalidSetting("options." + name, _) = error as? TrainingError { true } else { false }
                    }
                }
            }
        }
    }
}
