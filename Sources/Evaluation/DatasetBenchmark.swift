// Questions about a data set of pictures with annotations in COCO's form.

import Boxes
import ChatRex
import Foundation
import Imaging

/// Asks a session about the pictures of a data set.
public struct DatasetBenchmark: Sendable {
    public let dataset: COCODataset
    /// The folder that file names start from.
    public let images: URL
    /// A file of one JSON line a picture. Pictures that it already has are not asked about again, so a killed run goes on; a last line
    /// that was cut short is made anew. Nil keeps everything in memory.
    public var journal: URL?
    /// Called after each picture with the number done.
    public var progress: @Sendable (Int) throws -> Void = { _ in }

    public init(_ dataset: COCODataset, images: URL) {
        (self.dataset, self.images) = (dataset, images)
    }

    /// One record a picture, in the data set's order.
    func records<Record: PictureRecord>(_ make: (COCOImage) async throws -> Record) async throws -> [Record] {
        var journal = try journal.map(AnswerJournal<Record>.init)
        var records: [Record] = []
        for entry in dataset.images {
            if let known = journal?.records[entry.id] {
                records.append(known)
            } else {
                let record = try await make(entry)
                try journal?.append(record)
                records.append(record)
            }
            try progress(records.count)
        }
        return records
    }

    func picture(_ entry: COCOImage) throws -> Image { try Image(contentsOf: entry.url(in: images).path) }

    var annotationsByImage: [Int: [COCOAnnotation]] { Dictionary(grouping: dataset.annotations, by: \.imageID) }

    var categoryNames: [Int: String] {
        Dictionary(dataset.categories.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }
}

extension COCOImage {
    /// Where the picture lies below a folder.
    public func url(in folder: URL) -> URL {
        folder.appendingPathComponent(fileName ?? cocoURL.map { ($0 as NSString).lastPathComponent } ?? "")
    }
}

/// How many answers were not as they should be.
public struct AnswerFaults: Sendable, Codable, Hashable {
    public var malformed = 0, truncated = 0, empty = 0

    public init() {}

    public mutating func add(_ answer: GroundedAnswer) {
        if !answer.issues.isEmpty { malformed += 1 }
        if answer.isTruncated { truncated += 1 }
        if answer.text.isEmpty && answer.groups.isEmpty { empty += 1 }
    }

    public static func + (one: AnswerFaults, other: AnswerFaults) -> AnswerFaults {
        var sum = one
        sum.malformed += other.malformed
        sum.truncated += other.truncated
        sum.empty += other.empty
        return sum
    }
}

// MARK: - Detection

/// What a model found in one picture.
public struct DetectionRecord: PictureRecord {
    public var image: Int
    public var results: [COCOResult]
    public var faults = AnswerFaults()
}

extension DatasetBenchmark {
    /// Looks for the categories that each picture is annotated with.
    ///
    /// The paper gives the model the classes of the picture (section 4); no absent ones are asked for.
    /// - Throws: `ImagingError` for a picture that cannot be read, and what `ChatRexSession.detect` throws.
    public func detections(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions()
    ) async throws -> [DetectionRecord] {
        let names = categoryNames
        let present = annotationsByImage.mapValues { Set($0.map(\.categoryID)).sorted() }
        return try await records { entry in
            let phrases = (present[entry.id] ?? []).compactMap { names[$0] }
            var record = DetectionRecord(image: entry.id, results: [])
            if phrases.isEmpty { return record }
            let answer = try await session.detect(phrases, in: picture(entry), boxes: boxes, options: options)
            record.results = answer.cocoResults(imageID: entry.id, categories: dataset.categories)
            record.faults.add(answer)
            return record
        }
    }
}
