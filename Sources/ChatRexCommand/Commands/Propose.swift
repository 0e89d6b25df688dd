import ArgumentParser
import UPN

/// Boxes that may hold something, from the proposal network alone.
package struct ProposeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "propose",
        abstract: "Propose boxes that hold something, whatever it is.",
        discussion: "EXAMPLE\n  chatrex propose street.jpg --granularity both --conf 0.4 --out proposals.png")

    @Argument(help: "Pictures, folders or quoted patterns.")
    var source: [String] = []

    @Option(help: "Lowest score, 0...1. (default: the network's own)")
    var conf: Double?

    @Option(help: "Most boxes in a picture.")
    var maxDet = ProposalFilter().maximumCount

    @Option(help: "Pictures that are computed together, 1...256.")
    var batch = 1

    @OptionGroup var proposals: ProposalOptions
    @OptionGroup var sources: SourceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    package mutating func validate() throws {
        try sources.validate(source)
        if let conf { try checkUnit(conf, "--conf") }
        if maxDet < 1 { throw ValidationError("--max-det must be at least 1.") }
        if !(1...256).contains(batch) { throw ValidationError("--batch must be within 1...256.") }
    }

    package func run() async throws {
        let list = sources.list(and: source)
        let plan = try output.plan(for: list)
        let filter = ProposalFilter(minimumScore: conf, iouThreshold: proposals.iou, maximumCount: maxDet)
        try await PictureLoop(sources: list, batchSize: batch).run(load: model.network, into: output.sink()) {
            network, pictures in
            let found = try network.propose(
                pictures.map(\.image), granularities: proposals.granularity.granularities, filter: filter)
            return try zip(pictures, found).map { picture, proposals in
                let drawn = try plan?.write(picture.image.drawing(proposals: proposals), for: picture)
                if output.isJSON {
                    var record = PictureRecord(picture, drawn: drawn)
                    record.proposals = proposals
                    return try JSONText.line(record)
                }
                let lines = proposals.isEmpty ? ["  nothing proposed"] : AnswerText.proposals(proposals)
                return AnswerText.block(picture, lines, drawnTo: drawn)
            }
        }
    }
}
