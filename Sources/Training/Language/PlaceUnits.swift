// Where a box lies, in the row that stands for it. A box's features tell it by waves, but the encoders' warm-up, which draws rows to
// names, leaves nothing of that behind the projector. Then nothing can be found to be the leftmost, and a second thing cannot be told
// from a second view of the first. So some of the projector's hidden units, those that matter least, are given to the place.

import ChatRex
import Foundation
import Torch

/// Boxes as the object projector meets them.
package struct RegionSample {
    /// From the object encoder, [N, C].
    package let features: Tensor
    /// Centre and size as shares of the frame, [N, 4] as cx, cy, w, h.
    package let boxes: Tensor

    package init(features: Tensor, boxes: Tensor) { (self.features, self.boxes) = (features, boxes) }
}

package enum PlaceUnits {
    /// Values that tell a place.
    package static let count = 5

    /// Half a turn across the frame and half a turn down it as cosine and sine, and the logarithm of the size; all about -1 to 1.
    ///
    /// The cosines fall from left to right and from top to bottom. Products of such values tell how near two places are.
    /// - Parameter boxes: [N, 4] as cx, cy, w, h, shares of the frame
    package static func places(_ boxes: Tensor) throws -> Tensor {
        func waves(_ column: Int) throws -> [Tensor] {
            let angle = try boxes[.all, .at(column)] * Double.pi
            return try [angle.cosine(), angle.sine() * 2 - 1.3]
        }
        let size = try (boxes[.all, .at(2)] * boxes[.all, .at(3)]).clamped(1e-4, nil).log()
        return try Tensor.stacked(waves(0) + waves(1) + [size * 0.6 + 2.4], dimension: 1)
    }

    /// Makes rows carry their box's place in some directions, and nothing else there.
    ///
    /// - Parameters:
    ///   - projector: of objects, with the names `0.weight`, `0.bias`, `2.weight`, `2.bias`
    ///   - directions: orthonormal, [5, D]
    ///   - length: of a row in a direction where the place's value is 1
    package static func write(
        _ projector: [(name: String, tensor: Tensor)], directions: Tensor, length: Double, _ sample: RegionSample
    ) throws {
        func tensor(_ name: String) throws -> Tensor {
            guard let found = projector.first(where: { $0.name.hasSuffix(name) }) else {
                throw TrainingError.invalidSetting(
                    name: "startsLanguageModel", reason: "the object projector has no \(name)")
            }
            return found.tensor
        }
        let (first, firstBias) = (try tensor("0.weight"), try tensor("0.bias"))
        let (second, secondBias) = (try tensor("2.weight"), try tensor("2.bias"))
        let hidden = try sample.features.linear(first, firstBias).gelu()  // [N, H]
        let mean = try hidden.mean(0)
        let deviation = try (hidden - mean).power(2).mean(0).power(0.5)
        let importance = try (deviation * second.norm(over: 0)).array(of: Float.self)
        let idle = importance.indices.sorted { importance[$0] < importance[$1] }.prefix(count)

        let (factors, constants) = try fitted(sample)
        for unit in idle {
            // What the unit said on average stays.
            try secondBias.add(second[.all, .at(unit)] * mean[.at(unit)])
            try second[.all, .at(unit)].fill(0)
        }
        try second.add(directions.transposed(0, 1).matmul(directions.matmul(second)), scaledBy: -1)
        try secondBias.add(directions.transposed(0, 1).matmul(directions.matmul(secondBias)), scaledBy: -1)
        // GELU is straight well above 0.
        let offset = 3.0
        for (place, unit) in idle.enumerated() {
            try first[.at(unit)].copy(from: factors[.at(place)])
            try firstBias[.at(unit)].copy(from: constants[.at(place)] + offset)
            try second[.all, .at(unit)].copy(from: directions[.at(place)] * length)
            try secondBias.add(directions[.at(place)], scaledBy: -length * offset)
        }
    }

    /// Least squares from features to places, with a small penalty: factors [5, C], constants [5].
    private static func fitted(_ sample: RegionSample) throws -> (Tensor, Tensor) {
        let count = sample.features.shape[0], channels = sample.features.shape[1]
        let table = try Tensor.concatenated([sample.features, Tensor.full([count, 1], 1)], dimension: 1)
        let solution = try table.leastSquares(places(sample.boxes)).transposed(0, 1)  // [5, C + 1]
        return (try solution[.all, .range(0..<channels)], try solution[.all, .at(channels)])
    }
}
