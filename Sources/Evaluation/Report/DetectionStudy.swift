import Boxes
import Foundation

/// What a report says about detections.
public struct DetectionStudy: Sendable {
    /// Matched by the rules, best scores first.
    public let report: DetectionReport
    /// Of all answers whatever their score, as the paper reports them.
    public let precision50: Double?, recall50: Double?
    private let images: [EvaluationImage]
    private let evaluator: DetectionEvaluator
    private let categories: [Int: String]
    private let minimumScore: Double
    private let isThresholdChosen: Bool

    /// - Parameters:
    ///   - categories: names by id
    ///   - minimumScore: of the answers in tables, confusions and pictures; nil takes the score that gives the best F1
    /// - Throws: ``EvaluationError`` for unusable boxes.
    public init(
        _ images: [EvaluationImage], _ rules: DetectionProtocol, categories: [Int: String], minimumScore: Double? = 0
    ) throws(EvaluationError) {
        var evaluator = DetectionEvaluator(rules)
        var tally = PrecisionRecall()
        for image in images {
            try evaluator.add(image)
            try tally.add(image)
        }
        report = evaluator.report()
        (precision50, recall50) = (tally.precision, tally.recall)
        self.images = images.map(evaluator.counted)
        self.evaluator = evaluator
        self.categories = categories
        isThresholdChosen = minimumScore == nil
        self.minimumScore =
            minimumScore ?? ScoreSweep(evaluator.judged, truthCount: evaluator.truthCount).best?.threshold ?? 0
    }

    /// The names that the reference programs print; figures without objects are -1 in JSON, as theirs.
    public var figures: [EvaluationReport.Figure] {
        func figure(_ key: String, _ name: String, _ value: Double?) -> EvaluationReport.Figure {
            EvaluationReport.Figure(key, name, value, absence: -1)
        }
        var figures = [
            figure("AP", "AP, IoU 0.50:0.95", report.ap), figure("AP50", "AP, IoU 0.50", report.ap50),
            figure("AP75", "AP, IoU 0.75", report.ap75), figure("APs", "AP, small objects", report.apSmall),
            figure("APm", "AP, medium objects", report.apMedium), figure("APl", "AP, large objects", report.apLarge),
        ]
        if report.apRare != nil || report.apCommon != nil || report.apFrequent != nil {
            figures += [
                figure("APr", "AP, rare categories", report.apRare),
                figure("APc", "AP, common categories", report.apCommon),
                figure("APf", "AP, frequent categories", report.apFrequent),
            ]
        }
        figures += report.recalls.map {
            figure("AR\($0.maxDetections)", "AR, \($0.maxDetections) box\($0.maxDetections == 1 ? "" : "es")", $0.value)
        }
        figures += [
            figure("ARs", "AR, small objects", report.arSmall), figure("ARm", "AR, medium objects", report.arMedium),
            figure("ARl", "AR, large objects", report.arLarge),
            figure("precision50", "precision at IoU 0.5", precision50),
            figure("recall50", "recall at IoU 0.5", recall50),
        ]
        return figures
    }

    /// Tables, curves and pictures.
    ///
    /// - Parameter name: of a picture, by id
    public func sections(name: (Int) -> String) -> [ReportSection] {
        let matchings = images.map { ImageMatching($0, minimumScore: minimumScore) }
        var confusion = ConfusionCounts()
        for (image, matching) in zip(images, matchings) { confusion.add(matching, of: image) }
        return curves + calibration + [perCategory(confusion)] + confusions(confusion) + pictures(matchings, name)
    }

    private func name(of category: Int) -> String { categories[category] ?? "category \(category)" }

    /// Which answers take part, for the notes.
    private var extent: String {
        if minimumScore <= 0 { return "All answers." }
        let score = String(format: "%.3f", minimumScore)
        return isThresholdChosen
            ? "Answers with a score of at least \(score), which gives the best F1."
            : "Answers with a score of at least \(score)."
    }

    // MARK: - Curves

