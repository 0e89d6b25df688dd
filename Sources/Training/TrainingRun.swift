import Checkpoints
import Foundation
import Torch
import TorchNN

/// A loss with the parts it is made of.
public struct TrainingLosses {
    /// What is minimised, without dimensions.
    public var total: Tensor
    /// For the log, without dimensions.
    public var parts: [(name: String, value: Tensor)]

    public init(total: Tensor, parts: [(name: String, value: Tensor)] = []) {
        (self.total, self.parts) = (total, parts)
    }
}

/// What a run trains: a model with its data and loss.
public protocol TrainingTask {
    associatedtype Batch
    /// Everything that checkpoints save, by unique names.
    var tensors: [(name: String, tensor: Tensor)] { get }
    /// What is trained, with rates and weight decay; part of `tensors`.
    var parameterGroups: [AdamW.Group] { get }
    /// Everything that the run holds in memory, `tensors` among it; more than these where a part rests that checkpoints leave out.
    var heldTensors: [(name: String, tensor: Tensor)] { get }
    /// Called when a checkpoint's values are in `tensors`; throws where they do not belong to the rest of the model.
    func restored() throws
    /// The batch of a number; must depend on its arguments and the run's seed alone. Numbers come in order.
    /// - Parameter progress: how much of the run is done, 0...1.
    func batch(_ number: Int, progress: Double) throws -> Batch
    func losses(_ batch: Batch) throws -> TrainingLosses
    /// Figures on held-out data; must not draw from libtorch's generator. The model has its averaged weights then.
    func evaluate() throws -> [String: Double]
    /// Writes the model for use into a folder that does not exist yet. The model has its averaged weights then.
    func export(to folder: URL) throws
}

extension TrainingTask {
    public var heldTensors: [(name: String, tensor: Tensor)] { tensors }
    public func restored() {}

    /// - Throws: `TrainingError.unusableRun` for a checkpoint of a task with other tensors.
    func checkFit(of weights: SafetensorsFile, in folder: RunFolder) throws {
        let misfits = tensors.filter { weights.shape(of: $0.name) != $0.tensor.shape }
        guard let (name, tensor) = misfits.first else { return }
        let found = weights.shape(of: name).map { "\($0)" } ?? "none"
        throw TrainingError.unusableRun(
            path: folder.url.path,
            reason: """
                its checkpoint is of another recipe or model; of \(tensors.count) tensors \(misfits.count) do not fit, such as \
                \(name): \(found) instead of \(tensor.shape). Name another folder by --out.
                """)
    }
}

/// What a checkpoint's folder holds.
public enum CheckpointFile {
    /// What the task exports: the model for use, with averaged weights.
    public static let export = "export"
    static let weights = "weights.safetensors", training = "training.safetensors", state = "state.json"
    static let averagePrefix = "average.", randomKey = "random", cpuRandomKey = "random.cpu"
}

/// Carries a task through to its end, over as many sessions as it takes.
///
/// The run lives in a folder. When the folder has a checkpoint, the run goes on from there; on the CPU, with a fixed number of
/// threads and `steps` as the end, an interrupted run ends with the same weights as one that was not.
public final class TrainingRun<Task: TrainingTask> {
    /// Why `run()` came back.
    public enum Outcome: Sendable, Equatable {
        /// The run is complete.
        case finished
        /// It stopped before its end; a checkpoint was written.
        case stopped
    }

    public let task: Task
    public let options: TrainingOptions
    public let folder: RunFolder
    /// Optimiser steps done.
    public private(set) var step = 0
    let optimizer: ShardedAdamW
    /// In the first process alone.
    let average: WeightAverage?
    private let parallel: DataParallel
    /// In the first process alone.
    private let log: RunLog?
    private let device: Device
    private var elapsed = 0.0
    /// Of the last checkpoint.
    private var savedStep = 0
    private var divergence: DivergenceGuard

    /// What a checkpoint holds besides tensors.
    private struct State: Codable {
        var step: Int, elapsedSeconds: Double, optimizerSteps: Int, averageUpdates: Int
    }

    /// - Parameters:
    ///   - folder: where the run lives; made if there is none.
    ///   - configuration: written to `config.json` for the reader.
    ///   - parallel: the processes that train together, the same that the task knows. Only the first one uses the folder.
    /// - Throws: `TrainingError`, `CheckpointError`, `LoadReport`, `ProcessGroupError`.
    public init(
        _ task: Task, options: TrainingOptions, folder: URL, configuration: some Encodable,
        parallel: DataParallel = .alone
    ) throws {
        try options.validate()
        (self.task, self.options, self.parallel) = (task, options, parallel)
        divergence = DivergenceGuard(options)
        self.folder = try RunFolder(folder, isMade: parallel.isFirst)
        let groups = task.parameterGroups
        let trained = groups.flatMap(\.parameters)
        for parameter in trained { try parameter.tensor.requiringGradient() }
        device = trained.first?.tensor.device ?? .cpu
        optimizer = try ShardedAdamW(groups, parallel)
        average =
            parallel.isFirst && options.averageDecay > 0
            ? try WeightAverage(trained, decay: options.averageDecay) : nil
        log = parallel.isFirst ? try RunLog(self.folder) : nil
        if parallel.isFirst { try self.folder.write(configuration, to: "config.json") }
        try parallel.check(settings: configuration)
        try begin()
        savedStep = step
        try log?.write("start", step: step, ["elapsed": elapsed])
    }

