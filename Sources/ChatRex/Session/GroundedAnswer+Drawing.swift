import Boxes
import Imaging

extension GroundedAnswer {
    /// The picture with the answer's boxes, each labelled with its phrase and score in the phrase's colour.
    /// - Parameter showsScores: whether labels carry the score in percent
    public func drawn(on image: Image, showsScores: Bool = true) -> Image {
        let annotations = detections.map { phrase, object in
            Annotation(
                x1: object.box.x1, y1: object.box.y1, x2: object.box.x2, y2: object.box.y2,
                label: showsScores ? "\(phrase) \(Int((object.score * 100).rounded()))%" : phrase, colorKey: phrase)
        }
        return image.draw(annotations)
    }
}
