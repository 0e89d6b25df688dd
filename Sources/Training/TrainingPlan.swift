import Foundation
import Torch
import TorchNN

/// What a run would train and need. Making one writes nothing.
public struct TrainingPlan: Sendable, Codable, Equatable {
    /// A part of the model, by the beginning of its tensors' names.
    public struct Part: Sendable, Codable, Equatable {
        public var name: String
        /// Elements of all its tensors, and of those that are trained.
        public var elements: Int, trained: Int
        /// Factors on the learning rate that its trained tensors have.
        public var rates: [Double]
    }

    public var parts: [Part]
    /// Bytes that last through the run: weights, gradients and the optimiser's moments, averaged weights.
    public var weightBytes: Int, gradientBytes: Int, momentBytes: Int, averageBytes: Int
    /// About what a batch keeps for its backward pass, reckoned from sizes; nil where nobody reckoned.
    public var batchBytes: Int?
    /// Seconds of a batch, forward and backward, the first one left out; nil where none was tried.
    public var batchSeconds: Double?
    /// Optimiser steps until the recipe's end: its own number, or what its minutes give; nil where that takes a trial.
    public var steps: Int?
    /// Pictures that a step learns from.
    public var picturesPerStep: Int?
    public var learningRate: Double
    /// What has to be there before the run can start.
    public var missing: [String] = []

    public var elements: Int { parts.reduce(0) { $0 + $1.elements } }
    public var trained: Int { parts.reduce(0) { $0 + $1.trained } }
    /// What lasts through the run; what a batch takes comes on top.
    public var lastingBytes: Int { weightBytes + gradientBytes + momentBytes + averageBytes }

    /// Runs that need more are not tried, only reckoned.
    static let trialLimit = 3 << 30
    /// Whether two batches may be tried to see how long they take.
    var allowsTrial: Bool { lastingBytes + (batchBytes ?? 0) <= Self.trialLimit }

    /// Counts what is there; models on the meta device take no memory for it.
    ///
    /// - Parameters:
    ///   - tensors: everything that the run holds
    ///   - batchBytes: see `batchBytes`
    init(
        _ tensors: [(name: String, tensor: Tensor)], _ groups: [AdamW.Group], _ options: TrainingOptions,
        batchBytes: Int? = nil
    ) throws {
        try options.validate()
        var rates: [String: Double] = [:]
        for group in groups { for parameter in group.parameters { rates[parameter.name] = group.rateScale } }
        var parts: [Part] = []
        for (name, tensor) in tensors {
            let part = Self.part(of: name)
            let index = parts.firstIndex { $0.name == part } ?? parts.count
            if index == parts.count { parts.append(Part(name: part, elements: 0, trained: 0, rates: [])) }
            parts[index].elements += tensor.count
            guard let rate = rates[name] else { continue }
            parts[index].trained += tensor.count
            if !parts[index].rates.contains(rate) { parts[index].rates.append(rate) }
        }
        self.parts = parts
        learningRate = options.learningRate
        let trainedBytes = groups.flatMap(\.parameters).reduce(0) { $0 + $1.tensor.count * 4 }
        weightBytes = tensors.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount }
        (gradientBytes, momentBytes) = (trainedBytes, 2 * trainedBytes)
        averageBytes = options.averageDecay > 0 ? trainedBytes : 0
        self.batchBytes = batchBytes
        steps = options.minutes == nil ? options.steps : nil
    }

    /// Counts what a task has and tries two batches.
    /// - Throws: what the task throws for its first batches.
    public init<Task: TrainingTask>(_ task: Task, _ options: TrainingOptions) throws {
        let groups = task.parameterGroups
        try self.init(task.heldTensors, groups, options)
        try Runtime.seed(options.seed)
        for parameter in groups.flatMap(\.parameters) { try parameter.tensor.requiringGradient() }
        let clock = ContinuousClock()
        var seconds = 0.0
        for number in 0..<2 {
            let start = clock.now
            try task.losses(task.batch(number, progress: 0)).total.backward()
            seconds = (clock.now - start) / .seconds(1)
        }
        batchSeconds = seconds
        let byTime = options.minutes.map { Int($0 * 60 / (seconds * Double(options.accumulation))) }
        steps = [options.steps, byTime].compactMap { $0 }.min()
    }

    /// `model.layers.3.mlp.weight` belongs to `model.layers`; low-rank updates are a part of their own.
    private static func part(of name: String) -> String {
        let pieces = name.split(separator: ".").prefix { Int($0) == nil }
        let part = pieces.prefix(2).filter { $0 != "weight" && $0 != "bias" }.joined(separator: ".")
        return name.contains(".lora_") ? part + " (low-rank updates)" : part
    }
}

extension TrainingPlan {
    /// What a reckoning can add to a trial: memory of a batch, pictures, data that are not there.
    func completed(_ reckoned: TrainingPlan) -> TrainingPlan {
        var plan = self
        (plan.batchBytes, plan.picturesPerStep, plan.missing) = (
            reckoned.batchBytes, reckoned.picturesPerStep, reckoned.missing
        )
        return plan
    }
}

extension TrainingData {
    /// Folders of the recipe that are not there.
    var missingFolders: [String] {
        folders.map(\.path).filter { !FileManager.default.fileExists(atPath: $0) }
    }
}
