import Boxes
import ChatRex
import Imaging
import UPN

extension PicturePlan {
    /// Writes an annotated version of a picture and tells where.
    func write(_ image: Image, for picture: Picture) throws -> String {
        let path = self.picture(for: picture.path)
        try Interrupt.uninterrupted { try image.write(to: path) }
        return path
    }
}

extension Image {
    /// The picture with numbered regions.
    func drawing(regions: [GroundedAnswer]) -> Image {
        draw(
            regions.compactMap { $0.mentions.first?.object }.map {
                Annotation(x1: $0.box.x1, y1: $0.box.y1, x2: $0.box.x2, y2: $0.box.y2, label: String($0.index))
            })
    }

    /// The picture with proposals in the colours of their granularities.
    func drawing(proposals: [Proposal]) -> Image {
        draw(
            proposals.map {
                Annotation(
                    x1: $0.box.x1, y1: $0.box.y1, x2: $0.box.x2, y2: $0.box.y2,
                    label: "\(Int(($0.score * 100).rounded()))%",
                    colorKey: $0.granularity.rawValue)
            })
    }
}
