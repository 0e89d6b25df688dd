import Evaluation
import Testing

@Suite struct ClassificationReportTests {
    private let entries = [("a", true, 0.9), ("b", true, 0.4), ("c", false, 0.6), ("d", false, 0.1), ("e", false, 0.2)]
        .map {
            ClassificationReport.Entry(name: $0, kind: $1 ? "page" : "photograph", isPositive: $1, score: $2)
        }

    @Test func `counts follow the threshold`() {
        let report = ClassificationReport(entries, threshold: 0.5, table: [0.05, 0.3, 0.95])
        #expect(report.figures.precision == 0.5 && report.figures.recall == 0.5)
        #expect(report.figures.falsePositiveRate == 1.0 / 3)
        #expect(report.figures.trueNegatives == 2 && report.figures.falseNegatives == 1)
        #expect(report.table.map(\.recall) == [1, 1, 0])
        #expect(report.table.map(\.precision) == [0.4, 2.0 / 3, nil])
        #expect(report.kinds.map(\.name) == ["page", "photograph"] && report.kinds.map(\.right) == [1, 2])
        #expect(report.mistakes.map(\.name).sorted() == ["b", "c"])
    }

    @Test func `a score at the threshold drops`() {
        #expect(ClassificationReport(entries, threshold: 0.9).figures.truePositives == 1)
    }

    @Test func `without pictures of a sort its share is unknown`() {
        let report = ClassificationReport(entries.filter { !$0.isPositive }, threshold: 0.5)
        #expect(report.figures.recall == nil && report.figures.precision == 0)
        #expect(ClassificationReport([], threshold: 0.5).figures.falsePositiveRate == nil)
    }
}
