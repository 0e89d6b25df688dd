import Annotations
import Foundation

extension JSONElements {
    /// Calls `body` for every element.
    ///
    /// - Parameter path: for messages
    /// - Throws: `ExchangeError.unusableFile` for a file without such lists or with one that does not end; what `body` throws.
    static func forEach(in url: URL, members: [String] = [], _ body: (Element) throws -> Void) throws {
        var elements = JSONElements(
            try ExchangeError.reading { try RandomAccessFile(path: url.path) }, members: members)
        func next() throws -> Element? {
            do {
                return try ExchangeError.reading { try elements.next() }
            } catch let error as Malformed {
                throw ExchangeError.unusableFile(path: url.path, reason: error.reason)
            }
        }
        while let element = try next() { try body(element) }
    }
}

extension ExchangeError {
    /// Runs what reads a file of another form: a file that cannot be read is no fault of a record.
    static func reading<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch AnnotationsError.unusableFile(let path, let reason) {
            throw ExchangeError.unusableFile(path: path, reason: reason)
        }
    }
}
