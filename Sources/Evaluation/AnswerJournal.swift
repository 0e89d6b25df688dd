import Foundation

/// What came of one picture.
public protocol PictureRecord: Codable, Sendable {
    /// `id` of the picture.
    var image: Int { get }
}

/// Records on disk, one JSON line a picture, by which a killed run goes on.
struct AnswerJournal<Record: PictureRecord> {
    private(set) var records: [Int: Record] = [:]
    private let handle: FileHandle

    /// Opens a journal or begins one; a last line that was cut short is dropped.
    init(_ url: URL) throws {
        let text = (try? Data(contentsOf: url)) ?? Data()
        var end = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            guard let record = try? JSONDecoder().decode(Record.self, from: line) else { break }
            records[record.image] = record
            end += line.count + 1
        }
        if text.isEmpty { try Data().write(to: url) }
        handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(end))
        try handle.seek(toOffset: UInt64(end))
    }

    mutating func append(_ record: Record) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try handle.write(contentsOf: encoder.encode(record) + Data("\n".utf8))
        records[record.image] = record
    }
}
