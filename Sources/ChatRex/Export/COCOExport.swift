import Boxes

extension GroundedAnswer {
    /// The detections as records of a COCO results file.
    ///
    /// - Parameter categories: the dataset's categories. Phrases are matched to their names without regard to case and
    ///   surrounding or doubled white space; a phrase that matches none is left out.
    public func cocoResults(imageID: Int, categories: [COCOCategory]) -> [COCOResult] {
        let ids = Dictionary(categories.map { (PhraseKey($0.name), $0.id) }, uniquingKeysWith: { first, _ in first })
        return detections.compactMap { phrase, object in
            ids[PhraseKey(phrase)].map {
                COCOResult(imageID: imageID, categoryID: $0, box: object.box, score: object.score)
            }
        }
    }
}

/// A phrase for comparison with class names: case and white space do not count.
struct PhraseKey: Hashable {
    private let text: String

    init(_ phrase: String) {
        text = phrase.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
