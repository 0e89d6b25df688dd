import Annotations
import Foundation
import Imaging

/// Pictures in tar archives, as WebDataset keeps them: files that stand one after the other and share their name up to the first dot belong
/// together, as in `000017.jpg`, `000017.txt`, `000017.json`.
///
/// Of each group every picture is an item; `.txt` or `.caption` is its text (one that shares more of its name, as `a.left.txt` with
/// `a.left.jpg`, comes before one of the whole group), `.json` what is known about it (see `AddressListSource`) or
/// its conversation in LLaVA's form. Pictures stay in the archive: items say where they stand. An archive that is damaged gives the
/// items before the damage, and the walk goes on with the next.
public struct WebDatasetSource: ItemSource {
    public let archives: [String]
    /// Path components that all archives share: keys do not depend on where the archives lie.
    private let sharedPrefix: String

    /// - Parameter archives: their paths, in the order to go through them; none twice
    public init(archives: [String]) {
        self.archives = archives
        let folders = archives.map { $0.split(separator: "/", omittingEmptySubsequences: false).dropLast() }
        let shared = folders.dropFirst().reduce(folders.first ?? []) { shared, folder in
            shared.prefix(zip(shared, folder).prefix { $0 == $1 }.count)
        }
        sharedPrefix = shared.map { $0 + "/" }.joined()
    }

    public func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        for archive in archives {
            let reader: TarReader
            do {
                reader = try TarReader(path: archive)
            } catch {
                onDamage(SourceDamage(place: archive, reason: "\(error)"))
                continue
            }
            try await forEachItem(of: reader, onDamage, body)
        }
    }

    private func forEachItem(
        of archive: TarReader, _ onDamage: (SourceDamage) -> Void, _ body: (SourceItem) async throws -> Void
    ) async throws {
        var reader = archive, group = Group(stem: "")
        var isDone = false
        while !isDone {
            let member = next(&reader, onDamage)
            isDone = member == nil
            if let member, member.kind != .file || Self.split(member.name) == nil { continue }
            let parts = member.flatMap { Self.split($0.name) }
            if parts?.stem != group.stem {
                for item in items(of: group, in: reader, onDamage) {
                    try Task.checkCancellation()
                    try await body(item)
                }
                group = Group(stem: parts?.stem ?? "")
            }
            if let member, let parts { group.add(member, parts.ending) }
        }
    }

    /// The next member; nil at the end or where the archive is damaged. What stands before the damage is sound.
    private func next(_ reader: inout TarReader, _ onDamage: (SourceDamage) -> Void) -> TarMember? {
        do {
            return try reader.next()
        } catch {
            onDamage(SourceDamage(place: reader.file.path, reason: "\(error)"))
            return nil
        }
    }

    /// A name up to the first dot of its last part, and what follows it in lower case; nil for hidden files and WebDataset's own.
    private static func split(_ name: String) -> (stem: String, ending: String)? {
        let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
        guard let dot = name[start...].firstIndex(of: "."), dot != start, !name[start...].hasPrefix("__") else {
            return nil
        }
        return (String(name[..<dot]), name[name.index(after: dot)...].lowercased())
    }

    // MARK: Groups

    private struct Group {
        let stem: String
        var pictures: [TarMember] = []
        /// By what stands between the stem and the last part of the name: empty for those of the whole group.
        var notes: [String: TarMember] = [:], texts: [String: TarMember] = [:]

        /// Most pictures of a group.
        private static let limit = 1024

        init(stem: String) { self.stem = stem }

        mutating func add(_ member: TarMember, _ ending: String) {
            let (view, last) = Self.parts(ending)
            switch last {
            case "json": notes[view] = member
            case "txt", "caption": texts[view] = member
            default:
                if ImageFormat.fileExtensions.contains(last), pictures.count < Self.limit { pictures.append(member) }
            }
        }

        /// Of `left.jpg` the view `left` and the format `jpg`.
        static func parts(_ ending: String) -> (view: String, last: String) {
            guard let dot = ending.lastIndex(of: ".") else { return ("", ending) }
            return (String(ending[..<dot]), String(ending[ending.index(after: dot)...]))
        }
    }

    /// Most bytes of a text or of what is known about a picture.
    private static let noteLimit = 4 << 20

    private func items(of group: Group, in reader: TarReader, _ onDamage: (SourceDamage) -> Void) -> [SourceItem] {
        if group.pictures.isEmpty { return [] }
        let archive = reader.file.path
        func note<Value>(_ member: TarMember?, _ parse: ([UInt8]) throws -> Value?) -> Value? {
            guard let member else { return nil }
            if let bytes = try? reader.bytes(of: member, limit: Self.noteLimit), let value = try? parse(bytes) {
                return value
            }
            onDamage(
                SourceDamage(
                    place: "\(archive), \(member.name)", reason: "it cannot be read; the picture goes without it"))
            return nil
        }
        // Most groups have one of each for all their pictures; it is read once.
        let metadata = group.notes.mapValues { member in note(member) { try ItemMetadata(json: $0) } }
        let texts = group.texts.mapValues { member in note(member) { String(bytes: $0, encoding: .utf8) } }
        return group.pictures.map { picture in
            let view = Self.split(picture.name).map { Group.parts($0.ending).view } ?? ""
            let metadata = metadata[view] ?? metadata[""] ?? nil, text = texts[view] ?? texts[""] ?? nil
            let location = "\(archive.dropFirst(sharedPrefix.count))\u{0}\(picture.name)\u{0}\(picture.offset)"
            var item = SourceItem(
                key: ItemKey.make(picture.name, location: location),
                location: .member(archive: archive, name: picture.name, offset: picture.offset, length: picture.count))
            metadata?.describe(&item)
            // The sides are those of the picture on the other server, perhaps larger than what was put into the archive.
            (item.width, item.height) = (nil, nil)
            item.text = text.flatMap { ItemMetadata.trimmed($0) } ?? item.text
            return item
        }
    }
}
