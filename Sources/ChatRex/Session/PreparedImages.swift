import Boxes
import Imaging
import LanguageModels
import Torch
import UPN

/// A picture with its boxes as the language model has read them: questions about it continue from here.
final class PreparedImage {
    let image: Image
    let source: BoxSource
    let boxes: [Box]
    /// One a box, nil for boxes that the caller gave.
    let proposalScores: [Double?]
    /// For each box those that are not listed beside it under one phrase; empty for none.
    let copies: [[Int]]
    /// Keys and values of image and boxes.
    let prefix: KeyValueCache

    init(
        image: Image, source: BoxSource, boxes: [Box], proposalScores: [Double?], copies: [[Int]], prefix: KeyValueCache
    ) {
        (self.image, self.source, self.boxes) = (image, source, boxes)
        (self.proposalScores, self.copies, self.prefix) = (proposalScores, copies, prefix)
    }

    var byteCount: Int { image.pixels.count + prefix.byteCount }
}

/// The pictures that were asked about last, within a limit of memory.
struct PreparedImages {
    /// Bytes of all together; the last one is kept whatever its size.
    let limit: Int
    /// The last used is the last.
    private var images: [PreparedImage] = []

    init(limit: Int) { self.limit = limit }

    mutating func find(_ image: Image, _ source: BoxSource) -> PreparedImage? {
        guard let index = images.firstIndex(where: { $0.source == source && $0.image == image }) else { return nil }
        let found = images.remove(at: index)
        images.append(found)
        return found
    }

    mutating func insert(_ image: PreparedImage) {
        images.append(image)
        var bytes = images.reduce(0) { $0 + $1.byteCount }
        while bytes > limit, images.count > 1 { bytes -= images.removeFirst().byteCount }
    }

    mutating func removeAll() { images = [] }
}
