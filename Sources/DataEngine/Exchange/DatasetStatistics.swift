import Annotations
import Boxes
import Foundation

import struct Annotations.Annotation

/// What section 4.1 of the paper tells about Rexverse-2M, for any set: how much there is of everything, and how long the texts are.
public struct DatasetStatistics: Codable, Sendable, Hashable {
    /// Lengths of texts, in words.
    public struct Lengths: Codable, Sendable, Hashable {
        public var texts = 0, words = 0, longest = 0

        public init() {}

        public var mean: Double { texts == 0 ? 0 : Double(words) / Double(texts) }

        mutating func add(_ text: String) {
            let count = text.split(whereSeparator: \.isWhitespace).count
            texts += 1
            words += count
            longest = max(longest, count)
        }
    }

    /// Boxes by area, at COCO's bounds of 32² and 96² square pixels.
    public struct Sizes: Codable, Sendable, Hashable {
        public var small = 0, medium = 0, large = 0

        public init() {}
    }

    public var pictures = 0
    public var regions = 0
    /// Pictures by their number of regions; the last one counts all with at least as many.
    public var picturesByRegions = [Int](repeating: 0, count: 21)
    public var captions = Lengths(), categories = Lengths(), phrases = Lengths(), descriptions = Lengths()
    public var referringExpressions = Lengths()
    /// Phrases of captions that are located.
    public var groundedPhrases = 0
    public var conversations = 0, turns = 0
    public var sizes = Sizes()
    public var megapixels = 0.0
    /// How many regions each category has.
    public var regionsOfCategory: [String: Int] = [:]

    public init() {}

    /// Looks at every annotation of a set; pictures are not read.
    public init(of set: any AnnotationSet) throws {
        for index in 0..<set.count { add(try set.annotation(at: index)) }
    }

    public mutating func add(_ annotation: Annotation) {
        pictures += 1
        regions += annotation.regions.count
        picturesByRegions[min(annotation.regions.count, picturesByRegions.count - 1)] += 1
        megapixels += Double(annotation.width) * Double(annotation.height) / 1e6
        if let caption = annotation.caption {
            captions.add(caption.text)
            groundedPhrases += caption.phrases.count
        }
        if let conversation = annotation.conversation {
            conversations += 1
            turns += conversation.count
        }
        for region in annotation.regions {
            if let category = region.category {
                categories.add(category)
                regionsOfCategory[category, default: 0] += 1
            }
            if let text = region.phrase { phrases.add(text) }
            if let text = region.description { descriptions.add(text) }
            if let text = region.referringExpression { referringExpressions.add(text) }
            switch region.box.area {
            case ..<1024: sizes.small += 1
            case ..<9216: sizes.medium += 1
            default: sizes.large += 1
            }
        }
    }

    public var regionsPerPicture: Double { pictures == 0 ? 0 : Double(regions) / Double(pictures) }

    /// The most frequent categories, equal ones by name.
    public func topCategories(_ count: Int) -> [(name: String, regions: Int)] {
        regionsOfCategory.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(count).map { ($0.key, $0.value) }
    }
}
