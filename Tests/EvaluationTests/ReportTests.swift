import Boxes
import ChatRex
import Evaluation
import Foundation
import Imaging
import Testing

/// What reports say, and the files that they become.
@Suite struct ReportTests {
    private func box(_ x: Double, _ side: Double = 10) -> Box { Box(x: x, y: 0, width: side, height: side) }

    private func tableIn(_ sections: [ReportSection], _ key: String) -> [[ReportTable.Cell]]? {
        guard case .table(let table) = sections.first(where: { $0.key == key })?.content else { return nil }
        return table.rows
    }

    private func matrixIn(_ sections: [ReportSection], _ key: String) -> ReportMatrix? {
        guard case .matrix(let matrix) = sections.first(where: { $0.key == key })?.content else { return nil }
        return matrix
    }

    private func picturesIn(_ sections: [ReportSection], _ key: String) -> [ReportPicture]? {
        guard case .pictures(let pictures) = sections.first(where: { $0.key == key })?.content else { return nil }
        return pictures
    }

    /// A dog found, a dog called a cat, a cat missed, and a box on nothing; in a second picture all is well.
    private func detections(minimumScore: Double? = 0) throws -> DetectionStudy {
        func truth(_ category: Int, _ x: Double) -> GroundTruthBox { GroundTruthBox(category: category, box: box(x)) }
        func found(_ category: Int, _ x: Double, _ score: Double) -> DetectedBox {
            DetectedBox(category: category, box: box(x), score: score)
        }
        return try DetectionStudy(
            [
                EvaluationImage(
                    id: 1, truths: [truth(1, 0), truth(1, 20), truth(2, 40)],
                    detections: [found(1, 0, 0.9), found(2, 20, 0.8), found(1, 60, 0.1)]),
                EvaluationImage(id: 2, truths: [truth(2, 0)], detections: [found(2, 0, 0.7)]),
            ], .coco, categories: [1: "dog", 2: "cat"], minimumScore: minimumScore)
    }

