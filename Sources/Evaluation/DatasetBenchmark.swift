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
    /// Pictures that it already has are not asked about again, so a killed run goes on. Nil keeps everything in memory.
    public var journal: JournalPlace?
    /// Called after each picture with the number done.
    public var progress: @Sendable (Int) throws -> Void = { _ in }

    public init(_ dataset: COCODataset, images: URL) {
        (self.dataset, self.images) = (dataset, images)
    }

    /// One record a picture, in the data set's order.
    func records<Record: PictureRecord>(_ make: (COCOImage) async throws -> Record) async throws -> [Record] {
        try await recorded(dataset.images.map(\.id), in: journal, progress: progress) { position in
            try await make(dataset.images[position])
        }
    }

    /// Looks whether all pictures are there, since better now than after hours of answers.
    /// - Throws: `EvaluationError.missingPictures`, `EvaluationError.unnamedPicture`.
    public func checkPictures() throws(EvaluationError) {
        if let entry = dataset.images.first(where: { ($0.fileName ?? $0.cocoURL ?? "").isEmpty }) {
            throw .unnamedPicture(image: entry.id)
        }
        let missing = dataset.images.filter { !FileManager.default.fileExists(atPath: $0.url(in: images).path) }
        if missing.isEmpty { return }
        throw .missingPictures(
            folder: images.path, names: missing.prefix(3).map { $0.url(in: images).lastPathComponent },
            count: missing.count, total: dataset.images.count)
    }

    /// - Throws: `ImagingError`.
    public func picture(_ entry: COCOImage) throws -> Image { try Image(contentsOf: entry.url(in: images).path) }

    var annotationsByImage: [Int: [COCOAnnotation]] { Dictionary(grouping: dataset.annotations, by: \.imageID) }

    var categoryNames: [Int: String] {
        Dictionary(dataset.categories.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }
}

extension COCODataset {
    /// Reads annotations that something is to be measured by.
    ///
    /// Odd but harmless records, such as an empty box, stay, as they do in the reference programs.
    /// - Throws: `BoxesError` for a file that cannot be read or is no such file, `EvaluationError.unusableAnnotations` for records that
    ///   would spoil the figures.
    public init(forEvaluationAt url: URL) throws {
        try self.init(withoutMasks: url)
        let problems = validate().issues.filter { issue in
            switch issue.problem {
            case .unknownImage, .unknownCategory, .wrongBoxLength, .notFinite, .invertedBox, .negativeArea: true
            case .duplicateID: if case .annotation = issue.record { false } else { true }
            case .duplicateName, .duplicateBox, .emptyBox, .outsideImage, .badImageSize: false
            }
        }
        // Validation takes a category of a double name, or an image without a size, for none.
        let (images, categories) = (Set(images.map(\.id)), Set(categories.map(\.id)))
        let fatal = problems.filter { issue in
            switch issue.problem {
            case .unknownImage(let id): !images.contains(id)
            case .unknownCategory(let id): !categories.contains(id)
            default: true
            }
        }
        if !fatal.isEmpty {
            throw EvaluationError.unusableAnnotations(
                path: url.path, problems: fatal.prefix(3).map(\.description), count: fatal.count)
        }
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
    /// - Parameter limit: how many boxes of a picture are kept, those with the highest scores
    /// - Throws: `ImagingError` for a picture that cannot be read, and what `ChatRexSession.detect` throws.
    public func detections(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions(),
        limit: Int = .max
    ) async throws -> [DetectionRecord] {
        let names = categoryNames
        let present = annotationsByImage.mapValues { Set($0.map(\.categoryID)).sorted() }
        return try await records { entry in
            let phrases = (present[entry.id] ?? []).compactMap { names[$0] }
            var record = DetectionRecord(image: entry.id, results: [])
            if phrases.isEmpty { return record }
            let answer = try await session.detect(phrases, in: picture(entry), boxes: boxes, options: options)
            record.results = answer.keepingBest(limit).cocoResults(imageID: entry.id, categories: dataset.categories)
            record.faults.add(answer)
            return record
        }
    }
}
