import Foundation

/// How values are shown.
enum ReportFormat {
    static func text(_ figure: EvaluationReport.Figure) -> String {
        switch figure.unit {
        case .share: share(figure.value)
        case .number: number(figure.value)
        }
    }

    static func text(_ cell: ReportTable.Cell) -> String {
        switch cell {
        case .text(let text): text
        case .count(let count): "\(count)"
        case .share(let value): share(value)
        case .number(let value): number(value)
        }
    }

    static func share(_ value: Double?) -> String { value.map { String(format: "%.1f %%", 100 * $0) } ?? "-" }

    static func number(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "-" }
}

extension EvaluationReport {
    /// Lines for a terminal: the protocol, then the figures.
    public var text: String {
        let rows = figures.map { ($0.name, ReportFormat.text($0)) } + allCounts.map { ($0.name, "\($0.value)") }
        let width = rows.map(\.0.count).max() ?? 0, room = rows.map(\.1.count).max() ?? 0
        let lines = rows.map { name, value in
            name.padding(toLength: width, withPad: " ", startingAt: 0)
                + String(repeating: " ", count: 2 + room - value.count) + value
        }
        return (["protocol"] + protocolItems.map { "  \($0.name): \($0.text)" } + lines).joined(separator: "\n")
    }
}
