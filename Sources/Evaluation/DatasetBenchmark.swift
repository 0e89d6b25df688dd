// Detection on a data set of pictures with annotations in COCO's form.

import Boxes
import ChatRex
import Foundation
import Imaging

/// What a model found in one picture of a data set.
public struct DatasetRecord: Sendable, Codable {
    /// `id` of the picture.
    public var image: Int
    public var results: [COCOResult]
    /// Whether the answer was malformed, cut off or empty.
    public var isMalformed: Bool, isTruncated: Bool, isEmpty: Bool
}

/// Asks a session for the categories that each picture is annotated with.
///
/// The paper gives the model the classes of the picture (section 4); no absent ones are asked for.
public struct DatasetBenchmark: Sendable {
    public let dataset: COCODataset
    /// The folder that file names start from.
    public let images: URL

    public init(_ dataset: COCODataset, images: URL) {
        (self.dataset, self.images) = (dataset, images)
    }

    /// Answers for all pictures, in the data set's order.
    ///
    /// - Parameters:
    ///   - journal: a file of one JSON line a picture. Pictures that it already has are not asked about again, so a killed run
    ///     goes on; a last line that was cut short is made anew. Nil keeps everything in memory.
    ///   - progress: called after each picture with the number done.
    /// - Throws: `ImagingError` for a picture that cannot be read, and what `ChatRexSession.detect` throws.
    public func run(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(), options: AnswerOptions = AnswerOptions(),
        journal: URL? = nil,
        progress: (Int) throws -> Void = { _ in }
    ) async throws -> [DatasetRecord] {
        var journal = try journal.map(Journal.init)
        let names = Dictionary(dataset.categories.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let present = Dictionary(grouping: dataset.annotations, by: \.imageID).mapValues {
            Set($0.map(\.categoryID)).sorted()
        }
        var records: [DatasetRecord] = []
        for entry in dataset.images {
            if let known = journal?.records[entry.id] {
                records.append(known)
            } else {
                let phrases = (present[entry.id] ?? []).compactMap { names[$0] }
                let record = try await record(entry, phrases, session, boxes, options)
                try journal?.append(record)
                records.append(record)
            }
            try progress(records.count)
        }
        return records
    }

    private func record(
        _ entry: COCOImage, _ phrases: [String], _ session: ChatRexSession, _ boxes: BoxSource, _ options: AnswerOptions
    ) async throws -> DatasetRecord {
        if phrases.isEmpty {
            return DatasetRecord(image: entry.id, results: [], isMalformed: false, isTruncated: false, isEmpty: true)
        }
        let answer = try await session.detect(
            phrases, in: Image(contentsOf: entry.url(in: images).path), boxes: boxes, options: options)
        return DatasetRecord(
            image: entry.id, results: answer.cocoResults(imageID: entry.id, categories: dataset.categories),
            isMalformed: !answer.issues.isEmpty, isTruncated: answer.isTruncated,
            isEmpty: answer.text.isEmpty && answer.groups.isEmpty)
    }
}

extension COCOImage {
    /// Where the picture lies below a folder.
    public func url(in folder: URL) -> URL {
        folder.appendingPathComponent(fileName ?? cocoURL.map { ($0 as NSString).lastPathComponent } ?? "")
    }
}

/// Records on disk, one JSON line each.
private struct Journal {
    private(set) var records: [Int: DatasetRecord] = [:]
    private let handle: FileHandle

    init(_ url: URL) throws {
        let text = (try? Data(contentsOf: url)) ?? Data()
        var end = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            guard let record = try? JSONDecoder().decode(DatasetRecord.self, from: line) else { break }
            records[record.image] = record
            end += line.count + 1
        }
        if text.isEmpty { try Data().write(to: url) }
        handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(end))
        try handle.seek(toOffset: UInt64(end))
    }

    mutating func append(_ record: DatasetRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try handle.write(contentsOf: encoder.encode(record) + Data("\n".utf8))
        records[record.image] = record
    }
}
