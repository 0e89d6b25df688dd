import Boxes
import Imaging

/// Everything about a scene but its pixels, as `scenes.jsonl` holds it: one scene on each line.
public struct SceneRecord: Sendable, Hashable, Codable {
    /// A caption or an answer; offsets of phrases count Unicode scalars.
    public struct Text: Sendable, Hashable, Codable {
        public struct Phrase: Sendable, Hashable, Codable {
            public let text: String
            public let start: Int, end: Int
            public let objects: [Int]
        }

        public let text: String
        public let phrases: [Phrase]
    }

    public struct Object: Sendable, Hashable, Codable {
        public let id: Int
        public let category: String, supercategory: String
        /// Left, top, width and height in pixels.
        public let bbox: [Double]
        /// Visible pixels, and their share of all the object has.
        public let area: Int, visibleShare: Double
        public let color: String?, size: String?, region: String
        public let group: Int?
        /// Boxes of clearly separated pieces.
        public let pieces: [[Double]]
        public let phrase: String, sentence: String
        /// A description that fits this object alone.
        public let referringExpression: String?
    }

    public struct Group: Sendable, Hashable, Codable {
        public let phrase: String
        public let bbox: [Double]
        public let members: [Int]
    }

    public struct Question: Sendable, Hashable, Codable {
        public let kind: String, question: String, shortAnswer: String
        public let answer: Text
    }

    public let file: String
    public let seed: UInt64
    public let split: SceneSplit
    public let width: Int, height: Int
    public let background: String
    public let objects: [Object]
    public let groups: [Group]
    public let relations: [SceneRelation]
    public let counts: [String: Int]
    /// Categories that are not in the image.
    public let negatives: [String]
    public let briefCaption: Text, detailedCaption: Text
    public let questions: [Question]
}

extension SceneRecord {
    /// The record of a scene whose picture is in `file`.
    public init(_ scene: Scene, file: String) {
        self.file = file
        seed = scene.seed
        split = scene.split
        width = scene.image.width
        height = scene.image.height
        background = scene.background.rawValue
        objects = scene.objects.map { Object($0, in: scene) }
        groups = scene.groups.map { Group(phrase: $0.phrase, bbox: $0.box.values(.xywh), members: $0.memberIDs) }
        relations = scene.relations
        counts = scene.counts
        negatives = scene.negatives(10).map(\.name)
        briefCaption = Text(scene.briefCaption)
        detailedCaption = Text(scene.detailedCaption)
        questions = scene.questions.map {
            Question(
                kind: $0.kind.rawValue, question: $0.question, shortAnswer: $0.shortAnswer, answer: Text($0.answer))
        }
    }
}

extension SceneRecord.Text {
    init(_ text: GroundedText) {
        self.text = text.text
        phrases = text.phrases.map {
            Phrase(text: $0.text, start: $0.range.lowerBound, end: $0.range.upperBound, objects: $0.objectIDs)
        }
    }
}

extension SceneRecord.Object {
    init(_ object: SceneObject, in scene: Scene) {
        id = object.id
        category = object.category.name
        supercategory = object.category.supercategory
        bbox = object.box.values(.xywh)
        area = object.visibleArea
        visibleShare = object.visibleShare
        color = object.color?.rawValue
        size = scene.sizeWord(of: object)?.rawValue
        region = scene.region(of: object).rawValue
        group = object.groupID
        pieces = object.pieces.map { $0.values(.xywh) }
        phrase = scene.shortPhrase(for: object)
        sentence = scene.sentence(for: object)
        referringExpression = scene.referringExpression(for: object)?.text
    }
}
