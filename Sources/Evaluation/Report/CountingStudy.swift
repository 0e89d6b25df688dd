import Boxes
import Foundation

/// What a report says about counts.
public struct CountingStudy: Sendable {
    public let records: [CountingRecord]
    public let accuracy: CountingAccuracy

    public init(_ records: [CountingRecord]) {
        self.records = records
        var accuracy = CountingAccuracy()
        for count in records.flatMap(\.counts) { accuracy.add(predicted: count.counted, truth: count.truth) }
        self.accuracy = accuracy
    }

    public var figures: [EvaluationReport.Figure] {
        [
            .init("exact", "exact counts", accuracy.accuracy),
            .init("mean_absolute_error", "mean absolute error", accuracy.meanAbsoluteError, .number),
            .init("root_mean_squared_error", "root mean squared error", accuracy.rootMeanSquaredError, .number),
        ]
    }

    public var counts: [EvaluationReport.Count] { [.init("counts", "counts", accuracy.count)] }

    /// - Parameter name: of a picture, by id
    public func sections(name: (Int) -> String) -> [ReportSection] {
        let counts = records.flatMap(\.counts)
        if counts.isEmpty { return [] }
        return [byTruth(counts), matrix(counts), byCategory(counts)] + pictures(name)
    }

    private typealias Count = CountingRecord.Count

    private func byTruth(_ counts: [Count]) -> ReportSection {
        let groups = Dictionary(grouping: counts, by: \.truth).sorted { $0.key < $1.key }
        let most = Double(groups.last?.key ?? 1)
        var means = LineChart(
            "Counted by number there", x: "there", y: "counted",
            [
                .init("as it should be", [(0, 0), (most, most)], isReference: true),
                .init(
                    "mean", groups.map { (Double($0.key), mean($0.value.map { Double($0.counted) }) ?? 0) },
                    hasDots: true),
            ])
        means.xRange = 0...max(1, most)
        var exact = LineChart(
            "Exact by number there", x: "there", y: "share exact",
            [
                .init(
                    "", groups.map { (Double($0.key), mean($0.value.map { $0.counted == $0.truth ? 1 : 0 }) ?? 0) },
                    hasDots: true)
            ])
        (exact.xRange, exact.yRange) = (0...max(1, most), 0...1)
        return ReportSection(
            "by_number", "By number of objects",
            .charts([ReportChart("counted-by-number", means), ReportChart("exact-by-number", exact)]))
    }

    /// Numbers above 10 are counted together.
    private func matrix(_ counts: [Count]) -> ReportSection {
        func name(_ number: Int) -> String { number > 10 ? "over 10" : "\(max(0, number))" }
        let most = min(11, max(1, counts.map { max($0.truth, $0.counted) }.max() ?? 1))
        let names = (0...most).map(name)
        var table = [[Int]](repeating: [Int](repeating: 0, count: names.count), count: names.count)
        for count in counts { table[min(11, max(0, count.truth))][min(11, max(0, count.counted))] += 1 }
        let rows = table.indices.filter { row in table[row].contains { $0 > 0 } }
        return ReportSection(
            "predicted_against_true", "Counted against there",
            note: "Rows: how many there are. Columns: how many were counted.",
            .matrix(
                ReportMatrix(
                    rowTitle: "there", columnTitle: "counted", rows: rows.map { names[$0] }, columns: names,
                    counts: rows.map { table[$0] }, rightColumns: rows.map { $0 > 10 ? nil : $0 })))
    }

    private func byCategory(_ counts: [Count]) -> ReportSection {
        let groups = Dictionary(grouping: counts, by: \.category).sorted {
            ($1.value.count, $0.key) < ($0.value.count, $1.key)
        }
        return ReportSection(
            "categories", "Categories",
            note: "The bias is the mean of counted less there: below 0, too few were counted.",
            .table(
                ReportTable(
                    [
                        .init("category", "category", isText: true), .init("counts", "counts"), .init("exact", "exact"),
                        .init("mean_absolute_error", "mean error"), .init("bias", "bias"),
                    ],
                    groups.map { category, members in
                        let errors = members.map { Double($0.counted) - Double($0.truth) }
                        return [
                            .text(category), .count(members.count), .share(mean(errors.map { $0 == 0 ? 1 : 0 })),
                            .number(mean(errors.map(\.magnitude))), .number(mean(errors)),
                        ]
                    })))
    }

    private func pictures(_ name: (Int) -> String) -> [ReportSection] {
        let asked = records.filter { !$0.counts.isEmpty }
        let errors = asked.map { $0.counts.reduce(0.0) { $0 + (Double($1.counted) - Double($1.truth)).magnitude } }
        let marks = asked.indices.map { index in
            (value: 1 / (1 + errors[index]), weight: asked[index].counts.reduce(0) { $0 + min($1.truth, 1000) })
        }
        return ReportPicture.extremes(marks) { position in
            let record = asked[position]
            return ReportPicture(
                image: record.image, name: name(record.image),
                figure: errors[position] == 0 ? "all exact" : String(format: "off by %.0f", errors[position]),
                findings: record.counts.map { count in
                    .init(
                        count.counted == count.truth ? .right : .wrong, count.category,
                        detail: "counted \(count.counted), there \(count.truth)", truths: count.places,
                        answers: count.found)
                })
        }
    }
}
