import DataEngine
import Foundation

/// A run's state in words.
struct EngineStatusText {
    private let status: EngineStatus

    init(_ status: EngineStatus) { self.status = status }

    /// One line, for work under way.
    var line: String {
        let known = status.isWalked ? "" : "+"
        let waiting = status.stages.filter { $0.waiting > 0 }.map { "\($0.stage) \($0.waiting)" }
        return
            "\(status.annotated + status.dropped + status.failed)/\(status.pictures)\(known) pictures, \(speed)\(left); waiting: \(waiting.isEmpty ? "-" : waiting.joined(separator: ", "))"
    }

    /// What came out.
    var summary: String {
        var text =
            "\(status.pictures) pictures: \(status.annotated) annotated, \(status.dropped) dropped, \(status.failed) failed"
        if status.open > 0 { text += ", \(status.open) open" }
        text += "; \(status.shards) shards, \(Quantity.bytes(status.bytes))"
        if !status.damages.isEmpty { text += "; not read of the source: \(status.damages.count)" }
        if status.completeParts < status.parts {
            text += "; \(status.completeParts) of \(status.parts) parts complete"
        }
        return text
    }

    /// All there is to know.
    var table: String {
        var lines = [summary, ""]
        func row(_ cells: [String]) -> String {
            cells.map { $0.padding(toLength: max(14, $0.count + 1), withPad: " ", startingAt: 0) }.joined()
        }
        lines.append(row(["stage", "done", "waiting", "seconds each"]))
        for stage in status.stages {
            lines.append(
                row([stage.stage, "\(stage.done)", "\(stage.waiting)", String(format: "%.3f", stage.secondsEach)]))
        }
        lines += ["", "speed: \(speed)\(left)"]
        func list(_ title: String, _ counts: [String: Int]) {
            if counts.isEmpty { return }
            lines += ["", title]
            for (name, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
                lines.append("  \(count)  \(name)")
            }
        }
        list("dropped:", status.drops)
        list("failed at:", status.failures)
        if !status.lastFailures.isEmpty {
            lines += ["", "last failures:"] + status.lastFailures.map { "  \($0.key) (\($0.stage)): \($0.error)" }
        }
        if !status.damages.isEmpty { lines += ["", "not read:"] + status.damages.map { "  \($0)" } }
        return lines.joined(separator: "\n")
    }

    private var speed: String { String(format: "%.1f pictures a minute", status.picturesPerMinute) }

    private var left: String {
        guard let seconds = status.secondsLeft, status.isWalked else { return "" }
        return seconds < 90
            ? String(format: ", %.0f s left", seconds)
            : seconds < 5400
                ? String(format: ", %.0f min left", seconds / 60) : String(format: ", %.1f h left", seconds / 3600)
    }
}
