import Boxes

/// A value of JSON. What is not finite becomes null.
indirect enum ReportValue: Encodable {
    case text(String)
    case count(Int)
    case number(Double?)
    case list([ReportValue])
    case object([String: ReportValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .count(let count): try container.encode(count)
        case .number(let number):
            if let number, number.isFinite { try container.encode(number) } else { try container.encodeNil() }
        case .list(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}

extension EvaluationReport {
    /// The figures and counts by their keys beside the protocol: what `--json` prints.
    public struct Summary: Encodable, Sendable {
        let report: EvaluationReport

        public func encode(to encoder: any Encoder) throws {
            var members: [String: ReportValue] = ["protocol": .text(report.protocolText)]
            for figure in report.figures { members[figure.key] = .number(figure.value ?? figure.absence) }
            for count in report.allCounts { members[count.key] = .count(count.value) }
            try ReportValue.object(members).encode(to: encoder)
        }
    }

    public var summary: Summary { Summary(report: self) }

    /// In one line.
    public var protocolText: String { protocolItems.map { "\($0.name): \($0.text)" }.joined(separator: "; ") }

    /// `report.json`.
    var json: ReportValue {
        var members: [String: ReportValue] = [
            "title": .text(title),
            "protocol": .list(protocolItems.map { .object(["name": .text($0.name), "text": .text($0.text)]) }),
            "figures": .object(
                Dictionary(
                    figures.map { ($0.key, .number($0.value ?? $0.absence)) }, uniquingKeysWith: { first, _ in first })),
            "counts": .object(
                Dictionary(counts.map { ($0.key, .count($0.value)) }, uniquingKeysWith: { first, _ in first })),
            "sections": .object(
                Dictionary(sections.map { ($0.key, $0.content.json) }, uniquingKeysWith: { first, _ in first })),
        ]
        if let faults {
            members["answers"] = .object([
                "malformed": .count(faults.malformed), "truncated": .count(faults.truncated),
                "empty": .count(faults.empty),
            ])
        }
        return .object(members)
    }
}

extension ReportSection.Content {
    fileprivate var json: ReportValue {
        switch self {
        case .table(let table): table.json
        case .charts(let charts):
            .object(
                Dictionary(charts.map { ($0.name, $0.chart.json) }, uniquingKeysWith: { first, _ in first }))
        case .matrix(let matrix):
            .object([
                "rows": .list(matrix.rows.map { .text($0) }), "columns": .list(matrix.columns.map { .text($0) }),
                "counts": .list(matrix.counts.map { .list($0.map { .count($0) }) }),
            ])
        case .pictures(let pictures): .list(pictures.map(\.json))
        }
    }
}

extension ReportTable {
    fileprivate var json: ReportValue {
        .list(
            rows.map { row in
                let cells = zip(columns, row).map { column, cell in (column.key, cell.json) }
                return .object(Dictionary(cells, uniquingKeysWith: { first, _ in first }))
            })
    }
}

extension ReportTable.Cell {
    fileprivate var json: ReportValue {
        switch self {
        case .text(let text): .text(text)
        case .count(let count): .count(count)
        case .share(let value), .number(let value): .number(value)
        }
    }
}

extension LineChart {
    fileprivate var json: ReportValue {
        .object([
            "title": .text(title), "x": .text(xLabel), "y": .text(yLabel),
            "series": .list(
                series.filter { !$0.isReference }.map { line in
                    .object([
                        "name": .text(line.name),
                        "points": .list(line.points.map { .list([.number($0.x), .number($0.y)]) }),
                    ])
                }),
        ])
    }
}

extension ReportPicture {
    fileprivate var json: ReportValue {
        func boxes(_ boxes: [Box]) -> ReportValue {
            .list(boxes.map { .list([.number($0.x1), .number($0.y1), .number($0.x2), .number($0.y2)]) })
        }
        return .object([
            "image": .count(image), "name": .text(name), "figure": .text(figure),
            "findings": .list(
                findings.map {
                    .object([
                        "kind": .text($0.kind.rawValue), "name": .text($0.name), "detail": .text($0.detail),
                        "truths": boxes($0.truths), "answers": boxes($0.answers),
                    ])
                }),
        ])
    }
}
