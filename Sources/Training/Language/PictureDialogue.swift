// What can be asked about a picture, with the right answers in terms of the boxes that the model is given.

import Boxes
import ChatRex
import Foundation
import Scenes

/// A question and its answer, both as the model reads and writes them.
public struct Exchange: Sendable, Hashable {
    public let kind: VisionTask.Kind
    public let question: String
    public let answer: String

    package init(kind: VisionTask.Kind, question: String, answer: String) {
        (self.kind, self.question, self.answer) = (kind, question, answer)
    }

    /// The same with coordinates in place of the indices of some boxes.
    func spelled(by text: CoordinateText, _ boxes: [Box]) -> Exchange {
        Exchange(kind: kind, question: text.spelled(question, boxes: boxes), answer: text.spelled(answer, boxes: boxes))
    }
}

/// The things of a picture seen through a list of boxes.
public struct PictureDialogue {
    public let picture: any PictureTruth
    /// Positions in the list of boxes of those that show a thing, for each thing that has any; see ``MixedBoxes``.
    public let boxesOfObject: [Int: [Int]]
    public let boxCount: Int

    public init(picture: any PictureTruth, boxesOfObject: [Int: [Int]], boxCount: Int) {
        self.picture = picture
        self.boxesOfObject = boxesOfObject
        self.boxCount = boxCount
    }

    /// The box that shows a thing best.
    func box(_ objectID: Int) -> Int? { boxesOfObject[objectID]?.first }

    /// Boxes of some things, any that shows each, ascending; things that no box shows are left out.
    func indices(_ objectIDs: [Int], _ random: inout SceneRandom) -> [Int] {
        objectIDs.compactMap { id in random.pick(boxesOfObject[id] ?? []) }.sorted()
    }

    // MARK: Tasks

    /// Boxes for names, some of them of what is absent.
    /// - Parameters:
    ///   - phrases: how many names are asked for in one prompt
    ///   - absentRate: how often a name is one of something that the picture does not show
    package func detection(phrases count: Int, absentRate: Double, _ random: inout SceneRandom) throws -> Exchange? {
        // What is there but has no box would teach to look away.
        var present = picture.names.map {
            (phrase: $0.name, indices: indices($0.objectIDs, &random))
        }.filter { !$0.indices.isEmpty }
        random.shuffle(&present)
        var groups = Array(present.prefix(count))
        let absent = (0..<count).count { _ in random.chance(absentRate) }
        var negatives = picture.absentNames(absent + 6)
        random.shuffle(&negatives)
        groups = Array(groups.prefix(max(0, count - absent))) + negatives.prefix(absent).map { ($0, []) }
        if groups.isEmpty { return nil }
        random.shuffle(&groups)
        return try exchange(.detect(groups.map(\.phrase)), AnswerText.detection(groups), &random)
    }

    /// One thing by an expression that fits it alone.
    func reference(_ random: inout SceneRandom) throws -> Exchange? {
        guard let thing = random.pick(picture.things(with: .brief)), let box = box(thing.id),
            let expression = random.pick(picture.expressions(for: thing.id))
        else { return nil }
        return try exchange(.detect([expression]), AnswerText.detection([(expression, [box])]), &random)
    }

    /// What one box shows.
    func region(_ level: VisionTask.RegionLevel, _ random: inout SceneRandom) throws -> Exchange? {
        guard let thing = random.pick(picture.things(with: level)), let box = box(thing.id),
            let text = picture.text(level, of: thing.id)
        else { return nil }
        return try exchange(.describeRegions([box], level: level), AnswerText.regions([(box, text)]), &random)
    }

    /// How many of a category there are, and where. The category of any thing, so that what there is many of is counted more often.
    func count(_ random: inout SceneRandom) throws -> Exchange? {
        var groups: [(phrase: String, indices: [Int])] = []
        if random.chance(0.1), let absent = picture.absentNames(1).first {
            groups = [(absent, [])]
        } else if let thing = random.pick(picture.things(with: .category)),
            let name = picture.text(.category, of: thing.id)
        {
            let ids = picture.things.map(\.id).filter { picture.text(.category, of: $0) == name }
            // A count is learned only where every thing has a box: it must agree with the list.
            guard ids.allSatisfy({ box($0) != nil }) else { return nil }
            groups = [(name, indices(ids, &random))]
        }
        return groups.isEmpty
            ? nil : try exchange(.count(groups.map(\.phrase)), AnswerText.count(groups), &random)
    }

    func groundedCaption(_ style: VisionTask.CaptionStyle, _ random: inout SceneRandom) throws -> Exchange? {
        guard let caption = picture.caption(style) else { return nil }
        return try exchange(.groundedCaption(style), grounded(caption, &random), &random)
    }

    func caption(_ random: inout SceneRandom) throws -> Exchange? {
        guard let caption = picture.caption(.brief) else { return nil }
        return try exchange(.caption, caption.map(\.text).joined(), &random)
    }

    func question(grounded isGrounded: Bool, _ random: inout SceneRandom) throws -> Exchange? {
        guard let question = random.pick(picture.dialogue) else { return nil }
        return isGrounded
            ? try exchange(.groundedQuestion(question.question), grounded(question.answer, &random), &random)
            : try exchange(.question(question.question), question.shortAnswer, &random)
    }

