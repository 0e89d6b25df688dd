import Boxes
import ChatRex
import Imaging

/// Module 4 by a ChatRex model in this process.
///
/// Its region prompts (Table 9) have no place for a phrase, and what stands before them is taken for a question of its own. So the phrase
/// is the beginning of the answer, and the model goes on from there.
public struct ModelRegionCaptioner: RegionCaptioner {
    private let session: ChatRexSession
    private let level: VisionTask.RegionLevel
    private let minimumSide: Double
    private let rules: AnswerRules

    /// - Parameter minimumSide: shortest side of a box that is described, in pixels
    public init(
        _ session: ChatRexSession, level: VisionTask.RegionLevel = .sentence, minimumSide: Double = 12,
        rules: AnswerRules = AnswerRules(sentences: 2, words: 80)
    ) {
        (self.session, self.level, self.minimumSide, self.rules) = (session, level, minimumSide, rules)
    }

    public func describe(_ box: Box, as phrase: String?, in image: EngineImage) async throws -> String {
        let inside = box.clipped(toWidth: Double(image.image.width), height: Double(image.image.height))
        guard inside.isFinite, min(inside.width, inside.height) >= minimumSide else {
            throw Drop.regionTooSmall(inside.isFinite ? inside.width : 0, inside.isFinite ? inside.height : 0)
        }
        let region = [try RegionBox(inside)]
        let answers: [GroundedAnswer]
        do {
            let options = AnswerOptions(opening: phrase.map(opening) ?? "")
            answers = try await session.describe(region, of: image.image, level: level, options: options)
        } catch TaskError.reservedText {
            // A phrase with a tag in it begins no answer.
            answers = try await session.describe(region, of: image.image, level: level)
        }
        guard let answer = answers.first else { throw AnswerSubject.description.drop(for: .empty) }
        return try rules.text(of: answer, for: .description)
    }

    /// How a description of what a phrase names begins, as the model was taught to write it.
    private func opening(_ phrase: String) -> String {
        switch level {
        case .category, .phrase: ""
        case .brief: "the " + EnglishPhrase.withoutArticle(phrase)
        case .sentence: "There is " + EnglishPhrase.withArticle(phrase)
        }
    }
}