    @Test func `confusions say what an object was called, missed and made up`() throws {
        let sections = try detections().sections { "picture \($0)" }
        let matrix = try #require(matrixIn(sections, "confusion"))
        #expect(matrix.rows == ["cat", "dog", "nothing"] && matrix.columns == ["cat", "dog", "missed"])
        #expect(matrix.counts == [[1, 0, 1], [1, 1, 0], [0, 1, 0]])
        #expect(tableIn(sections, "confused_pairs") == [[.text("dog"), .text("cat"), .count(1)]])
        let rows = try #require(tableIn(sections, "categories"))
        #expect(rows.map { $0[0] } == [.text("dog"), .text("cat")])
        #expect(
            rows.map { [$0[1], $0[2], $0[5], $0[6]] } == [
                [.count(2), .count(2), .share(0.5), .share(0.5)], [.count(2), .count(2), .share(0.5), .share(0.5)],
            ])
    }

    @Test func `pictures are ranked, and every finding is drawn`() throws {
        let sections = try detections().sections { "picture \($0)" }
        let worst = try #require(picturesIn(sections, "worst_pictures")),
            best = try #require(picturesIn(sections, "best_pictures"))
        #expect(worst.map(\.image) == [1] && best.map(\.image) == [2] && best[0].figure == "F1 1.00")
        #expect(worst[0].findings.map(\.kind) == [.right, .wrong, .missed, .wrong])
        #expect(worst[0].findings.map(\.truths.count) == [1, 1, 1, 0])
        #expect(worst[0].findings.map(\.answers.count) == [1, 1, 0, 1])
        #expect(worst[0].findings[1].detail.hasPrefix("answered as cat"))
    }

    @Test func `without a given threshold tables use the score with the best F1`() throws {
        // Dropping the last box of little score costs nothing.
        let matrix = try #require(matrixIn(detections(minimumScore: nil).sections { "\($0)" }, "confusion"))
        #expect(matrix.rows == ["cat", "dog"] && matrix.counts == [[1, 0, 1], [1, 1, 0]])
    }

    @Test func `curves fall from the best precision, and end where recall does`() throws {
        let sections = try detections().sections { "\($0)" }
        guard case .charts(let charts) = sections.first?.content else { return #expect(Bool(false), "no curves") }
        #expect(charts.map(\.name) == ["precision-recall", "precision-recall-categories", "score-threshold"])
        let all = charts[0].chart.series[0].points
        #expect(all.count == 101 && abs(all[0].y - 0.75) < 1e-9 && all[100].y == 0)
        // Of both dogs one is found: its precision holds up to a recall of a half.
        let dog = try #require(charts[1].chart.series.first { $0.name == "dog" }).points
        #expect(abs(dog[50].y - 1) < 1e-9 && dog[51].y == 0)
    }

    @Test func `calibration is the gap between score and share right`() throws {
        let answers = [(0.95, true), (0.95, true), (0.95, false), (0.95, false), (0.15, false), (1, true)].map {
            JudgedScore(score: $0, isRight: $1)
        }
        let calibration = try #require(Calibration(answers))
        #expect(calibration.bins.map(\.count) == [0, 1, 0, 0, 0, 0, 0, 0, 0, 5])
        // In the last bin scores average 0.96 and 3 of 5 are right.
        #expect(abs(calibration.expectedError - (0.15 + 5 * (0.96 - 0.6)) / 6) < 1e-9)
        #expect(Calibration([]) == nil && Calibration([JudgedScore(score: 7, isRight: true)]) == nil)
    }

    @Test func `counts are set against what is there`() throws {
        func record(_ image: Int, _ pairs: [(Int, Int)]) -> CountingRecord {
            CountingRecord(
                image: image,
                counts: pairs.map { there, counted in
                    let text = "There are \(counted)."
                    return .init(
                        category: "dog", places: (0..<there).map { box(Double($0)) },
                        answer: GroundedAnswer(rawText: text, text: text, groups: []))
                })
        }
        let study = CountingStudy([record(1, [(1, 1), (2, 1)]), record(2, [(12, 30)]), record(3, [(2, 2)])])
        let sections = study.sections { "\($0)" }
        let matrix = try #require(matrixIn(sections, "predicted_against_true"))
        #expect(matrix.rows == ["1", "2", "over 10"] && matrix.columns.count == 12)
        #expect(matrix.counts.map { $0.reduce(0, +) } == [1, 2, 1] && matrix.counts[1][1] == 1)
        #expect(picturesIn(sections, "worst_pictures")?.map(\.image) == [2, 1])
        #expect(picturesIn(sections, "best_pictures")?.map(\.image) == [3])
        #expect(tableIn(sections, "categories")?.first?[4] == .number((0 - 1 + 18 + 0) / 4))
    }

    @Test func `names of regions are gathered by category, the costliest first`() throws {
        let answers = [("dog", "dog"), ("wolf", "dog"), ("wolf", "dog"), ("red car", "car")].map {
            RegionAnswer(answer: $0.0, category: $0.1, box: box(0))
        }
        let study = try RegionStudy([RegionRecord(image: 4, answers: answers)])
        let sections = study.sections { "picture \($0)" }
        #expect(tableIn(sections, "worst_names")?.map { $0[1] } == [.text("wolf"), .text("red car")])
        #expect(tableIn(sections, "categories")?.map { $0.last } == [.text("wolf"), .text("red car")])
        let matrix = try #require(matrixIn(sections, "confusion"))
        #expect(matrix.columns.last == "another word" && matrix.counts.map { $0.last } == [2, 1])
        #expect(
            picturesIn(sections, "worst_pictures")?.first?.findings.map(\.kind) == [.right, .wrong, .wrong, .wrong])
        // Answers of a file have no boxes to draw.
        let bare = try RegionStudy([RegionRecord(image: 0, answers: [RegionAnswer(answer: "a", category: "b")])])
        #expect(picturesIn(bare.sections { "\($0)" }, "worst_pictures") == nil)
    }

    @Test func `referring is judged by how much overlap is asked for`() throws {
        func answer(_ found: Box?) -> GroundedAnswer {
            let objects = found.map { [GroundedAnswer.Object(index: 0, box: $0, score: 0.5)] } ?? []
            return GroundedAnswer(
                rawText: "x", text: "x", groups: [.init(phrase: "x", range: 0..<1, objects: objects)])
        }
        let study = ReferringStudy(
            [box(0), box(4), nil].enumerated().map {
                ReferringRecord(image: $0, expression: "the dog", truth: box(0), answer: answer($1))
            })
        #expect(study.counts.map(\.value) == [3, 1] && study.accuracy.correct == 1)
        let sections = study.sections { "\($0)" }
        guard case .charts(let charts) = sections.first?.content else { return #expect(Bool(false), "no curve") }
        // 0.6 / 1.4 is the overlap of the second.
        let curve = charts[0].chart.series[0].points
        #expect(curve[8].y == 2.0 / 3 && curve[9].y == 1.0 / 3)
        #expect(picturesIn(sections, "worst_pictures")?.map { $0.findings[0].kind } == [.missed, .wrong])
    }

    // MARK: - Files

    private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    private func report(_ words: String) throws -> EvaluationReport {
        let study = try detections()
        return EvaluationReport(
            title: words, protocolItems: [.init(words, words)], figures: study.figures + [.init("x", words, nil)],
            counts: [.init("images", words, 2)], faults: AnswerFaults(),
            sections: study.sections { _ in words } + [
                ReportSection(
                    "evil", words, note: words, part: words,
                    .table(ReportTable([.init("a", words, isText: true)], [[.text(words)]])))
            ])
    }

    @Test func `a report is three files and small pictures, and needs nothing else`() throws {
        try withFolder { folder in
            let picture = try Image(width: 900, height: 600, channels: .rgb, filledWith: .black)
            try ReportFolder(folder).write(report("Figures")) { image in
                if image == 2 { throw EvaluationError.unknownImage(2) }
                return picture
            }
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
            #expect(
                files == [
                    "charts", "charts/calibration.svg", "charts/precision-recall-categories.svg",
                    "charts/precision-recall.svg", "charts/score-threshold.svg", "index.html", "pictures",
                    "pictures/report-picture-1.jpg", "report.json", "report.md",
                ])
            let small = try Image(contentsOf: folder.appendingPathComponent("pictures/report-picture-1.jpg").path)
            #expect(small.width == 640)
            let html = try String(contentsOf: folder.appendingPathComponent("index.html"), encoding: .utf8)
            #expect(
                html.components(separatedBy: "<img").count == 2
                    && html.contains("src=\"pictures/report-picture-1.jpg\""))
            #expect(html.contains("class=\"box missed truth\" data-r=\"2\" style=\"left:4.444%;top:0%;width:1.111%"))
            let outside = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
            #expect(!outside.contains("http:") && !outside.contains("https:") && !outside.contains("@import"))
            #expect(
                try #require(html.range(of: "Protocol</h2>")).upperBound
                    < #require(html.range(of: "Figures</h2>")).lowerBound)
            let data = try Data(contentsOf: folder.appendingPathComponent("report.json"))
            let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(Set(json.keys) == ["answers", "counts", "figures", "protocol", "sections", "title"])
            let figures = try #require(json["figures"] as? [String: Any])
            #expect(figures["APl"] as? Double == -1 && figures["x"] is NSNull && figures["recall50"] as? Double == 0.5)
        }
    }

    @Test func `whatever a text says it is shown and not obeyed`() throws {
        try withFolder { folder in
            let evil = "<script>alert(1)</script> \" onload='x' </dd> & \u{1} |]( <img src=x onerror=alert(3)>"
            try ReportFolder(folder).write(report(evil))
            let html = try String(contentsOf: folder.appendingPathComponent("index.html"), encoding: .utf8)
            #expect(
                html.components(separatedBy: "<script").count == 2 && !html.contains("<img") && !html.contains("\u{1}"))
            #expect(!html.contains("onload='") && html.contains("script-src 'sha256-"))
            let markdown = try String(contentsOf: folder.appendingPathComponent("report.md"), encoding: .utf8)
            #expect(!markdown.contains("<script") && !markdown.contains("<img") && markdown.contains("\\|\\]("))
        }
    }

    @Test func `a second report replaces its own pictures and nobody else's`() throws {
        try withFolder { folder in
            let picture = try Image(width: 30, height: 20, channels: .rgb, filledWith: .black)
            try ReportFolder(folder).write(report("A")) { _ in picture }
            let other = folder.appendingPathComponent("pictures/holiday.jpg")
            try Data("mine".utf8).write(to: other)
            try ReportFolder(folder).write(report("B"))
            let left = try FileManager.default.contentsOfDirectory(
                atPath: folder.appendingPathComponent("pictures").path)
            #expect(left == ["holiday.jpg"])
        }
    }

    @Test func `the shell gets the protocol before the figures`() throws {
        let text = try report("Words").text.split(separator: "\n")
        #expect(text.first == "protocol" && text[1] == "  Words: Words")
        #expect(text.contains { $0.hasPrefix("AP, IoU 0.50:0.95 ") && $0.hasSuffix(" %") })
    }
}

