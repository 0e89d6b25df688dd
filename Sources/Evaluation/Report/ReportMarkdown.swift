import WebPages

extension EvaluationReport {
    /// `report.md`.
    ///
    /// - Parameter pictures: files of the pictures that could be shown, relative to the report, by `ReportPicture.image`
    func markdown(pictures: [Int: String]) -> String {
        var blocks = ["# " + Markup.markdown(title), "## Protocol"]
        blocks.append(
            protocolItems.map { "- \(Markup.markdown($0.name)): \(Markup.markdown($0.text))" }.joined(separator: "\n"))
        blocks.append("## Figures")
        blocks.append(
            Self.table(
                ["figure", "value"], [false, true],
                figures.map { [$0.name, ReportFormat.text($0)] } + allCounts.map { [$0.name, "\($0.value)"] }))
        var part: String?
        for section in sections {
            if let name = section.part, name != part { blocks.append("## " + Markup.markdown(name)) }
            part = section.part
            blocks.append((part == nil ? "## " : "### ") + Markup.markdown(section.title))
            if let note = section.note { blocks.append(Markup.markdown(note)) }
            blocks += Self.blocks(section.content, pictures)
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func blocks(_ content: ReportSection.Content, _ pictures: [Int: String]) -> [String] {
        switch content {
        case .table(let table):
            [
                Self.table(
                    table.columns.map(\.title), table.columns.map { !$0.isText },
                    table.rows.map { $0.map(ReportFormat.text) })
            ]
        case .charts(let charts):
            charts.map { "![\(Markup.markdown($0.chart.title))](\(ReportFolder.place(of: $0)))" }
        case .matrix(let matrix):
            [
                Self.table(
                    ["\(matrix.rowTitle) / \(matrix.columnTitle)"] + matrix.columns,
                    [false] + matrix.columns.map { _ in true },
                    zip(matrix.rows, matrix.counts).map { [$0] + $1.map(String.init) })
            ]
        case .pictures(let some):
            some.flatMap { picture in
                var lines = ["**\(Markup.markdown(picture.name))**, \(Markup.markdown(picture.figure))"]
                if let file = pictures[picture.image] { lines.append("![\(Markup.markdown(picture.name))](\(file))") }
                lines.append(
                    picture.findings.map { finding in
                        let detail = finding.detail.isEmpty ? "" : ": " + Markup.markdown(finding.detail)
                        return "- \(finding.kind.rawValue): \(Markup.markdown(finding.name))\(detail)"
                    }.joined(separator: "\n"))
                return lines.filter { !$0.isEmpty }
            }
        }
    }

    private static func table(_ titles: [String], _ isRight: [Bool], _ rows: [[String]]) -> String {
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        return
            ([line(titles.map(Markup.markdown)), line(isRight.map { $0 ? "---:" : "---" })]
            + rows.map { line($0.map(Markup.markdown)) }).joined(separator: "\n")
    }
}