    /// Trains until the end, a signal, or a step at which this session is to stop.
    public func run(until sessionEnd: Int = .max) throws -> Outcome {
        do {
            return try train(until: sessionEnd)
        } catch let error as ProcessGroupError {
            throw TrainingError.processLost(step: step, saved: savedStep, reason: "\(error)")
        }
    }

    private func train(until sessionEnd: Int) throws -> Outcome {
        StopSignal.install()
        var reporter = ProgressReporter(options: options, step: step)
        let clock = SessionClock(before: elapsed)
        var savedAt = elapsed, evaluatedAt = elapsed
        while try !options.isOver(step: step, elapsed: elapsed) && step < sessionEnd
            && !parallel.any(StopSignal.isRaised)
        {
            let (losses, norm, rate) = try advance()
            // All processes go by the first one's clock, since rates and sizes of pictures follow it.
            elapsed = try parallel.first(clock.elapsed)
            if let log {
                try reporter.note(step: step, elapsed: elapsed, losses: losses, norm: norm, rate: rate, log)
            }
            if let minutes = options.evaluationMinutes, elapsed - evaluatedAt >= minutes * 60 {
                try evaluate()
                evaluatedAt = try parallel.first(clock.elapsed)
            }
            if elapsed - savedAt >= options.checkpointMinutes * 60, !divergence.isSuspicious {
                elapsed = try parallel.first(clock.elapsed)
                try save()
                savedAt = elapsed
            }
        }
        if try step > savedStep || parallel.any(parallel.isFirst && folder.latest == nil) { try save() }
        if !options.isOver(step: step, elapsed: elapsed) {
            try log?.write("stop", step: step, ["elapsed": elapsed])
            return .stopped
        }
        try evaluate()
        return .finished
    }

    /// One optimiser step.
    private func advance() throws -> (losses: [(String, Double)], norm: Double, rate: Double) {
        let progress = options.progress(step: step, elapsed: elapsed)
        let rate = options.rate(step: step, elapsed: elapsed)
        let batches = step * options.accumulation...(step + 1) * options.accumulation - 1
        var values: [(String, Double)] = []
        for number in batches {
            let batch = try task.batch(number, progress: progress)
            let losses = try autocast(device, to: options.precision == .bfloat16 ? .bfloat16 : nil) {
                try task.losses(batch)
            }
            values = try summed(Self.values(losses))
            if values.contains(where: { !$0.1.isFinite }) {
                let text = values.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
                throw TrainingError.notFinite(what: "loss of batch \(number)", step: step, values: text)
            }
            try (losses.total / Double(options.accumulation)).backward()
        }
        let norm = try optimizer.clipGradients(to: options.clipNorm)
        if !norm.isFinite {
            throw TrainingError.notFinite(
                what: "gradient of \(TrainingError.text(batches))", step: step, values: "norm \(norm)")
        }
        try divergence.note(values.first?.1 ?? 0, step: step, batches: batches)
        try optimizer.step(learningRate: rate)
        try optimizer.clearGradients()
        try average?.update()
        step += 1
        return (values, norm, rate)
    }

    /// Losses of the whole batch from those of this process's part.
    private func summed(_ values: [(String, Double)]) throws -> [(String, Double)] {
        Array(zip(values.map(\.0), try parallel.sum(values.map(\.1))))
    }

    /// Brings all values over from the device at once.
    private static func values(_ losses: TrainingLosses) throws -> [(String, Double)] {
        let tensors = try ([losses.total] + losses.parts.map(\.value)).map {
            try $0.detached().converted(to: .float32).reshaped([])
        }
        let numbers = try Tensor.stacked(tensors).array(of: Float.self).map(Double.init)
        return Array(zip(["loss"] + losses.parts.map(\.name), numbers))
    }

    private func withAveragedWeights<Result>(_ body: () throws -> Result) throws -> Result {
        if let average { try average.whileApplied(body) } else { try body() }
    }

    private func evaluate() throws {
        try parallel.inFirst {
            let figures = try withAveragedWeights { try task.evaluate() }
            try log?.write("evaluation", step: step, figures.merging(["elapsed": elapsed]) { $1 })
            let text = figures.sorted { $0.key < $1.key }.map { "\($0.key) \(ProgressReporter.short($0.value))" }
            ProgressReporter.print("step \(step)  evaluation  " + text.joined(separator: "  "))
        }
    }
}

// MARK: - Checkpoints

