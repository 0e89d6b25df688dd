/// What the model is asked to do with an image.
///
/// ``prompts(boxCount:template:limits:)`` turns a task into questions; ``PromptLayout`` turns a question into token
/// ids.
public enum VisionTask: Sendable, Hashable {
    /// Detection, grounding and referring: boxes for categories, phrases or referring expressions. Each string may
    /// itself be a list separated by `;`.
    case detect([String])
    /// The number of objects of each category or phrase, and where they are.
    case count([String])
    /// A caption whose objects are located.
    case groundedCaption(CaptionStyle)
    /// What is at the given boxes; the indices count from 0.
    case describeRegions([Int], level: RegionLevel)
    /// A question whose answer locates the objects that it names. `<objK>` in the question refers to a box.
    case groundedQuestion(String)
    /// A question with a plain answer. `<objK>` in the question refers to a box.
    case question(String)
    /// A plain caption.
    case caption

    /// How much a grounded caption says.
    public enum CaptionStyle: String, Sendable, Hashable, Codable, CaseIterable { case brief, detailed }

    /// How much is said about a region.
    public enum RegionLevel: String, Sendable, Hashable, Codable, CaseIterable {
        case category, phrase, brief, sentence
    }

    /// A task without its subject: the key of the template tables.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case detect, count
        case briefGroundedCaption, detailedGroundedCaption
        case regionCategory, regionPhrase, regionBrief, regionSentence
        case groundedQuestion, question, caption
    }

    /// The task without its subject.
    public var kind: Kind {
        switch self {
        case .detect: .detect
        case .count: .count
        case .groundedCaption(.brief): .briefGroundedCaption
        case .groundedCaption(.detailed): .detailedGroundedCaption
        case .describeRegions(_, .category): .regionCategory
        case .describeRegions(_, .phrase): .regionPhrase
        case .describeRegions(_, .brief): .regionBrief
        case .describeRegions(_, .sentence): .regionSentence
        case .groundedQuestion: .groundedQuestion
        case .question: .question
        case .caption: .caption
        }
    }
}

/// One question to the model, ready to be laid out.
public struct TaskPrompt: Sendable, Hashable {
    /// The task with cleaned subject: only the part that this prompt asks about.
    public var task: VisionTask
    /// The text after the image and the boxes.
    public var question: String
    /// Words that an answer in free text begins with; the model goes on from there. Only under the grammar.
    public var opening = ""
}

/// Bounds on what a user may ask in one call.
public struct TaskLimits: Sendable, Hashable {
    /// Phrases in one call; more are an error.
    public var phraseCount: Int
    /// Phrases in one prompt; a longer list becomes several prompts.
    public var phrasesPerPrompt: Int
    /// Unicode scalars in a phrase.
    public var phraseLength: Int
    /// Unicode scalars in a question.
    public var questionLength: Int

    public init(
        phraseCount: Int = 1000, phrasesPerPrompt: Int = 20, phraseLength: Int = 200, questionLength: Int = 4000
    ) {
        self.phraseCount = phraseCount
        self.phrasesPerPrompt = max(1, phrasesPerPrompt)
        self.phraseLength = phraseLength
        self.questionLength = questionLength
    }
}

extension VisionTask {
    /// The questions that ask for this task: one, or several where a list of phrases is long or counted. Answers of several are
    /// put together with ``GroundedAnswer/joined(_:)``.
    ///
    /// - Parameters:
    ///   - boxCount: how many boxes the prompt will have; indices must be below it.
    ///   - template: which wording of ``PromptTemplates``; 0 is the canonical one, others are for training. Counted
    ///     modulo their number.
    /// - Throws: ``TaskError`` for user input that cannot be asked.
    public func prompts(
        boxCount: Int, template: Int = 0, limits: TaskLimits = TaskLimits()
    ) throws(TaskError) -> [TaskPrompt] {
        let wordings = PromptTemplates.all(for: kind)
        let wording = wordings[(template % wordings.count + wordings.count) % wordings.count]
        switch self {
        case .detect(let phrases):
            return try UserText.phrases(phrases, limits: limits).chunked(into: limits.phrasesPerPrompt).map {
                TaskPrompt(task: .detect($0), question: wording.filled(with: $0.joined(separator: "; ")))
            }
        case .count(let phrases):
            // The paper counts one thing at a time.
            return try UserText.phrases(phrases, limits: limits).map {
                TaskPrompt(task: .count([$0]), question: wording.filled(with: $0))
            }
        case .describeRegions(let indices, let level):
            let indices = try UserText.regions(indices, boxCount: boxCount)
            let tags = indices.map { "<obj\($0)>" }.joined(separator: "; ")
            return [TaskPrompt(task: .describeRegions(indices, level: level), question: wording.filled(with: tags))]
        case .groundedQuestion(let text):
            let text = try UserText.question(text, boxCount: boxCount, limits: limits)
            return [TaskPrompt(task: .groundedQuestion(text), question: wording.filled(with: text))]
        case .question(let text):
            let text = try UserText.question(text, boxCount: boxCount, limits: limits)
            return [TaskPrompt(task: .question(text), question: wording.filled(with: text))]
        case .groundedCaption, .caption:
            return [TaskPrompt(task: self, question: wording.filled(with: ""))]
        }
    }
}

extension Array {
    /// Consecutive pieces of at most `size` elements.
    fileprivate func chunked(into size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
