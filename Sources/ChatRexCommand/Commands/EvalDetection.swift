import ArgumentParser
import Boxes
import ChatRex
import Evaluation
import Foundation

/// What is compared with which annotations.
struct DetectionEvalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Annotations in COCO's or LVIS's form.", valueName: "file"))
    var gt: String

    @Option(help: ArgumentHelp("Detections to score, a results file; instead of running a model.", valueName: "file"))
    var results: String?

    @Option(
        help: ArgumentHelp(
            "The folder of the pictures; the model is run on them, or, with --results, they are shown in the report.",
            valueName: "folder"))
    var images: String?

    @OptionGroup var output: EvalOutputOptions
    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    func validate() throws {
        if results == nil && images == nil { throw ValidationError("Give either --results or --images.") }
        if results != nil && images != nil && output.report == nil {
            throw ValidationError("Give either --results or --images; both go together only with --report.")
        }
        if results != nil && output.out != nil {
            throw ValidationError("--out keeps what a model finds; it does not go with --results.")
        }
    }

    /// Scores and prints.
    func run(_ name: String, _ rules: ([COCOCategory]) -> DetectionProtocol) async throws {
        let data = try EvalDataset(gt)
        let rules = rules(data.dataset.categories)
        var report = EvaluationReport(
            title: "\(name) detection",
            protocolItems: [.init("rules", rules.description), .data(gt, data.dataset)], figures: [], counts: [])
        let found: [COCOResult]
        if let results {
            found = try COCOResult.read(from: URL(fileURLWithPath: results))
            report.protocolItems += [
                .init(
                    "answers",
                    "\(found.count) results of \(results); classes, negatives and proposals as they were made with"),
                .init("score", "as in the file"),
            ]
        } else {
            let records = try await answers(data, &report)
            found = records.flatMap(\.results)
            if let folder = try output.folder() {
                try COCOResult.write(found, to: folder.appendingPathComponent("results.json"))
            }
            report.faults = records.reduce(AnswerFaults()) { $0 + $1.faults }
        }
        // A detector's file may hold many boxes of little score, a model's answers are all meant.
        let study = try DetectionStudy(
            DetectionEvaluator.images(of: data.dataset, results: found), rules,
            categories: Dictionary(
                data.dataset.categories.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first }),
            minimumScore: results == nil ? 0 : nil)
        report.figures = study.figures
        report.counts = [
            .init("images", "pictures", study.report.imageCount), .init("boxes", "answered boxes", found.count),
        ]
        try output.publish(report, sections: { study.sections(name: data.name) }, picture: images.map(data.loader))
    }

    private func answers(_ data: EvalDataset, _ report: inout EvaluationReport) async throws -> [DetectionRecord] {
        let networks = try model.settings()
        var settings = networks.merging(detection.candidates.settings) { $1 }
        settings["conf"] = "\(detection.conf)"
        settings["max det"] = "\(detection.maxDet)"
        let benchmark = try data.benchmark("detections", images: images ?? "", settings: settings, output: output)
        let session = try await model.session()
        report.protocolItems += [
            .init("classes", "those that a picture is annotated with are asked for together"),
            .init("negatives", "none: categories that a picture does not show are not asked for"), .score,
            detection.candidates.protocolItem(session.proposalFilter, networks), model.protocolItem(networks),
            .decoding,
            .init("thresholds", "score at least \(detection.conf), at most \(detection.maxDet) boxes a picture"),
        ]
        var options = AnswerOptions()
        options.minimumScore = detection.conf
        return try await benchmark.detections(
            session, boxes: detection.boxes, options: options, limit: detection.maxDet)
    }
}

extension EvalCommand {
    /// Average precision by COCO's rules.
    struct COCOCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "coco",
            abstract: "Average precision and recall by COCO's rules.",
            discussion: """
                EXAMPLES
                  chatrex eval coco --gt instances_val2017.json --images val2017 --report runs/coco
                  chatrex eval coco --gt instances_val2017.json --results detections.json --json
                """)

        @OptionGroup var options: DetectionEvalOptions

        func run() async throws { try await options.run("COCO") { _ in .coco } }
    }

    /// Average precision by LVIS's rules.
    struct LVISCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lvis",
            abstract: "Average precision by LVIS's rules, also by how frequent a category is.",
            discussion: "EXAMPLE\n  chatrex eval lvis --gt lvis_v1_val.json --results detections.json --json")

        @OptionGroup var options: DetectionEvalOptions

        func run() async throws { try await options.run("LVIS", DetectionProtocol.lvis) }
    }
}
