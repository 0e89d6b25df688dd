// The five modules of the paper's data engine (section 4) as protocols: what is configured decides what stands behind them.
//
// All of them throw `Drop` for a picture that is not wanted and any other error for work that failed.

import Boxes
import Imaging

/// Module 1: fetches a picture and judges whether it is wanted.
public protocol ImageCollector: Sendable {
    func collect(_ item: SourceItem) async throws -> CollectedImage
}

/// Module 2: a text for the whole picture.
public protocol ImageCaptioner: Sendable {
    func caption(_ image: EngineImage) async throws -> String
}

/// Module 3, first half: the phrases of a text that name things.
public protocol PhraseExtractor: Sendable {
    func phrases(in text: String) async throws -> [NounPhrase]
}

/// Module 3, second half: where phrases are in a picture.
public protocol PhraseGrounder: Sendable {
    /// - Returns: for each phrase, in their order, its boxes, best first
    func ground(_ phrases: [NounPhrase], of text: String, in image: EngineImage) async throws -> [[ScoredBox]]
}

/// Module 4: a description of each region.
public protocol RegionCaptioner: Sendable {
    /// - Returns: for each region, in their order, its description or why it has none
    func describe(_ regions: [RegionSubject], in image: EngineImage) async throws -> [Result<String, Drop>]
}

extension RegionCaptioner {
    /// One region alone.
    /// - Parameter phrase: what the region is; nil for the paper's unconditioned variant
    public func describe(_ box: Box, as phrase: String?, in image: EngineImage) async throws -> String {
        guard let result = try await describe([RegionSubject(box, as: phrase)], in: image).first else {
            throw AnswerSubject.description.drop(for: .empty)
        }
        return try result.get()
    }
}

/// A region that is to be described.
public struct RegionSubject: Sendable, Hashable {
    /// In pixels of the picture.
    public var box: Box
    /// What the region is; nil for the paper's unconditioned variant.
    public var phrase: String?

    public init(_ box: Box, as phrase: String? = nil) { (self.box, self.phrase) = (box, phrase) }
}

/// Module 5: texts that are checked against each other and rewritten.
public protocol TextRefiner: Sendable {
    /// Whether a description speaks of what the phrase names.
    func agrees(_ description: String, with phrase: String) async throws -> Bool
    /// A short expression that refers to the region; nil where the description gives none.
    func referringExpression(from description: String, phrase: String) async throws -> String?
}

/// A picture that was fetched and kept, with its bytes.
public struct CollectedImage: Sendable, Hashable {
    public var bytes: [UInt8]
    /// File name's extension: `jpg`, `png`, `webp`.
    public var format: String
    /// Side lengths in pixels, as shown.
    public var width: Int, height: Int
    /// SHA-256 of the bytes in hexadecimal digits.
    public var sha256: String
    /// Equal or nearly equal in few bits for pictures that look the same.
    public var perceptualHash: UInt64

    public init(bytes: [UInt8], format: String, width: Int, height: Int, sha256: String, perceptualHash: UInt64) {
        (self.bytes, self.format, self.width, self.height) = (bytes, format, width, height)
        (self.sha256, self.perceptualHash) = (sha256, perceptualHash)
    }
}

/// A picture on its way through the engine.
public struct EngineImage: Sendable {
    /// The file as it was collected.
    public var bytes: [UInt8]
    public var format: String
    /// SHA-256 of the bytes in hexadecimal digits.
    public var sha256: String
    /// Decoded, upright.
    public var image: Image

    public init(bytes: [UInt8], format: String, sha256: String, image: Image) {
        (self.bytes, self.format, self.sha256, self.image) = (bytes, format, sha256, image)
    }
}

/// Words of a text that name a thing.
public struct NounPhrase: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable {
        /// The bare name of a kind of thing: `dog`.
        case category
        /// At least three words that say more: `a brown dog`.
        case descriptive
    }

    /// The words as grounded: `a brown dog`.
    public var text: String
    /// Where they stand, in Unicode scalars of the text; `end` is excluded.
    public var start: Int, end: Int
    public var kind: Kind
    /// The name of the kind of thing, singular: `dog`.
    public var category: String

    public init(text: String, start: Int, end: Int, kind: Kind, category: String) {
        (self.text, self.start, self.end, self.kind, self.category) = (text, start, end, kind, category)
    }
}

/// A box in pixels with its confidence, 0...1.
public struct ScoredBox: Codable, Sendable, Hashable {
    public var box: Box
    public var score: Double

    public init(box: Box, score: Double) {
        (self.box, self.score) = (box, score)
    }
}
