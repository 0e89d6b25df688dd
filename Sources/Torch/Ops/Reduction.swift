// Sums, extremes, order.

private enum Ops {
    static let sum = Operator("sum")
    static let sumDim = Operator("sum.dim_IntList")
    static let mean = Operator("mean")
    static let meanDim = Operator("mean.dim")
    static let max = Operator("max")
    static let maxDim = Operator("max.dim")
    static let min = Operator("min")
    static let argmax = Operator("argmax")
    static let topk = Operator("topk")
    static let sort = Operator("sort.stable")
    static let cumsum = Operator("cumsum")
    static let softmax = Operator("softmax.int")
    static let logSoftmax = Operator("log_softmax.int")
    static let logsumexp = Operator("logsumexp")
    static let any = Operator("any")
    static let all = Operator("all")
    static let norm = Operator("linalg_vector_norm")
    static let varMean = Operator("var_mean.correction")
}

extension Tensor {
    public func sum() throws(TorchError) -> Tensor { try Ops.sum(.tensor(self)) }
    public func sum(_ dimensions: Int..., keepingDimensions: Bool = false, dtype: DType? = nil) throws(TorchError)
        -> Tensor
    {
        try Ops.sumDim(.tensor(self), .ints(dimensions), .bool(keepingDimensions), .dtype(dtype))
    }
    public func mean() throws(TorchError) -> Tensor { try Ops.mean(.tensor(self)) }
    public func mean(_ dimensions: Int..., keepingDimensions: Bool = false) throws(TorchError) -> Tensor {
        try Ops.meanDim(.tensor(self), .ints(dimensions), .bool(keepingDimensions))
    }
    public func max() throws(TorchError) -> Tensor { try Ops.max(.tensor(self)) }
    public func min() throws(TorchError) -> Tensor { try Ops.min(.tensor(self)) }
    /// Largest elements along a dimension and where they stand (int64).
    public func max(_ dimension: Int, keepingDimension: Bool = false) throws(TorchError) -> (
        values: Tensor, indices: Tensor
    ) {
        let parts = try Ops.maxDim.tuple(.tensor(self), .int(dimension), .bool(keepingDimension))
        return (parts[0], parts[1])
    }
    /// Where the largest element along a dimension stands, int64.
    public func argmax(_ dimension: Int) throws(TorchError) -> Tensor { try Ops.argmax(.tensor(self), .int(dimension)) }
    /// The k largest along a dimension, descending, and where they stand (int64).
    public func top(_ k: Int, dimension: Int = -1) throws(TorchError) -> (values: Tensor, indices: Tensor) {
        let parts = try Ops.topk.tuple(.tensor(self), .int(k), .int(dimension))
        return (parts[0], parts[1])
    }
    /// Sorted along a dimension; equal elements keep their order.
    public func sorted(_ dimension: Int = -1, descending: Bool = false) throws(TorchError) -> (
        values: Tensor, indices: Tensor
    ) {
        let parts = try Ops.sort.tuple(.tensor(self), .bool(true), .int(dimension), .bool(descending))
        return (parts[0], parts[1])
    }
    public func cumulativeSum(_ dimension: Int, dtype: DType? = nil) throws(TorchError) -> Tensor {
        try Ops.cumsum(.tensor(self), .int(dimension), .dtype(dtype))
    }
    public func softmax(over dimension: Int, dtype: DType? = nil) throws(TorchError) -> Tensor {
        try Ops.softmax(.tensor(self), .int(dimension), .dtype(dtype))
    }
    public func logSoftmax(over dimension: Int, dtype: DType? = nil) throws(TorchError) -> Tensor {
        try Ops.logSoftmax(.tensor(self), .int(dimension), .dtype(dtype))
    }
    /// log of the sum of exponentials along a dimension.
    public func logSumExp(over dimension: Int) throws(TorchError) -> Tensor {
        try Ops.logsumexp(.tensor(self), .ints([dimension]))
    }
    /// Whether any element is true, as a bool tensor without dimensions.
    public func any() throws(TorchError) -> Tensor { try Ops.any(.tensor(self)) }
    public func all() throws(TorchError) -> Tensor { try Ops.all(.tensor(self)) }
    /// Euclidean norm of all elements.
    public func norm() throws(TorchError) -> Tensor { try Ops.norm(.tensor(self)) }
    /// Euclidean norm along a dimension.
    public func norm(over dimension: Int, keepingDimension: Bool = false) throws(TorchError) -> Tensor {
        try Ops.norm(.tensor(self), .double(2), .ints([dimension]), .bool(keepingDimension))
    }
}