    // MARK: Parts

    private func exchange(_ task: VisionTask, _ answer: String, _ random: inout SceneRandom) throws -> Exchange? {
        // Half of the prompts use the canonical wording, which users meet; the others keep the model from hanging on it.
        let template = random.chance(0.5) ? 0 : random.int(below: PromptTemplates.all(for: task.kind).count)
        guard let prompt = try task.prompts(boxCount: boxCount, template: template).first else { return nil }
        return Exchange(kind: task.kind, question: prompt.question, answer: answer)
    }

    /// A text with tags around the phrases whose things have boxes.
    private func grounded(_ segments: [TextSegment], _ random: inout SceneRandom) -> String {
        segments.map { segment in
            let boxes = indices(segment.objectIDs, &random)
            return boxes.isEmpty ? segment.text : AnswerText.group(segment.text, boxes)
        }.joined()
    }
}

/// How often each task is asked about a picture.
public struct TaskMixture: Codable, Sendable, Equatable {
    /// Mean number of exchanges of each kind for one picture.
    public var detectOne = 3.0, detectSeveral = 1.0, reference = 3.0, regionCategory = 2.0, regionText = 1.0
    public var count = 2.0, briefCaption = 0.3, detailedCaption = 0.1, caption = 0.2, groundedQuestion = 0.3,
        question = 0.3

    /// How often a category that is asked for is absent. With a quarter, a model that is not sure yet says "none" to everything.
    public var absentRate = 0.08

    public init() {}

    /// Stage 1: what objects are called and which one a name means, in short exchanges. The paper's captions come later, because a
    /// language model that is trained from nothing has to learn to point and to name before it can tell.
    public static let alignment: TaskMixture = {
        var mixture = TaskMixture()
        (mixture.detectOne, mixture.detectSeveral, mixture.reference, mixture.count) = (4, 0.5, 0.5, 0.5)
        (mixture.regionCategory, mixture.regionText, mixture.caption, mixture.detailedCaption) = (4, 0, 0, 0)
        (mixture.briefCaption, mixture.groundedQuestion, mixture.question) = (0, 0, 0)
        // "None" is the easier lesson, and a model that has learned it stops looking.
        mixture.absentRate = 0
        return mixture
    }()

    /// Stage 2: perception.
    public static let perception = TaskMixture()

    /// Stage 3: perception and understanding together.
    public static let joint: TaskMixture = {
        var mixture = TaskMixture()
        (mixture.detectOne, mixture.reference, mixture.briefCaption, mixture.detailedCaption) = (2.5, 2.5, 0.6, 0.3)
        (mixture.groundedQuestion, mixture.question) = (1, 1)
        return mixture
    }()

    /// Names of all numbers.
    static let names: [String] = {
        let numbers = try? TaskMixture().numbers
        return (numbers ?? [:]).keys.sorted()
    }()

    /// A mixture with other numbers for some names.
    func replacing(_ others: [String: Double]) throws -> TaskMixture {
        if others.isEmpty { return self }
        return try JSONDecoder().decode(
            TaskMixture.self, from: JSONEncoder().encode(numbers.merging(others) { $1 }))
    }

    private var numbers: [String: Double] {
        get throws { try JSONDecoder().decode([String: Double].self, from: JSONEncoder().encode(self)) }
    }

    /// Draws the exchanges about one picture, `density` times as many as the means say.
    func exchanges(_ dialogue: PictureDialogue, density: Double = 1, _ random: inout SceneRandom) throws -> [Exchange] {
        var all: [Exchange?] = []
        func times(_ share: Double) -> Int {
            let mean = share * density
            return Int(mean) + (random.chance(mean - mean.rounded(.down)) ? 1 : 0)
        }
        for _ in 0..<times(detectOne) {
            all.append(try dialogue.detection(phrases: 1, absentRate: absentRate, &random))
        }
        for _ in 0..<times(detectSeveral) {
            all.append(try dialogue.detection(phrases: random.int(2...6), absentRate: absentRate, &random))
        }
        for _ in 0..<times(reference) { all.append(try dialogue.reference(&random)) }
        for _ in 0..<times(regionCategory) { all.append(try dialogue.region(.category, &random)) }
        for _ in 0..<times(regionText) {
            all.append(try dialogue.region(random.pick([.phrase, .brief, .sentence]) ?? .phrase, &random))
        }
        for _ in 0..<times(count) { all.append(try dialogue.count(&random)) }
        for _ in 0..<times(briefCaption) { all.append(try dialogue.groundedCaption(.brief, &random)) }
        for _ in 0..<times(detailedCaption) { all.append(try dialogue.groundedCaption(.detailed, &random)) }
        for _ in 0..<times(caption) { all.append(try dialogue.caption(&random)) }
        for _ in 0..<times(groundedQuestion) { all.append(try dialogue.question(grounded: true, &random)) }
        for _ in 0..<times(question) { all.append(try dialogue.question(grounded: false, &random)) }
        // What does not fit into the sequence is left out from the end.
        if density > 1 { random.shuffle(&all) }
        var seen: Set<Exchange> = []
        return all.compactMap { $0 }.filter { seen.insert($0).inserted }
    }
}
