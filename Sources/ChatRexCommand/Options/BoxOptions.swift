import ArgumentParser
import Boxes
import ChatRex
import UPN

/// How proposals are chosen.
package struct ProposalOptions: ParsableArguments {
    /// Which boxes the proposal network is asked for.
    enum Grain: String, ExpressibleByArgument, CaseIterable {
        case fine, coarse, both

        var granularities: [Granularity] {
            switch self {
            case .fine: [.fine]
            case .coarse: [.coarse]
            case .both: [.fine, .coarse]
            }
        }
    }

    @Option(help: "fine finds parts and small things too, coarse whole things; both joins them.")
    var granularity = Grain.fine

    @Option(
        help: "A box that overlaps a better one by more than this IoU is dropped, 0...1. (default: the network's own)")
    var iou: Double?

    package init() {}

    package func validate() throws { if let iou { try checkUnit(iou, "--iou") } }
}

/// Which proposals an answer is chosen from.
package struct CandidateOptions: ParsableArguments {
    @Option(help: "Lowest score of a proposal, 0...1. (default: the network's own)")
    var proposalConf: Double?

    @Option(help: "Most proposals that an answer is chosen from, 1...100; those with the highest scores stay.")
    var maxBoxes = ProposalFilter().maximumCount

    @OptionGroup var proposals: ProposalOptions

    package init() {}

    package func validate() throws {
        if let proposalConf { try checkUnit(proposalConf, "--proposal-conf") }
        if !(1...100).contains(maxBoxes) { throw ValidationError("--max-boxes must be within 1...100.") }
    }

    var granularities: [Granularity] { proposals.granularity.granularities }
    var filter: ProposalFilter {
        ProposalFilter(minimumScore: proposalConf, iouThreshold: proposals.iou, maximumCount: maxBoxes)
    }
    var boxes: BoxSource { .proposals(granularities: granularities, filter: filter) }
}

/// Which detections are kept, and which proposals they are chosen from.
package struct DetectionOptions: ParsableArguments {
    @Option(help: "Lowest score of a detection, 0...1.")
    var conf = 0.0

    @Option(help: "Most detections in a picture; those with the highest scores stay.")
    var maxDet = ProposalFilter().maximumCount

    @OptionGroup var candidates: CandidateOptions

    package init() {}

    package func validate() throws {
        try checkUnit(conf, "--conf")
        if maxDet < 1 { throw ValidationError("--max-det must be at least 1.") }
    }

    var boxes: BoxSource { candidates.boxes }
}

/// Boxes that the user names.
package struct RegionOptions: ParsableArguments {
    @Option(
        name: .customLong("box"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A region in pixels of the picture; may be repeated. The first one is <obj0>.", valueName: "x1,y1,x2,y2"),
        transform: RegionOptions.region)
    var boxes: [RegionBox] = []

    package init() {}

    private static func region(_ text: String) throws -> RegionBox {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Double(part.drop { $0 == " " }.prefix { $0 != " " })
        }
        guard numbers.count == 4, let x1 = numbers[0], let y1 = numbers[1], let x2 = numbers[2], let y2 = numbers[3]
        else {
            throw ValidationError("four numbers are needed, x1,y1,x2,y2")
        }
        return try RegionBox(Box(x1: x1, y1: y1, x2: x2, y2: y2))
    }
}
