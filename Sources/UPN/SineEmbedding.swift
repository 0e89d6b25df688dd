import Torch

/// Sines and cosines of numbers at geometric periods, as DETR-style models embed coordinates. Reference: upn.md, sections 6 and 10.
package enum SineEmbedding {
    /// - Parameters:
    ///   - values: angles of any shape
    ///   - features: channels for each value (even)
    /// - Returns: [.., features]; even channels are sines, odd ones cosines.
    package static func embed(_ values: Tensor, features: Int, temperature: Double) throws -> Tensor {
        let steps =
            try Tensor.range(0, Double(features), device: values.device).floorDivided(by: 2) * (2 / Double(features))
        let periods = try Tensor.full([features], temperature, device: values.device).power(steps)
        let angles = try values.unsqueezed(-1) / periods  // [.., F]
        let pairs = try Tensor.stacked(
            [angles[.rest, .every(2)].sine(), angles[.rest, .every(2, from: 1)].cosine()], dimension: -1)
        return try pairs.flattened(from: -2)
    }

    /// Embeds where each cell of a map lies within the unpadded picture.
    ///
    /// - Parameter mask: [B, h, w], true = padding
    /// - Returns: [B, h, w, channels], rows in the first half of the channels, columns in the second
    package static func positions(_ mask: Tensor, channels: Int, temperature: Double = 20) throws -> Tensor {
        let valid = try mask.logicalNot().converted(to: .float32)
        func scaled(_ dimension: Int, last: Tensor) throws -> Tensor {
            try valid.cumulativeSum(dimension) / (last + 1e-6) * (2 * Double.pi)
        }
        let rows = try scaled(1, last: valid.sum(1, keepingDimensions: true))
        let columns = try scaled(2, last: valid.sum(2, keepingDimensions: true))
        return try Tensor.concatenated(
            [rows, columns].map { try embed($0, features: channels / 2, temperature: temperature) }, dimension: -1)
    }

    /// Embeds boxes as y, x, w, h. [B, K, 4] (x, y, w, h) -> [B, K, 4 * features]
    package static func boxes(_ boxes: Tensor, features: Int) throws -> Tensor {
        let order = try Tensor([1, 0, 2, 3]).to(device: boxes.device)
        let angles = try boxes.selected(-1, order) * (2 * Double.pi)
        return try embed(angles, features: features, temperature: 10_000).flattened(from: -2)
    }
}
