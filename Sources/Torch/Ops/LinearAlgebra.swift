// Decompositions and solving, for matrices [M, N] in float32 or float64.

private enum Ops {
    static let qr = Operator("linalg_qr")
    static let svd = Operator("linalg_svd")
    static let solve = Operator("linalg_solve")
}

extension Tensor {
    /// An orthonormal basis of the rows' span, one row for each row: [M, N] -> [M, N], M ≤ N, rows independent.
    public func orthonormalRows() throws(TorchError) -> Tensor {
        let parts = try Ops.qr.tuple(.tensor(transposed(0, 1)))
        return try parts[0].transposed(0, 1)
    }

    /// Singular values [K], descending, and the right singular vectors as rows [K, N], K the smaller side.
    public func singularVectors() throws(TorchError) -> (values: Tensor, rows: Tensor) {
        let parts = try Ops.svd.tuple(.tensor(self), .bool(false))
        return (parts[1], parts[2])
    }

    /// x with self · x = right: [N, N] and [N, K] -> [N, K].
    public func solved(_ right: Tensor) throws(TorchError) -> Tensor { try Ops.solve(.tensor(self), .tensor(right)) }
}
