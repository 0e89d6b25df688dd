import Foundation

/// Time spent on a run, former sessions included.
struct SessionClock {
    private let before: Double
    private let start = ContinuousClock.now

    init(before: Double) { self.before = before }

    /// Seconds.
    var elapsed: Double { before + (ContinuousClock.now - start) / .seconds(1) }
}

/// Averages a run's figures and tells them to the log and to stderr.
struct ProgressReporter {
    private let options: TrainingOptions
    private var sums: [String: Double] = [:]
    private var order: [String] = []
    private var count = 0
    private var last: (step: Int, elapsed: Double)?

    init(options: TrainingOptions, step: Int) {
        self.options = options
    }

    mutating func note(
        step: Int, elapsed: Double, losses: [(String, Double)], norm: Double, rate: Double, _ log: RunLog
    ) throws {
        for (name, value) in losses + [("norm", norm)] {
            if sums[name] == nil { order.append(name) }
            sums[name, default: 0] += value
        }
        count += 1
        let since = last ?? (step - 1, elapsed)
        if last == nil { last = since }
        guard step % options.logSteps == 0 else { return }
        let means = sums.mapValues { $0 / Double(count) }
        let secondsPerStep = (elapsed - since.elapsed) / Double(max(step - since.step, 1))
        try log.write(
            "step", step: step,
            means.merging(["rate": rate, "elapsed": elapsed, "seconds_per_step": secondsPerStep]) { $1 })
        let figures = order.map { "\($0) \(Self.short(means[$0] ?? 0))" }.joined(separator: "  ")
        let total = options.steps.map { "/\($0)" } ?? ""
        Self.print(
            "step \(step)\(total)  \(figures)  rate \(Self.short(rate))  \(Self.short(secondsPerStep)) s/step  "
                + "eta \(remaining(step, elapsed, secondsPerStep))")
        (sums, order, count, last) = ([:], [], 0, (step, elapsed))
    }

    private func remaining(_ step: Int, _ elapsed: Double, _ secondsPerStep: Double) -> String {
        let bySteps = options.steps.map { Double($0 - step) * secondsPerStep } ?? .infinity
        let byTime = options.minutes.map { $0 * 60 - elapsed } ?? .infinity
        return "\(Self.short(max(0, min(bySteps, byTime)) / 60)) min"
    }

    /// Three significant digits.
    static func short(_ value: Double) -> String { String(format: "%.3g", value) }

    static func print(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
