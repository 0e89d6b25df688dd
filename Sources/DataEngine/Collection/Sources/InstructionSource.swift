import Annotations

/// Pictures with conversations, as LLaVA and ALLaVA publish them: a JSON array, or an object a line, of
/// `{"image": "folder/name.jpg", "conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`.
///
/// Objects without a picture are passed over. Keys come from the picture and what is said about it, so that a picture with two
/// conversations is two items.
public struct InstructionSource: ItemSource {
    public let file: String
    /// The folder that `image` is named in.
    public let images: String

    /// - Parameter images: the file's own folder when nil
    public init(file: String, images: String? = nil) {
        self.file = file
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? "."
        self.images = images ?? folder
    }

    public func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        var elements: JSONElements
        do {
            elements = JSONElements(try RandomAccessFile(path: file))
        } catch {
            throw CollectionError.unreadableSource(place: file, reason: "\(error)")
        }
        var count = 0
        while let element = try next(&elements, onDamage) {
            try Task.checkCancellation()
            let place = "\(file), object \(element.number + 1)"
            guard let metadata = try? ItemMetadata(json: element.bytes) else {
                onDamage(SourceDamage(place: place, reason: "it is no JSON"))
                continue
            }
            guard let image = metadata.image ?? metadata.url else { continue }
            count += 1
            guard let location = location(image) else {
                onDamage(SourceDamage(place: place, reason: "'\(image.prefix(120))' is outside the folder of pictures"))
                continue
            }
            try await body(item(image, location, metadata))
        }
        if count == 0 { onDamage(SourceDamage(place: file, reason: "none of its objects has an 'image'")) }
    }

    private func next(
        _ elements: inout JSONElements, _ onDamage: (SourceDamage) -> Void
    ) throws -> JSONElements.Element? {
        do {
            return try elements.next()
        } catch let error as JSONElements.Malformed {
            onDamage(SourceDamage(place: file, reason: error.reason))
            return nil
        } catch let error as AnnotationsError {
            throw CollectionError.unreadableSource(place: file, reason: "\(error)")
        }
    }

    /// - Returns: nil for a path that leads out of the folder
    private func location(_ image: String) -> SourceItem.Location? {
        let start = image.prefix(8).lowercased()
        if start.hasPrefix("http://") || start.hasPrefix("https://") { return .url(image) }
        guard !image.isEmpty, !image.hasPrefix("/"), !image.utf8.contains(0),
            !image.split(separator: "/").contains("..")
        else { return nil }
        return .file(path: FolderEntry.join(images, image))
    }

    private func item(_ image: String, _ location: SourceItem.Location, _ metadata: ItemMetadata) -> SourceItem {
        let said = (metadata.conversation ?? []).flatMap { [$0.question, $0.answer] }
        let key = ItemKey.make(image, location: ([image] + said).joined(separator: "\u{0}"))
        var item = SourceItem(key: key, location: location)
        metadata.describe(&item)
        return item
    }
}
