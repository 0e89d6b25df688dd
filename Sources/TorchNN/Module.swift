import Torch

/// A part of a network that owns named tensors. Subclasses build their layers from `weights / "name"`.
open class Module {
    /// The part's place in the model's tree of names.
    public let weights: Weights

    public init(_ weights: Weights) {
        self.weights = weights
    }

    /// Trained tensors at or below this module, by full name.
    public var namedParameters: [(name: String, tensor: Tensor)] {
        weights.entries.filter(\.isParameter).map { ($0.name, $0.tensor) }
    }

    /// Saved tensors that are not trained, by full name.
    public var namedBuffers: [(name: String, tensor: Tensor)] {
        weights.entries.filter { !$0.isParameter }.map { ($0.name, $0.tensor) }
    }

    /// Switches training of every parameter at or below this module on or off.
    public func setTrainable(_ trainable: Bool) throws {
        for parameter in namedParameters { try parameter.tensor.requiringGradient(trainable) }
    }
}
