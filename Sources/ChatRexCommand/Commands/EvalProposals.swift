import ArgumentParser
import Boxes
import Evaluation
import Foundation
import UPN

extension EvalCommand {
    /// How well proposals cover the annotated objects of pictures.
    struct ProposalsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "proposals",
            abstract: "Measure how well proposals cover annotated objects.",
            discussion: """
                Categories are ignored and no score threshold is set. Crowd regions are neither hits nor misses.

                EXAMPLE
                  chatrex eval proposals --gt instances.json --images photos
                """)

        @Option(help: ArgumentHelp("Annotations in COCO's form.", valueName: "file"))
        var gt: String

        @Option(help: ArgumentHelp("The folder that the annotations' file names start from.", valueName: "folder"))
        var images: String

        @Option(help: "Most proposals in a picture.")
        var maxDet = 100

        @OptionGroup var output: EvalOutputOptions
        @OptionGroup var proposals: ProposalOptions
        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if maxDet < 1 { throw ValidationError("--max-det must be at least 1.") }
        }

        /// Recall is measured with few duplicates removed, whatever the network's own limit is.
        private var iou: Double { proposals.iou ?? 0.8 }

        func run() async throws {
            let data = try EvalDataset(gt), networks = try model.settings()
            let settings = networks.merging([
                "granularity": proposals.granularity.rawValue, "iou": "\(iou)", "max det": "\(maxDet)",
            ]) { $1 }
            let benchmark = try data.benchmark("proposals", images: images, settings: settings, output: output)
            let filter = ProposalFilter(minimumScore: 0, iouThreshold: iou, maximumCount: maxDet)
            let records = try await benchmark.proposals(
                model.network(), granularities: proposals.granularity.granularities, filter: filter)
            let study = try ProposalStudy(
                DetectionEvaluator.images(of: data.dataset, results: records.flatMap(\.results)), limit: maxDet)
            try output.publish(
                EvaluationReport(
                    title: "Proposals",
                    protocolItems: [
                        .init(
                            "rules", "recall by COCO's rules, categories ignored; crowds are neither hits nor misses"),
                        .data(gt, data.dataset),
                        .init(
                            "proposals",
                            "\(proposals.granularity.rawValue) boxes of \(networks["proposal network"] ?? "the network"), at most \(maxDet) a picture, of boxes with an IoU above \(iou) the better one, no score threshold"
                        ),
                    ], figures: study.figures, counts: [.init("images", "pictures", data.dataset.images.count)]),
                sections: { study.sections(name: data.name) }, picture: data.loader(images))
        }
    }
}