extension TrainingRun {
    /// Writes a checkpoint of the present step.
    func save() throws {
        let moments = try optimizer.state()
        try parallel.inFirst { try write(moments) }
        savedStep = step
    }

    private func write(_ moments: [(name: String, tensor: Tensor)]) throws {
        try folder.writeCheckpoint(step, keeping: options.keptCheckpoints) { url in
            try SafetensorsWriter.write(task.tensors, to: url.appendingPathComponent(CheckpointFile.weights))
            try withAveragedWeights { try task.export(to: url.appendingPathComponent(CheckpointFile.export)) }
            var extra = moments
            extra += (average?.entries ?? []).map { (CheckpointFile.averagePrefix + $0.name, $0.tensor) }
            extra.append((CheckpointFile.cpuRandomKey, try Runtime.randomState()))
            if device.kind != .cpu { extra.append((CheckpointFile.randomKey, try Runtime.randomState(of: device))) }
            try SafetensorsWriter.write(extra, to: url.appendingPathComponent(CheckpointFile.training))
            let state = State(
                step: step, elapsedSeconds: elapsed, optimizerSteps: optimizer.stepCount,
                averageUpdates: average?.updateCount ?? 0)
            try RunFolder.write(state, to: url.appendingPathComponent(CheckpointFile.state))
        }
        try log?.write("checkpoint", step: step, ["elapsed": elapsed])
    }

    /// A checkpoint whose files can be read.
    private struct Stored {
        let state: State, weights: SafetensorsFile, training: SafetensorsFile

        init(_ url: URL) throws {
            state = try RunFolder.read(State.self, from: url.appendingPathComponent(CheckpointFile.state))
            weights = try SafetensorsFile(url: url.appendingPathComponent(CheckpointFile.weights))
            training = try SafetensorsFile(url: url.appendingPathComponent(CheckpointFile.training))
        }
    }

    /// Restores the newest checkpoint, if any; all processes begin with what the first one has.
    private func begin() throws {
        let stored = parallel.isFirst ? try newest() : nil
        let isResumed = try parallel.any(stored != nil)
        if let stored { try restore(stored) } else { try Runtime.seed(options.seed) }
        if parallel.isAlone { return }
        for entry in task.tensors { try parallel.broadcast(entry.tensor) }
        if isResumed { try share(stored) }
    }

    /// The newest checkpoint that can be read; newer ones are set aside.
    /// - Returns: nil where there is none at all.
    private func newest() throws -> Stored? {
        var damaged: [(step: Int, reason: String)] = []
        for number in folder.checkpointSteps.reversed() {
            let stored: Stored
            do {
                stored = try Stored(folder.checkpoint(number))
            } catch {
                damaged.append((number, "\(error)"))
                continue
            }
            for (number, reason) in damaged {
                let kept = try folder.setAside(number)
                ProgressReporter.print("step-\(number) cannot be read and is now \(kept): \(reason)")
            }
            return stored
        }
        if let newest = damaged.first {
            throw TrainingError.unusableRun(
                path: folder.url.path, reason: "none of its checkpoints can be read; of the newest: \(newest.reason)")
        }
        return nil
    }

    private func restore(_ stored: Stored) throws {
        let (state, weights, training) = (stored.state, stored.weights, stored.training)
        try task.checkFit(of: weights, in: folder)
        try withoutGradients {
            for entry in task.tensors { try entry.tensor.copy(from: weights.tensor(named: entry.name)) }
        }
        try task.restored()
        if parallel.isAlone {
            try optimizer.restore(stepCount: state.optimizerSteps) { try training.tensor(named: $0) }
        }
        try average?.restore(updateCount: state.averageUpdates) {
            try training.tensor(named: CheckpointFile.averagePrefix + $0)
        }
        try Runtime.setRandomState(training.tensor(named: CheckpointFile.cpuRandomKey))
        if device.kind != .cpu, training.record(named: CheckpointFile.randomKey) != nil {
            try Runtime.setRandomState(training.tensor(named: CheckpointFile.randomKey), of: device)
        }
        (step, elapsed) = (state.step, state.elapsedSeconds)
    }

    /// Gives all processes what the first one restored beside the weights.
    private func share(_ stored: Stored?) throws {
        let state = stored?.state
        let numbers = try parallel.first(
            [state?.step ?? 0, state?.optimizerSteps ?? 0].map(Double.init) + [state?.elapsedSeconds ?? 0])
        (step, elapsed) = (Int(numbers[0]), numbers[2])
        try optimizer.restore(stepCount: Int(numbers[1])) { name in
            guard let stored else { throw TrainingError.unusableRun(path: folder.url.path, reason: "no checkpoint") }
            return try stored.training.tensor(named: name)
        }
        for place in device.kind == .cpu ? [Device.cpu] : [.cpu, device] {
            let random = try Runtime.randomState(of: place)
            try parallel.broadcast(random)
            try Runtime.setRandomState(random, of: place)
        }
    }
}
