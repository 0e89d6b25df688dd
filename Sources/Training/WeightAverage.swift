import Torch

/// A running average of weights, which answers better than the weights of any one step.
///
/// The decay rises from 0.1 to its full value, so that early weights are forgotten soon.
public final class WeightAverage {
    public let decay: Double
    /// Updates so far.
    public private(set) var updateCount = 0
    public private(set) var entries: [(name: String, tensor: Tensor)]
    private let sources: [Tensor]
    private static let interpolate = Operator("_foreach_lerp_.Scalar")

    /// Starts from the current values of `parameters`.
    /// - Parameter decay: 0..<1, near 1 for a long memory.
    public init(_ parameters: [(name: String, tensor: Tensor)], decay: Double) throws {
        guard (0..<1).contains(decay) else {
            throw TrainingError.invalidSetting(name: "averageDecay", reason: "\(decay) is not within 0..<1")
        }
        self.decay = decay
        sources = parameters.map(\.tensor)
        entries = try withoutGradients { try parameters.map { ($0.name, try $0.tensor.detached().copied()) } }
    }

    /// Takes the current weights in.
    public func update() throws {
        updateCount += 1
        let warm = Double(1 + updateCount) / Double(10 + updateCount)
        try withoutGradients {
            try Self.interpolate.run(
                .tensors(entries.map(\.tensor)), .tensors(sources.map { try $0.detached() }),
                .double(1 - min(decay, warm)))
        }
    }

    /// Runs `body` while the model has the averaged weights.
    public func whileApplied<Result>(_ body: () throws -> Result) throws -> Result {
        let kept = try withoutGradients { try sources.map { try $0.detached().copied() } }
        try withoutGradients { for (source, entry) in zip(sources, entries) { try source.copy(from: entry.tensor) } }
        let result = Swift.Result { try body() }
        try withoutGradients { for (source, value) in zip(sources, kept) { try source.copy(from: value) } }
        return try result.get()
    }

    /// Restores what `entries` and `updateCount` gave.
    public func restore(updateCount: Int, _ tensor: (String) throws -> Tensor) throws {
        try withoutGradients { for entry in entries { try entry.tensor.copy(from: tensor(entry.name)) } }
        self.updateCount = updateCount
    }
}
