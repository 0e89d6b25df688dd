import Torch

/// y = x W^T + b over the last dimension. Names: `weight` [Out, In], `bias` [Out].
public final class Linear: Module {
    public let weight: Tensor
    public let bias: Tensor?
    /// A change of the weight that is trained in its place.
    public var update: LowRankUpdate?

    public init(
        _ inputs: Int, _ outputs: Int, bias hasBias: Bool = true, _ weights: Weights, initializer: Initializer = .fanIn,
        biasInitializer: Initializer? = nil
    ) throws {
        weight = try weights.parameter("weight", [outputs, inputs], initializer)
        bias =
            hasBias
            ? try weights.parameter(
                "bias", [outputs], biasInitializer ?? .uniform(bound: 1 / Double(max(inputs, 1)).squareRoot())) : nil
        super.init(weights)
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        let y = try x.linear(weight, bias)
        guard let update else { return y }
        return try y + update(x)
    }
}

/// 2-d convolution. Names: `weight` [Out, In / groups, k, k], `bias` [Out].
public final class Conv2d: Module {
    public let weight: Tensor
    public let bias: Tensor?
    let stride: Int, padding: Int, groups: Int

    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
        bias hasBias: Bool = true,
        _ weights: Weights, initializer: Initializer = .fanIn, biasInitializer: Initializer? = nil
    ) throws {
        (self.stride, self.padding, self.groups) = (stride, padding, groups)
        let fanIn = inputs / groups * kernel * kernel
        weight = try weights.parameter("weight", [outputs, inputs / groups, kernel, kernel], initializer)
        bias =
            hasBias
            ? try weights.parameter(
                "bias", [outputs], biasInitializer ?? .uniform(bound: 1 / Double(max(fanIn, 1)).squareRoot())) : nil
        super.init(weights)
    }

    /// [B, In, H, W] -> [B, Out, H', W']
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.convolved2d(weight, bias, stride: stride, padding: padding, groups: groups)
    }
}

/// Normalisation over the last dimension. Names: `weight`, `bias` [C].
public final class LayerNorm: Module {
    public let weight: Tensor, bias: Tensor
    let epsilon: Double

    public init(_ channels: Int, epsilon: Double = 1e-5, _ weights: Weights) throws {
        self.epsilon = epsilon
        weight = try weights.parameter("weight", [channels], .ones)
        bias = try weights.parameter("bias", [channels], .zeros)
        super.init(weights)
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor { try x.layerNormalized(weight, bias, epsilon: epsilon) }

    /// Over the channels of a map: [B, C, H, W] -> the same shape.
    public func overChannels(_ x: Tensor) throws -> Tensor { try self(x.permuted(0, 2, 3, 1)).permuted(0, 3, 1, 2) }
}

/// Normalisation of groups of channels of [B, C, …]. Names: `weight`, `bias` [C].
public final class GroupNorm: Module {
    public let weight: Tensor, bias: Tensor
    let groups: Int, epsilon: Double

    public init(groups: Int, _ channels: Int, epsilon: Double = 1e-5, _ weights: Weights) throws {
        (self.groups, self.epsilon) = (groups, epsilon)
        weight = try weights.parameter("weight", [channels], .ones)
        bias = try weights.parameter("bias", [channels], .zeros)
        super.init(weights)
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.groupNormalized(groups, weight, bias, epsilon: epsilon)
    }
}

/// Division by the root mean square, computed in float32. Name: `weight` [C].
public final class RMSNorm: Module {
    public let weight: Tensor
    let epsilon: Double

    public init(_ channels: Int, epsilon: Double, _ weights: Weights) throws {
        self.epsilon = epsilon
        weight = try weights.parameter("weight", [channels], .ones)
        super.init(weights)
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor { try x.rmsNormalized(weight, epsilon: epsilon) }
}

/// A table of vectors. Name: `weight` [count, C].
public final class Embedding: Module {
    public let weight: Tensor

    public init(_ count: Int, _ channels: Int, _ weights: Weights, initializer: Initializer = .normal(deviation: 1))
        throws
    {
        weight = try weights.parameter("weight", [count, channels], initializer)
        super.init(weights)
    }

    /// int64 numbers of any shape -> [.., C]
    public func callAsFunction(_ indices: Tensor) throws -> Tensor { try weight.rows(indices) }
}

/// Linear layers with ReLU between. Names: `layers.{i}`.
public final class MLP: Module {
    let layers: [Linear]

    /// - Parameter sizes: widths from input to output.
    public init(
        _ sizes: [Int], _ weights: Weights, initializer: Initializer = .fanIn, lastInitializer: Initializer? = nil
    ) throws {
        layers = try zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
            let last = index == sizes.count - 2 ? lastInitializer : nil
            return try Linear(
                size.0, size.1, weights / "layers" / index, initializer: last ?? initializer, biasInitializer: last)
        }
        super.init(weights)
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        var x = x
        for (index, layer) in layers.enumerated() {
            x = try layer(x)
            if index < layers.count - 1 { x = try x.relu() }
        }
        return x
    }
}

/// Two linear layers with an exact GELU between. Names: `0`, `2` (as in a PyTorch `Sequential`).
public final class Projector: Module {
    let first: Linear, second: Linear

    public init(_ inputs: Int, _ outputs: Int, _ weights: Weights) throws {
        first = try Linear(inputs, outputs, weights / 0, initializer: .xavierUniform, biasInitializer: .zeros)
        second = try Linear(outputs, outputs, weights / 2, initializer: .xavierUniform, biasInitializer: .zeros)
        super.init(weights)
    }

    /// [.., In] -> [.., Out]
    public func callAsFunction(_ x: Tensor) throws -> Tensor { try second(first(x).gelu()) }
}
