import ArgumentParser
import Boxes
import ChatRex
import Foundation

/// Boxes for categories, phrases or referring expressions.
package struct DetectCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Find categories, phrases or described things.",
        usage: "chatrex detect <source> ... \"person; dog\" [<options>]",
        discussion: """
            Separate several things to look for with ';'. Each may be a category ("dog"), a phrase ("dog with a red collar") or \
            a description ("the man left of the bus").

            Annotated pictures go to \(PicturePlan.defaultFolder)/ or to --out; with --json and the formats coco and \
            label-studio only where --out names a place for them. The format yolo writes labels/NAME.txt and classes.txt \
            instead. Pictures that were read are never overwritten.

            EXAMPLES
              chatrex detect street.jpg "person; red car"
              chatrex detect photos/ "bird" --recursive --json > birds.jsonl
              chatrex detect 'shots/*.png' "cat; dog" --format coco --out labels.json
            """)

    /// How detections are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, coco, yolo
        case labelStudio = "label-studio"

        var isForPeople: Bool { self == .text }
    }

    @Argument(
        help: ArgumentHelp(
            "Pictures, folders or quoted patterns, and at the end what to look for.", valueName: "source"))
    var arguments: [String] = []

    @OptionGroup var sources: SourceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Writing") var writing: AnswerWritingOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: "text, json (one line a picture), coco or label-studio (one document), yolo (label files).")
    var format: Format?

    @Flag(name: .customLong("no-pictures"), help: "Write no annotated pictures.")
    var withoutPictures = false

    @Flag(help: "Show each box under the one phrase that it fits best, where phrases exclude each other.")
    var onePhrasePerBox = false

    @Option(help: ArgumentHelp("What Label Studio finds the pictures under, before their names.", valueName: "url"))
    var imageRoot = ""

    package init() {}

    package mutating func validate() throws {
        let text = try sources.split(arguments, meaning: "what to look for").text
        _ = try checkText { try Self.phrases(text) }
        if output.wantsJSON, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) exclude each other.")
        }
        if output.namesDocument, chosenFormat.isForPeople || chosenFormat == .yolo {
            throw ValidationError(
                "--format \(chosenFormat.rawValue) does not go to a JSON file; name a folder with --out.")
        }
    }

    private var chosenFormat: Format { format ?? (output.isJSON ? .json : .text) }

    package func run() async throws {
        let (names, text) = try sources.split(arguments, meaning: "what to look for")
        let phrases = try Self.phrases(text)
        let list = sources.list(and: names)
        let writesFiles = chosenFormat.isForPeople ? !withoutPictures : chosenFormat == .yolo
        let draws = !withoutPictures && chosenFormat != .yolo
        let plan =
            writesFiles || draws
            ? try output.plan(for: list, byDefault: writesFiles ? PicturePlan.defaultFolder : nil) : nil
        let export = DetectionExport(
            format: chosenFormat, phrases: phrases, imageRoot: imageRoot, model: model.model, plan: plan)
        let options = writing.options(conf: detection.conf)
        try await PictureLoop(sources: list).run(load: model.session, into: output.sink()) { session, pictures in
            var lines: [String] = []
            for picture in pictures {
                var answer = try await session.detect(
                    phrases, in: picture.image, boxes: detection.boxes, options: options)
                if onePhrasePerBox { answer = answer.withOnePhrasePerBox() }
                answer = answer.keepingBest(detection.maxDet)
                picture.warn(about: answer)
                let drawn = draws ? try plan?.write(answer.drawn(on: picture.image), for: picture) : nil
                lines.append(try export.add(answer, picture, drawn: drawn))
            }
            return lines
        } atEnd: {
            try export.finish()
        }
    }

    /// The phrases of a list, cleaned as the model will see them.
    /// - Throws: `TaskError`.
    static func phrases(_ text: String) throws -> [String] {
        try VisionTask.phrases([text])
    }
}
