import Annotations
import Imaging

import struct Annotations.Annotation

extension Scene {
    /// The scene as a data set has it: what is true of its picture, in the form in which the data engine writes what it found out.
    ///
    /// - Parameters:
    ///   - key: names the picture
    ///   - picture: the scene's picture as it is stored
    ///   - format: file name's extension of the picture
    ///   - questions: how many of the scene's questions become its conversation
    public func annotation(key: String, picture: [UInt8], format: String, questions: Int = 4) -> Annotation {
        let regions = objects.map { object in
            Region(
                id: object.id, box: object.box, category: object.category.name, phrase: shortPhrase(for: object),
                description: sentence(for: object), referringExpression: referringExpression(for: object)?.text)
        }
        let turns = self.questions.prefix(questions).map {
            GroundedTurn(question: $0.question, answer: GroundedCaption($0.answer))
        }
        return Annotation(
            key: key, source: "scenes", format: format, sha256: Annotation.digest(of: picture), width: image.width,
            height: image.height, caption: GroundedCaption(briefCaption), regions: regions,
            conversation: turns.isEmpty ? nil : Array(turns))
    }

    /// The scene as a sample with its picture as a file.
    /// - Throws: `ImagingError`.
    public func sample(key: String, encoding: ImageEncoding = .jpeg(quality: 92), questions: Int = 4) throws
        -> AnnotatedSample
    {
        let picture = try image.encoded(as: encoding),
            format = encoding.format == .jpeg ? "jpg" : encoding.format.rawValue
        return AnnotatedSample(
            annotation: annotation(key: key, picture: picture, format: format, questions: questions), picture: picture)
    }
}

extension GroundedCaption {
    init(_ text: GroundedText) {
        self.init(
            text: text.text,
            phrases: text.phrases.map {
                Phrase(text: $0.text, start: $0.range.lowerBound, end: $0.range.upperBound, regions: $0.objectIDs)
            })
    }
}
