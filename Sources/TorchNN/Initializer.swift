import Foundation
import Torch

/// How a fresh tensor is filled.
public enum Initializer {
    case zeros
    case ones
    case constant(Double)
    case normal(deviation: Double)
    /// Normal, redrawn outside two deviations (as an error function transform of uniform numbers).
    case truncatedNormal(deviation: Double)
    case uniform(bound: Double)
    /// Uniform with bound sqrt(6 / (fan in + fan out)).
    case xavierUniform
    /// PyTorch's default for linear and convolution weights: uniform with bound 1 / sqrt(fan in).
    case fanIn
    case custom((Tensor) throws -> Void)

    func fill(_ tensor: Tensor) throws {
        switch self {
        case .zeros: try tensor.fill(0)
        case .ones: try tensor.fill(1)
        case .constant(let value): try tensor.fill(value)
        case .normal(let deviation):
            try tensor.copy(from: Tensor.normal(tensor.shape, device: tensor.device) * deviation)
        case .truncatedNormal(let deviation):
            // Phi(2) - Phi(-2) of the mass is kept: u in (Phi(-2), Phi(2)) through the inverse error function.
            let low = 0.022_750_131_948_179_2
            let u = try Tensor.uniform(tensor.shape, device: tensor.device) * (1 - 2 * low) + low
            let normal = try Self.erfinv((try u * 2) - 1) * (2.0.squareRoot() * deviation)
            try tensor.copy(from: normal)
        case .uniform(let bound):
            try tensor.copy(from: (Tensor.uniform(tensor.shape, device: tensor.device) * (2 * bound)) - bound)
        case .xavierUniform:
            let (fanIn, fanOut) = Self.fans(tensor.shape)
            try Initializer.uniform(bound: (6 / Double(fanIn + fanOut)).squareRoot()).fill(tensor)
        case .fanIn:
            try Initializer.uniform(bound: 1 / Double(max(Self.fans(tensor.shape).in, 1)).squareRoot()).fill(tensor)
        case .custom(let fill): try fill(tensor)
        }
    }

    private static let erfinv = Operator("erfinv")
    private static func erfinv(_ tensor: Tensor) throws -> Tensor { try erfinv(.tensor(tensor)) }

    /// Inputs and outputs of a weight [Out, In, kernel…].
    private static func fans(_ shape: [Int]) -> (in: Int, out: Int) {
        let kernel = shape.dropFirst(2).reduce(1, *)
        return ((shape.count > 1 ? shape[1] : shape.first ?? 1) * kernel, (shape.first ?? 1) * kernel)
    }
}