@Suite struct LineChartTests {
    @Test func `a chart shows names as text and leaves gaps`() throws {
        let chart = LineChart(
            "<b>", x: "a&b", y: "\"", [.init("x<y", [(0, 1), (1, .nan), (2, 3), (3, 4)], hasDots: true)])
        let svg = chart.svg()
        #expect(svg.contains("&lt;b&gt;") && svg.contains("a&amp;b") && svg.contains("x&lt;y") && !svg.contains("<b>"))
        let path = try #require(svg.components(separatedBy: " d=\"").last?.prefix { $0 != "\"" })
        #expect(path.count { $0 == "M" } == 2 && path.count { $0 == "L" } == 1)
        #expect(svg.components(separatedBy: "<circle").count == 4 && svg.contains("<style>"))
        #expect(!chart.svg(isAlone: false).contains("<style>"))
    }

    @Test(arguments: [[], [(1.0, 1.0)], [(0, .infinity)], [(0, 1e308), (1, -1e308)], [(0, 5), (1, 5)]])
    func `odd points never break a chart`(points: [(Double, Double)]) {
        var chart = LineChart("t", x: "x", y: "y", [.init("s", points.map { ($0.0, $0.1) })])
        #expect(!chart.svg().contains("nan") && !chart.svg().contains("inf"))
        chart.isLogarithmicY = true
        #expect(!chart.svg().contains("nan") && !chart.svg().contains("inf"))
    }

    @Test func `many points become few that keep the extremes`() throws {
        let points = (0..<100_000).map { (x: Double($0), y: $0 == 50_000 ? 9.0 : Double($0 % 2)) }
        let svg = LineChart("t", x: "x", y: "y", [.init("s", points)]).svg()
        // The highest point lies at the top of the plot.
        #expect(svg.utf8.count < 60_000 && svg.contains(" 52L"))
    }
}
