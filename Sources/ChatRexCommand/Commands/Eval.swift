import ArgumentParser
import ChatRex
import Evaluation
import Foundation
import Imaging
import LanguageModels
import Scenes
import UPN

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
            discussion: "EXAMPLE\n  chatrex eval scenes --seed 1 --count 500 --report runs/scenes")

        @Option(help: "Which scenes; the same seed gives the same ones.")
        var seed: UInt64 = 1

        @Option(help: "How many scenes, 1...100000.")
        var count = 500

        @Option(
            help:
                "validation: names that training knows on seeds and backgrounds that it does not; heldOut: other names too."
        )
        var split = SceneSplit.validation

        @Option(
            help: "How many of the categories that are asked for are not in the scene, as a share of all, 0...0.9.")
        var absent = 0.0

        @Option(
            help: ArgumentHelp("Write every question and answer to this file, a line of JSON each.", valueName: "file"))
        var answers: String?

        @Option(
            help: ArgumentHelp(
                "The folder of a sentence model, for the similarity in meaning of names.", valueName: "folder"))
        var sentences: String?

        @OptionGroup var output: EvalOutputOptions
        @OptionGroup(title: "Boxes") var candidates: CandidateOptions
        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if !(1...100_000).contains(count) { throw ValidationError("--count must be within 1...100000.") }
            if !(0...0.9).contains(absent) { throw ValidationError("--absent must be within 0...0.9.") }
            if split == .training { throw ValidationError("--split must be validation or heldOut.") }
        }

        func run() async throws {
            Interrupt.install()
            let embedder = try sentences.map { try SentenceEmbedder(contentsOf: URL(fileURLWithPath: $0)) }
            let log = try answers.map { try ResultSink(file: $0) }
            let networks = try model.settings().merging(candidates.settings) { $1 }
            Terminal.showProgress("loading sprites and backgrounds", isLogged: false)
            let generator = try SceneGenerator(configuration: SceneConfiguration(split: split), assets: SceneAssets())
            var benchmark = SceneBenchmark(generator, seed: seed, count: count)
            benchmark.absentShare = absent
            benchmark.journal = try output.journal(networks.merging(benchmark.settings) { $1 })
            let count = count
            benchmark.progress = { done in
                if Interrupt.isPending { throw CancellationError() }
                Terminal.showProgress("scene \(done)/\(count)", isLogged: done % 50 == 0)
            }
            let session = try await model.session()
            let outcomes = try await benchmark.outcomes(session, boxes: candidates.boxes)
            for answer in outcomes.lazy.flatMap(\.answers) { try log?.write(JSONText.line(answer)) }
            try log?.finish()
            let study = try SceneStudy(outcomes, categories: benchmark.categories, embedder: embedder)
            try output.publish(
                EvaluationReport(
                    title: "Scenes", protocolItems: protocolItems(session.proposalFilter, networks),
                    figures: study.figures, counts: study.counts, faults: study.faults),
                sections: { study.sections }, picture: { benchmark.scene($0).image })
        }

        private func protocolItems(
            _ limits: ProposalFilter, _ networks: [String: String]
        ) -> [EvaluationReport.ProtocolItem] {
            let names =
                split == .heldOut
                ? "names, seeds and backgrounds that training never sees"
                : "names of training on other seeds and backgrounds"
            return [
                .init("data", "\(count) generated scenes of seed \(seed): \(names)"),
                .init("classes", "those of the scene are asked for together"),
                .init(
                    "negatives",
                    absent > 0
                        ? "\(absent) of the categories asked for are not there; half of them of kinds that are"
                        : "none: categories that a scene does not show are not asked for"),
                .init(
                    "rules",
                    "precision, recall and accuracy at IoU 0.5, averaged over classes; AP by COCO's rules; proposals without a score threshold, at most 100; regions by their true boxes, at most \(SceneBenchmark.usualQuestions) references, counts, regions and questions a scene"
                ), .score, candidates.protocolItem(limits, networks), model.protocolItem(networks), .decoding,
            ]
        }
    }
}
