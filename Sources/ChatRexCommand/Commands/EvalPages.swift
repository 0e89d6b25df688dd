import ArgumentParser
import DataEngine
import Evaluation
import Foundation
import Imaging
import Scenes
import Torch

extension EvalCommand {
    /// How well the data engine's classifier finds pictures of low content.
    struct PagesCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pages",
            abstract: "Measure the classifier of low-content pictures.",
            discussion: """
                On generated examples, and on files where folders are given: all pictures in --photos should be kept, all in --pages \
                be dropped.

                EXAMPLE
                  chatrex eval pages --seed 1 --count 2000 --photos photos --json
                """)

        @Option(help: "Which examples; the same seed gives the same ones.")
        var seed: UInt64 = 1

        @Option(help: "How many examples, 0...100000.")
        var count = 1000

        @Option(help: "Which fonts, objects and photographs the examples are made of.")
        var split = SceneSplit.heldOut

        @Option(help: ArgumentHelp("A folder of pictures that are worth keeping.", valueName: "folder"))
        var photos: String?

        @Option(help: ArgumentHelp("A folder of pictures of low content.", valueName: "folder"))
        var pages: String?

        @Option(help: "Probability from which a picture is dropped. (default: the classifier's own)")
        var threshold: Double?

        @Option(help: ArgumentHelp("The classifier's folder. (default: the built-in one)", valueName: "folder"))
        var classifier: String?

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Write the examples here, named by kind, seed and probability.", valueName: "folder"))
        var out: String?

        @Flag(name: .customLong("json"), help: "Print JSON.")
        var isJSON = false

        @OptionGroup var device: DeviceOptions

        /// Generated examples and files apart, since the former say little about the latter.
        private struct Report: Encodable {
            var examples: ClassificationReport?
            var files: ClassificationReport?
        }

        func validate() throws {
            if !(0...100_000).contains(count) { throw ValidationError("--count must be within 0...100000.") }
            if count == 0, photos == nil, pages == nil { throw ValidationError("There is nothing to measure.") }
            if let threshold { try checkUnit(threshold, "--threshold") }
            if seed > (UInt64.max - UInt64(count)) / 2 { throw ValidationError("--seed is too large.") }
        }

        func run() async throws {
            Interrupt.install()
            let judge = try await PageClassifier(
                classifier.map { URL(fileURLWithPath: $0, isDirectory: true) }, device: device.prepare())
            let threshold = threshold ?? judge.configuration.threshold
            var report = Report()
            let examples = try await examples(judge), files = try await files(judge)
            if !examples.isEmpty { report.examples = ClassificationReport(examples, threshold: threshold) }
            if !files.isEmpty { report.files = ClassificationReport(files, threshold: threshold) }
            Terminal.clearProgress()
            if isJSON { return try Terminal.write(JSONText.line(report)) }
            let parts = [("generated examples", report.examples), ("files", report.files)].compactMap { title, part in
                part.map { text($0, title: title) }
            }
            try Terminal.write(parts.joined(separator: "\n\n"))
        }

        private func examples(_ judge: PageClassifier) async throws -> [ClassificationReport.Entry] {
            if count == 0 { return [] }
            if let out { try Folders.make(out) }
            Terminal.showProgress("loading sprites and backgrounds", isLogged: false)
            let generator = try PageGenerator(split: split, assets: SceneAssets())
            var entries: [ClassificationReport.Entry] = []
            for seed in seed * 2..<seed * 2 + UInt64(count) {
                if Interrupt.isPending { throw CancellationError() }
                let example = generator.example(seed: seed)
                let score = try await judge.lowContentProbability(example.image)
                entries.append(
                    .init(name: "\(seed)", kind: example.kind.rawValue, isPositive: example.isLowContent, score: score))
                if let out {
                    let name = "\(example.kind.rawValue)-\(seed)-\(String(format: "%.2f", score)).png"
                    try example.image.write(to: (out as NSString).appendingPathComponent(name))
                }
                Terminal.showProgress("example \(entries.count)/\(count)", isLogged: entries.count % 500 == 0)
            }
            return entries
        }

        private func files(_ judge: PageClassifier) async throws -> [ClassificationReport.Entry] {
            var entries: [ClassificationReport.Entry] = []
            for (folder, kind) in [(photos, "photograph"), (pages, "page")] {
                guard let folder else { continue }
                let list = SourceList([folder], recursive: true)
                if let problem = list.problems.first { throw problem }
                for path in list.paths {
                    if Interrupt.isPending { throw CancellationError() }
                    let score = try await judge.lowContentProbability(Image(contentsOf: path, channels: .rgba))
                    entries.append(.init(name: path, kind: kind, isPositive: kind == "page", score: score))
                    Terminal.showProgress("file \(entries.count)", isLogged: entries.count % 500 == 0)
                }
            }
            return entries
        }

        private func text(_ report: ClassificationReport, title: String) -> String {
            func percent(_ value: Double?) -> String { value.map { String(format: "%.1f %%", $0 * 100) } ?? "-" }
            var table = Table(
                [
                    ("threshold", .right), ("precision", .right), ("recall", .right), ("wrongly dropped", .right),
                    ("wrongly kept", .right),
                ], indentation: 2)
            for figures in [report.figures] + report.table {
                table.add([
                    String(format: "%g", figures.threshold), percent(figures.precision), percent(figures.recall),
                    "\(figures.falsePositives) of \(figures.falsePositives + figures.trueNegatives)",
                    "\(figures.falseNegatives) of \(figures.falseNegatives + figures.truePositives)",
                ])
            }
            let kinds = report.kinds.map { "\($0.name) \($0.right)/\($0.count)" }.joined(separator: ", ")
            let mistakes = report.mistakes.prefix(20).map {
                "  \($0.isPositive ? "kept" : "dropped") \($0.kind) \($0.name) at \(String(format: "%.3f", $0.score))"
            }
            return
                (["\(title):"] + table.lines + ["  right by kind: \(kinds)"] + mistakes).joined(separator: "\n")
        }
    }
}
