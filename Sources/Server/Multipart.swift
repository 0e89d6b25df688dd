import HTTPTypes

/// A `multipart/form-data` body taken apart.
struct Multipart {
    /// One field of the form.
    struct Part {
        var name: String
        var fileName: String?
        var body: [UInt8]
    }

    private(set) var parts: [Part] = []
    private static let partLimit = 256

    /// - Throws: `ServerError` for what is no form.
    init(_ bytes: [UInt8], boundary: String) throws(ServerError) {
        guard (1...70).contains(boundary.utf8.count) else { throw Self.broken("its boundary is missing or too long") }
        let delimiter = Array("--\(boundary)".utf8)
        guard var position = Self.find(delimiter, in: bytes, from: 0) else {
            throw Self.broken("it has no boundary line")
        }
        let separator = Array("\r\n".utf8) + delimiter
        while true {
            position += delimiter.count
            if bytes[position...].starts(with: "--".utf8) { return }
            guard bytes[position...].starts(with: "\r\n".utf8) else {
                throw Self.broken("a boundary line does not end")
            }
            let head = position + 2
            guard let headEnd = Self.find(Array("\r\n\r\n".utf8), in: bytes, from: head), headEnd - head < 8192 else {
                throw Self.broken("a part has no header")
            }
            guard let end = Self.find(separator, in: bytes, from: headEnd + 2) else {
                throw Self.broken("it is cut off")
            }
            let start = min(headEnd + 4, end)
            if parts.count == Self.partLimit { throw Self.broken("it has more than \(Self.partLimit) parts") }
            try add(header: String(decoding: bytes[head..<headEnd], as: UTF8.self), Array(bytes[start..<end]))
            position = end + 2
        }
    }

    private mutating func add(header: String, _ body: [UInt8]) throws(ServerError) {
        for line in header.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ";").map { $0.trimmingSpaces }
            guard let kind = fields.first, kind.lowercased().hasPrefix("content-disposition:") else { continue }
            var values: [String: String] = [:]
            for field in fields.dropFirst() {
                let pair = field.split(separator: "=", maxSplits: 1).map { $0.trimmingSpaces }
                guard pair.count == 2 else { continue }
                values[pair[0].lowercased()] =
                    pair[1].hasPrefix("\"") ? String(pair[1].dropFirst().dropLast()) : pair[1]
            }
            guard let name = values["name"] else { break }
            parts.append(Part(name: name, fileName: values["filename"], body: body))
            return
        }
        throw Self.broken("a part has no name")
    }

    private static func broken(_ reason: String) -> ServerError {
        ServerError(.badRequest, .invalidMultipart, "the multipart form is broken: \(reason)")
    }

    /// Where `needle` begins in `bytes`, at `start` or later.
    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first, start + needle.count <= bytes.count else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            for position in start...(bytes.count - needle.count) where bytes[position] == first {
                var length = 1
                while length < needle.count, bytes[position + length] == needle[length] { length += 1 }
                if length == needle.count { return position }
            }
            return nil
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
