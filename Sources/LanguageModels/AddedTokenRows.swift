import Torch

/// Rows of an embedding or head for tokens that are added to a vocabulary. Reference: chatrex-mllm.md, section 10.
public enum AddedTokenRows {
    /// A table with rows for added tokens: they start as the mean of those before them.
    ///
    /// - Parameters:
    ///   - table: [V, C]; rows beyond `count` (padding of the vocabulary) are dropped.
    ///   - count: rows of the tokens that exist already
    ///   - total: rows of the result
    /// - Returns: [total, C]
    public static func resized(_ table: Tensor, keeping count: Int, to total: Int) throws -> Tensor {
        let kept = try table[.upTo(min(count, total))]
        if total <= count { return kept }
        let mean = try kept.converted(to: .float32).mean(0, keepingDimensions: true).to(dtype: table.dtype)
        return try Tensor.concatenated([kept, mean.expanded(total - count, -1)])
    }
}
