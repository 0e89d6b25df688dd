import Foundation
import Torch

/// Adam with decoupled weight decay (Loshchilov and Hutter), over groups of parameters with their own rates.
public final class AdamW {
    /// Parameters that share settings.
    public struct Group {
        public var parameters: [(name: String, tensor: Tensor)]
        /// Factor on the learning rate of a step.
        public var rateScale: Double
        public var weightDecay: Double

        public init(_ parameters: [(name: String, tensor: Tensor)], rateScale: Double = 1, weightDecay: Double) {
            (self.parameters, self.rateScale, self.weightDecay) = (parameters, rateScale, weightDecay)
        }
    }

    public let groups: [Group]
    let beta1: Double, beta2: Double, epsilon: Double
    /// Steps taken so far.
    public package(set) var stepCount = 0
    private var moments: [[(first: Tensor, second: Tensor)]] = []
    private static let fused = Operator("_fused_adamw_")

    public init(_ groups: [Group], beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) throws {
        self.groups = groups
        (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
        moments = try groups.map {
            try $0.parameters.map { (try $0.tensor.detached().zerosLike(), try $0.tensor.detached().zerosLike()) }
        }
    }

    /// Applies the accumulated gradients. Parameters without one stay as they are.
    public func step(learningRate: Double) throws {
        stepCount += 1
        try withoutGradients {
            for (group, moments) in zip(groups, moments) {
                var parameters: [Tensor] = [], gradients: [Tensor] = [], first: [Tensor] = [], second: [Tensor] = []
                for (parameter, moment) in zip(group.parameters, moments) {
                    guard let gradient = parameter.tensor.gradient else { continue }
                    parameters.append(parameter.tensor)
                    gradients.append(gradient)
                    first.append(moment.first)
                    second.append(moment.second)
                }
                if parameters.isEmpty { continue }
                let step = try Tensor(scalar: Float(stepCount)).to(device: parameters[0].device)
                try Self.fused.run(
                    .tensors(parameters), .tensors(gradients), .tensors(first), .tensors(second), .tensors([]),
                    .tensors(parameters.map { _ in step }), .double(learningRate * group.rateScale), .double(beta1),
                    .double(beta2), .double(group.weightDecay), .double(epsilon), .bool(false), .bool(false))
            }
        }
    }

    /// Drops all gradients.
    public func clearGradients() throws {
        for group in groups { for parameter in group.parameters { try parameter.tensor.setGradient(nil) } }
    }

    /// Scales gradients so that their joint norm is at most `limit`.
    /// - Parameter joint: the norm of these gradients and those that are kept elsewhere, from that of these.
    /// - Returns: the norm before; not finite when a gradient is not.
    @discardableResult
    public func clipGradients(to limit: Double, joint: (Double) throws -> Double = { $0 }) throws -> Double {
        try withoutGradients {
            let gradients = groups.flatMap { $0.parameters.compactMap(\.tensor.gradient) }
            let own =
                try gradients.isEmpty
                ? 0 : Tensor.stacked(gradients.map { try $0.converted(to: .float32).norm() }).norm().item(Float.self)
            let norm = try joint(Double(own))
            if norm.isFinite && norm > limit {
                for gradient in gradients { try gradient.scale(by: limit / (norm + 1e-6)) }
            }
            return norm
        }
    }

    /// Everything but the parameters that a resumed run needs, by name.
    public var state: [(name: String, tensor: Tensor)] {
        zip(groups, moments).flatMap { group, moments in
            zip(group.parameters, moments).flatMap {
                [("first.\($0.name)", $1.first), ("second.\($0.name)", $1.second)]
            }
        }
    }

    /// Restores what `state` and `stepCount` gave.
    public func restore(stepCount: Int, _ tensor: (String) throws -> Tensor) throws {
        for entry in state { try entry.tensor.copy(from: tensor(entry.name)) }
        self.stepCount = stepCount
    }
}

/// Learning rate as a function of the step.
public enum Schedule: Sendable {
    case constant
    /// Linear to the full rate over `warmup` steps, then a half cosine down to `floor` (a fraction) at `total`.
    case cosine(warmup: Int, total: Int, floor: Double)
    /// Linear to the full rate over `warmup` steps; multiplied by `factor` at each milestone.
    case steps(warmup: Int, milestones: [Int], factor: Double)

    /// Fraction of the full rate at a step (from 0).
    public func factor(at step: Int) -> Double {
        switch self {
        case .constant: return 1
        case .cosine(let warmup, let total, let floor):
            if step < warmup { return Double(step + 1) / Double(warmup) }
            let progress = min(1, Double(step - warmup) / Double(max(total - warmup, 1)))
            return floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress))
        case .steps(let warmup, let milestones, let factor):
            if step < warmup { return Double(step + 1) / Double(warmup) }
            return pow(factor, Double(milestones.count { $0 <= step }))
        }
    }
}
