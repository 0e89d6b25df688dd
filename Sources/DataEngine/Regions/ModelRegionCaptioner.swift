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

    public func describe(_ regions: [RegionSubject], in image: EngineImage) async throws -> [Result<String, Drop>] {
        var results = [Result<String, Drop>](
            repeating: .failure(AnswerSubject.description.drop(for: .empty)), count: regions.count)
        var asked: [(index: Int, box: RegionBox, opening: String)] = []
        for (index, region) in regions.enumerated() {
            let inside: Box
            do throws(Drop) {
                inside = try region.box.region(
                    inWidth: Double(image.image.width), height: Double(image.image.height), minimumSide: minimumSide)
            } catch {
                results[index] = .failure(error)
                continue
            }
            asked.append((index, try RegionBox(inside), region.phrase.map(opening) ?? ""))
        }
        if asked.isEmpty { return results }
        // One reading of the picture serves all regions.
        let answers = try await session.describe(
            asked.map(\.box), of: image.image, level: level, openings: asked.map(\.opening))
        for (region, answer) in zip(asked, answers) {
            do throws(Drop) {
                results[region.index] = .success(try rules.text(of: answer, for: .description))
            } catch {
                results[region.index] = .failure(error)
            }
        }
        return results
    }

    /// How a description of what a phrase names begins, as the model was taught to write it. A phrase with tags begins none.
    private func opening(_ phrase: String) -> String {
        if phrase.contains("<") { return "" }
        return switch level {
        case .category, .phrase: ""
        case .brief: "the " + EnglishPhrase.withoutArticle(phrase)
        case .sentence: "There is " + EnglishPhrase.withArticle(phrase)
        }
    }
}
