// Region classification (Osprey's protocol on LVIS and PACO; paper, section 4): what a model calls a region against its annotated name.

import Boxes
import ChatRex
import Foundation
import LanguageModels

/// What a model called a region.
public struct RegionAnswer: Sendable, Codable, Hashable {
    /// As the model wrote it.
    public var answer: String
    /// The annotated name, as data sets write it: `soccer_ball`, `bottle:cap`.
    public var category: String
    /// The region in its picture, where that is known.
    public var box: Box?

    public init(answer: String, category: String, box: Box? = nil) {
        (self.answer, self.category, self.box) = (answer, category, box)
    }

    /// Whether the answer is the name, in any case and without a lead-in.
    public var isExact: Bool {
        WordOverlap.plain(answer: answer).lowercased() == WordOverlap.plain(category: category).lowercased()
    }
}

/// How well regions were named.
public struct RegionReport: Sendable, Codable {
    /// Mean cosine of the sentence embeddings of answer and name; nil without an embedder.
    public var semanticSimilarity: Double?
    /// Mean share of words that answer and name have in common.
    public var semanticIoU: Double?
    /// Share of answers that are the name, in any case.
    public var exact: Double?
    public var regions: Int
    public var faults = AnswerFaults()

    /// - Throws: `TorchError` from the embedder.
    public init(_ answers: [RegionAnswer], embedder: SentenceEmbedder? = nil) throws {
        self.init(try RegionScores(answers, embedder: embedder))
    }

    init(_ scores: RegionScores) {
        regions = scores.answers.count
        semanticIoU = mean(scores.overlaps)
        exact = mean(scores.exact.map { $0 ? 1 : 0 })
        semanticSimilarity = scores.similarities.flatMap(mean)
    }
}

/// How well each region was named.
struct RegionScores {
    let answers: [RegionAnswer]
    let exact: [Bool]
    let overlaps: [Double]
    let similarities: [Double]?

    init(_ answers: [RegionAnswer], embedder: SentenceEmbedder? = nil) throws {
        self.answers = answers
        overlaps = answers.map { WordOverlap.overlap(answer: $0.answer, category: $0.category) }
        let texts = answers.map { (WordOverlap.plain(answer: $0.answer), WordOverlap.plain(category: $0.category)) }
        exact = answers.map(\.isExact)
        similarities = try embedder.map { try $0.similarities(texts) }
    }
}

/// What a model called the regions of one picture.
public struct RegionRecord: PictureRecord {
    public var image: Int
    public var answers: [RegionAnswer]
    public var faults = AnswerFaults()

    public init(image: Int, answers: [RegionAnswer] = []) {
        (self.image, self.answers) = (image, answers)
    }
}

extension DatasetBenchmark {
    /// Names every annotated box that can be shown to the model; crowds are left out.
    /// - Throws: `ImagingError` for a picture that cannot be read, and what `ChatRexSession.describe` throws.
    public func regions(_ session: ChatRexSession, options: AnswerOptions = AnswerOptions()) async throws
        -> [RegionRecord]
    {
        let (names, annotations) = (categoryNames, annotationsByImage)
        return try await records { entry in
            var record = RegionRecord(image: entry.id)
            let regions = (annotations[entry.id] ?? []).filter { $0.iscrowd != 1 }.compactMap { annotation in
                annotation.box.flatMap { try? RegionBox($0) }.map {
                    (box: $0, name: names[annotation.categoryID] ?? "")
                }
            }
            if regions.isEmpty { return record }
            let image = try picture(entry)
            for start in stride(from: 0, to: regions.count, by: 100) {
                let some = regions[start..<min(start + 100, regions.count)]
                let answers = try await session.describe(some.map(\.box), of: image, level: .category, options: options)
                for (region, answer) in zip(some, answers) {
                    record.answers.append(
                        RegionAnswer(answer: answer.text, category: region.name, box: region.box.box))
                    record.faults.add(answer)
                }
            }
            return record
        }
    }
}
