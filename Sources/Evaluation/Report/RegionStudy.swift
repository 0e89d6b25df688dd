import Boxes
import Foundation
import LanguageModels

/// What a report says about names of regions.
public struct RegionStudy: Sendable {
    public let report: RegionReport
    private let records: [RegionRecord]
    private let scores: RegionScores

    /// - Throws: `TorchError` from the embedder.
    public init(_ records: [RegionRecord], embedder: SentenceEmbedder? = nil) throws {
        self.records = records
        scores = try RegionScores(records.flatMap(\.answers), embedder: embedder)
        report = RegionReport(scores)
    }

    public var figures: [EvaluationReport.Figure] {
        [
            .init("semantic_similarity", "similarity in meaning (SS)", report.semanticSimilarity),
            .init("s_iou", "share of common words (S-IoU)", report.semanticIoU),
            .init("exact", "exact names", report.exact),
        ]
    }

    public var counts: [EvaluationReport.Count] { [.init("regions", "regions", report.regions)] }

    /// - Parameter name: of a picture, by id
    public func sections(name: (Int) -> String) -> [ReportSection] {
        if scores.answers.isEmpty { return [] }
        return [categories, confusion, worstNames] + pictures(name)
    }

    /// Answer and category, as they are compared.
    private var names: [(answer: String, category: String)] {
        scores.answers.map {
            (WordOverlap.plain(answer: $0.answer).lowercased(), WordOverlap.plain(category: $0.category).lowercased())
        }
    }

    private var categories: ReportSection {
        let names = names
        let groups = Dictionary(grouping: names.indices) { names[$0].category }.sorted {
            ($1.value.count, $0.key) < ($0.value.count, $1.key)
        }
        var columns: [ReportTable.Column] = [
            .init("category", "category", isText: true), .init("regions", "regions"), .init("exact", "exact"),
            .init("s_iou", "S-IoU"),
        ]
        if scores.similarities != nil { columns.append(.init("semantic_similarity", "SS")) }
        columns.append(.init("most_frequent", "most frequent answer", isText: true))
        return ReportSection(
            "categories", "Categories",
            .table(
                ReportTable(
                    columns,
                    groups.map { category, members in
                        var row: [ReportTable.Cell] = [
                            .text(category), .count(members.count),
                            .share(mean(members.map { scores.exact[$0] ? 1 : 0 })),
                            .share(mean(members.map { scores.overlaps[$0] })),
                        ]
                        if let similarities = scores.similarities {
                            row.append(.share(mean(members.map { similarities[$0] })))
                        }
                        let answers = Dictionary(grouping: members) { names[$0].answer }.mapValues(\.count)
                        row.append(.text(answers.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""))
                        return row
                    })))
    }

    private var confusion: ReportSection {
        let known = Set(names.map(\.category))
        let pairs = Dictionary(grouping: names) { [$0.category, $0.answer] }.map { pair, members in
            (row: Optional(pair[0]), column: known.contains(pair[1]) ? pair[1] : nil, count: members.count)
        }
        return ReportSection(
            "confusion", "Confusion",
            note: "\"another word\": the answer is no category of the annotations.",
            .matrix(
                ReportMatrix(
                    pairs, rowTitle: "annotated", columnTitle: "answered", limit: 14, noRow: "nothing",
                    noColumn: "another word")))
    }

    /// What is often called something that it is not like.
    private var worstNames: ReportSection {
        let names = names
        let groups = Dictionary(grouping: names.indices.filter { !scores.exact[$0] }) {
            [names[$0].category, names[$0].answer]
        }
        func closeness(_ member: Int) -> Double { scores.similarities?[member] ?? scores.overlaps[member] }
        struct Mistake {
            var category: String, answer: String, count: Int, closeness: Double

            var cost: Double { Double(count) * (1 - closeness) }
        }
        let mistakes = groups.map { pair, members in
            Mistake(category: pair[0], answer: pair[1], count: members.count, closeness: closeness(members[0]))
        }.sorted { ($1.cost, $0.category, $0.answer) < ($0.cost, $1.category, $1.answer) }.prefix(30)
        let rows: [[ReportTable.Cell]] = mistakes.map {
            [.text($0.category), .text($0.answer), .count($0.count), .share($0.closeness)]
        }
        return ReportSection(
            "worst_names", "Worst names",
            note: "Wrong answers that cost most: how often they came times how far they are off.",
            .table(
                ReportTable(
                    [
                        .init("category", "annotated", isText: true), .init("answer", "answered", isText: true),
                        .init("count", "regions"),
                        .init("closeness", scores.similarities == nil ? "S-IoU" : "SS"),
                    ], rows)))
    }

    private func pictures(_ name: (Int) -> String) -> [ReportSection] {
        // Answers from a file are of no known picture.
        var start = 0, shown: [(record: RegionRecord, start: Int)] = []
        for record in records {
            if !record.answers.isEmpty, record.answers.allSatisfy({ $0.box != nil }) { shown.append((record, start)) }
            start += record.answers.count
        }
        let marks = shown.map { record, start in
            let range = start..<start + record.answers.count
            let some = scores.similarities.map { Array($0[range]) } ?? Array(scores.overlaps[range])
            return (value: min(max(mean(some) ?? 0, 0), 1), weight: range.count)
        }
        return ReportPicture.extremes(marks) { position in
            let (record, start) = shown[position]
            return ReportPicture(
                image: record.image, name: name(record.image),
                figure: String(
                    format: scores.similarities == nil ? "S-IoU %.2f" : "similarity %.2f", marks[position].value),
                findings: record.answers.enumerated().map { number, answer in
                    let isExact = scores.exact[start + number]
                    return .init(
                        isExact ? .right : .wrong, WordOverlap.plain(category: answer.category),
                        detail: isExact ? "" : "called \(WordOverlap.plain(answer: answer.answer))",
                        answers: answer.box.map { [$0] } ?? [])
                })
        }
    }
}
