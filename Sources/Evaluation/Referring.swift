// Referring expressions (RefCOCO, RefCOCO+, RefCOCOg) and counts on a data set of pictures.

import Boxes
import ChatRex
import Foundation

/// What a model found for one referring expression.
public struct ReferringRecord: PictureRecord {
    public var image: Int
    public var expression: String
    public var truth: Box
    /// The detection with the highest score; nil where nothing was found.
    public var found: Box?
    /// Of that detection.
    public var score: Double?
    public var faults = AnswerFaults()

    package init(image: Int, expression: String, truth: Box, answer: GroundedAnswer) {
        (self.image, self.expression, self.truth) = (image, expression, truth)
        let best = answer.detections.max { $0.object.score < $1.object.score }?.object
        (found, score) = (best?.box, best?.score)
        faults.add(answer)
    }
}

/// How many of each category a model counted in one picture.
public struct CountingRecord: PictureRecord {
    public struct Count: Sendable, Codable, Hashable {
        public var category: String
        public var counted: Int, truth: Int
        /// Boxes that the answer lists, and annotated ones.
        public var found: [Box], places: [Box]

        /// - Parameter places: of all objects of the category
        package init(category: String, places: [Box], answer: GroundedAnswer) {
            (self.category, self.places) = (category, places)
            (counted, truth) = (answer.statedCount, places.count)
            found = answer.detections.map(\.object.box)
        }
    }

    public var image: Int
    public var counts: [Count]
    public var faults = AnswerFaults()

    public init(image: Int, counts: [Count] = []) {
        (self.image, self.counts) = (image, counts)
    }
}

extension DatasetBenchmark {
    /// Looks for what each entry's caption refers to, which is its one annotation.
    /// - Throws: `EvaluationError` for an entry without a caption or with another number of boxes than one; `ImagingError` for a picture
    ///   that cannot be read, and what `ChatRexSession.detect` throws.
    public func references(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) async throws -> [ReferringRecord] {
        let annotations = annotationsByImage
        return try await records { entry in
            guard let expression = entry.caption else { throw EvaluationError.noExpression(image: entry.id) }
            let truths = (annotations[entry.id] ?? []).compactMap(\.box)
            guard let truth = truths.first, truths.count == 1 else {
                throw EvaluationError.notOneBox(image: entry.id, count: truths.count)
            }
            // A semicolon would make two phrases of it.
            let phrase = expression.replacing(";", with: ",")
            let answer = try await session.detect([phrase], in: picture(entry), boxes: boxes, options: options)
            return ReferringRecord(image: entry.id, expression: expression, truth: truth, answer: answer)
        }
    }

    /// Counts every category that a picture is annotated with; pictures with crowds of a category are left out for it.
    /// - Throws: `ImagingError` for a picture that cannot be read, and what `ChatRexSession.count` throws.
    public func counts(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) async throws -> [CountingRecord] {
        let (names, annotations) = (categoryNames, annotationsByImage)
        return try await records { entry in
            var record = CountingRecord(image: entry.id)
            let groups = Dictionary(grouping: annotations[entry.id] ?? [], by: \.categoryID)
                .filter { group in !group.value.contains { $0.iscrowd == 1 } }
            if groups.isEmpty { return record }
            let image = try picture(entry)
            for (category, objects) in groups.sorted(by: { $0.key < $1.key }) {
                guard let name = names[category] else { continue }
                let answer = try await session.count([name], in: image, boxes: boxes, options: options)
                record.counts.append(
                    .init(category: name, places: objects.compactMap(\.box), answer: answer))
                record.faults.add(answer)
            }
            return record
        }
    }
}

extension GroundedAnswer {
    /// The number that the text of a count states last; how many boxes it lists where it states none.
    var statedCount: Int { text.split { !$0.isNumber }.last.flatMap { Int($0) } ?? detections.count }
}
