/// A question with a gap for its subject.
public struct PromptTemplate: Sendable, Hashable {
    /// Stands for the subject: phrases or `<objK>` joined by `; `, or the user's question.
    public static let gap = "[OBJ]"

    /// The wording, with at most one ``gap``.
    public let text: String
    private let before: String
    private let after: String

    init(_ text: String) {
        let parts = text.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
        self.text = text
        before = String(parts[0])
        after = parts.count == 2 ? String(parts[1].dropFirst(Self.gap.count - 1)) : ""
    }

    /// The wording with the gap filled; a wording without gap is left as it is.
    public func filled(with subject: String) -> String { text == before ? text : before + subject + after }
}

/// The wordings of each task.
public enum PromptTemplates {
    /// The wording of the paper's Table 9; for the two plain tasks, which the table lacks, our own.
    public static func canonical(for kind: VisionTask.Kind) -> PromptTemplate { all(for: kind)[0] }

    /// All wordings: the canonical one first, then paraphrases that training samples from, so that a model does not
    /// hang on one sentence. Only `question` has a single wording, the question itself.
    public static func all(for kind: VisionTask.Kind) -> [PromptTemplate] { table[kind] ?? [PromptTemplate("[OBJ]")] }

    private static let table: [VisionTask.Kind: [PromptTemplate]] = texts.mapValues { $0.map(PromptTemplate.init) }

    private static let texts: [VisionTask.Kind: [String]] = [
        .detect: [
            "Please detect [OBJ] in this image. Answer the question with object indexes.",
            "Where is [OBJ]? Reply with the indexes of the matching objects.",
            "Point out every [OBJ] you can see. Give object indexes as the answer.",
            "Which of the boxes show [OBJ]? Respond with object indexes.",
            "Search the picture for [OBJ] and name the objects by index.",
            "I am looking for [OBJ]. List the object indexes that match.",
            "Mark [OBJ] in the photo. Use object indexes in your reply.",
        ],
        .count: [
            "How many [OBJ] are there in this image? Answer the question with the number of objects and locate "
                + "them with object indexes.",
            "Count [OBJ] here. State the number and show each one by its object index.",
            "What is the number of [OBJ] in the picture? Back it up with object indexes.",
            "Tell me how many [OBJ] you find, and which objects they are by index.",
            "Give the total of [OBJ] together with the object indexes that were counted.",
            "I need a tally of [OBJ]: the figure first, then the object indexes.",
            "Determine the quantity of [OBJ] in view and locate all of them with object indexes.",
        ],
        .briefGroundedCaption: [
            "Please briefly describe this image and detect all the mentioned objects. Answer with grounded "
                + "object indexes.",
            "Summarise the picture in a few words and ground each object that you name with its index.",
            "What is shown here, in short? Attach object indexes to everything you mention.",
            "Write a brief caption and link its objects to their indexes.",
            "Sum up the scene shortly. Every object in the caption needs grounded object indexes.",
            "Give me a quick overview of this photo with grounded object indexes.",
            "Caption the image concisely, locating the objects you speak of by index.",
        ],
        .detailedGroundedCaption: [
            "Please provide a detailed description of the image and detect all the mentioned objects. Answer "
                + "the question with grounded object indexes.",
            "Describe everything in this picture at length, and ground each object that you name with its index.",
            "Tell me in detail what can be seen. Attach object indexes to all objects you mention.",
            "Write a thorough caption whose objects are linked to their indexes.",
            "Go through the scene carefully and describe it, giving grounded object indexes along the way.",
            "I want a long, precise account of this photo with grounded object indexes.",
            "Depict the image with all its particulars, locating the objects you speak of by index.",
        ],
        .regionCategory: [
            "What is the category name of [OBJ]? Answer the question with its category name in free format.",
            "Which kind of thing is [OBJ]? Reply with the category name only.",
            "Name the class that [OBJ] belongs to, in your own words.",
            "What would you call [OBJ]? Give a category name.",
            "Identify [OBJ] by category.",
            "State the type of object in [OBJ]. A category name is enough.",
            "Label [OBJ] with a category of your choice.",
        ],
        .regionPhrase: [
            "Can you provide me with a short phrase description of [OBJ]? Answer the question with short phrases.",
            "Describe [OBJ] in a handful of words. Reply with a short phrase.",
            "What phrase fits [OBJ]? Keep it short.",
            "Put [OBJ] into a short phrase.",
            "How would you refer to [OBJ] in a few words? Use a phrase, no sentence.",
            "Give a compact phrase for what you see in [OBJ].",
            "Find a short descriptive phrase for [OBJ].",
        ],
        .regionBrief: [
            "Can you provide me with a brief description of [OBJ]? Answer the question with brief description.",
            "Tell me briefly about [OBJ]. A brief description will do.",
            "What can be said about [OBJ] in short? Reply with a brief description.",
            "Sum up the look of [OBJ] in a brief description.",
            "Briefly, what does [OBJ] show?",
            "Write a few words on [OBJ] as a brief description.",
            "I would like to know in brief what [OBJ] contains.",
        ],
        .regionSentence: [
            "Can you provide a one sentence description of [OBJ] in the image? Answer the question with one "
                + "sentence description.",
            "Describe [OBJ] in exactly one sentence.",
            "What is going on in [OBJ]? Reply in a single sentence.",
            "Write one full sentence about [OBJ].",
            "Use one sentence to tell what [OBJ] looks like.",
            "Give a description of [OBJ] that is a single sentence long.",
            "In one sentence, explain what is visible in [OBJ].",
        ],
        .groundedQuestion: [
            "Answer the question in grounded format. Question: [OBJ]",
            "Reply with grounded object indexes. Question: [OBJ]",
            "Ground the objects in your answer by index. Question: [OBJ]",
            "Here is a question; link the objects you mention to their indexes. [OBJ]",
            "Give a grounded answer to this: [OBJ]",
            "Respond in grounded format to the following. [OBJ]",
            "[OBJ] Answer in grounded format.",
        ],
        .question: ["[OBJ]"],
        .caption: [
            "Describe this image in one sentence.",
            "What does this picture show? Reply with one sentence.",
            "Write a one sentence caption for the image.",
            "Give a short caption.",
            "Sum up the photo in a single sentence.",
            "Tell me in one sentence what can be seen here.",
            "Provide a plain caption of this scene.",
        ],
    ]
}
