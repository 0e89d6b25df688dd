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
    /// Climbs the ladder of a golden set, which is told by its files.
    ///
    /// - Parameter folder: a set, or a folder of sets
    /// - Returns: every rung, bottom first.
    /// - Throws: `GoldenParityError` where there is no set, or what reading and running the set throws.
    public static func climb(_ folder: URL) throws -> [GoldenRung] {
        if let rungs = try climbSet(folder) { return rungs }
        let rungs = try contents(of: folder).filter(isFolder).flatMap { set in
            (try climbSet(set) ?? []).map {
                GoldenRung(
                    name: "\(set.lastPathComponent)/\($0.name)", largestError: $0.largestError, tolerance: $0.tolerance)
            }
        }
        if rungs.isEmpty { throw GoldenParityError(description: "'\(folder.path)' holds no golden set") }
        return rungs
    }

    /// The rungs of a set, or nil where the folder is none.
    private static func climbSet(_ folder: URL) throws -> [GoldenRung]? {
        let files = try contents(of: folder)
        func has(_ name: String) -> Bool { files.contains { $0.lastPathComponent == name } }
        var ladder = GoldenLadder()
        if has("manifest.json") && has("expected.safetensors") {
            try ChatRexGolden(folder).climb(&ladder)
        } else if has("postprocess.safetensors") {
            return try UPNGolden(folder).climb()
        } else if has("tokenizer.json") {
            let cases = files.filter { $0.lastPathComponent.hasPrefix("cases") && $0.pathExtension == "json" }
            try TokenizerGolden(folder, cases).climb(&ladder)
        } else if files.contains(where: { $0.lastPathComponent.hasPrefix("tensors-") }) {
            try TensorListGolden(folder, files).climb(&ladder)
        } else {
            return nil
        }
        return ladder.rungs
    }

    private static func contents(of folder: URL) throws -> [URL] {
        do {
            return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        } catch {
            throw GoldenParityError(description: "'\(folder.path)' is no folder that can be read")
        }
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
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
