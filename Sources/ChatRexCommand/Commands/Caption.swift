import ArgumentParser
import ChatRex

/// What a picture, or each of its regions, shows.
package struct CaptionCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "caption",
        abstract: "Describe a picture, or each of its regions.",
        discussion: """
            The objects of a caption are located. --regions describes every region that the proposal network finds, or those \
            that --box names.

            EXAMPLES
              chatrex caption street.jpg --style detailed
              chatrex caption street.jpg --regions --level phrase
            """)

    @Argument(help: "Pictures, folders or quoted patterns.")
    var source: [String] = []

    @Option(help: "How much the caption says.")
    var style = VisionTask.CaptionStyle.brief

    @Flag(help: "Describe regions instead of the whole.")
    var regions = false

    @Option(help: "How much is said about a region. (default: category)")
    var level: VisionTask.RegionLevel?

    @OptionGroup var given: RegionOptions
    @OptionGroup var sources: SourceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Detections") var detection: DetectionOptions
    @OptionGroup(title: "Writing") var writing: AnswerWritingOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    package mutating func validate() throws {
        try sources.validate(source)
        if !regions, level != nil || !given.boxes.isEmpty { throw ValidationError("--level and --box need --regions.") }
    }

    package func run() async throws {
        let list = sources.list(and: source)
        let plan = try output.plan(for: list)
        try await PictureLoop(sources: list).run(load: model.session, into: output.sink()) { session, pictures in
            var texts: [String] = []
            for picture in pictures {
                texts.append(
                    regions
                        ? try await describe(picture, session, plan)
                        : try await caption(picture, session, plan, isAlone: list.paths.count == 1))
            }
            return texts
        }
    }

    private func caption(
        _ picture: Picture, _ session: ChatRexSession, _ plan: PicturePlan?, isAlone: Bool
    ) async throws -> String {
        let answer = try await session.caption(
            picture.image, style: style, boxes: detection.boxes, options: writing.options(conf: detection.conf)
        ).keepingBest(detection.maxDet)
        picture.warn(about: answer)
        let drawn = try plan?.write(answer.drawn(on: picture.image), for: picture)
        return try picture.text(of: answer, drawn: drawn, asJSON: output.isJSON, isAlone: isAlone)
    }

    private func describe(_ picture: Picture, _ session: ChatRexSession, _ plan: PicturePlan?) async throws -> String {
        let answers =
            given.boxes.isEmpty
            ? try await session.describeProposals(
                of: picture.image, level: level ?? .category, boxes: detection.boxes, options: writing.options())
            : try await session.describe(
                given.boxes, of: picture.image, level: level ?? .category, options: writing.options())
        let drawn = try plan?.write(picture.image.drawing(regions: answers), for: picture)
        if output.isJSON {
            var record = PictureRecord(picture, drawn: drawn)
            record.regions = answers
            return try JSONText.line(record)
        }
        let lines = answers.isEmpty ? ["  no region found"] : AnswerText.regions(answers)
        return AnswerText.block(picture, lines, drawnTo: drawn)
    }
}

extension VisionTask.CaptionStyle: ExpressibleByArgument {}
extension VisionTask.RegionLevel: ExpressibleByArgument {}
