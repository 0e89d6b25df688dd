import Boxes
import Imaging

/// The nine parts of an image.
public enum SceneRegion: String, Sendable, Hashable, CaseIterable, Codable {
    case topLeft = "top left"
    case top = "top"
    case topRight = "top right"
    case left = "left"
    case center = "center"
    case right = "right"
    case bottomLeft = "bottom left"
    case bottom = "bottom"
    case bottomRight = "bottom right"

    /// "in the top left corner", "on the left", "in the center".
    public var phrase: String {
        switch self {
        case .topLeft, .topRight, .bottomLeft, .bottomRight: "in the \(rawValue) corner"
        case .left, .right: "on the \(rawValue)"
        case .top, .bottom: "at the \(rawValue)"
        case .center: "in the center"
        }
    }
}

/// Size in the image, not in the world.
public enum SizeWord: String, Sendable, Hashable, Codable {
    case small, large
}

extension SceneObject {
    /// The colour that most of the object has, nil where none prevails.
    public var color: ColorName? {
        colors.first.flatMap { $0.share >= 0.45 ? $0.color : nil }
    }

    /// Whether one could call the object so: the colour makes up a visible share of it.
    public func couldBeCalled(_ color: ColorName) -> Bool {
        colors.contains { $0.color == color && $0.share >= 0.15 }
    }

    /// "red", "black and white", nil for mixtures.
    public var colorPhrase: String? {
        if colors.count > 1, colors[1].share >= 0.27, colors[0].share + colors[1].share >= 0.72 {
            return "\(colors[0].color.rawValue) and \(colors[1].color.rawValue)"
        }
        return color?.rawValue
    }

    /// `small` or `large` where the object clearly is, beside the image's mean side.
    func sizeWord(meanSide: Double) -> SizeWord? {
        let side = max(box.width, box.height) / meanSide
        return side < 0.13 ? .small : side > 0.36 ? .large : nil
    }
}

extension Scene {
    /// Mean of width and height in pixels: what sizes and distances are measured by.
    var meanSide: Double { Double(image.width + image.height) / 2 }

    /// The part of the image where the middle of a box lies.
    public func region(of box: Box) -> SceneRegion {
        func third(_ value: Double, _ side: Int) -> Int { max(0, min(2, Int(3 * value / Double(side)))) }
        return SceneRegion.allCases[3 * third(box.center.y, image.height) + third(box.center.x, image.width)]
    }

    /// The part of the image where the middle of an object lies.
    public func region(of object: SceneObject) -> SceneRegion {
        region(of: object.box)
    }

    /// "large", "small" or nil.
    public func sizeWord(of object: SceneObject) -> SizeWord? {
        object.sizeWord(meanSide: meanSide)
    }

    /// "small red car" or "spotted dog on the left": a phrase as a dense captioner would give it.
    public func shortPhrase(for object: SceneObject) -> String {
        var random = texts("phrase", object.id)
        var words = random.chance(0.75) ? adjectives(of: object) : object.colorPhrase ?? ""
        words += words.isEmpty ? object.category.name : " " + object.category.name
        return random.chance(0.3) ? words + " " + region(of: object).phrase : words
    }

    /// One sentence about an object.
    public func sentence(for object: SceneObject) -> String {
        var random = texts("sentence", object.id)
        let noun = nounPhrase(object), place = region(of: object).phrase
        let neighbour = relations(of: object).filter { $0.predicate != .behind }
        let relation = random.chance(0.65) ? random.pick(neighbour) : nil
        let beside = relation.map {
            "\($0.predicate.phrase) \(English.withArticle(objects[$0.objectID].category.counted))"
        }
        let opening = random.word("", "There is ")
        let subject =
            opening.isEmpty ? English.sentenceCase(English.withArticle(noun)) : opening + English.withArticle(noun)
        let verb = opening.isEmpty ? random.word(" is", " appears") : ""
        return switch (beside, random.int(below: 2)) {
        case (let beside?, 0): "\(subject)\(verb) \(beside)."
        case (let beside?, _): "\(subject)\(verb) \(place), \(beside)."
        default: "\(subject)\(verb) \(place) of the image."
        }
    }

    /// "small black and white cow".
    func nounPhrase(_ object: SceneObject) -> String {
        let words = adjectives(of: object)
        return words.isEmpty ? object.category.counted : words + " " + object.category.counted
    }

    private func adjectives(of object: SceneObject) -> String {
        [sizeWord(of: object)?.rawValue, object.colorPhrase].compactMap(\.self).joined(separator: " ")
    }

    /// The generator for a text: the same text for the same scene, whichever texts were asked for before.
    func texts(_ purpose: String, _ index: Int = 0) -> SceneRandom {
        SceneRandom(seed: seed &* 131 &+ UInt64(truncatingIfNeeded: index), stream: "\(purpose)/\(split.rawValue)")
    }
}
