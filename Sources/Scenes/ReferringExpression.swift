import Boxes

/// A description that fits exactly one object of a scene, with its meaning.
///
/// The meaning is kept beside the words, so that uniqueness is checked by evaluating it: see ``matches(in:)``.
public struct ReferringExpression: Sendable, Hashable {
    /// What picks the one among those of the category (and colour).
    public enum Selector: Sendable, Hashable {
        /// It is the only one.
        case only
        case extreme(Extreme)
        /// Counted from the left or the right, from 0.
        case ordinal(Int, fromLeft: Bool)
        /// Its place relative to another object, which is described by its category and perhaps its colour.
        case relation(SpatialPredicate, anchorID: Int, anchorText: String)
    }

    /// An end of an order.
    public enum Extreme: String, Sendable, Hashable, CaseIterable, Codable {
        case leftmost, rightmost, topmost, bottommost, largest, smallest
    }

    public let category: SceneCategory
    /// Restricts to objects that could be called so.
    public let color: ColorName?
    public let selector: Selector
    /// "the leftmost red car".
    public let text: String

    /// Ids of the objects that the description fits.
    public func matches(in scene: Scene) -> [Int] {
        let candidates = scene.objects.filter { object in
            object.category.id == category.id && (color.map(object.couldBeCalled) ?? true)
        }
        switch selector {
        case .only:
            return candidates.map(\.id)
        case .extreme(let extreme):
            let ranks = candidates.map(extreme.rank)
            return candidates.indices.filter { ranks[$0] == ranks.max() }.map { candidates[$0].id }
        case .ordinal(let index, let fromLeft):
            let sign = fromLeft ? 1.0 : -1
            let sorted = candidates.sorted { sign * $0.box.center.x < sign * $1.box.center.x }
            return sorted.indices.contains(index) ? [sorted[index].id] : []
        case .relation(let predicate, let anchorID, _):
            guard scene.objects.indices.contains(anchorID) else { return [] }
            let anchor = scene.objects[anchorID]
            return candidates.filter { $0.id != anchorID && scene.couldHold(predicate, $0, anchor) }.map(\.id)
        }
    }
}

extension ReferringExpression.Extreme {
    /// The object with the highest rank is meant.
    func rank(_ object: SceneObject) -> Double {
        switch self {
        case .leftmost: -object.box.center.x
        case .rightmost: object.box.center.x
        case .topmost: -object.box.center.y
        case .bottommost: object.box.center.y
        case .largest: object.box.area
        case .smallest: -object.box.area
        }
    }

    /// Whether the first is that far ahead of the rest that nobody would dispute it.
    func isClear(_ first: SceneObject, among others: [SceneObject], meanSide: Double) -> Bool {
        others.allSatisfy { other in
            switch self {
            case .largest: first.box.area >= 1.35 * other.box.area
            case .smallest: other.box.area >= 1.35 * first.box.area
            default: rank(first) - rank(other) >= 0.05 * meanSide
            }
        }
    }
}

extension Scene {
    /// A description that fits this object alone; nil where none was found, as among equal things in a heap.
    public func referringExpression(for object: SceneObject) -> ReferringExpression? {
        var random = texts("reference", object.id)
        let all = referringExpressions(for: object)
        // A lone category needs no more than its name; still, half of the time it is described by something else.
        if let first = all.first, first.selector == .only, first.color == nil, random.chance(0.5) { return first }
        return random.pick(all)
    }

    /// All descriptions of this object that are clear and fit no other one, simple ones first.
    public func referringExpressions(for object: SceneObject) -> [ReferringExpression] {
        var found: [ReferringExpression] = []
        let colors: [ColorName?] = isClearlyColored(object) ? [nil, object.color] : [nil]
        for color in colors {
            let rivals = objects.filter { other in
                other.id != object.id && other.category.id == object.category.id
                    && (color.map(other.couldBeCalled) ?? true)
            }
            found += expressions(for: object, color: color, rivals: rivals)
        }
        return found.filter { $0.matches(in: self) == [object.id] }
    }

    /// Whether the colour tells the object from its like: no other one is close to being called so.
    private func isClearlyColored(_ object: SceneObject) -> Bool {
        guard let color = object.color else { return false }
        return objects.allSatisfy { other in
            other.category.id != object.category.id || other.color == color
                || !other.colors.contains {
                    $0.color == color && $0.share >= 0.1
                }
        }
    }

    private func expressions(
        for object: SceneObject, color: ColorName?, rivals: [SceneObject]
    ) -> [ReferringExpression] {
        let noun = (color.map { $0.rawValue + " " } ?? "") + object.category.counted
        func expression(_ selector: ReferringExpression.Selector, _ text: String) -> ReferringExpression {
            ReferringExpression(category: object.category, color: color, selector: selector, text: text)
        }
        var found: [ReferringExpression] = []
        if rivals.isEmpty { found.append(expression(.only, "the \(noun)")) }
        if !rivals.isEmpty {
            let total = English.number(rivals.count + 1)
            let plural = (color.map { $0.rawValue + " " } ?? "") + object.category.plural
            for extreme in ReferringExpression.Extreme.allCases
            where extreme.isClear(object, among: rivals, meanSide: meanSide) {
                found.append(expression(.extreme(extreme), "the \(extreme.rawValue) \(noun)"))
                if rivals.count > 1 {
                    found.append(expression(.extreme(extreme), "the \(extreme.rawValue) of the \(total) \(plural)"))
                }
            }
            found += ordinals(object, rivals).compactMap { index, fromLeft in
                English.ordinal(at: index).map {
                    expression(
                        .ordinal(index, fromLeft: fromLeft), "the \($0) \(noun) from the \(fromLeft ? "left" : "right")"
                    )
                }
            }
        }
        for (anchor, text) in anchors(for: object) {
            for predicate in SpatialPredicate.directions where holds(predicate, object, anchor) {
                let selector = ReferringExpression.Selector.relation(predicate, anchorID: anchor.id, anchorText: text)
                found.append(expression(selector, "the \(noun) \(predicate.phrase) \(text)"))
            }
        }
        return found
    }

    /// Places in the row from left and right, where no two of the kind are close in it.
    private func ordinals(_ object: SceneObject, _ rivals: [SceneObject]) -> [(Int, Bool)] {
        let centers = (rivals + [object]).map(\.box.center.x).sorted()
        guard zip(centers, centers.dropFirst()).allSatisfy({ $1 - $0 >= 0.05 * meanSide }),
            let index = centers.firstIndex(of: object.box.center.x), centers.count > 2
        else { return [] }
        return [(index, true), (centers.count - 1 - index, false)].filter { $0.0 > 0 && $0.0 < centers.count - 1 }
    }

    /// Objects that are the only ones of their category, and what to call them.
    private func anchors(for object: SceneObject) -> [(SceneObject, String)] {
        objects.filter { anchor in
            anchor.category.id != object.category.id
                && !objects.contains { $0.id != anchor.id && $0.category.id == anchor.category.id }
        }
        .map { ($0, "the \($0.category.counted)") }
    }
}
