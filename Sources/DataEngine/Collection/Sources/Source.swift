import Annotations
import Foundation
import Imaging

/// Finds out what a name on the command line offers.
public enum Source {
    /// Opens a folder of pictures or of archives, an archive, archives by a pattern, a list of addresses, or a file of instruction data.
    ///
    /// - Parameters:
    ///   - place: `photos/`, `urls.txt`, `urls.jsonl`, `shard-000.tar`, `shards/`, `shard-{000..123}.tar`, `instructions.json`,
    ///     `part-000.parquet`
    ///   - images: the folder that the pictures of instruction data are named in; the file's own when nil
    ///   - excluded: a folder that is passed over where it lies within the place: the output
    /// - Throws: `CollectionError.unknownSource`, `.unreadableSource`.
    public static func open(_ place: String, images: String? = nil, excluding excluded: String? = nil) throws
        -> any ItemSource
    {
        if place.isEmpty { throw CollectionError.unreadableSource(place: "''", reason: "it names nothing") }
        let place = absolute(place), images = images.map(absolute)
        if place.contains("{") { return try pattern(place) }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
            throw CollectionError.unreadableSource(place: place, reason: "there is no such file or folder")
        }
        if isFolder.boolValue { return try folder(place, excluded) }
        let name = place.lowercased()
        if name.hasSuffix(".tar") { return WebDatasetSource(archives: [place]) }
        if name.hasSuffix(".parquet") { return ParquetSource(files: [place]) }
        if name.hasSuffix(".json") { return InstructionSource(file: place, images: images) }
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            return try isInstructions(place)
                ? InstructionSource(file: place, images: images) : AddressListSource(file: place)
        }
        if name.hasSuffix(".txt") || name.hasSuffix(".lst") { return AddressListSource(file: place) }
        throw CollectionError.unknownSource(place: place, reason: hint(name))
    }

    /// The same place by the same name from wherever it is named.
    public static func absolute(_ place: String) -> String {
        let path = URL(fileURLWithPath: place).standardizedFileURL.path
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// What tells a source from others, for the run that is begun with it.
    public static func name(_ place: String, images: String? = nil) -> String {
        absolute(place) + (images.map { ", pictures in " + absolute($0) } ?? "")
    }

    private static func hint(_ name: String) -> String {
        if [".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z"].contains(where: name.hasSuffix) {
            return "compressed files are not read; unpack it first"
        }
        if ImageFormat.fileExtensions.contains((name as NSString).pathExtension) {
            return "this is a single picture; name its folder"
        }
        return
            "pictures come from a folder, .tar or .parquet shards, a .txt or .jsonl list of addresses, or a .json file of instructions"
    }

    private static func pattern(_ place: String) throws -> any ItemSource {
        let files = try BracePattern.expand(place)
        if files.allSatisfy({ $0.lowercased().hasSuffix(".tar") }) { return WebDatasetSource(archives: files) }
        if files.allSatisfy({ $0.lowercased().hasSuffix(".parquet") }) { return ParquetSource(files: files) }
        throw CollectionError.unknownSource(place: place, reason: "a pattern with braces names .tar or .parquet files")
    }

    private static func folder(_ place: String, _ excluded: String?) throws -> any ItemSource {
        let entries: [FolderEntry]
        do {
            entries = try FolderEntry.sorted(in: place)
        } catch {
            throw CollectionError.unreadableSource(place: place, reason: error.reason)
        }
        func files(_ ending: String) -> [String] {
            entries.filter { $0.kind == .file && $0.name.lowercased().hasSuffix(ending) }
                .map { FolderEntry.join(place, $0.name) }
        }
        let (archives, tables) = (files(".tar"), files(".parquet"))
        let hasPictures = entries.contains { $0.kind == .file && $0.isPicture }
        if [!archives.isEmpty, !tables.isEmpty, hasPictures].count(where: { $0 }) > 1 {
            throw CollectionError.unknownSource(
                place: place,
                reason: "it holds pictures, archives or tables side by side; name one kind, as in \(place)/{a,b}.tar")
        }
        if !archives.isEmpty { return WebDatasetSource(archives: archives) }
        if !tables.isEmpty { return ParquetSource(files: tables) }
        return FolderSource(path: place, excluding: excluded)
    }

    /// Whether the first object of a file names a picture file rather than an address.
    private static func isInstructions(_ path: String) throws -> Bool {
        do {
            var elements = JSONElements(try RandomAccessFile(path: path))
            guard let first = try? elements.next(), let metadata = try? ItemMetadata(json: first.bytes) else {
                return false
            }
            return metadata.url == nil && metadata.image != nil
        } catch {
            throw CollectionError.unreadableSource(place: path, reason: "\(error)")
        }
    }
}
