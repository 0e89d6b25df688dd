import Foundation

/// What a run's `log.jsonl` tells, figure by figure.
public struct RunHistory: Sendable {
    public typealias Point = (x: Double, y: Double)

    /// The run's folder, by its name.
    public var name: String
    /// Losses, rate and norm against the step.
    public var training: [String: [Point]] = [:]
    /// Figures on held-out data against the step.
    public var validation: [String: [Point]] = [:]

    /// Steps that were done again after a crash count once, as they were the last time.
    ///
    /// - Throws: `TrainingError.unusableRun` for a folder without a log.
    public init(_ folder: URL) throws {
        struct Line: Decodable {
            let event: String, step: Int
            let values: [String: Double]
        }
        let url = folder.appendingPathComponent("log.jsonl")
        name = folder.standardizedFileURL.lastPathComponent
        guard let text = try? Data(contentsOf: url) else {
            throw TrainingError.unusableRun(path: folder.path, reason: "it has no readable log.jsonl")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        for line in text.split(separator: UInt8(ascii: "\n")) {
            // A process that was killed may have left half a line.
            guard let line = try? decoder.decode(Line.self, from: line) else { continue }
            switch line.event {
            case "start": forget(after: line.step)
            case "step": Self.add(line.values, line.step, to: &training)
            case "evaluation": Self.add(line.values, line.step, to: &validation)
            default: break
            }
        }
    }

    private mutating func forget(after step: Int) {
        for key in training.keys { training[key]?.removeAll { $0.x > Double(step) } }
        for key in validation.keys { validation[key]?.removeAll { $0.x > Double(step) } }
    }

    private static func add(_ values: [String: Double], _ step: Int, to figures: inout [String: [Point]]) {
        for (name, value) in values where !["elapsed", "seconds_per_step"].contains(name) {
            // An evaluation at the end may repeat the one at the last checkpoint.
            if figures[name]?.last?.x == Double(step) { figures[name]?.removeLast() }
            figures[name, default: []].append((Double(step), value))
        }
    }
}
