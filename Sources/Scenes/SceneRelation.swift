import Boxes

/// How one object lies to another, seen in the image plane.
public enum SpatialPredicate: String, Sendable, Hashable, CaseIterable, Codable {
    case leftOf, rightOf, above, below, nextTo, inFrontOf, behind

    /// "to the left of".
    public var phrase: String {
        switch self {
        case .leftOf: "to the left of"
        case .rightOf: "to the right of"
        case .above: "above"
        case .below: "below"
        case .nextTo: "next to"
        case .inFrontOf: "in front of"
        case .behind: "behind"
        }
    }

    /// The four whose meaning is a comparison of two centres.
    static let directions: [SpatialPredicate] = [.leftOf, .rightOf, .above, .below]
}

/// "`subject` is `predicate` `object`", with object ids.
public struct SceneRelation: Sendable, Hashable, Codable {
    public let subjectID: Int
    public let predicate: SpatialPredicate
    public let objectID: Int
}

extension Scene {
    /// All relations that nobody would dispute.
    public var relations: [SceneRelation] {
        objects.flatMap(relations(of:))
    }

    /// Undisputed relations with an object as the subject.
    public func relations(of subject: SceneObject) -> [SceneRelation] {
        objects.flatMap { other in
            SpatialPredicate.allCases.filter { other.id != subject.id && holds($0, subject, other) }
                .map { SceneRelation(subjectID: subject.id, predicate: $0, objectID: other.id) }
        }
    }

    /// Whether a relation holds without dispute.
    ///
    /// A direction does where the boxes hardly overlap along it and the centres are farther apart along it than across.
    /// `nextTo` does where the gap between the boxes is below a twentieth of the image's mean side and neither hides the
    /// other; `inFrontOf` where the nearer covers part of the farther one's box.
    func holds(_ predicate: SpatialPredicate, _ subject: SceneObject, _ object: SceneObject) -> Bool {
        let (a, b) = (subject.box, object.box)
        let dx = b.center.x - a.center.x, dy = b.center.y - a.center.y
        let slackX = 0.2 * min(a.width, b.width), slackY = 0.2 * min(a.height, b.height)
        let least = 0.05 * meanSide
        switch predicate {
        case .leftOf: return dx > least && dx >= abs(dy) && a.x2 <= b.x1 + slackX
        case .rightOf: return -dx > least && -dx >= abs(dy) && b.x2 <= a.x1 + slackX
        case .above: return dy > least && dy >= abs(dx) && a.y2 <= b.y1 + slackY
        case .below: return -dy > least && -dy >= abs(dx) && b.y2 <= a.y1 + slackY
        case .nextTo:
            let gapX = max(a.x1, b.x1) - min(a.x2, b.x2), gapY = max(a.y1, b.y1) - min(a.y2, b.y2)
            return max(gapX, gapY) >= 0 && max(gapX, gapY) < least
        case .inFrontOf: return subject.id > object.id && covers(subject, object)
        case .behind: return subject.id < object.id && covers(object, subject)
        }
    }

    private func covers(_ near: SceneObject, _ far: SceneObject) -> Bool {
        guard far.visibleShare < 0.97, let overlap = near.box.intersection(with: far.box) else { return false }
        return overlap.area >= 0.06 * far.box.area
    }

    /// Whether a direction holds at least by the centres: what a strict reader could still call so.
    func couldHold(_ predicate: SpatialPredicate, _ subject: SceneObject, _ object: SceneObject) -> Bool {
        let (a, b) = (subject.box.center, object.box.center)
        return switch predicate {
        case .leftOf: a.x < b.x
        case .rightOf: a.x > b.x
        case .above: a.y < b.y
        case .below: a.y > b.y
        case .nextTo, .inFrontOf, .behind: holds(predicate, subject, object)
        }
    }
}
