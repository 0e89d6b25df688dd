import Boxes

/// Light from one side.
struct Shadow {
    /// Offset as a share of the object's size.
    let x: Double, y: Double
    let softness: Double, strength: Double

    static func random(_ random: inout SceneRandom) -> Shadow {
        Shadow(
            x: random.double(-0.06...0.06), y: random.double(0.02...0.07), softness: random.double(0.02...0.05),
            strength: random.double(0.2...0.55))
    }
}

/// Puts patches on a canvas so that every object stays visible enough, and keeps what the annotations need.
struct Arrangement {
    private struct Placed {
        let sprite: Sprite
        let area: Int
        let x: Int, y: Int
        let group: Int?
        /// Kept where the sprite falls apart into pieces.
        let patch: Patch?
        /// Pixels that show, as of now.
        var visible: Int
        /// Middle and size, for placing the next one of a group beside it.
        let centerX: Double, centerY: Double, width: Double, height: Double
    }

    var canvas: Canvas
    private let occlusionLimit: Double
    private let shadow: Shadow?
    private var placed: [Placed] = []

    init(canvas: Canvas, occlusionLimit: Double, shadow: Shadow?) {
        self.canvas = canvas
        self.occlusionLimit = occlusionLimit
        self.shadow = shadow
    }

    /// Draws the patch where there is room; leaves it out where no place is found.
    mutating func place(_ patch: Patch, of sprite: Sprite, group: Int?, random: inout SceneRandom) {
        let crowded = random.chance(0.35), cut = random.chance(0.08)
        for attempt in 0..<36 {
            let neighbour = group.flatMap { group in random.pick(placed.filter { $0.group == group }) }
            let (x, y) =
                neighbour.map { Self.corner(of: patch, beside: $0, &random) } ?? corner(of: patch, cut: cut, &random)
            // Members of a group touch; others keep apart while there is room.
            let tolerance = group != nil || crowded || attempt >= 16 ? occlusionLimit : min(occlusionLimit, 0.02)
            if let visible = visibleArea(of: patch, x: x, y: y, tolerance: tolerance, cut: cut || group != nil) {
                draw(patch, of: sprite, group: group, x: x, y: y, visible: visible)
                return
            }
        }
    }

    /// A corner such that the object is inside, or a little beyond the edge if it may be cut.
    private func corner(of patch: Patch, cut: Bool, _ random: inout SceneRandom) -> (Int, Int) {
        func position(_ low: Int, _ high: Int, _ limit: Int) -> Int {
            let spare = cut ? Int(occlusionLimit * Double(high - low)) : 0
            let range = limit - (high - low) + 2 * spare
            return range < 0 ? -low + (limit - (high - low)) / 2 : random.int(below: range + 1) - spare - low
        }
        return (
            position(patch.bounds.x1, patch.bounds.x2, canvas.width),
            position(patch.bounds.y1, patch.bounds.y2, canvas.height)
        )
    }

    /// A corner such that the object touches a neighbour.
    private static func corner(of patch: Patch, beside other: Placed, _ random: inout SceneRandom) -> (Int, Int) {
        let (sine, cosine) = SceneMath.sineAndCosine(random.double(-3.14159...3.14159))
        let spread = random.double(0.75...1.1)
        let x = other.centerX + cosine * spread * (other.width + Double(patch.bounds.width)) / 2
        let y = other.centerY + 0.8 * sine * spread * (other.height + Double(patch.bounds.height)) / 2
        return (
            Int((x - Double(patch.bounds.x1 + patch.bounds.x2) / 2).rounded()),
            Int((y - Double(patch.bounds.y1 + patch.bounds.y2) / 2).rounded())
        )
    }

    /// The patch's pixels inside the canvas; nil where too much would be hidden of it or of what is there.
    private func visibleArea(of patch: Patch, x: Int, y: Int, tolerance: Double, cut: Bool) -> Int? {
        let isInside =
            x + patch.bounds.x1 >= 0 && y + patch.bounds.y1 >= 0 && x + patch.bounds.x2 <= canvas.width
            && y + patch.bounds.y2 <= canvas.height
        guard isInside || cut else { return nil }
        let (visible, hidden) = canvas.coverage(of: patch, x: x, y: y, objectCount: placed.count)
        guard visible > 0, Double(patch.area - visible) <= occlusionLimit * Double(patch.area) else { return nil }
        for (other, count) in zip(placed, hidden) where count > 0 {
            if Double(other.area - other.visible + count) > occlusionLimit * Double(other.area) { return nil }
            if Double(count) > tolerance * Double(min(other.area, patch.area)) { return nil }
        }
        return visible
    }

