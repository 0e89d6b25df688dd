import ArgumentParser
import Boxes
import Evaluation
import Foundation
import Imaging
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

        @Flag(name: .customLong("json"), help: "Print JSON.")
        var isJSON = false

        @OptionGroup var proposals: ProposalOptions
        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if maxDet < 1 { throw ValidationError("--max-det must be at least 1.") }
        }

        /// Recall is measured with few duplicates removed, whatever the network's own limit is.
        private var iou: Double { proposals.iou ?? 0.8 }

        func run() async throws {
            Interrupt.install()
            let dataset = try COCODataset(contentsOf: URL(fileURLWithPath: gt))
            let annotations = Dictionary(grouping: dataset.annotations, by: \.imageID)
            let folder = URL(fileURLWithPath: images, isDirectory: true)
            let network = try model.network()
            let filter = ProposalFilter(minimumScore: 0, iouThreshold: iou, maximumCount: maxDet)
            var recall = ProposalRecall(maxProposals: maxDet)
            for (index, entry) in dataset.images.enumerated() {
                if Interrupt.isPending { throw CancellationError() }
                let image = try Image(contentsOf: entry.url(in: folder).path)
                let found = try network.propose(
                    [image], granularities: proposals.granularity.granularities, filter: filter)[0]
                try recall.add(
                    EvaluationImage(
                        id: entry.id, truths: (annotations[entry.id] ?? []).map(GroundTruthBox.init),
                        detections: found.map { DetectedBox(category: 0, box: $0.box, score: $0.score) }))
                Terminal.showProgress("picture \(index + 1)/\(dataset.images.count)", isLogged: (index + 1) % 50 == 0)
            }
            let report = recall.report()
            try Terminal.write(isJSON ? JSONText.line(report) : text(report, dataset))
        }

        private func text(_ report: ProposalRecall.Report, _ dataset: COCODataset) -> String {
            func percent(_ value: Double?) -> String { value.map { String(format: "%.1f %%", $0 * 100) } ?? "-" }
            var table = Table([("coverage", .left), ("value", .right)], indentation: 0)
            for (name, value) in [
                ("recall at 0.5", report.recall50), ("average recall, 0.5 to 0.95", report.ar),
                ("  small objects", report.arSmall),
                ("  medium", report.arMedium), ("  large", report.arLarge),
            ] {
                table.add([name, percent(value)])
            }
            let protocolText =
                "protocol: \(dataset.images.count) pictures, \(dataset.annotations.count) annotations, \(proposals.granularity.rawValue) "
                + "proposals, at most \(maxDet) a picture, IoU above \(iou) dropped, no score threshold"
            return (table.lines + [protocolText]).joined(separator: "\n")
        }
    }
}
