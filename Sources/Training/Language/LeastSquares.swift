import Torch

extension Tensor {
    /// The x for which self · x comes nearest to `right`, with a penalty of 1 on its squared length; computed in float64.
    ///
    /// - Parameters:
    ///   - right: [M, K], for a table [M, N]
    ///   - weights: of the rows, [M, 1]; all 1 when nil
    /// - Returns: [N, K], of the dtype of this table
    func leastSquares(_ right: Tensor, weights: Tensor? = nil) throws -> Tensor {
        let table = try converted(to: .float64), right = try right.converted(to: .float64)
        let weighted = try (weights.map { try table * $0 } ?? table).transposed(0, 1)  // [N, M]
        let normal = try weighted.matmul(table) + Tensor.identity(shape[1], dtype: .float64)
        return try normal.solved(weighted.matmul(right)).converted(to: dtype)
    }
}