    private var curves: [ReportSection] {
        let curves = evaluator.curves
        if curves.isEmpty { return [] }
        func points(_ some: [PrecisionRecallCurve], _ level: Int) -> [(x: Double, y: Double)] {
            Levels.recall.indices.map { index in
                (Levels.recall[index], some.reduce(0) { $0 + $1.levels[level][index] } / Double(some.count))
            }
        }
        var all = LineChart(
            "All categories", x: "recall", y: "precision",
            [(0, "IoU 0.5"), (5, "IoU 0.75"), (8, "IoU 0.9")].map { level, name in
                LineChart.Series(name, points(curves.map(\.curve), level))
            })
        (all.xRange, all.yRange) = (0...1, 0...1)
        var charts = [ReportChart("precision-recall", all)]
        if curves.count > 1 {
            let most = curves.sorted {
                ($1.curve.truthCount, $0.category) < ($0.curve.truthCount, $1.category)
            }.prefix(6)
            var some = LineChart(
                "Categories with most objects, IoU 0.5", x: "recall", y: "precision",
                most.map { LineChart.Series(name(of: $0.category), points([$0.curve], 0)) })
            (some.xRange, some.yRange) = (0...1, 0...1)
            charts.append(ReportChart("precision-recall-categories", some))
        }
        if let chart = thresholds { charts.append(chart) }
        return [
            ReportSection(
                "curves", "Precision and recall",
                note:
                    "Precision is the best at a recall or more, a mean over categories; it is 0 at a recall that is not reached.",
                .charts(charts))
        ]
    }

    /// What a threshold on the score costs and gives.
    private var thresholds: ReportChart? {
        let judged = evaluator.judged
        guard !judged.isEmpty, judged.allSatisfy({ (0...1).contains($0.score) }) else { return nil }
        let sweep = ScoreSweep(judged, truthCount: evaluator.truthCount).points
        // At each hundredth, the last point that reaches it.
        var points: [ScoreSweep.Point] = [], next = 0, current: ScoreSweep.Point?
        for hundredth in (0...100).reversed() {
            let threshold = Double(hundredth) / 100
            while next < sweep.count, sweep[next].threshold >= threshold {
                current = sweep[next]
                next += 1
            }
            if var point = current {
                point.threshold = threshold
                points.insert(point, at: 0)
            }
        }
        var chart = LineChart(
            "By lowest score, IoU 0.5", x: "lowest score (--conf)", y: "share",
            [
                .init("precision", points.map { ($0.threshold, $0.precision) }),
                .init("recall", points.map { ($0.threshold, $0.recall) }),
                .init("F1", points.map { ($0.threshold, $0.f1) }),
            ])
        (chart.xRange, chart.yRange) = (0...1, 0...1)
        return ReportChart("score-threshold", chart)
    }

    private var calibration: [ReportSection] {
        Calibration(evaluator.judged)?.sections(of: "boxes that hit an object of their category at IoU 0.5") ?? []
    }

    // MARK: - Categories

