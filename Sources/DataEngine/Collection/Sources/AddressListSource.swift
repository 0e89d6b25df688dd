import Annotations
import Foundation

/// Addresses of pictures in a text file: one a line, or a JSON object a line with `url` and what is known about the picture.
///
/// Of an object these count: `url`, `width`, `height`, `text` or `caption`, `punsafe`, `nsfw` or a score as COYO has it, `pwatermark`,
/// `conversations`. Empty lines and those that begin with `#` are skipped. Keys come from the addresses: an address that is listed twice
/// has the same key twice.
public struct AddressListSource: ItemSource {
    public let file: String

    public init(file: String) { self.file = file }

    public func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        var lines = LineReader(try readable { () throws(AnnotationsError) in try RandomAccessFile(path: file) })
        while let line = try readable({ () throws(AnnotationsError) in try lines.next() }) {
            try Task.checkCancellation()
            switch Self.item(line) {
            case .item(let item): try await body(item)
            case .nothing: continue
            case .damage(let reason): onDamage(SourceDamage(place: "\(file), line \(line.number)", reason: reason))
            }
        }
    }

    private func readable<Result>(_ read: () throws(AnnotationsError) -> Result) throws(CollectionError) -> Result {
        do {
            return try read()
        } catch {
            throw .unreadableSource(place: file, reason: "\(error)")
        }
    }

    private enum Content {
        case item(SourceItem)
        case nothing
        case damage(String)
    }

    private static func item(_ line: LineReader.Line) -> Content {
        guard let bytes = line.bytes else { return .damage("it has more than \(LineReader.limit) bytes") }
        guard let text = String(bytes: bytes, encoding: .utf8)?.trimmingCharacters(in: .whitespaces) else {
            return .damage("it is not UTF-8")
        }
        // A byte order mark may begin the file.
        let content = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        if content.isEmpty || content.hasPrefix("#") { return .nothing }
        if !content.hasPrefix("{") {
            return isAddress(content) ? .item(item(content)) : .damage("it is no http(s) address")
        }
        guard let metadata = try? ItemMetadata(json: Array(content.utf8)) else {
            return .damage("it is no JSON object")
        }
        guard let url = metadata.url else { return .damage("it has no 'url'") }
        guard isAddress(url) else { return .damage("its 'url' is no http(s) address") }
        var item = item(url)
        metadata.describe(&item)
        return .item(item)
    }

    private static func isAddress(_ text: String) -> Bool {
        let start = text.prefix(8).lowercased()
        return (start.hasPrefix("http://") || start.hasPrefix("https://")) && !text.contains(where: \.isWhitespace)
    }

    private static func item(_ address: String) -> SourceItem {
        SourceItem(key: ItemKey.make(address, location: address), location: .url(address))
    }
}
