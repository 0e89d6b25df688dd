import CTorch

// Memory for time: what a part of a network needs for its gradients is computed again in the backward pass instead of kept.

/// Runs a part of a network of which only the inputs are kept; the backward pass runs it a second time.
///
/// Random numbers (dropout) and autocast are the same both times, and so are the gradients, up to rounding: libtorch may choose
/// another kernel where nothing is recorded. They reach leaves by `backward()`; `gradients(of:withRespectTo:)` does not see
/// leaves inside the part.
///
/// - Parameters:
///   - inputs: every tensor through which a gradient flows into the part, but for leaves such as weights
///   - isEnabled: false runs the part as usual, and so does a scope without gradients.
///   - body: must depend on its arguments and on what does not change until the backward pass.
public func recomputed(
    _ inputs: [Tensor], if isEnabled: Bool = true, _ body: @escaping ([Tensor]) throws -> Tensor
) throws -> Tensor {
    guard isEnabled, ct_grad_mode() else { return try body(inputs) }
    let part = RecomputedPart(body)
    var refs: [CTTensorRef?] = inputs.map(\.ref)
    var out: CTTensorRef?
    let status = ct_recomputed(
        &refs, Int32(refs.count),
        { context, inputs, count, out in
            guard let context, let inputs, let out else { return CT_ERROR_INTERNAL }
            return Unmanaged<RecomputedPart>.fromOpaque(context).takeUnretainedValue().run(inputs, count, out)
        },
        { context in if let context { Unmanaged<RecomputedPart>.fromOpaque(context).release() } },
        Unmanaged.passRetained(part).toOpaque(), &out)
    if let failure = part.failure { throw failure }
    guard status == CT_OK, let out else { throw TorchError(status: status, operation: "recomputed") }
    return Tensor(owning: out)
}

/// The part on its way through the C layer.
private final class RecomputedPart {
    private let body: ([Tensor]) throws -> Tensor
    /// What the last run threw.
    private(set) var failure: (any Error)?

    init(_ body: @escaping ([Tensor]) throws -> Tensor) {
        self.body = body
    }

    func run(
        _ inputs: UnsafeMutablePointer<CTTensorRef?>, _ count: Int32, _ out: UnsafeMutablePointer<CTTensorRef?>
    ) -> CTStatus {
        let tensors = (0..<Int(count)).compactMap { inputs[$0].map { Tensor(owning: ct_tensor_retain($0)) } }
        do {
            let result = try body(tensors)
            out.pointee = withExtendedLifetime(result) { ct_tensor_retain(result.ref) }
            return CT_OK
        } catch {
            failure = error
            return CT_ERROR_INTERNAL
        }
    }
}
