// What training asks about: pictures of which enough is known, whether they were drawn or annotated.

import Boxes
import ChatRex
import Imaging
import Scenes

/// Something that is in a picture and has a box.
public struct PictureThing: Sendable, Hashable {
    public let id: Int
    /// In pixels.
    public let box: Box

    public init(id: Int, box: Box) {
        (self.id, self.box) = (id, box)
    }
}

/// A stretch of a text; a phrase where it stands for things.
public struct TextSegment: Sendable, Hashable {
    public let text: String
    /// `PictureThing.id`; empty for the words between phrases.
    public let objectIDs: [Int]

    public init(text: String, objectIDs: [Int] = []) {
        (self.text, self.objectIDs) = (text, objectIDs)
    }
}

/// A question about a picture.
public struct PictureQuestion: Sendable, Hashable {
    public let question: String
    /// What is said where no grounding is asked for.
    public let shortAnswer: String
    public let answer: [TextSegment]
}

/// A picture and what is true of it.
public protocol PictureTruth: Sendable {
    var image: Image { get }
    /// What is drawn about the picture depends on it.
    var seed: UInt64 { get }
    var things: [PictureThing] { get }
    /// Boxes that a proposal network might give beside those of things.
    var furtherBoxes: [Box] { get }
    /// What can be asked for by name, with all things that the name means.
    var names: [(name: String, objectIDs: [Int])] { get }
    /// Names of what is not there; at most `count`.
    func absentNames(_ count: Int) -> [String]
    /// Things that have a text of a level.
    func things(with level: VisionTask.RegionLevel) -> [PictureThing]
    func text(_ level: VisionTask.RegionLevel, of id: Int) -> String?
    /// Descriptions that fit a thing alone.
    func expressions(for id: Int) -> [String]
    func caption(_ style: VisionTask.CaptionStyle) -> [TextSegment]?
    var dialogue: [PictureQuestion] { get }
}

extension Scene: PictureTruth {
    public var things: [PictureThing] { objects.map { PictureThing(id: $0.id, box: $0.box) } }
    public var furtherBoxes: [Box] { groups.map(\.box) + objects.flatMap(\.pieces) }
    public var names: [(name: String, objectIDs: [Int])] { inventory.map { ($0.category.name, $0.objectIDs) } }

    public func absentNames(_ count: Int) -> [String] { negatives(count).map(\.name) }

    public func things(with level: VisionTask.RegionLevel) -> [PictureThing] { things }

    public func text(_ level: VisionTask.RegionLevel, of id: Int) -> String? {
        guard objects.indices.contains(id) else { return nil }
        let object = objects[id]
        return switch level {
        case .category: object.category.name
        case .phrase: shortPhrase(for: object)
        case .brief: referringExpression(for: object)?.text ?? shortPhrase(for: object)
        case .sentence: sentence(for: object)
        }
    }

    public func expressions(for id: Int) -> [String] {
        objects.indices.contains(id) ? referringExpressions(for: objects[id]).map(\.text) : []
    }

    public func caption(_ style: VisionTask.CaptionStyle) -> [TextSegment]? {
        Self.segments(style == .brief ? briefCaption : detailedCaption)
    }

    public var dialogue: [PictureQuestion] {
        questions.map {
            PictureQuestion(question: $0.question, shortAnswer: $0.shortAnswer, answer: Self.segments($0.answer))
        }
    }

    private static func segments(_ text: GroundedText) -> [TextSegment] {
        text.segments.map { TextSegment(text: $0.text, objectIDs: $0.objectIDs) }
    }
}
