import ArgumentParser
import ChatRex
import Evaluation
import Foundation
import Scenes

/// Measures a model.
package struct EvalCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Measure a model.",
        subcommands: [
            COCOCommand.self, LVISCommand.self, RefCOCOCommand.self, RegionCommand.self, CountCommand.self,
            ProposalsCommand.self, ScenesCommand.self, PagesCommand.self,
        ])

    package init() {}

    /// On generated scenes.
    struct ScenesCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "scenes",
            abstract: "Measure a model on scenes that training never saw.",
            discussion: "EXAMPLE\n  chatrex eval scenes --seed 1 --count 500 --json")

        @Option(help: "Which scenes; the same seed gives the same ones.")
        var seed: UInt64 = 1

        @Option(help: "How many scenes, 1...100000.")
        var count = 500

        @Flag(name: .customLong("json"), help: "Print JSON.")
        var isJSON = false

        @Option(
            help: ArgumentHelp("Write every question and answer to this file, a line of JSON each.", valueName: "file"))
        var answers: String?

        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if !(1...100_000).contains(count) { throw ValidationError("--count must be within 1...100000.") }
        }

        func run() async throws {
            Interrupt.install()
            let session = try await model.session()
            Terminal.showProgress("loading sprites and backgrounds", isLogged: false)
            let generator = try SceneGenerator(
                configuration: SceneConfiguration(split: .validation), assets: SceneAssets())
            let log = try answers.map { try ResultSink(file: $0) }
            let benchmark = SceneBenchmark(generator, seed: seed, count: count)
            let report = try await benchmark.run(session, onAnswer: { try log?.write(JSONText.line($0)) }) { done in
                if Interrupt.isPending { throw CancellationError() }
                Terminal.showProgress("scene \(done)/\(count)", isLogged: done % 50 == 0)
            }
            try log?.finish()
            try Terminal.write(isJSON ? JSONText.line(report) : Self.text(report))
        }

        private static func text(_ report: SceneReport) -> String {
            func percent(_ value: Double?) -> String { value.map { String(format: "%.1f %%", $0 * 100) } ?? "-" }
            let rows = [
                ("proposals, recall at 0.5", percent(report.upnRecall50)),
                ("detection, precision at 0.5", percent(report.precision50)),
                ("detection, recall at 0.5", percent(report.recall50)),
                ("referring, accuracy at 0.5", percent(report.referAccuracy50)),
                ("counting, exact", percent(report.countExact)),
                ("region category, exact", percent(report.regionExact)),
                ("malformed answers", "\(report.malformedAnswers)"),
                ("truncated answers", "\(report.truncatedAnswers)"),
                ("empty answers", "\(report.emptyAnswers)"),
            ]
            let lines = rows.map { $0.0.padding(toLength: 30, withPad: " ", startingAt: 0) + $0.1 }
            return
                ("\(report.scenes) scenes, seed \(report.seed)\n" + lines.joined(separator: "\n") + "\nprotocol: "
                + report.protocolText)
        }
    }
}
