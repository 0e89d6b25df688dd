import ArgumentParser
import ChatRex
import UPN

/// An answer to a question.
package struct AskCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Ask a question about a picture.",
        usage: "chatrex ask <source> ... \"question\" [<options>]",
        discussion: """
            --box names regions that the question may speak of: the first is <obj0>, the second <obj1>. With --grounded the \
            objects that the answer names are located.

            EXAMPLES
              chatrex ask kitchen.jpg "What is on the table?" --grounded
              chatrex ask kitchen.jpg "What is <obj0> made of?" --box 40,60,210,300
            """)

    @Argument(help: ArgumentHelp("Pictures, and at the end the question.", valueName: "source"))
    var arguments: [String] = []

    @Flag(help: "Locate the objects that the answer names.")
    var grounded = false

    @OptionGroup var regions: RegionOptions
    @OptionGroup var sources: SourceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Writing") var writing: AnswerWritingOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    package mutating func validate() throws {
        let question = try sources.split(arguments, meaning: "the question").text
        let boxCount = grounded ? ProposalFilter().maximumCount : regions.boxes.count
        _ = try checkText { try VisionTask.question(question).prompts(boxCount: boxCount) }
    }

    package func run() async throws {
        let (names, question) = try sources.split(arguments, meaning: "the question")
        let list = sources.list(and: names)
        let plan = try output.plan(for: list)
        let options = writing.options(conf: detection.conf)
        try await PictureLoop(sources: list).run(load: model.session, into: output.sink()) { session, pictures in
            var texts: [String] = []
            for picture in pictures {
                let answer = try await session.ask(
                    question, about: picture.image, grounded: grounded, boxes: boxes, options: options
                ).keepingBest(detection.maxDet)
                picture.warn(about: answer)
                let drawn = try plan?.write(answer.drawn(on: picture.image), for: picture)
                texts.append(
                    try picture.text(of: answer, drawn: drawn, asJSON: output.isJSON, isAlone: list.paths.count == 1))
            }
            return texts
        }
    }

    private var boxes: BoxSource {
        switch (grounded, regions.boxes.isEmpty) {
        case (false, true): .none
        case (false, false): .given(regions.boxes)
        case (true, true): detection.boxes
        case (true, false):
            .givenWithProposals(
                regions.boxes, granularities: detection.candidates.granularities, filter: detection.candidates.filter)
        }
    }
}
