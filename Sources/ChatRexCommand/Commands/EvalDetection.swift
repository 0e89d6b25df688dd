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

    @Option(help: ArgumentHelp("The folder of the pictures; the model is run on them.", valueName: "folder"))
    var images: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Keeps the model's results: journal.jsonl, by which a killed run goes on, and results.json.",
            valueName: "folder"))
    var out: String?

    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isJSON = false

    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    func validate() throws {
        if (results == nil) == (images == nil) { throw ValidationError("Give either --results or --images.") }
        if results != nil && out != nil {
            throw ValidationError("--out keeps what a model finds; it does not go with --results.")
        }
    }

    /// Scores and prints.
    func run(_ rules: ([COCOCategory]) -> DetectionProtocol) async throws {
        let dataset = try COCODataset(contentsOf: URL(fileURLWithPath: gt))
        var summary: DetectionSummary
        if let results {
            let found = try COCOResult.read(from: URL(fileURLWithPath: results))
            summary = try DetectionSummary(
                found, dataset, rules(dataset.categories), protocolText: "results of \(results)")
        } else {
            let records = try await answers(dataset)
            let found = records.flatMap(\.results)
            if let out {
                try COCOResult.write(found, to: URL(fileURLWithPath: out).appendingPathComponent("results.json"))
            }
            summary = try DetectionSummary(
                found, dataset, rules(dataset.categories),
                protocolText: """
                    classes of the picture given, no absent ones; \(detection.proposals.granularity.rawValue) proposals of at least \
                    \(detection.proposalConf); greedy decoding under the index grammar; score: root of index confidence and proposal score
                    """)
            summary.faults = records.reduce(AnswerFaults()) { $0 + $1.faults }
        }
        try Terminal.write(isJSON ? JSONText.line(summary) : summary.text)
    }

    private func answers(_ dataset: COCODataset) async throws -> [DetectionRecord] {
        let benchmark = try DatasetBenchmark(dataset, images: images ?? "", out: out)
        var options = AnswerOptions()
        options.minimumScore = detection.conf
        return try await benchmark.detections(model.session(), boxes: detection.boxes, options: options)
    }
}

extension DatasetBenchmark {
    /// A benchmark that shows how far it is, ends at Ctrl-C and goes on where it was.
    init(_ dataset: COCODataset, images: String, out: String?) throws {
        Interrupt.install()
        self.init(dataset, images: URL(fileURLWithPath: images, isDirectory: true))
        if let out {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            journal = URL(fileURLWithPath: out).appendingPathComponent("journal.jsonl")
        }
        let count = dataset.images.count
        progress = { done in
            if Interrupt.isPending { throw CancellationError() }
            Terminal.showProgress("picture \(done)/\(count)", isLogged: done % 50 == 0)
        }
    }
}

extension AnswerFaults {
    /// As the reports print them.
    var byName: [(String, Int)] {
        [("malformed_answers", malformed), ("truncated_answers", truncated), ("empty_answers", empty)]
    }

    var text: String { "answers malformed \(malformed), truncated \(truncated), empty \(empty)" }
}

/// The figures of a data set as they are printed.
private struct DetectionSummary: Encodable {
    let report: DetectionReport
    /// At IoU 0.5, averaged over categories, as the paper reports them.
    let precision50: Double?, recall50: Double?
    let protocolText: String
    var faults: AnswerFaults?

    init(_ results: [COCOResult], _ dataset: COCODataset, _ rules: DetectionProtocol, protocolText: String) throws {
        report = try DetectionEvaluator.evaluate(results, on: dataset, rules)
        var tally = PrecisionRecall()
        for image in try DetectionEvaluator.images(of: dataset, results: results) { try tally.add(image) }
        (precision50, recall50) = (tally.precision, tally.recall)
        self.protocolText = "\(report.rules); \(protocolText)"
    }

    /// The names that the reference programs print; figures without objects are -1, as theirs.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        var rows: [(String, Double?)] = [
            ("AP", report.ap), ("AP50", report.ap50), ("AP75", report.ap75), ("APs", report.apSmall),
            ("APm", report.apMedium),
            ("APl", report.apLarge), ("ARs", report.arSmall), ("ARm", report.arMedium), ("ARl", report.arLarge),
            ("precision50", precision50), ("recall50", recall50),
        ]
        if report.apRare != nil || report.apCommon != nil || report.apFrequent != nil {
            rows += [("APr", report.apRare), ("APc", report.apCommon), ("APf", report.apFrequent)]
        }
        rows += report.recalls.map { ("AR\($0.maxDetections)", $0.value) }
        for (name, value) in rows { try values.encode(value ?? -1, forKey: Key(name)) }
        for (name, value) in faults?.byName ?? [] { try values.encode(value, forKey: Key(name)) }
        try values.encode(report.imageCount, forKey: Key("images"))
        try values.encode(protocolText, forKey: Key("protocol"))
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    var text: String {
        func percent(_ value: Double?) -> String { value.map { String(format: "%5.1f", $0 * 100) } ?? "    -" }
        var lines = [report.description, "P@0.5   \(percent(precision50))", "R@0.5   \(percent(recall50))"]
        if let faults { lines.append(faults.text) }
        return (lines + ["protocol: \(protocolText)"]).joined(separator: "\n")
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
                  chatrex eval coco --gt instances_val2017.json --images val2017 --out runs/coco
                  chatrex eval coco --gt instances_val2017.json --results detections.json --json
                """)

        @OptionGroup var options: DetectionEvalOptions

        func run() async throws { try await options.run { _ in .coco } }
    }

    /// Average precision by LVIS's rules.
    struct LVISCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lvis",
            abstract: "Average precision by LVIS's rules, also by how frequent a category is.",
            discussion: "EXAMPLE\n  chatrex eval lvis --gt lvis_v1_val.json --results detections.json --json")

        @OptionGroup var options: DetectionEvalOptions

        func run() async throws { try await options.run(DetectionProtocol.lvis) }
    }
}
