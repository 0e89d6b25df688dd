// Tar archives of pictures, as WebDataset uses them. The formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), GNU, and Unix V7.

import Foundation

/// A file of a tar archive.
public struct TarMember: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case file, folder
        /// Links, devices, and sparse files, whose bytes do not stand as they are.
        case other
    }

    /// Its path within the archive. A byte that is not of UTF-8 stands as `\xFF`.
    public var name: String
    public var kind: Kind
    /// Where its bytes begin in the archive, and their number.
    public var offset: Int, count: Int

    public init(name: String, kind: Kind = .file, offset: Int, count: Int) {
        (self.name, self.kind, self.offset, self.count) = (name, kind, offset, count)
    }
}

/// Goes through an uncompressed tar archive without reading the members' bytes.
///
/// It believes no size: every member must lie within the file, so that a damaged archive takes neither memory nor time.
public struct TarReader: Sendable {
    /// The archive.
    public let file: RandomAccessFile
    private var offset = 0
    private var isDone = false

    private static let blockSize = 512
    /// Most bytes of a long name or of the records before a member.
    private static let recordLimit = 1 << 20

    /// - Throws: `AnnotationsError.unusableFile`.
    public init(path: String) throws(AnnotationsError) {
        file = try RandomAccessFile(path: path)
    }

    /// The next member; nil at the end. After an error there are no more.
    /// - Throws: `AnnotationsError.damagedArchive`, `.unusableFile`.
    public mutating func next() throws(AnnotationsError) -> TarMember? {
        if isDone { return nil }
        do {
            let member = try readMember()
            if member == nil { isDone = true }
            return member
        } catch {
            isDone = true
            throw error
        }
    }

    /// The bytes of a member.
    /// - Throws: `AnnotationsError.unusableFile` for more than `limit`.
    public func bytes(of member: TarMember, limit: Int = .max) throws(AnnotationsError) -> [UInt8] {
        guard member.count <= limit else {
            throw .unusableFile(
                path: file.path, reason: "'\(member.name)' has \(member.count) bytes, at most \(limit) are read")
        }
        return try file.bytes(at: member.offset, count: member.count)
    }

    // MARK: Members

