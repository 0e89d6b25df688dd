import Foundation
import Torch
import TorchNN

/// How a run goes on: length, rates, precision, how often things are saved. What is trained is the task's affair.
public struct TrainingOptions: Codable, Sendable, Equatable {
    /// Arithmetic of matrix products and convolutions; weights stay in float32.
    public enum Precision: String, Codable, Sendable {
        case float32, bfloat16
    }

    /// Ends after this many optimiser steps, if given. Of `steps` and `minutes` at least one is needed.
    public var steps: Int?
    /// Ends after this much time, all sessions together. The rate then follows the clock.
    public var minutes: Double?
    /// The highest learning rate.
    public var learningRate = 2e-4
    /// Steps over which the rate rises from 0.
    public var warmupSteps = 100
    /// Fraction of the rate that a half cosine ends at.
    public var finalRate = 0.01
    /// Parts of the run, 0...1, after which the rate falls to a tenth, in place of the cosine.
    public var rateDrops: [Double] = []
    /// Joint norm that gradients are cut to.
    public var clipNorm = 0.1
    /// Batches whose gradients are averaged for a step.
    public var accumulation = 1
    public var precision = Precision.float32
    /// The run stops when the loss is above this many times its running median for so many steps on end; a factor of 0 never stops.
    public var divergenceFactor = 10.0, divergenceSteps = 100
    /// Memory of the averaged weights, 0 for none.
    public var averageDecay = 0.999
    public var checkpointMinutes = 5.0
    public var keptCheckpoints = 3
    /// Nil for no evaluation but at the end.
    public var evaluationMinutes: Double? = 10
    /// Steps between lines in the log.
    public var logSteps = 20
    /// Of everything random in the run.
    public var seed: UInt64 = 0

    public init() {}

    /// - Throws: `TrainingError.invalidSetting` naming the first setting that nothing can be trained with.
    func validate() throws {
        func check(_ holds: Bool, _ name: String, _ reason: String) throws {
            try TrainingError.check(holds, "options." + name, reason)
        }
        try check(steps != nil || minutes != nil, "steps", "neither 'steps' nor 'minutes' says when to end")
        try check((steps ?? 0) >= 0, "steps", "it is negative")
        try check((minutes ?? 0) >= 0, "minutes", "it is negative")
        try check(learningRate > 0 && learningRate.isFinite, "learningRate", "\(learningRate) is not positive")
        try check(clipNorm > 0, "clipNorm", "\(clipNorm) is not positive")
        try check((0...1).contains(finalRate), "finalRate", "\(finalRate) is not within 0...1")
        try check(accumulation >= 1, "accumulation", "at least one batch is needed for a step")
        try check(
            rateDrops.allSatisfy { (0...1).contains($0) } && rateDrops == rateDrops.sorted(), "rateDrops",
            "\(rateDrops) is not ascending within 0...1")
        try check(
            divergenceFactor == 0 || divergenceFactor > 1 && divergenceFactor.isFinite, "divergenceFactor",
            "\(divergenceFactor) is neither 0 nor above 1")
        try check(divergenceSteps >= 1, "divergenceSteps", "\(divergenceSteps) is below 1")
        try check((0..<1).contains(averageDecay), "averageDecay", "\(averageDecay) is not within 0..<1")
        try check(checkpointMinutes > 0 && keptCheckpoints >= 1, "checkpointMinutes", "nothing would be kept")
        try check(logSteps >= 1, "logSteps", "\(logSteps) is below 1")
    }

    /// How much of the run is done, 0...1: by steps or by time, whichever is farther.
    func progress(step: Int, elapsed: Double) -> Double {
        let bySteps = steps.map { Double(step) / Double(max($0, 1)) } ?? 0
        let byTime = minutes.map { elapsed / max($0 * 60, 1e-9) } ?? 0
        return min(1, max(bySteps, byTime))
    }

    func isOver(step: Int, elapsed: Double) -> Bool {
        steps.map { step >= $0 } ?? false || minutes.map { elapsed >= $0 * 60 } ?? false
    }

    /// The learning rate of a step.
    func rate(step: Int, elapsed: Double) -> Double {
        let resolution = 1_000_000
        let schedule =
            rateDrops.isEmpty
            ? Schedule.cosine(warmup: 0, total: resolution, floor: finalRate)
            : Schedule.steps(warmup: 0, milestones: rateDrops.map { Int($0 * Double(resolution)) }, factor: 0.1)
        let warm = min(1, Double(step + 1) / Double(max(warmupSteps, 1)))
        return learningRate * warm
            * schedule.factor(at: Int(progress(step: step, elapsed: elapsed) * Double(resolution)))
    }
}
