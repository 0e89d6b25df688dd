// Shape, order of dimensions, dtype and device.

private enum Ops {
    static let reshape = Operator("reshape")
    static let permute = Operator("permute")
    static let transpose = Operator("transpose.int")
    static let unsqueeze = Operator("unsqueeze")
    static let squeeze = Operator("squeeze.dim")
    static let expand = Operator("expand")
    static let flatten = Operator("flatten.using_ints")
    static let contiguous = Operator("contiguous")
    static let clone = Operator("clone")
    static let detach = Operator("detach")
    static let toCopy = Operator("to.dtype_layout")
    static let split = Operator("split.Tensor")
    static let splitSizes = Operator("split_with_sizes")
    static let unbind = Operator("unbind.int")
    static let pad = Operator("constant_pad_nd")
    static let roll = Operator("roll")
    static let flip = Operator("flip")
    static let repeatOp = Operator("repeat")
    static let repeatInterleave = Operator("repeat_interleave.self_int")
}

extension Tensor {
    /// The same elements in another shape; one size may be -1.
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor { try Ops.reshape(.tensor(self), .ints(shape)) }
    /// The same elements in another shape; one size may be -1.
    public func reshaped(_ shape: Int...) throws(TorchError) -> Tensor { try reshaped(shape) }
    public func permuted(_ order: Int...) throws(TorchError) -> Tensor { try Ops.permute(.tensor(self), .ints(order)) }
    public func transposed(_ a: Int, _ b: Int) throws(TorchError) -> Tensor {
        try Ops.transpose(.tensor(self), .int(a), .int(b))
    }
    /// Inserts a dimension of length 1.
    public func unsqueezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Ops.unsqueeze(.tensor(self), .int(dimension))
    }
    /// Drops a dimension of length 1.
    public func squeezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Ops.squeeze(.tensor(self), .int(dimension))
    }
    /// Repeats dimensions of length 1 without copying; -1 keeps a length.
    public func expanded(_ shape: Int...) throws(TorchError) -> Tensor { try Ops.expand(.tensor(self), .ints(shape)) }
    public func flattened(from start: Int = 0, to end: Int = -1) throws(TorchError) -> Tensor {
        try Ops.flatten(.tensor(self), .int(start), .int(end))
    }
    /// Row-major in memory; itself where it is already.
    public func contiguous() throws(TorchError) -> Tensor { try Ops.contiguous(.tensor(self)) }
    /// [B, C, H, W] with the channels innermost in memory, which convolutions run fastest on.
    public func channelsLast() throws(TorchError) -> Tensor { try Ops.contiguous(.tensor(self), .int(2)) }
    public func copied() throws(TorchError) -> Tensor { try Ops.clone(.tensor(self)) }
    /// Shares the values, but no gradient flows through it.
    public func detached() throws(TorchError) -> Tensor { try Ops.detach(.tensor(self)) }

    /// Moved to a device and converted; itself where nothing changes.
    public func to(device: Device? = nil, dtype: DType? = nil) throws(TorchError) -> Tensor {
        try Ops.toCopy(.tensor(self), .dtype(dtype), .none, .device(device))
    }
    public func converted(to dtype: DType) throws(TorchError) -> Tensor { try to(dtype: dtype) }

    /// Pieces of equal length (the last may be shorter).
    public func split(size: Int, dimension: Int) throws(TorchError) -> [Tensor] {
        try Ops.split.list(.tensor(self), .int(size), .int(dimension))
    }
    public func split(sizes: [Int], dimension: Int) throws(TorchError) -> [Tensor] {
        try Ops.splitSizes.list(.tensor(self), .ints(sizes), .int(dimension))
    }
    /// All slices along a dimension.
    public func unbound(_ dimension: Int = 0) throws(TorchError) -> [Tensor] {
        try Ops.unbind.list(.tensor(self), .int(dimension))
    }
    /// The three slices along a dimension of length 3.
    public func unbound3(_ dimension: Int = 0) throws(TorchError) -> (Tensor, Tensor, Tensor) {
        let parts = try unbound(dimension)
        guard parts.count == 3 else {
            throw TorchError(
                kind: .shape, operation: "unbound3", message: "dimension \(dimension) of \(shape) is not 3 long")
        }
        return (parts[0], parts[1], parts[2])
    }
    /// Pads with a constant. Amounts come in pairs (before, after), last dimension first.
    public func padded(_ amounts: [Int], with value: Double = 0) throws(TorchError) -> Tensor {
        try Ops.pad(.tensor(self), .ints(amounts), .double(value))
    }
    /// Shifts elements around the ends of dimensions.
    public func rolled(by shifts: [Int], dimensions: [Int]) throws(TorchError) -> Tensor {
        try Ops.roll(.tensor(self), .ints(shifts), .ints(dimensions))
    }
    public func flipped(_ dimensions: Int...) throws(TorchError) -> Tensor {
        try Ops.flip(.tensor(self), .ints(dimensions))
    }
    /// Tiles the tensor, one count a dimension.
    public func tiled(_ counts: Int...) throws(TorchError) -> Tensor { try Ops.repeatOp(.tensor(self), .ints(counts)) }
    /// Repeats every slice along a dimension `count` times in a row.
    public func repeated(_ count: Int, dimension: Int) throws(TorchError) -> Tensor {
        try Ops.repeatInterleave(.tensor(self), .int(count), .int(dimension))
    }
}
