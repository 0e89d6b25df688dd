import CTorch

/// A multi-dimensional array on some device: one reference to a libtorch tensor.
///
/// A class, since views share storage and in-place operators are seen by every holder. The memory is freed when the last
/// reference goes. Not `Sendable`: gradient and autocast modes are per thread, so a tensor stays with the executor of the model
/// that made it; hand arrays and images across instead.
public final class Tensor {
    package let ref: CTTensorRef

    /// Takes over an owned reference of the C layer.
    package init(owning ref: CTTensorRef) {
        self.ref = ref
    }

    deinit {
        ct_tensor_release(ref)
    }

    /// Number of dimensions.
    public var rank: Int { Int(ct_tensor_rank(ref)) }

    /// Length of every dimension.
    public var shape: [Int] {
        UnsafeBufferPointer(start: ct_tensor_sizes(ref), count: rank).map(Int.init)
    }

    /// Step in elements along every dimension.
    public var strides: [Int] {
        UnsafeBufferPointer(start: ct_tensor_strides(ref), count: rank).map(Int.init)
    }

    /// Number of elements.
    public var count: Int { Int(ct_tensor_element_count(ref)) }

    /// Length of one dimension; negative numbers count from the end.
    public func size(_ dimension: Int) -> Int {
        let index = dimension < 0 ? dimension + rank : dimension
        precondition((0..<rank).contains(index), "dimension \(dimension) of a tensor with \(rank) dimensions")
        return Int(ct_tensor_sizes(ref)[index])
    }

    public var dtype: DType {
        // Every dtype that this package creates or loads is a case; complex and quantised ones cannot occur.
        DType(rawValue: ct_tensor_dtype(ref)) ?? .uint8
    }

    public var device: Device {
        var kind: Int32 = 0
        var index: Int32 = 0
        ct_tensor_device(ref, &kind, &index)
        return Device(Device.Kind(rawValue: kind) ?? .cpu, index: Int(index))
    }

    public var isContiguous: Bool { ct_tensor_is_contiguous(ref) }

    /// The sizes of a tensor that must have two dimensions.
    public func shape2() throws(TorchError) -> (Int, Int) {
        try requireRank(2)
        return (size(0), size(1))
    }

    /// The sizes of a tensor that must have three dimensions.
    public func shape3() throws(TorchError) -> (Int, Int, Int) {
        try requireRank(3)
        return (size(0), size(1), size(2))
    }

    /// The sizes of a tensor that must have four dimensions.
    public func shape4() throws(TorchError) -> (Int, Int, Int, Int) {
        try requireRank(4)
        return (size(0), size(1), size(2), size(3))
    }

    private func requireRank(_ expected: Int) throws(TorchError) {
        if rank != expected {
            throw TorchError(
                kind: .shape, operation: "shape", message: "expected \(expected) dimensions, got shape \(shape)")
        }
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String {
        let head = "Tensor(shape: \(shape), \(dtype), \(device))"
        guard count <= 64, device.kind != .meta, let values = try? converted(to: .float64).array(of: Double.self) else {
            return head
        }
        return head + " \(values)"
    }
}
