import Torch
import TorchNN

/// Attention with separate projections. Names: `query`, `key`, `value`, `out_proj`.
final class MultiheadAttention: Module {
    let query: Linear, key: Linear, value: Linear, output: Linear
    private let headCount: Int

    init(_ width: Int, headCount: Int, _ weights: Weights) throws {
        self.headCount = headCount
        query = try Linear(width, width, weights / "query")
        key = try Linear(width, width, weights / "key")
        value = try Linear(width, width, weights / "value")
        output = try Linear(width, width, weights / "out_proj")
        super.init(weights)
    }

    /// - Parameters:
    ///   - queries: [B, N, C]
    ///   - keys: [B, M, C]
    ///   - values: [B, M, C]
    ///   - mask: true where a query may look, broadcastable to [B, 1, N, M]
    /// - Returns: [B, N, C]
    func callAsFunction(_ queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor? = nil) throws -> Tensor {
        let (b, n, c) = try queries.shape3()
        func heads(_ x: Tensor) throws -> Tensor {
            try x.reshaped(b, x.size(1), headCount, c / headCount).transposed(1, 2)
        }
        let mixed = try scaledDotProductAttention(
            heads(query(queries)), heads(key(keys)), heads(value(values)), mask: mask)  // [B, H, N, C / H]
        return try output(mixed.transposed(1, 2).reshaped(b, n, c))
    }
}
