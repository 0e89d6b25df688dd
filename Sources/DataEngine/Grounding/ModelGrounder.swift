import ChatRex

/// Module 3's grounding by a ChatRex model in this process: all phrases of a text are asked for together.
public struct ModelGrounder: PhraseGrounder {
    private let session: ChatRexSession
    private let boxes: BoxSource
    private var options: AnswerOptions

    /// - Parameter minimumScore: of a detection that counts
    public init(_ session: ChatRexSession, minimumScore: Double = 0.5, boxes: BoxSource = .proposals()) {
        (self.session, self.boxes) = (session, boxes)
        options = AnswerOptions(minimumScore: minimumScore)
        options.limits.phraseCount = .max
    }

    public func ground(
        _ phrases: [NounPhrase], of text: String, in image: EngineImage
    ) async throws -> [[ScoredBox]] {
        // What cannot be asked, such as a phrase with a tag in it, has no boxes; it does not spoil the others.
        let asked = phrases.map { phrase -> String? in
            let parts = try? VisionTask.phrases([phrase.text], limits: options.limits)
            return parts?.count == 1 ? parts?.first : nil
        }
        let distinct = asked.compactMap { $0 }
        if distinct.isEmpty { return phrases.map { _ in [] } }
        let answer = try await session.detect(distinct, in: image.image, boxes: boxes, options: options)
        let found = Dictionary(grouping: answer.groups) { $0.phrase.lowercased() }
        return asked.map { phrase in
            guard let phrase, let groups = found[phrase.lowercased()] else { return [] }
            let boxes = groups.flatMap(\.objects).map { ScoredBox(box: $0.box, score: $0.score) }
            return boxes.sorted { $0.score > $1.score }
        }
    }
}
