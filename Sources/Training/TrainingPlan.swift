import Foundation
import Torch
import TorchNN

/// What a run would train and need. Making one writes nothing; it takes one batch to see how long that lasts.
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
    /// Seconds of a batch, forward and backward, the first one left out.
    public var batchSeconds: Double
    /// Optimiser steps until the recipe's end: its own number, or what its minutes give.
    public var steps: Int
    public var learningRate: Double

    public var elements: Int { parts.reduce(0) { $0 + $1.elements } }
    public var trained: Int { parts.reduce(0) { $0 + $1.trained } }
    /// What lasts through the run; what a batch takes comes on top.
    public var lastingBytes: Int { weightBytes + gradientBytes + momentBytes + averageBytes }

    /// - Throws: what the task throws for its first batches.
    public init<Task: TrainingTask>(_ task: Task, _ options: TrainingOptions) throws {
        try options.validate()
        try Runtime.seed(options.seed)
        let groups = task.parameterGroups, trainedTensors = groups.flatMap(\.parameters)
        for parameter in trainedTensors { try parameter.tensor.requiringGradient() }
        var rates: [String: Double] = [:]
        for group in groups { for parameter in group.parameters { rates[parameter.name] = group.rateScale } }
        var parts: [Part] = []
        for (name, tensor) in task.tensors {
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
        let trainedBytes = trainedTensors.reduce(0) { $0 + $1.tensor.count * 4 }
        weightBytes = task.tensors.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount }
        (gradientBytes, momentBytes) = (trainedBytes, 2 * trainedBytes)
        averageBytes = options.averageDecay > 0 ? trainedBytes : 0
        (batchSeconds, steps) = (0, 0)
        let clock = ContinuousClock()
        for number in 0..<2 {
            let start = clock.now
            try task.losses(task.batch(number, progress: 0)).total.backward()
            batchSeconds = (clock.now - start) / .seconds(1)
        }
        let byTime = options.minutes.map { Int($0 * 60 / (batchSeconds * Double(options.accumulation))) }
        steps = [options.steps, byTime].compactMap { $0 }.min() ?? 0
    }

    /// `model.layers.3.mlp.weight` belongs to `model.layers`.
    private static func part(of name: String) -> String {
        let pieces = name.split(separator: ".").prefix { Int($0) == nil }
        return pieces.prefix(2).filter { $0 != "weight" && $0 != "bias" }.joined(separator: ".")
    }
}
