import Annotations
import Foundation

/// A file of comma-separated values whose first line names the columns, row by row. Quotes are understood; a row is one line.
struct CSVTable {
    struct Row {
        /// Of the line, from 1.
        let number: Int
        let extent: FileExtent
        let fields: [String]
    }

    let path: String
    private let columns: [String: Int]
    private var lines: LineReader

    /// - Parameter required: columns without which the file is another
    /// - Throws: `ExchangeError.unusableFile`.
    init(_ url: URL, required: [String]) throws {
        path = url.path
        var lines = LineReader(try ExchangeError.reading { try RandomAccessFile(path: url.path) })
        guard let head = try ExchangeError.reading({ try lines.next() })?.bytes else {
            throw ExchangeError.unusableFile(path: url.path, reason: "is empty")
        }
        self.lines = lines
        // A byte order mark may begin the file.
        let names = Self.fields(of: head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head)
        columns = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        if let missing = required.first(where: { columns[$0] == nil }) {
            throw ExchangeError.unusableFile(
                path: path,
                reason: "has no column '\(missing)'; its columns are \(names.joined(separator: ", ").prefix(300))")
        }
    }

    /// - Returns: nil at the end; empty lines are passed over
    mutating func next() throws -> Row? {
        while let line = try ExchangeError.reading({ try lines.next() }) {
            guard let bytes = line.bytes else {
                throw ExchangeError.unusableFile(
                    path: path, reason: "has a line \(line.number) that is too long to be one")
            }
            if bytes.isEmpty { continue }
            return Row(number: line.number, extent: line.extent, fields: Self.fields(of: bytes))
        }
        return nil
    }

    /// The value of a column; nil where the row or the table does not have it.
    func value(_ column: String, of fields: [String]) -> String? {
        columns[column].flatMap { $0 < fields.count ? fields[$0] : nil }
    }

    /// The fields of a line, without their quotes.
    static func fields(of line: some Sequence<UInt8>) -> [String] {
        var fields: [String] = [], field: [UInt8] = [], isQuoted = false, wasQuote = false
        for byte in line {
            switch byte {
            case UInt8(ascii: "\""):
                // Two quotes within quotes are one.
                if wasQuote { field.append(byte) }
                isQuoted.toggle()
                wasQuote = !isQuoted
            case UInt8(ascii: ",") where !isQuoted:
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
                wasQuote = false
            case 0x0D where !isQuoted: break
            default:
                field.append(byte)
                wasQuote = false
            }
        }
        return fields + [String(decoding: field, as: UTF8.self)]
    }
}
