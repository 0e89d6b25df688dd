import ArgumentParser
import Evaluation
import Foundation
import Imaging

/// Where an evaluation leaves what it found.
struct EvalOutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Keeps the answers as they come, in journal.jsonl: the same command goes on after them.",
            valueName: "folder"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Writes report.json, report.md and index.html, a page with tables, curves and pictures. Keeps the answers there too, unless --out says where.",
            valueName: "folder"))
    var report: String?

    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isJSON = false

    /// Where answers are kept, made where it is missing.
    /// - Throws: `CommandLineError`: better now than after hours of answers.
    func folder() throws -> URL? {
        for path in [out, report].compactMap({ $0 }) { try Folders.make(path) }
        return (out ?? report).map { URL(fileURLWithPath: $0, isDirectory: true) }
    }

    /// The journal of answers that depend on some settings.
    func journal(_ settings: [String: String]) throws -> JournalPlace? {
        try folder().map { JournalPlace($0.appendingPathComponent("journal.jsonl"), settings: settings) }
    }

    /// Prints the figures, and writes the report where it is wanted.
    ///
    /// - Parameters:
    ///   - sections: made only for a written report
    ///   - picture: loads a picture of the report; nil where there are none
    func publish(
        _ summary: EvaluationReport, sections: () -> [ReportSection], picture: ((Int) throws -> Image)? = nil
    ) throws {
        if let report {
            Terminal.showProgress("writing the report", isLogged: false)
            var whole = summary
            whole.sections = sections()
            try Folders.make(report)
            try ReportFolder(URL(fileURLWithPath: report, isDirectory: true)).write(whole, picture: picture)
        }
        try Terminal.write(isJSON ? JSONText.line(summary.summary) : summary.text)
    }
}
