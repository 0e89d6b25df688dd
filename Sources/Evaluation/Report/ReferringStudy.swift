import Boxes
import Foundation

/// What a report says about referring expressions.
public struct ReferringStudy: Sendable {
    public let records: [ReferringRecord]
    public let accuracy: ReferringAccuracy

    public init(_ records: [ReferringRecord]) {
        self.records = records
        var accuracy = ReferringAccuracy()
        for record in records { accuracy.add(predicted: record.found, truth: record.truth) }
        self.accuracy = accuracy
    }

    public var figures: [EvaluationReport.Figure] { [.init("accuracy", "accuracy, IoU above 0.5", accuracy.accuracy)] }

    public var counts: [EvaluationReport.Count] {
        [
            .init("expressions", "expressions", records.count),
            .init("without_box", "expressions without a box", records.count { $0.found == nil }),
        ]
    }

    /// - Parameter name: of a picture, by id
    public func sections(name: (Int) -> String) -> [ReportSection] {
        if records.isEmpty { return [] }
        let judged = records.compactMap { record in
            record.score.map { JudgedScore(score: $0, isRight: overlap(record) > 0.5) }
        }
        let calibration = Calibration(judged)?.sections(of: "boxes with an IoU above 0.5") ?? []
        return [byOverlap] + calibration + [bySize, byLength] + pictures(name)
    }

    private func overlap(_ record: ReferringRecord) -> Double { record.found?.iou(with: record.truth) ?? 0 }

    private var byOverlap: ReportSection {
        let overlaps = records.map(overlap)
        var chart = LineChart(
            "Accuracy by IoU that is asked for", x: "IoU above", y: "accuracy",
            [
                .init(
                    "",
                    (0...19).map { step in
                        let limit = Double(step) / 20
                        return (limit, Double(overlaps.count { $0 > limit }) / Double(overlaps.count))
                    })
            ])
        (chart.xRange, chart.yRange) = (0...0.95, 0...1)
        return ReportSection("accuracy_by_iou", "Accuracy by IoU", .charts([ReportChart("accuracy-by-iou", chart)]))
    }

    private var bySize: ReportSection {
        table(
            "by_size", "By size of the object", note: "Small up to 32², medium up to 96² pixels.",
            [
                ("small", { $0.truth.area <= 1024 }),
                ("medium", { $0.truth.area > 1024 && $0.truth.area <= 9216 }), ("large", { $0.truth.area > 9216 }),
            ])
    }

    private var byLength: ReportSection {
        func words(_ record: ReferringRecord) -> Int { record.expression.split(whereSeparator: \.isWhitespace).count }
        return table(
            "by_length", "By length of the expression",
            [
                ("1 or 2 words", { words($0) <= 2 }), ("3 or 4 words", { (3...4).contains(words($0)) }),
                ("5 to 7 words", { (5...7).contains(words($0)) }), ("8 words or more", { words($0) >= 8 }),
            ])
    }

    private func table(
        _ key: String, _ title: String, note: String? = nil,
        _ groups: [(name: String, holds: (ReferringRecord) -> Bool)]
    ) -> ReportSection {
        let rows: [[ReportTable.Cell]] = groups.map { group in
            let members = records.filter(group.holds)
            return [
                .text(group.name), .count(members.count),
                .share(mean(members.map { overlap($0) > 0.5 ? 1 : 0 })), .number(mean(members.map(overlap))),
            ]
        }
        return ReportSection(
            key, title, note: note,
            .table(
                ReportTable(
                    [
                        .init("group", "group", isText: true), .init("expressions", "expressions"),
                        .init("accuracy", "accuracy"), .init("mean_iou", "mean IoU"),
                    ], rows)))
    }

    private func pictures(_ name: (Int) -> String) -> [ReportSection] {
        // Of wrong answers, those that were given with the most certainty come first.
        let marks = records.map { (value: overlap($0), weight: Int(1000 * ($0.score ?? 0))) }
        return ReportPicture.extremes(marks) { position in
            let record = records[position]
            var detail = record.found == nil ? "no box" : String(format: "IoU %.2f", marks[position].value)
            if let score = record.score { detail += String(format: ", score %.2f", score) }
            let kind: ReportPicture.Finding.Kind =
                record.found == nil ? .missed : marks[position].value > 0.5 ? .right : .wrong
            return ReportPicture(
                image: record.image, name: name(record.image),
                figure: String(format: "IoU %.2f", marks[position].value),
                findings: [
                    .init(
                        kind, record.expression, detail: detail, truths: [record.truth],
                        answers: record.found.map { [$0] } ?? [])
                ])
        }
    }
}
