// Comparison with recorded runs of the reference implementation, rung by rung, so that a failure names its place.

import Foundation
import Torch

/// One recorded quantity and how far this package's result lies from it.
public struct GoldenRung: Sendable, Equatable {
    /// Name of the quantity, as in the set's README.
    public let name: String
    /// Largest absolute difference; infinite where shapes, infinities or exact results differ.
    public let largestError: Double
    /// Largest difference allowed; 0 asks for the same numbers.
    public let tolerance: Double

    public var passes: Bool { largestError <= tolerance }
}

/// A folder that cannot be compared with.
public struct GoldenParityError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

public enum GoldenParity {
    /// Climbs the ladder of a golden set.
    ///
    /// - Parameter folder: holds `config.json`, whose `name` says which set it is.
    /// - Returns: every rung, bottom first.
    /// - Throws: `GoldenParityError` for an unknown set, or what reading and running the set throws.
    public static func climb(_ folder: URL) throws -> [GoldenRung] {
        struct Header: Decodable { let name: String }
        let config = try Data(contentsOf: folder.appendingPathComponent("config.json"))
        let name = try JSONDecoder().decode(Header.self, from: config).name
        switch name {
        case "upn-tiny": return try UPNGolden(folder).climb()
        default:
            throw GoldenParityError(description: "'\(folder.path)' is the golden set '\(name)', which has no ladder")
        }
    }
}

/// Collects rungs.
struct GoldenLadder {
    private(set) var rungs: [GoldenRung] = []

    mutating func add(_ name: String, error: Double, tolerance: Double) {
        rungs.append(GoldenRung(name: name, largestError: error.isNaN ? .infinity : error, tolerance: tolerance))
    }

    /// A result that is right or wrong.
    mutating func add(_ name: String, isExact: Bool) {
        add(name, error: isExact ? 0 : .infinity, tolerance: 0)
    }

    /// Compares tensors of any dtype element by element. Equal infinities count as no difference.
    mutating func compare(_ name: String, _ found: Tensor, _ expected: Tensor, tolerance: Double) throws {
        guard found.shape == expected.shape else { return add(name, error: .infinity, tolerance: tolerance) }
        let (a, b) = (try found.array(of: Double.self), try expected.array(of: Double.self))
        var largest = 0.0
        for (x, y) in zip(a, b) where x != y {
            let difference = abs(x - y)
            largest = difference.isNaN ? .infinity : max(largest, difference)
        }
        add(name, error: largest, tolerance: tolerance)
    }
}
