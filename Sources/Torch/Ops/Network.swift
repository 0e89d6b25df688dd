// What networks are made of: products, convolutions, normalisation, attention, resampling, losses.

private enum Ops {
    static let matmul = Operator("matmul")
    static let linear = Operator("linear")
    static let einsum = Operator("einsum")
    static let conv2d = Operator("conv2d")
    static let layerNorm = Operator("layer_norm")
    static let groupNorm = Operator("group_norm")
    static let rmsNorm = Operator("rms_norm")
    static let embedding = Operator("embedding")
    static let attention = Operator("scaled_dot_product_attention")
    static let bilinear = Operator("upsample_bilinear2d")
    static let nearest = Operator("upsample_nearest2d")
    static let crossEntropy = Operator("cross_entropy_loss")
    static let bce = Operator("binary_cross_entropy_with_logits")
    static let dropout = Operator("dropout")
    static let gridSample = Operator("grid_sampler_2d")
    static let averagePool = Operator("adaptive_avg_pool2d")
}

extension Tensor {
    /// Matrix product over the last two dimensions, the others broadcast.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor { try Ops.matmul(.tensor(self), .tensor(other)) }

    /// Sums of products by Einstein's convention, e.g. `einsum("bhn,bnc->bhc", a, b)`.
    public static func einsum(_ equation: String, _ operands: Tensor...) throws(TorchError) -> Tensor {
        try Ops.einsum(.string(equation), .tensors(operands))
    }

    /// x W^T + b. [.., In] -> [.., Out]; weight [Out, In].
    public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try Ops.linear(.tensor(self), .tensor(weight), .optional(bias))
    }

    /// [B, C, H, W] -> [B, Out, H', W']; weight [Out, C / groups, kH, kW].
    public func convolved2d(
        _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
    ) throws(TorchError) -> Tensor {
        try Ops.conv2d(
            .tensor(self), .tensor(weight), .optional(bias), .ints([stride, stride]), .ints([padding, padding]),
            .ints([1, 1]),
            .int(groups))
    }

    /// Normalises over the last dimension.
    public func layerNormalized(_ weight: Tensor?, _ bias: Tensor?, epsilon: Double) throws(TorchError) -> Tensor {
        try Ops.layerNorm(.tensor(self), .ints([size(-1)]), .optional(weight), .optional(bias), .double(epsilon))
    }

    /// Normalises groups of channels of [B, C, …].
    public func groupNormalized(_ groups: Int, _ weight: Tensor?, _ bias: Tensor?, epsilon: Double) throws(TorchError)
        -> Tensor
    {
        try Ops.groupNorm(.tensor(self), .int(groups), .optional(weight), .optional(bias), .double(epsilon))
    }

    /// x / sqrt(mean(x^2) + epsilon) * weight over the last dimension.
    public func rmsNormalized(_ weight: Tensor, epsilon: Double) throws(TorchError) -> Tensor {
        try Ops.rmsNorm(.tensor(self), .ints([size(-1)]), .tensor(weight), .double(epsilon))
    }

    /// Rows of this table [V, C] by int64 numbers of any shape -> [.., C].
    public func rows(_ indices: Tensor) throws(TorchError) -> Tensor {
        try Ops.embedding(.tensor(self), .tensor(indices))
    }

    /// [B, C, H, W] -> [B, C, height, width] by bilinear interpolation with half-pixel centres and no antialiasing.
    public func upsampledBilinear(height: Int, width: Int) throws(TorchError) -> Tensor {
        try Ops.bilinear(.tensor(self), .ints([height, width]), .bool(false))
    }

    /// [B, C, H, W] -> [B, C, height, width]; source index floor(i * in / out).
    public func resizedNearest(height: Int, width: Int) throws(TorchError) -> Tensor {
        try Ops.nearest(.tensor(self), .ints([height, width]))
    }

    /// Samples [B, C, H, W] at points [B, h, w, 2] given as x, y in -1…1, zero outside (corners not aligned).
    public func gridSampled(_ points: Tensor) throws(TorchError) -> Tensor {
        try Ops.gridSample(.tensor(self), .tensor(points), .int(0), .int(0), .bool(false))
    }

    /// [B, C, H, W] -> [B, C, height, width] by averaging.
    public func averagePooled(height: Int, width: Int) throws(TorchError) -> Tensor {
        try Ops.averagePool(.tensor(self), .ints([height, width]))
    }

    /// Zeroes a random part of the elements and scales the rest up, while training.
    public func droppedOut(_ probability: Double, isTraining: Bool) throws(TorchError) -> Tensor {
        isTraining && probability > 0 ? try Ops.dropout(.tensor(self), .double(probability), .bool(true)) : self
    }

    /// Mean cross entropy of logits [N, C] against class numbers [N] (int64); targets equal to `ignoring` do not count.
    public func crossEntropy(
        _ targets: Tensor, ignoring: Int = -100, labelSmoothing: Double = 0, reduction: Reduction = .mean
    )
        throws(TorchError) -> Tensor
    {
        try Ops.crossEntropy(
            .tensor(self), .tensor(targets), .none, .int(reduction.rawValue), .int(ignoring), .double(labelSmoothing))
    }

    /// Binary cross entropy of logits against probabilities of the same shape.
    public func binaryCrossEntropy(_ targets: Tensor, reduction: Reduction = .mean) throws(TorchError) -> Tensor {
        try Ops.bce(.tensor(self), .tensor(targets), .none, .none, .int(reduction.rawValue))
    }
}

/// What a loss does with its elements. Raw values are libtorch's codes.
public enum Reduction: Int, Sendable {
    case none = 0
    case mean = 1
    case sum = 2
}

/// softmax(q k^T * scale + mask) v.
///
/// - Parameters:
///   - q: [B, H, T, D]; k, v: [B, K, S, D] (K below H only with `groupedHeads`).
///   - mask: additive, or boolean with true = may look; broadcastable to [B, H, T, S].
///   - isCausal: position t sees positions up to t (T == S).
///   - scale: 1 / sqrt(D) when nil.
/// - Returns: [B, H, T, D]
public func scaledDotProductAttention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil,
    groupedHeads: Bool = false
) throws(TorchError) -> Tensor {
    try Ops.attention(
        .tensor(q), .tensor(k), .tensor(v), .optional(mask), .double(0), .bool(isCausal),
        scale.map { .double($0) } ?? .none,
        .bool(groupedHeads))
}
