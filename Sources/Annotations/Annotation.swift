// The data that grounded models are trained on: a picture, its caption, and its regions with texts at several levels.

import Boxes
import Foundation

/// What is known about one picture: the image text, the region texts and the boxes of the paper's triplets (section 4).
public struct Annotation: Codable, Sendable, Hashable {
    /// Names the picture within its data set; letters, digits, `-` and `_` only.
    public var key: String
    /// Where the picture came from.
    public var source: String
    /// File name's extension of the picture: `jpg`, `png`, `webp`.
    public var format: String
    /// SHA-256 of the picture's bytes, in hexadecimal digits.
    public var sha256: String
    /// Side lengths in pixels, as shown (after the EXIF orientation).
    public var width: Int, height: Int
    public var caption: GroundedCaption?
    public var regions: [Region]
    public var conversation: [GroundedTurn]?
    /// Categories that were looked for and are not in the picture. Nil where the regions are all there is of their categories, so that
    /// every other category counts as absent; empty where nothing is known, as in sets of which not every picture was searched for
    /// every category.
    public var absent: [String]?

    public init(
        key: String, source: String, format: String, sha256: String, width: Int, height: Int,
        caption: GroundedCaption? = nil, regions: [Region] = [], conversation: [GroundedTurn]? = nil,
        absent: [String]? = nil
    ) {
        (self.key, self.source, self.format, self.sha256) = (key, source, format, sha256)
        (self.width, self.height, self.caption, self.regions) = (width, height, caption, regions)
        (self.conversation, self.absent) = (conversation, absent)
    }
}

/// A text whose phrases are located.
public struct GroundedCaption: Codable, Sendable, Hashable {
    public struct Phrase: Codable, Sendable, Hashable {
        public var text: String
        /// Where it stands, in Unicode scalars of the whole text; `end` is excluded.
        public var start: Int, end: Int
        /// `Region.id` of the boxes that it names.
        public var regions: [Int]

        public init(text: String, start: Int, end: Int, regions: [Int]) {
            (self.text, self.start, self.end, self.regions) = (text, start, end, regions)
        }
    }

    public var text: String
    public var phrases: [Phrase]

    public init(text: String, phrases: [Phrase] = []) {
        (self.text, self.phrases) = (text, phrases)
    }
}

/// A box with its texts, from the shortest to the one that fits it alone.
public struct Region: Codable, Sendable, Hashable, Identifiable {
    public var id: Int
    /// In pixels of the picture.
    public var box: Box
    /// Confidence of the grounding, 0...1.
    public var score: Double?
    /// The name of its kind: `dog`.
    public var category: String?
    /// A few words: `a brown dog`.
    public var phrase: String?
    /// A sentence or more: `A brown dog with a red collar lies on the grass.`
    public var description: String?
    /// What fits this region and no other of the picture: `the brown dog left of the bench`.
    public var referringExpression: String?

    public init(
        id: Int, box: Box, score: Double? = nil, category: String? = nil, phrase: String? = nil,
        description: String? = nil, referringExpression: String? = nil
    ) {
        (self.id, self.box, self.score, self.category) = (id, box, score, category)
        (self.phrase, self.description, self.referringExpression) = (phrase, description, referringExpression)
    }

    enum CodingKeys: String, CodingKey {
        case id, box = "bbox", score, category, phrase, description
        case referringExpression = "referring_expression"
    }

    /// - Throws: `DecodingError` for a box that is none.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(Int.self, forKey: .id)
        let corners = try values.decode([Double].self, forKey: .box)
        guard corners.count == 4, corners.allSatisfy(\.isFinite), corners[0] <= corners[2], corners[1] <= corners[3]
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .box, in: values, debugDescription: "a box is [x1, y1, x2, y2] with x1 <= x2 and y1 <= y2")
        }
        box = Box(x1: corners[0], y1: corners[1], x2: corners[2], y2: corners[3])
        score = try values.decodeIfPresent(Double.self, forKey: .score)
        category = try values.decodeIfPresent(String.self, forKey: .category)
        phrase = try values.decodeIfPresent(String.self, forKey: .phrase)
        description = try values.decodeIfPresent(String.self, forKey: .description)
        referringExpression = try values.decodeIfPresent(String.self, forKey: .referringExpression)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode([box.x1, box.y1, box.x2, box.y2], forKey: .box)
        try values.encodeIfPresent(score, forKey: .score)
        try values.encodeIfPresent(category, forKey: .category)
        try values.encodeIfPresent(phrase, forKey: .phrase)
        try values.encodeIfPresent(description, forKey: .description)
        try values.encodeIfPresent(referringExpression, forKey: .referringExpression)
    }
}

/// A question of a conversation and its answer with located phrases.
public struct GroundedTurn: Codable, Sendable, Hashable {
    public var question: String
    public var answer: GroundedCaption

    public init(question: String, answer: GroundedCaption) {
        (self.question, self.answer) = (question, answer)
    }
}
