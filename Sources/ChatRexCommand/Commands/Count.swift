import ArgumentParser
import ChatRex

/// The number and places of things.
package struct CountCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Count things and locate them.",
        usage: "chatrex count <source> ... \"dog\" [<options>]",
        discussion: "EXAMPLE\n  chatrex count kennel.jpg \"dog\"")

    @Argument(
        help: ArgumentHelp("Pictures, folders or quoted patterns, and at the end what to count.", valueName: "source"))
    var arguments: [String] = []

    @OptionGroup var sources: SourceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Writing") var writing: AnswerWritingOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    package mutating func validate() throws {
        let text = try sources.split(arguments, meaning: "what to count").text
        _ = try checkText { try DetectCommand.phrases(text) }
    }

    package func run() async throws {
        let (names, text) = try sources.split(arguments, meaning: "what to count")
        let phrases = try DetectCommand.phrases(text)
        let list = sources.list(and: names)
        let plan = try output.plan(for: list)
        let options = writing.options(conf: detection.conf)
        try await PictureLoop(sources: list).run(load: model.session, into: output.sink()) { session, pictures in
            var texts: [String] = []
            for picture in pictures {
                let answer = try await session.count(
                    phrases, in: picture.image, boxes: detection.boxes, options: options
                )
                .keepingBest(detection.maxDet)
                picture.warn(about: answer)
                let counts = answer.counts(of: phrases).map { PhraseCount(phrase: $0.phrase, count: $0.count) }
                let drawn = try plan?.write(answer.drawn(on: picture.image), for: picture)
                if output.isJSON {
                    var record = PictureRecord(picture, drawn: drawn)
                    (record.counts, record.answer) = (counts, answer)
                    texts.append(try JSONText.line(record))
                } else {
                    let lines = AnswerText.counts(counts) + AnswerText.detections(answer, isComplete: false)
                    texts.append(AnswerText.block(picture, lines, drawnTo: drawn))
                }
            }
            return texts
        }
    }
}
