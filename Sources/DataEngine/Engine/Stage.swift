/// The steps that a picture passes, in this order.
public enum Stage: Int, CaseIterable, Codable, Sendable, Comparable {
    case collect
    /// Finds pictures that were there already; looks at pictures in the source's order.
    case deduplicate
    case caption
    case ground
    case describe
    case refine
    /// Writes shards; looks at pictures in the source's order.
    case pack

    public var name: String { "\(self)" }

    /// The step after this one.
    var next: Stage? { Stage(rawValue: rawValue + 1) }

    public static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }
}

/// What stage `collect` keeps of a picture beside its bytes.
struct CollectedRecord: Codable, Sendable {
    var format: String
    var width: Int, height: Int
    var sha256: String
    var perceptualHash: UInt64

    init(_ image: CollectedImage) {
        (format, width, height) = (image.format, image.width, image.height)
        (sha256, perceptualHash) = (image.sha256, image.perceptualHash)
    }
}

/// The texts of a picture that are to be grounded.
struct CaptionRecord: Codable, Sendable {
    var caption: String?
    var conversation: [ConversationTurn]?

    /// Caption first, then the answers of the conversation.
    var texts: [String] { [caption].compactMap { $0 } + (conversation ?? []).map(\.answer) }
}

/// The texts with their phrases, and the regions that these name.
struct GroundingRecord: Codable, Sendable {
    struct Region: Codable, Sendable {
        var box: ScoredBox
        var phrase: NounPhrase
    }

    /// In the order of `CaptionRecord.texts`; regions by position in `regions`.
    var texts: [GroundedText]
    var regions: [Region]

    /// Positions of regions, the most confident first.
    var ranking: [Int] {
        regions.indices.sorted { (-regions[$0].box.score, $0) < (-regions[$1].box.score, $1) }
    }

    struct GroundedText: Codable, Sendable {
        struct Phrase: Codable, Sendable {
            var start: Int, end: Int
            var regions: [Int]
        }

        var text: String
        var phrases: [Phrase]
    }
}

/// A text of a region, or why there is none.
struct RegionText: Codable, Sendable, Equatable {
    var text: String?
    var drop: Drop?

    static func text(_ text: String) -> RegionText { RegionText(text: text) }
    static func dropped(_ drop: Drop) -> RegionText { RegionText(drop: drop) }
}

/// One description for each region, in their order.
struct DescriptionRecord: Codable, Sendable {
    var descriptions: [RegionText]
}

/// The descriptions that are kept and the referring expressions, in the regions' order.
struct RefinementRecord: Codable, Sendable {
    struct Region: Codable, Sendable {
        var description: RegionText
        var expression: RegionText
    }

    var regions: [Region]
}

/// Where a packed picture is.
struct PackRecord: Codable, Sendable {
    var shard: String
}
