// Making tensors.

private enum Ops {
    static let empty = Operator("empty.memory_format")
    static let full = Operator("full")
    static let arange = Operator("arange.start_step")
    static let linspace = Operator("linspace")
    static let eye = Operator("eye")
    static let rand = Operator("rand")
    static let randn = Operator("randn")
    static let randint = Operator("randint.low")
    static let randperm = Operator("randperm")
    static let zerosLike = Operator("zeros_like")
    static let onesLike = Operator("ones_like")
    static let fullLike = Operator("full_like")
    static let cat = Operator("cat")
    static let stack = Operator("stack")
    static let multinomial = Operator("multinomial")
    static let tril = Operator("tril")
    static let triu = Operator("triu")
}

extension Tensor {
    /// Uninitialised memory.
    public static func empty(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws(TorchError)
        -> Tensor
    {
        try Ops.empty(.ints(shape), .dtype(dtype), .none, .device(device))
    }

    public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu)
        throws(TorchError) -> Tensor
    {
        try Ops.full(.ints(shape), .double(value), .dtype(dtype), .none, .device(device))
    }

    public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws(TorchError)
        -> Tensor
    {
        try full(shape, 0, dtype: dtype, device: device)
    }

    public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws(TorchError) -> Tensor
    {
        try full(shape, 1, dtype: dtype, device: device)
    }

    /// start, start + step, … below end, as [N].
    public static func range(
        _ start: Double, _ end: Double, step: Double = 1, dtype: DType = .float32, device: Device = .cpu
    )
        throws(TorchError) -> Tensor
    {
        try Ops.arange(.double(start), .double(end), .double(step), .dtype(dtype), .none, .device(device))
    }

    /// 0, 1, … count-1 as int64 [count].
    public static func indices(_ count: Int, device: Device = .cpu) throws(TorchError) -> Tensor {
        try Ops.arange(.int(0), .int(count), .int(1), .dtype(.int64), .none, .device(device))
    }

    /// `count` values evenly spaced from start to end, both included.
    public static func linspace(
        _ start: Double, _ end: Double, count: Int, dtype: DType = .float32, device: Device = .cpu
    )
        throws(TorchError) -> Tensor
    {
        try Ops.linspace(.double(start), .double(end), .int(count), .dtype(dtype), .none, .device(device))
    }

    /// The identity matrix [n, n].
    public static func identity(_ n: Int, dtype: DType = .float32, device: Device = .cpu) throws(TorchError) -> Tensor {
        try Ops.eye(.int(n), .dtype(dtype), .none, .device(device))
    }

    /// Uniform numbers in 0..<1.
    public static func uniform(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws(TorchError)
        -> Tensor
    {
        try Ops.rand(.ints(shape), .dtype(dtype), .none, .device(device))
    }

    /// Normal numbers with mean 0 and variance 1.
    public static func normal(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws(TorchError)
        -> Tensor
    {
        try Ops.randn(.ints(shape), .dtype(dtype), .none, .device(device))
    }

    /// Uniform integers in a range, int64.
    public static func integers(in range: Range<Int>, shape: [Int], device: Device = .cpu) throws(TorchError) -> Tensor
    {
        try Ops.randint(
            .int(range.lowerBound), .int(range.upperBound), .ints(shape), .dtype(.int64), .none, .device(device))
    }

    /// A random order of 0..<count, int64.
    public static func permutation(_ count: Int, device: Device = .cpu) throws(TorchError) -> Tensor {
        try Ops.randperm(.int(count), .dtype(.int64), .none, .device(device))
    }

    public func zerosLike() throws(TorchError) -> Tensor { try Ops.zerosLike(.tensor(self)) }
    public func onesLike() throws(TorchError) -> Tensor { try Ops.onesLike(.tensor(self)) }
    public func fullLike(_ value: Double) throws(TorchError) -> Tensor {
        try Ops.fullLike(.tensor(self), .double(value))
    }

    /// Joins tensors along an existing dimension.
    public static func concatenated(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
        try Ops.cat(.tensors(tensors), .int(dimension))
    }

    /// Joins tensors of equal shape along a new dimension.
    public static func stacked(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
        try Ops.stack(.tensors(tensors), .int(dimension))
    }

    /// Draws indices with the given (unnormalised) probabilities. [.., C] -> int64 [.., count]
    public func sampled(count: Int, replacing: Bool = false) throws(TorchError) -> Tensor {
        try Ops.multinomial(.tensor(self), .int(count), .bool(replacing))
    }

    /// The lower triangle; what lies above `diagonal` becomes 0.
    public func lowerTriangle(diagonal: Int = 0) throws(TorchError) -> Tensor {
        try Ops.tril(.tensor(self), .int(diagonal))
    }
    /// The upper triangle; what lies below `diagonal` becomes 0.
    public func upperTriangle(diagonal: Int = 0) throws(TorchError) -> Tensor {
        try Ops.triu(.tensor(self), .int(diagonal))
    }
}
