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
    /// Keys and values of image and boxes, one row.
    let prefix: KeyValueCache

    init(image: Image, source: BoxSource, boxes: [Box], proposalScores: [Double?], prefix: KeyValueCache) {
        (self.image, self.source, self.boxes) = (image, source, boxes)
        (self.proposalScores, self.prefix) = (proposalScores, prefix)
    }
}
