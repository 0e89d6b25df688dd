import Torch

/// A learned change of a linear layer's weight that has a low rank (LoRA, Hu et al. 2021, arXiv 2106.09685):
/// y += scale * B A dropout(x). Names as PEFT writes them: `lora_A.weight` [R, In], `lora_B.weight` [Out, R].
public final class LowRankUpdate: Module {
    let down: Tensor, up: Tensor
    /// alpha / rank
    public let scale: Double
    let dropout: Double
    /// Whether inputs are dropped; on while training.
    public var dropsInputs = true

    /// A change that is none yet: B is zero.
    public init(rank: Int, alpha: Double, dropout: Double, of weight: Tensor, _ weights: Weights) throws {
        let (outputs, inputs) = try weight.shape2()
        down = try (weights / "lora_A").parameter("weight", [rank, inputs], .fanIn)
        up = try (weights / "lora_B").parameter("weight", [outputs, rank], .zeros)
        (scale, self.dropout) = (alpha / Double(rank), dropout)
        super.init(weights)
    }

    /// What is added to the layer's output: [.., In] -> [.., Out]
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.droppedOut(dropout, isTraining: dropsInputs).linear(down).linear(up) * scale
    }

    /// The layer's weight with the change in it, in the weight's dtype; the weight itself stays as it is.
    public func merged(into weight: Tensor) throws -> Tensor {
        try withoutGradients {
            let change = try up.converted(to: .float32).matmul(down.converted(to: .float32)) * scale
            return try (weight.detached().converted(to: .float32) + change).to(dtype: weight.dtype)
        }
    }
}