    private func perCategory(_ confusion: ConfusionCounts) -> ReportSection {
        struct Row {
            var truths = 0, answers = 0, right = 0
        }
        var rows: [Int: Row] = [:]
        for (names, count) in confusion.counts {
            if let truth = names.truth { rows[truth, default: Row()].truths += count }
            if let answer = names.answer { rows[answer, default: Row()].answers += count }
            if let truth = names.truth, names.truth == names.answer { rows[truth, default: Row()].right += count }
        }
        let figures = Dictionary(report.categories.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let ordered = rows.sorted { ($1.value.truths, $0.key) < ($0.value.truths, $1.key) }
        return ReportSection(
            "categories", "Categories",
            note: "P and R are precision and recall at IoU 0.5. \(extent)",
            .table(
                ReportTable(
                    [
                        .init("category", "category", isText: true), .init("truths", "objects"),
                        .init("answers", "answers"), .init("AP", "AP"), .init("AP50", "AP50"), .init("P", "P"),
                        .init("R", "R"),
                    ],
                    ordered.map { id, row in
                        [
                            .text(name(of: id)), .count(row.truths), .count(row.answers), .share(figures[id]?.ap),
                            .share(figures[id]?.ap50),
                            .share(row.answers > 0 ? Double(row.right) / Double(row.answers) : nil),
                            .share(row.truths > 0 ? Double(row.right) / Double(row.truths) : nil),
                        ]
                    })))
    }

    private func confusions(_ confusion: ConfusionCounts) -> [ReportSection] {
        let named = confusion.counts.map { names, count in
            (row: names.truth.map(name(of:)), column: names.answer.map(name(of:)), count: count)
        }
        if named.isEmpty { return [] }
        let matrix = ReportMatrix(
            named, rowTitle: "annotated", columnTitle: "answered", limit: 14, noRow: "nothing", noColumn: "missed")
        var sections = [
            ReportSection(
                "confusion", "Confusion",
                note: """
                    Objects by their category, and what the box on them at IoU 0.5 was called. "missed": no box is on the object. \
                    "nothing": the box is on no object, or on one that another box has found. \(extent)
                    """, .matrix(matrix))
        ]
        let mistaken = named.filter { $0.row != nil && $0.column != nil && $0.row != $0.column }
            .sorted { ($1.count, $0.row ?? "", $0.column ?? "") < ($0.count, $1.row ?? "", $1.column ?? "") }.prefix(20)
        if !mistaken.isEmpty {
            sections.append(
                ReportSection(
                    "confused_pairs", "Most frequent confusions",
                    .table(
                        ReportTable(
                            [
                                .init("truth", "annotated", isText: true), .init("answer", "answered", isText: true),
                                .init("count", "boxes"),
                            ], mistaken.map { [.text($0.row ?? ""), .text($0.column ?? ""), .count($0.count)] }))))
        }
        return sections
    }

    // MARK: - Pictures

    private func pictures(_ matchings: [ImageMatching], _ name: (Int) -> String) -> [ReportSection] {
        let judged = images.indices.compactMap { index in matchings[index].f1.map { (index, $0) } }
        return ReportPicture.extremes(
            judged.map { (value: $1, weight: images[$0].truths.count + images[$0].detections.count) }
        ) { position in
            let (index, f1) = judged[position]
            return ReportPicture(
                image: images[index].id, name: name(images[index].id), figure: String(format: "F1 %.2f", f1),
                findings: findings(matchings[index], images[index]))
        }
    }

    private func findings(_ matching: ImageMatching, _ image: EvaluationImage) -> [ReportPicture.Finding] {
        func paired(_ kind: ReportPicture.Finding.Kind, _ pair: ImageMatching.Pair) -> ReportPicture.Finding {
            let (truth, answer) = (image.truths[pair.truth], image.detections[pair.answer])
            let called = kind == .right ? "" : "answered as \(name(of: answer.category)), "
            let figures = String(format: "score %.2f, IoU %.2f", answer.score, truth.box.iou(with: answer.box))
            return .init(
                kind, name(of: truth.category), detail: called + figures, truths: [truth.box], answers: [answer.box])
        }
        return matching.right.map { paired(.right, $0) } + matching.confused.map { paired(.wrong, $0) }
            + matching.missed.map {
                .init(.missed, name(of: image.truths[$0].category), detail: "missed", truths: [image.truths[$0].box])
            }
            + matching.wrong.map {
                let answer = image.detections[$0]
                return .init(
                    .wrong, name(of: answer.category),
                    detail: String(format: "score %.2f, no such object left there", answer.score), answers: [answer.box]
                )
            }
    }
}

extension Calibration {
    /// A chart and the bins.
    ///
    /// - Parameter what: counts as right
    func sections(of what: String) -> [ReportSection] {
        let known = bins.filter { $0.count > 0 }
        var chart = LineChart(
            "Score against share right", x: "mean score", y: "share right",
            [
                .init("as it should be", [(0, 0), (1, 1)], isReference: true),
                .init("answers", known.map { ($0.meanScore ?? 0, $0.share ?? 0) }, hasDots: true),
            ])
        (chart.xRange, chart.yRange) = (0...1, 0...1)
        let error = String(format: "%.3f", expectedError)
        return [
            ReportSection(
                "calibration", "Score calibration",
                note:
                    "Share of \(what), by score. Expected calibration error \(error): how far score and share differ, by the number of answers.",
                .charts([ReportChart("calibration", chart)])),
            ReportSection(
                "calibration_bins", "Reliability by score",
                .table(
                    ReportTable(
                        [
                            .init("score", "score", isText: true), .init("count", "answers"),
                            .init("mean_score", "mean score"), .init("right", "right"),
                        ],
                        bins.map { bin in
                            [
                                .text(String(format: "%.1f to %.1f", bin.low, bin.high)), .count(bin.count),
                                .share(bin.meanScore), .share(bin.share),
                            ]
                        }))),
        ]
    }
}
