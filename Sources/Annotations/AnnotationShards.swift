import Foundation

/// What the data engine wrote: `shards/*.tar` in WebDataset's form, each sample a picture `KEY.jpg` and its annotation `KEY.json`.
public struct AnnotationShards: AnnotationSet {
    static let folderName = "shards", listName = "shards.json"

    /// Members of a sample.
    private struct Entry {
        var shard: Int32
        var pictureOffset: Int, pictureLength: Int
        var annotationOffset: Int, annotationLength: Int
    }

    private let shards: [String]
    private let entries: [Entry]

    /// Looks through the headers of all shards.
    ///
    /// - Parameter folder: the engine's output, or a folder of shards itself
    /// - Throws: `AnnotationsError` naming the shard and what is wrong with it.
    public init(_ folder: URL) throws {
        let inner = folder.appendingPathComponent(Self.folderName)
        let place = FileManager.default.fileExists(atPath: inner.path) ? inner : folder
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: place.path)
        } catch {
            throw AnnotationsError.unusableFile(path: place.path, reason: "is no folder that can be read")
        }
        shards = names.filter { $0.hasSuffix(".tar") && !$0.hasPrefix(".") }.sorted().map {
            place.appendingPathComponent($0).path
        }
        try Self.compare(shards, withListIn: folder)
        if shards.isEmpty { throw AnnotationsError.unusableFile(path: place.path, reason: "holds no shards (*.tar)") }
        var entries: [Entry] = []
        for (number, path) in shards.enumerated() { try Self.index(path, Int32(number), &entries) }
        self.entries = entries
    }

    /// Makes sure that all shards are there that a finished output lists, as long as they were.
    private static func compare(_ shards: [String], withListIn folder: URL) throws(AnnotationsError) {
        struct Listed: Decodable {
            var name: String, bytes: Int
        }
        let list = folder.appendingPathComponent(listName)
        guard let data = try? Data(contentsOf: list), let listed = try? JSONDecoder().decode([Listed].self, from: data)
        else { return }
        let paths = Dictionary(shards.map { (($0 as NSString).lastPathComponent, $0) }, uniquingKeysWith: { $1 })
        for shard in listed {
            guard let path = paths[shard.name] else {
                throw .unusableFile(path: list.path, reason: "lists the shard \(shard.name), which is not there")
            }
            let found = try RandomAccessFile(path: path).count
            if found != shard.bytes {
                throw .unusableFile(path: path, reason: "has \(found) bytes, but \(listName) says \(shard.bytes)")
            }
        }
    }

    public var count: Int { entries.count }

    public func annotation(at index: Int) throws -> Annotation {
        let entry = entries[index], path = shards[Int(entry.shard)]
        return try annotation(of: entry, in: RandomAccessFile(path: path))
    }

    public func sample(at index: Int) throws -> AnnotatedSample {
        let entry = entries[index], file = try RandomAccessFile(path: shards[Int(entry.shard)])
        return try annotation(of: entry, in: file).sample(
            file.bytes(at: entry.pictureOffset, count: entry.pictureLength), place: place(of: index))
    }

    public func place(of index: Int) -> String {
        "\(shards[Int(entries[index].shard)]), byte \(entries[index].annotationOffset)"
    }

    private func annotation(of entry: Entry, in file: RandomAccessFile) throws -> Annotation {
        try Annotation.decoded(
            file.bytes(at: entry.annotationOffset, count: entry.annotationLength),
            place: "\(file.path), byte \(entry.annotationOffset)")
    }

    /// Adds the samples of a shard: two members in a row, in either order. What else is in an archive of ours is damage.
    private static func index(_ path: String, _ shard: Int32, _ entries: inout [Entry]) throws(AnnotationsError) {
        var reader = try TarReader(path: path), waiting: TarMember?
        func damaged(_ member: TarMember, _ reason: String) -> AnnotationsError {
            .damagedArchive(path: path, offset: member.offset, reason: "'\(member.name)' \(reason)")
        }
        while let member = try reader.next() {
            guard member.kind == .file else { throw damaged(member, "is no ordinary file") }
            guard let first = waiting else {
                waiting = member
                continue
            }
            let pair = [first, member]
            guard key(first.name) == key(member.name),
                let json = pair.first(where: { $0.name.hasSuffix(".json") }),
                let picture = pair.first(where: { !$0.name.hasSuffix(".json") })
            else { throw damaged(first, "stands without its partner") }
            entries.append(
                Entry(
                    shard: shard, pictureOffset: picture.offset, pictureLength: picture.count,
                    annotationOffset: json.offset, annotationLength: json.count))
            waiting = nil
        }
        if let waiting { throw damaged(waiting, "stands without its partner") }
    }

    /// WebDataset: all before the first dot.
    private static func key(_ name: String) -> Substring { name.prefix { $0 != "." } }
}
