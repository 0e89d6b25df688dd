/// The pictures of a folder and all folders below it, in the order of their names' bytes.
///
/// A picture is known by its name's extension. Hidden files and folders do not count, links to folders are not followed. At a time, the
/// names of the folders on the way to the present one are in memory. Keys come from the path below the folder, so that they stay the
/// same when it is moved.
public struct FolderSource: ItemSource {
    public let path: String
    /// Path below it of a folder that does not belong to it, such as what is written.
    private let excluded: String?

    public init(path: String, excluding excluded: String? = nil) {
        self.path = path
        let root = Source.absolute(path) + "/", inner = excluded.map(Source.absolute)
        self.excluded = inner.flatMap { $0.hasPrefix(root) ? String($0.dropFirst(root.count)) : nil }
    }

    public func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        // Each folder on the way with its entries, the next one last.
        var way: [(folder: String, entries: [FolderEntry])] = []
        do {
            way.append(("", try FolderEntry.sorted(in: path).reversed()))
        } catch {
            throw CollectionError.unreadableSource(place: path, reason: error.reason)
        }
        while !way.isEmpty {
            guard let entry = way[way.count - 1].entries.popLast() else {
                way.removeLast()
                continue
            }
            let relative = way[way.count - 1].folder + entry.name
            let full = FolderEntry.join(path, relative)
            switch entry.kind {
            case .file:
                if !entry.isPicture { continue }
                try Task.checkCancellation()
                try await body(SourceItem(key: ItemKey.make(relative, location: relative), location: .file(path: full)))
            case .folder:
                if relative == excluded { continue }
                do {
                    way.append((relative + "/", try FolderEntry.sorted(in: full).reversed()))
                } catch {
                    onDamage(SourceDamage(place: full, reason: error.reason))
                }
            case .unnameable:
                if entry.isPicture { onDamage(SourceDamage(place: full, reason: "its name is not UTF-8")) }
            }
        }
    }
}
