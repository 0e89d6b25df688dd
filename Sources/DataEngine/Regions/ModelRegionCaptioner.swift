import Boxes
import ChatRex
import Imaging

/// Module 4 by a ChatRex model in this process.
///
/// Its region prompts (Table 9) have no place for a phrase. With `asksWithPhrase` the phrase stands before the prompt, for models that
/// were trained on conversations; otherwise it is not used.
public struct ModelRegionCaptioner: RegionCaptioner {
    private let session: ChatRexSession
    private let level: VisionTask.RegionLevel
    private let asksWithPhrase: Bool
    private let minimumSide: Double
    private let rules: AnswerRules

    /// - Parameter minimumSide: shortest side of a box that is described, in pixels
    public init(
        _ session: ChatRexSession, level: VisionTask.RegionLevel = .sentence, asksWithPhrase: Bool = false,
        minimumSide: Double = 12, rules: AnswerRules = AnswerRules(sentences: 2, words: 80)
    ) {
        (self.session, self.level, self.asksWithPhrase) = (session, level, asksWithPhrase)
        (self.minimumSide, self.rules) = (minimumSide, rules)
    }

    public func describe(_ box: Box, as phrase: String?, in image: EngineImage) async throws -> String {
        let inside = box.clipped(toWidth: Double(image.image.width), height: Double(image.image.height))
        guard inside.isFinite, min(inside.width, inside.height) >= minimumSide else {
            throw Drop.regionTooSmall(inside.isFinite ? inside.width : 0, inside.isFinite ? inside.height : 0)
        }
        let region = try RegionBox(inside)
        var answer: GroundedAnswer?
        if asksWithPhrase, let phrase, let question = question(phrase) {
            answer = try await session.answer(.question(question), about: image.image, boxes: .given([region]))
        }
        if answer == nil {
            answer = try await session.describe([region], of: image.image, level: level).first
        }
        guard let answer else { throw AnswerSubject.description.drop(for: .empty) }
        return try rules.text(of: answer, for: .description)
    }

    /// The region's prompt after its phrase; nil for a phrase that cannot be asked.
    private func question(_ phrase: String) -> String? {
        guard let phrases = try? VisionTask.phrases([phrase]), phrases.count == 1 else { return nil }
        let prompts = try? VisionTask.describeRegions([0], level: level).prompts(boxCount: 1)
        return prompts?.first.map { "<obj0> shows \(phrases[0]). \($0.question)" }
    }
}
