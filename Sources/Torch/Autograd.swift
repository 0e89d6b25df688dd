import CTorch

// Gradients. Modes are thread-local in libtorch, hence closures that cannot suspend.

extension Tensor {
    /// Whether operators on this tensor are recorded. Set it on parameters.
    public var requiresGradient: Bool { ct_tensor_requires_grad(ref) }

    /// Switches recording on or off. Fails for results of recorded operators and for integer tensors.
    @discardableResult
    public func requiringGradient(_ value: Bool = true) throws(TorchError) -> Tensor {
        try TorchError.check(ct_tensor_set_requires_grad(ref, value), "requiresGradient")
        return self
    }

    public var isLeaf: Bool { ct_tensor_is_leaf(ref) }

    /// The gradient accumulated by `backward()`, if any.
    public var gradient: Tensor? { ct_tensor_grad(ref).map(Tensor.init(owning:)) }

    /// Replaces or (with nil) drops the accumulated gradient.
    public func setGradient(_ gradient: Tensor?) throws(TorchError) {
        try TorchError.check(ct_tensor_set_grad(ref, gradient?.ref), "setGradient")
    }

    /// Adds the gradients of this tensor to every leaf that it depends on.
    /// - Parameter gradient: of the same shape; may be left out for a scalar.
    public func backward(_ gradient: Tensor? = nil, keepingGraph: Bool = false) throws(TorchError) {
        var output: CTTensorRef? = ref
        var given: CTTensorRef? = gradient?.ref
        let status =
            given == nil
            ? ct_backward(&output, nil, 1, keepingGraph, false) : ct_backward(&output, &given, 1, keepingGraph, false)
        try TorchError.check(status, "backward")
    }

    /// Replaces the values and dtype behind this tensor while everything that holds it keeps holding it.
    public func setData(_ source: Tensor) throws(TorchError) {
        try TorchError.check(ct_tensor_set_data(ref, source.ref), "setData")
    }
}

/// Gradients of a scalar with respect to `inputs`, without touching any tensor's accumulated gradient.
/// - Returns: one entry an input, nil where the output does not depend on it.
public func gradients(of output: Tensor, withRespectTo inputs: [Tensor], keepingGraph: Bool = false) throws(TorchError)
    -> [Tensor?]
{
    var outputs: [CTTensorRef?] = [output.ref]
    var refs: [CTTensorRef?] = inputs.map(\.ref)
    var results = [CTTensorRef?](repeating: nil, count: inputs.count)
    try TorchError.check(
        ct_grad(&outputs, nil, 1, &refs, Int32(refs.count), keepingGraph, false, true, &results), "gradients")
    return results.map { $0.map(Tensor.init(owning:)) }
}

/// Runs `body` without recording operators for gradients.
public func withoutGradients<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try withGradients(false, body)
}

/// Runs `body` with recording of operators switched on or off.
public func withGradients<Result, Failure: Error>(
    _ enabled: Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let former = ct_grad_mode()
    ct_set_grad_mode(enabled)
    defer { ct_set_grad_mode(former) }
    return try body()
}

/// Runs `body` in inference mode: the cheapest, but its tensors can never take part in gradients.
public func inference<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let token = ct_inference_mode_enter()
    defer { ct_inference_mode_leave(token) }
    return try body()
}

/// Runs `body` with matrix products and convolutions in `dtype` while parameters stay in float32.
/// With nil the mode is left as it is.
public func autocast<Result>(
    _ device: Device = .cpu, to dtype: DType?, _ body: () throws -> Result
) throws -> Result {
    guard let dtype else { return try body() }
    var former = CTAutocast()
    let state = CTAutocast(
        enabled: dtype != .float32, dtype: dtype == .float32 ? DType.bfloat16.rawValue : dtype.rawValue)
    try TorchError.check(ct_autocast_enter(device.kind.rawValue, state, &former), "autocast")
    defer { _ = ct_autocast_leave(device.kind.rawValue, former) }
    return try body()
}
