import Boxes
import Imaging

/// One thing in a scene.
public struct SceneObject: Sendable, Identifiable {
    /// Position in the scene's list, which is the order of depth: a higher one lies in front of a lower one.
    public let id: Int
    public let category: SceneCategory
    /// Tight around the visible pixels; edges of pixels, so a single pixel has a width of 1.
    public let box: Box
    /// Number of visible pixels.
    public let visibleArea: Int
    /// How much of the object neither others nor the image's edge hide, 0...1.
    public let visibleShare: Double
    /// The group that the object belongs to, an index into `Scene.groups`.
    public internal(set) var groupID: Int?
    /// Boxes of the visible parts of a thing made of clearly separated pieces, such as a bikini; empty for others.
    public let pieces: [Box]
    /// Colours of the sprite by their share, largest first.
    public let colors: [ColorShare]
    /// The sprite, an index into `SceneAssets.sprites`.
    public let spriteID: Int
}

/// Things of one category placed close together.
public struct SceneGroup: Sendable, Identifiable {
    /// Position in `Scene.groups`.
    public let id: Int
    public let category: SceneCategory
    /// Ascending.
    public let memberIDs: [Int]
    /// Around all members.
    public let box: Box

    /// "a group of apples".
    public var phrase: String { "a group of \(category.plural)" }
}

/// How finely a scene is divided into boxes. See `Scene.boxes(_:)`.
public enum SceneGranularity: String, Sendable, Hashable, CaseIterable, Codable {
    case coarse, fine
}

/// A picture with everything that is known about it.
///
/// Boxes come at two granularities, as a proposal network is asked for them. Sprites carry no annotation of their parts,
/// so parts are defined by geometry. *Fine*: every single object, and the pieces of things that fall apart into clearly
/// separated pieces. *Coarse*: every object that stands alone, and each group as one box. So the two differ where a
/// network can see that they should: in whether things close together are one answer or several.
public struct Scene: Sendable {
    public let seed: UInt64
    public let split: SceneSplit
    public let image: Image
    public let background: BackgroundKind
    public let objects: [SceneObject]
    public let groups: [SceneGroup]
    /// Categories that scenes of this split are drawn from, in catalogue order.
    let vocabulary: [SceneCategory]

    /// Boxes of a granularity in pixels, with the objects that each holds.
    public func boxes(_ granularity: SceneGranularity) -> [(box: Box, objectIDs: [Int])] {
        switch granularity {
        case .fine:
            objects.map { ($0.box, [$0.id]) } + objects.flatMap { object in object.pieces.map { ($0, [object.id]) } }
        case .coarse:
            objects.filter { $0.groupID == nil }.map { ($0.box, [$0.id]) } + groups.map { ($0.box, $0.memberIDs) }
        }
    }

    /// Categories in the scene with their objects, most frequent first, then in catalogue order.
    public var inventory: [(category: SceneCategory, objectIDs: [Int])] {
        let byCategory = Dictionary(grouping: objects, by: \.category.id)
        return byCategory.values
            .compactMap { members in members.first.map { ($0.category, members.map(\.id)) } }
            .sorted { ($1.1.count, $0.0.id) < ($0.1.count, $1.0.id) }
    }

    /// Number of objects of every category that is there.
    public var counts: [String: Int] {
        Dictionary(grouping: objects, by: \.category.name).mapValues(\.count)
    }

    /// Categories that are not in the scene, nor could be said of something in it; at most `count`.
    ///
    /// Half of them, where there are enough, are of a supercategory that is in the scene: those are hard to rule out.
    public func negatives(_ count: Int) -> [SceneCategory] {
        var random = SceneRandom(seed: seed, stream: "negatives/\(split.rawValue)")
        let present = inventory.map(\.category)
        let families = Set(present.map(\.supercategory))
        var absent = vocabulary.filter { candidate in
            !present.contains { $0.id == candidate.id || $0.overlaps(candidate) }
        }
        random.shuffle(&absent)
        let hard = absent.filter { families.contains($0.supercategory) }.prefix(max(0, count) / 2)
        let chosen = Set(hard.map(\.id))
        var result = Array(hard) + absent.filter { !chosen.contains($0.id) }.prefix(max(0, count) - hard.count)
        random.shuffle(&result)
        return result
    }
}