    private mutating func readMember() throws(AnnotationsError) -> TarMember? {
        var notes = Notes()
        while true {
            let start = offset
            guard let header = try readHeader() else {
                if notes.isEmpty { return nil }
                throw damaged(at: start, "the member that a long name belongs to is missing")
            }
            switch header.type {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): try notes.add(records: take(header, at: start), self, start)
            case UInt8(ascii: "g"): _ = try take(header, at: start)
            case UInt8(ascii: "L"): notes.longName = try take(header, at: start).prefix { $0 != 0 }
            case UInt8(ascii: "K"): _ = try take(header, at: start)
            default: return try member(header, notes, at: start)
            }
        }
    }

    private mutating func member(_ header: TarHeader, _ notes: Notes, at start: Int) throws(AnnotationsError)
        -> TarMember
    {
        var name = notes.path ?? notes.longName ?? header.name[...]
        var kind = header.kind
        if kind == .file, name.last == UInt8(ascii: "/") { kind = .folder }
        while kind == .folder, name.last == UInt8(ascii: "/") { name.removeLast() }
        if notes.isSparse { kind = .other }
        if header.type == UInt8(ascii: "S") { try skipSparseMap(header, at: start) }
        let dataStart = offset
        let count = header.hasNoData ? 0 : notes.size ?? header.size
        guard count <= file.count - dataStart else {
            throw damaged(
                at: start,
                "'\(Self.text(name).prefix(120))' claims \(count) bytes, but the file ends after \(file.count - dataStart)"
            )
        }
        offset = min(dataStart + Self.padded(count), file.count)
        return TarMember(name: Self.text(name), kind: kind, offset: dataStart, count: count)
    }

    /// The bytes that belong to a header whose member is a note about the next one.
    private mutating func take(_ header: TarHeader, at start: Int) throws(AnnotationsError) -> [UInt8] {
        guard header.size <= Self.recordLimit, header.size <= file.count - offset else {
            throw damaged(at: start, "a note of \(header.size) bytes about the next member is too long")
        }
        let bytes = try file.bytes(at: offset, count: header.size)
        offset = min(offset + Self.padded(header.size), file.count)
        return bytes
    }

    /// GNU's sparse files have further blocks between header and data.
    private mutating func skipSparseMap(_ header: TarHeader, at start: Int) throws(AnnotationsError) {
        var goesOn = header.sparseMapGoesOn
        while goesOn {
            guard Self.blockSize <= file.count - offset else {
                throw damaged(at: start, "the file ends within a sparse map")
            }
            goesOn = try file.bytes(at: offset + 504, count: 1) != [0]
            offset += Self.blockSize
        }
    }

    // MARK: Headers and the end

    /// The next header; nil after the end mark.
    private mutating func readHeader() throws(AnnotationsError) -> TarHeader? {
        let start = offset
        guard Self.blockSize <= file.count - start else {
            if file.count == 0 { throw damaged(at: 0, "the file is empty") }
            let rest = file.count - start
            throw damaged(
                at: start, rest == 0 ? "the end mark is missing, so it may be cut off" : "it breaks off within a header"
            )
        }
        let block = try file.bytes(at: start, count: Self.blockSize)
        offset += Self.blockSize
        if block.allSatisfy({ $0 == 0 }) {
            try checkEnd()
            return nil
        }
        do {
            return try TarHeader(block)
        } catch {
            throw damaged(at: start, error.reason)
        }
    }

    /// Archives that were simply joined would lose the members of the second.
    private func checkEnd() throws(AnnotationsError) {
        let rest = try file.bytes(at: offset, count: min(file.count - offset, 1 << 20))
        if let index = rest.firstIndex(where: { $0 != 0 }) {
            throw damaged(at: offset + index, "more follows after the end mark")
        }
    }

    private func damaged(at offset: Int, _ reason: String) -> AnnotationsError {
        .damagedArchive(path: file.path, offset: offset, reason: reason)
    }

    /// `count` is at most the file's length, so that this cannot overflow.
    private static func padded(_ count: Int) -> Int { (count + blockSize - 1) / blockSize * blockSize }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        if let text = String(bytes: bytes, encoding: .utf8) { return text }
        var text = "", rest = bytes
        while !rest.isEmpty {
            // The longest valid beginning of at most four bytes is one character or none.
            let scalar = (1...min(4, rest.count)).lazy
                .compactMap { String(bytes: rest.prefix($0), encoding: .utf8) }.first
            if let scalar {
                text += scalar
                rest = rest.dropFirst(scalar.utf8.count)
            } else {
                let digits = String(rest.removeFirst(), radix: 16, uppercase: true)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }

    // MARK: Notes about the next member

    private struct Notes {
        var longName: ArraySlice<UInt8>?
        var path: ArraySlice<UInt8>?
        var size: Int?
        var isSparse = false

        var isEmpty: Bool { longName == nil && path == nil && size == nil && !isSparse }

        /// Adds the records of pax: `LENGTH KEY=VALUE\n` each, the length counting itself.
        mutating func add(records: [UInt8], _ reader: TarReader, _ start: Int) throws(AnnotationsError) {
            let malformed = reader.damaged(at: start, "the records about the next member are malformed")
            var rest = records[...]
            while let first = rest.first, first != 0 {
                guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
                    let length = Self.number(rest[..<space]), length > space - rest.startIndex, length <= rest.count
                else { throw malformed }
                let record = rest[(space + 1)..<(rest.startIndex + length)]
                rest = rest.dropFirst(length)
                guard record.last == 0x0A, let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                    throw malformed
                }
                let key = String(decoding: record[..<equals], as: UTF8.self)
                let value = record[(equals + 1)...].dropLast()
                switch key {
                case "path": path = value
                case "size":
                    guard let number = Self.number(value) else { throw malformed }
                    size = number
                case "GNU.sparse.name":
                    path = value
                    isSparse = true
                default: if key.hasPrefix("GNU.sparse.") { isSparse = true }
                }
            }
        }

        private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
            guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return nil
            }
            return Int(String(decoding: digits, as: UTF8.self))
        }
    }
}
