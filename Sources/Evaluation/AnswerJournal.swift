import Boxes
import Foundation

/// What came of one picture.
public protocol PictureRecord: Codable, Sendable {
    /// `id` of the picture.
    var image: Int { get }
}

/// Where a run keeps its records, and what they depend on.
public struct JournalPlace: Sendable {
    public var url: URL
    /// What the answers depend on, such as the model, the data and the limits of boxes. A journal that was made with other settings
    /// is refused: its answers would be another model's.
    public var settings: [String: String]

    public init(_ url: URL, settings: [String: String]) {
        (self.url, self.settings) = (url, settings)
    }
}

/// Records on disk by which a killed run goes on: a line of JSON that says what they depend on, then one a picture.
struct AnswerJournal<Record: PictureRecord> {
    private(set) var records: [Int: Record] = [:]
    private let handle: FileHandle

    private struct Head: Codable {
        /// Of this form.
        var journal = 1
        var settings: [String: String]
    }

    /// Opens a journal or begins one; a last line that was cut short is dropped.
    /// - Throws: `EvaluationError` for a file that is no journal, is another run's or is in use.
    init(_ place: JournalPlace) throws {
        let path = place.url.path
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: place.url) }
        handle = try FileHandle(forUpdating: place.url)
        // Two runs that write to one file would each cut the other's lines.
        guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw EvaluationError.journalInUse(path: path)
        }
        let lines = try (handle.readToEnd() ?? Data()).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var end = 0
        for (number, line) in lines.dropLast().enumerated() {
            if number == 0 {
                try Self.check(line, place)
            } else {
                guard let record = try? JSONDecoder().decode(Record.self, from: line) else {
                    throw EvaluationError.invalidLine(
                        path: path, line: number + 1, reason: "this is no record of such a run; name another folder")
                }
                records[record.image] = record
            }
            end += line.count + 1
        }
        try handle.truncate(atOffset: UInt64(end))
        try handle.seek(toOffset: UInt64(end))
        if end == 0 { try write(Head(settings: place.settings)) }
    }

    mutating func append(_ record: Record) throws {
        try write(record)
        records[record.image] = record
    }

    private func write(_ line: some Encodable) throws {
        try handle.write(contentsOf: JSONEncoder.lines.encode(line) + Data("\n".utf8))
    }

    private static func check(_ line: Data, _ place: JournalPlace) throws {
        guard let head = try? JSONDecoder().decode(Head.self, from: line), head.journal == 1 else {
            throw EvaluationError.noJournal(path: place.url.path)
        }
        let names = Set(head.settings.keys).union(place.settings.keys).sorted()
        let differences = names.filter { head.settings[$0] != place.settings[$0] }.map {
            "\($0) was \(head.settings[$0] ?? "not set") and is \(place.settings[$0] ?? "not set")"
        }
        if !differences.isEmpty {
            throw EvaluationError.otherSettings(path: place.url.path, differences: differences)
        }
    }
}

/// One record a picture, in order. Those that the journal has are not made again.
///
/// - Parameters:
///   - images: ids of the pictures
///   - place: of the journal; nil keeps everything in memory
///   - progress: called after each picture with the number done
///   - make: gets the position of a picture in `images`
func recorded<Record: PictureRecord>(
    _ images: [Int], in place: JournalPlace?, progress: (Int) throws -> Void,
    make: (Int) async throws -> Record
) async throws -> [Record] {
    var journal = try place.map(AnswerJournal<Record>.init)
    var records: [Record] = []
    for (position, image) in images.enumerated() {
        if let known = journal?.records[image] {
            records.append(known)
        } else {
            let record = try await make(position)
            try journal?.append(record)
            records.append(record)
        }
        try progress(records.count)
    }
    return records
}
