/// Which objects a scene shall have, from back to front.
struct ScenePlan {
    struct Item {
        var spriteID: Int
        var pose: Pose
        /// Number of the group that it belongs to.
        var group: Int?
        /// Items of a higher order are drawn earlier.
        var order: Double
    }

    private(set) var items: [Item] = []

    init(generator: SceneGenerator, meanSide: Double, random: inout SceneRandom) {
        let configuration = generator.configuration
        let count = random.int(configuration.objectCount)
        var planner = Planner(generator: generator, meanSide: meanSide, count: count)
        if random.chance(configuration.themeRate) { planner.chooseTheme(&random) }
        if count >= 4, random.chance(configuration.groupRate) {
            planner.addGroup(of: random.int(3...min(7, count)), &random)
        }
        if count - planner.items.count >= 3, random.chance(configuration.countingRate) {
            planner.addRepeats(random.int(2...min(6, count - planner.items.count)), &random)
        }
        while planner.items.count < count, planner.addSingle(&random) {}
        // What is large lies behind, mostly: it would hide the rest.
        items = planner.items.enumerated()
            .sorted { ($1.element.order, $0.offset) < ($0.element.order, $1.offset) }
            .map(\.element)
    }
}

/// Draws categories, sprites and poses.
private struct Planner {
    let generator: SceneGenerator
    let meanSide: Double
    /// Objects get smaller where there are many.
    let crowding: Double
    var items: [ScenePlan.Item] = []
    private var theme: String?
    private var used: [SceneCategory] = []
    /// Categories that get no further object: those of groups.
    private var closed: Set<Int> = []
    private var groupCount = 0

    init(generator: SceneGenerator, meanSide: Double, count: Int) {
        self.generator = generator
        self.meanSide = meanSide
        crowding = count > 7 ? (7 / Double(count)).squareRoot() : 1
    }

    mutating func chooseTheme(_ random: inout SceneRandom) {
        theme = random.pick(generator.vocabulary)?.supercategory
    }

    /// A category that fits what is already there. Categories with many sprites come more often.
    private mutating func newCategory(_ random: inout SceneRandom) -> SceneCategory? {
        for attempt in 0..<40 {
            guard let category = random.pick(generator.vocabulary) else { return nil }
            if attempt < 30 {
                let spriteCount = generator.assets.spritesOfCategory[category.id].count
                guard random.unit() * 4 < 1 + Double(min(3, spriteCount)) else { continue }
                if let theme, category.supercategory != theme, !random.chance(0.2) { continue }
            }
            if used.contains(where: { $0.id == category.id || $0.overlaps(category) }) { continue }
            used.append(category)
            return category
        }
        return nil
    }

    mutating func addSingle(_ random: inout SceneRandom) -> Bool {
        let repeatable = used.filter { !closed.contains($0.id) }
        let category =
            random.chance(0.22) ? random.pick(repeatable) ?? newCategory(&random) : newCategory(&random)
        // A small vocabulary runs out of new names.
        guard let category = category ?? random.pick(repeatable),
            let sprite = random.pick(generator.assets.spritesOfCategory[category.id])
        else { return false }
        add(sprite, category, size: size(category, &random), group: nil, &random)
        return true
    }

    /// Several of one category, here and there.
    mutating func addRepeats(_ count: Int, _ random: inout SceneRandom) {
        guard let category = newCategory(&random) else { return }
        let sprites = generator.assets.spritesOfCategory[category.id], size = min(0.3, size(category, &random))
        let common = random.chance(0.5) ? random.pick(sprites) : nil
        for _ in 0..<count {
            guard let sprite = common ?? random.pick(sprites) else { return }
            add(sprite, category, size: size * random.double(0.75...1.25), group: nil, &random)
        }
    }

    /// Several of one category and of like size, close together.
    mutating func addGroup(of count: Int, _ random: inout SceneRandom) {
        guard let category = newCategory(&random) else { return }
        closed.insert(category.id)
        let sprites = generator.assets.spritesOfCategory[category.id]
        let size = min(0.22, max(0.11, 0.7 * size(category, &random)))
        let common = random.chance(0.6) ? random.pick(sprites) : nil
        for _ in 0..<count {
            guard let sprite = common ?? random.pick(sprites) else { return }
            add(sprite, category, size: size * random.double(0.9...1.1), group: groupCount, &random)
        }
        groupCount += 1
    }

    /// Share of the image's mean side.
    private func size(_ category: SceneCategory, _ random: inout SceneRandom) -> Double {
        crowding * category.size.scale * SceneMath.skewed(generator.configuration.objectSize, random.unit())
    }

    private mutating func add(
        _ spriteID: Int, _ category: SceneCategory, size: Double, group: Int?, _ random: inout SceneRandom
    ) {
        let configuration = generator.configuration, sprite = generator.assets.sprites[spriteID]
        // Thin things look smaller than they are long.
        let wanted = meanSide * min(0.9, size * (sprite.isFlat ? 1.3 : 1))
        let side = max(min(20, meanSide / 3), min(wanted, 1.7 * Double(sprite.longSide)))
        let freedom = Self.lyingFamilies.contains(category.supercategory) ? 3.0 : 1
        let degrees = min(180, configuration.maximumRotation * freedom) * random.unit() * random.unit() * random.sign()
        let pose = Pose(
            longSide: side, angle: degrees * Double.pi / 180,
            isMirrored: configuration.mirrorsObjects && category.isMirrorable && random.chance(0.5),
            tone: .random(&random, strength: configuration.jitter))
        let order = side * (group == nil ? random.double(0.6...1.4) : 1)
        items.append(ScenePlan.Item(spriteID: spriteID, pose: pose, group: group, order: order))
    }

    /// What may lie at any angle.
    private static let lyingFamilies: Set<String> = ["food", "tool", "music", "sport"]
}
