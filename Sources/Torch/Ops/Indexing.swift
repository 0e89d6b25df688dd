// Subscripts, gathering and in-place writes.

private enum Ops {
    static let select = Operator("select.int")
    static let slice = Operator("slice.Tensor")
    static let index = Operator("index.Tensor")
    static let indexPut = Operator("index_put_")
    static let indexSelect = Operator("index_select")
    static let gather = Operator("gather")
    static let scatterAdd = Operator("scatter_add")
    static let indexAdd = Operator("index_add")
    static let nonzero = Operator("nonzero")
    static let maskedSelect = Operator("masked_select")
    static let copy = Operator("copy_")
    static let fill = Operator("fill_.Scalar")
    static let addInPlace = Operator("add_.Tensor")
    static let mulInPlace = Operator("mul_.Scalar")
    static let narrow = Operator("narrow")
}

/// One part of a subscript.
public enum TensorIndex: ExpressibleByIntegerLiteral {
    /// One position (negative: from the end); the dimension disappears.
    case at(Int)
    /// Positions from start up to end, every step-th.
    case slice(Int?, Int?, step: Int)
    /// The whole dimension.
    case all
    /// A new dimension of length 1.
    case new
    /// As many whole dimensions as are not named.
    case rest
    /// The positions an int64 tensor [N] holds.
    case indices(Tensor)

    public init(integerLiteral value: Int) { self = .at(value) }

    public static func range(_ range: Range<Int>) -> TensorIndex { .slice(range.lowerBound, range.upperBound, step: 1) }
    public static func from(_ start: Int) -> TensorIndex { .slice(start, nil, step: 1) }
    public static func upTo(_ end: Int) -> TensorIndex { .slice(nil, end, step: 1) }
    public static func every(_ step: Int, from start: Int = 0) -> TensorIndex { .slice(start, nil, step: step) }
}

extension Tensor {
    /// A view (or, with tensor indices, a copy) of a part: `x[.all, .range(0..<4), 2]`.
    public subscript(_ parts: TensorIndex...) -> Tensor {
        get throws(TorchError) { try view(parts) }
    }

    private func view(_ parts: [TensorIndex]) throws(TorchError) -> Tensor {
        var result = self
        var dimension = 0
        for (position, part) in parts.enumerated() {
            switch part {
            case .at(let index):
                result = try Ops.select(.tensor(result), .int(dimension), .int(index))
            case .slice(let start, let end, let step):
                result = try Ops.slice(
                    .tensor(result), .int(dimension), start.map { .int($0) } ?? .none, end.map { .int($0) } ?? .none,
                    .int(step))
                dimension += 1
            case .all:
                dimension += 1
            case .new:
                result = try result.unsqueezed(dimension)
                dimension += 1
            case .indices(let indices):
                result = try result.selected(dimension, indices)
                dimension += 1
            case .rest:
                let named = parts[(position + 1)...].count { if case .new = $0 { false } else { true } }
                dimension = result.rank - named
            }
        }
        return result
    }

    /// A view of `count` positions from `start` along a dimension.
    public func narrowed(_ dimension: Int, from start: Int, count: Int) throws(TorchError) -> Tensor {
        try Ops.narrow(.tensor(self), .int(dimension), .int(start), .int(count))
    }
    /// The slices whose numbers an int64 tensor [N] holds, along a dimension.
    public func selected(_ dimension: Int, _ indices: Tensor) throws(TorchError) -> Tensor {
        try Ops.indexSelect(.tensor(self), .int(dimension), .tensor(indices))
    }
    /// Elements picked by broadcast index tensors, one a dimension; nil takes the whole dimension.
    public func indexed(_ indices: [Tensor?]) throws(TorchError) -> Tensor {
        try Ops.index(.tensor(self), .optionalTensors(indices))
    }
    /// Writes `values` at positions given by index tensors, adding where asked.
    public func put(_ values: Tensor, at indices: [Tensor?], accumulating: Bool = false) throws(TorchError) {
        try Ops.indexPut.run(.tensor(self), .optionalTensors(indices), .tensor(values), .bool(accumulating))
    }
    /// out[i][j] = self[i][index[i][j]] along dimension 1, and so on.
    public func gathered(_ dimension: Int, _ indices: Tensor) throws(TorchError) -> Tensor {
        try Ops.gather(.tensor(self), .int(dimension), .tensor(indices))
    }
    /// A copy with the rows of `source` added at the positions `indices` along a dimension.
    public func adding(_ source: Tensor, at indices: Tensor, dimension: Int) throws(TorchError) -> Tensor {
        try Ops.indexAdd(.tensor(self), .int(dimension), .tensor(indices), .tensor(source))
    }
    /// Positions of the elements that are not zero, int64 [N, rank].
    public func nonzero() throws(TorchError) -> Tensor { try Ops.nonzero(.tensor(self)) }
    /// Elements where the mask is true, [N].
    public func selected(where mask: Tensor) throws(TorchError) -> Tensor {
        try Ops.maskedSelect(.tensor(self), .tensor(mask))
    }

    /// Overwrites this tensor with (broadcast, converted) values.
    public func copy(from source: Tensor) throws(TorchError) { try Ops.copy.run(.tensor(self), .tensor(source)) }
    /// Overwrites every element.
    public func fill(_ value: Double) throws(TorchError) { try Ops.fill.run(.tensor(self), .double(value)) }
    /// self += source * scale
    public func add(_ source: Tensor, scaledBy scale: Double = 1) throws(TorchError) {
        try Ops.addInPlace.run(.tensor(self), .tensor(source), .double(scale))
    }
    /// self *= factor
    public func scale(by factor: Double) throws(TorchError) { try Ops.mulInPlace.run(.tensor(self), .double(factor)) }
}
