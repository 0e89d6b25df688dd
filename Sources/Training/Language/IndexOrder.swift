// The order of indices as attention can see it. An index is a point on several circles, and a sum of waves of the difference of
// two indices is a product of such points; the waves are fitted to a step: high just after the index that was said last, falling
// slowly from there, and low before it. So lists come out ascending and end.

import Foundation
import Torch

package struct IndexOrder {
    private static let circles = 8
    /// Channels of an index's features.
    package static let channels = 2 * circles

    private let frequencies: [Double]
    /// Factors of the cosines and the sines.
    private let even: [Double], odd: [Double]

    package init() throws {
        let longest = 230.0, shortest = 3.0
        frequencies = (0..<Self.circles).map {
            2 * .pi / longest * pow(longest / shortest, Double($0) / Double(Self.circles - 1))
        }
        (even, odd) = try Self.fitted(frequencies)
    }

    /// A vector of length 1.
    package func features(_ index: Int) -> [Float] {
        let angles = frequencies.map { $0 * Double(index) }, length = Double(Self.circles).squareRoot()
        return (angles.map(cos) + angles.map(sin)).map { Float($0 / length) }
    }

    /// Directions by whose products a candidate is scored after an index was said; both spaces [N, D] begin with the features.
    package func pairs(said: Tensor, candidate: Tensor) throws -> [(query: Tensor?, key: Tensor)] {
        let strength = 2.0, scale = strength * Double(Self.circles).squareRoot()
        return try (0..<Self.circles).flatMap { circle -> [(query: Tensor?, key: Tensor)] in
            let (cosine, sine) = (try said[.at(circle)], try said[.at(Self.circles + circle)])
            let (a, b) = (even[circle] * scale, odd[circle] * scale)
            // a cos(w (k - s)) + b sin(w (k - s)), sorted by the functions of k
            return [
                (try cosine * a - sine * b, try candidate[.at(circle)] * strength),
                (try sine * a + cosine * b, try candidate[.at(Self.circles + circle)] * strength),
            ]
        }
    }

    /// Least squares with a small penalty, over all differences of indices below 100.
    private static func fitted(_ frequencies: [Double]) throws -> (even: [Double], odd: [Double]) {
        let differences = (-101...101).map(Double.init)
        let waves = differences.flatMap { d in frequencies.map { cos($0 * d) } + frequencies.map { sin($0 * d) } }
        let steps = differences.map { $0 <= 0 ? -1 : 1 - $0 / 200 }
        let weights = differences.map { $0 == 0 ? 6.0 : abs($0) < 12 ? 3 : 1 }
        let table = try Tensor(waves, shape: [differences.count, 2 * frequencies.count])
        let column = [differences.count, 1]
        let factors = try table.leastSquares(
            Tensor(steps, shape: column), weights: Tensor(weights, shape: column)
        ).array(of: Double.self)
        return (Array(factors.prefix(frequencies.count)), Array(factors.suffix(frequencies.count)))
    }
}