    private mutating func draw(_ patch: Patch, of sprite: Sprite, group: Int?, x: Int, y: Int, visible: Int) {
        let (_, hidden) = canvas.coverage(of: patch, x: x, y: y, objectCount: placed.count)
        for (index, count) in hidden.enumerated() { placed[index].visible -= count }
        if let shadow {
            let side = Double(max(patch.bounds.width, patch.bounds.height))
            canvas.drawShadow(
                of: patch, x: x + Int((shadow.x * side).rounded()), y: y + Int((shadow.y * side).rounded()),
                radius: Int((shadow.softness * side).rounded()), strength: shadow.strength)
        }
        canvas.draw(patch, x: x, y: y, object: placed.count)
        let (left, top) = (Double(x + patch.bounds.x1), Double(y + patch.bounds.y1))
        let (width, height) = (Double(patch.bounds.width), Double(patch.bounds.height))
        placed.append(
            Placed(
                sprite: sprite, area: patch.area, x: x, y: y, group: group,
                patch: sprite.pieceCount > 1 ? patch : nil, visible: visible, centerX: left + width / 2,
                centerY: top + height / 2, width: width, height: height))
    }

    // MARK: Annotations

    /// Objects in order of depth, and the groups of which three or more found a place.
    func annotations(categories: [SceneCategory]) -> ([SceneObject], [SceneGroup]) {
        let parts = canvas.visibleParts(objectCount: placed.count)
        var objects: [SceneObject] = [], planned: [Int: [Int]] = [:]
        for (index, (item, part)) in zip(placed, parts).enumerated() where part.area > 0 {
            let object = SceneObject(
                id: objects.count, category: categories[item.sprite.categoryID], box: Box(part.bounds),
                visibleArea: part.area, visibleShare: Double(part.area) / Double(item.area), groupID: nil,
                pieces: pieces(of: item, owner: index), colors: item.sprite.colors, spriteID: item.sprite.id)
            if let group = item.group { planned[group, default: []].append(object.id) }
            objects.append(object)
        }
        var groups: [SceneGroup] = []
        for (_, members) in planned.sorted(by: { $0.key < $1.key }) where members.count >= 3 {
            let hull = members.dropFirst().reduce(objects[members[0]].box) { $0.enclosing(objects[$1].box) }
            for member in members { objects[member].groupID = groups.count }
            groups.append(
                SceneGroup(
                    id: groups.count, category: objects[members[0]].category, memberIDs: members, box: hull))
        }
        return (objects, groups)
    }

    /// Boxes around what is visible of each piece; empty unless two or more still are.
    private func pieces(of item: Placed, owner: Int) -> [Box] {
        guard let patch = item.patch else { return [] }
        let pieces = Pieces(width: patch.width, height: patch.height) { patch.pixels[$0 * 4 + 3] }
        guard pieces.count > 1 else { return [] }
        var bounds = [PixelBounds](repeating: PixelBounds(), count: pieces.count)
        for y in max(0, -item.y)..<max(max(0, -item.y), min(patch.height, canvas.height - item.y)) {
            for x in max(0, -item.x)..<max(max(0, -item.x), min(patch.width, canvas.width - item.x)) {
                let label = Int(pieces.labels[y * patch.width + x])
                let place = (item.y + y) * canvas.width + item.x + x
                if label > 0, Int(canvas.owners[place]) == owner + 1 {
                    bounds[label - 1].include(x: item.x + x, y: item.y + y)
                }
            }
        }
        let boxes = bounds.filter { $0.width >= 4 && $0.height >= 4 }.map(Box.init)
        return boxes.count > 1 ? boxes : []
    }
}

extension Box {
    fileprivate init(_ bounds: PixelBounds) {
        self.init(x1: Double(bounds.x1), y1: Double(bounds.y1), x2: Double(bounds.x2), y2: Double(bounds.y2))
    }
}
