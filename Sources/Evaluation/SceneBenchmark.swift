// How well a model does on scenes that training never saw: proposals, detection, referring, counting, naming, questions.

import Boxes
import ChatRex
import Foundation
import Imaging
import Scenes
import UPN

/// One question of the benchmark and what came of it.
public struct SceneAnswer: Sendable, Codable {
    public enum Task: String, Sendable, Codable { case detect, refer, count, region, ask }

    /// Seed of the scene.
    public var scene: UInt64
    public var task: Task
    /// What was asked for, the categories joined by `; `.
    public var question: String
    /// As the model wrote it.
    public var answer: String
    /// The right count, name or answer.
    public var expected: String?
    /// IoU of the best box of a referring expression with the object; 0 without a box.
    public var overlap: Double?
    /// Nil for detection, which is not right or wrong as a whole.
    public var isRight: Bool?
}

/// What a model made of one scene.
public struct SceneOutcome: PictureRecord {
    /// Number of the scene, from 0.
    public var image: Int
    public var objects: [COCOAnnotation]
    /// Of the proposal network, all of category 0.
    public var proposals: [COCOResult]
    public var detections: [COCOResult]
    /// Categories that were asked for and are not there, and how many boxes they got.
    public var absent = 0, absentBoxes = 0
    public var references: [ReferringRecord] = []
    public var counts: CountingRecord
    public var regions: RegionRecord
    /// Questions that were asked, and those that were answered with the right words.
    public var questions = 0, rightQuestions = 0
    public var answers: [SceneAnswer] = []
    public var faults = AnswerFaults()

    init(_ image: Int, _ scene: Scene) {
        self.image = image
        objects = scene.objects.map {
            COCOAnnotation(id: $0.id, imageID: image, categoryID: $0.category.id, box: $0.box)
        }
        (proposals, detections) = ([], [])
        (counts, regions) = (CountingRecord(image: image), RegionRecord(image: image))
    }
}

/// Runs a session over scenes.
public struct SceneBenchmark: Sendable {
    public let generator: SceneGenerator
    public let seed: UInt64
    public let count: Int
    /// Objects that are referred to and named, categories that are counted, and questions, in each scene at most.
    public var questionsPerScene = Self.usualQuestions
    public static let usualQuestions = 2
    /// How many of the categories that detection is asked for are not in the scene, as a share of all of them: 0..<1.
    public var absentShare = 0.0
    /// Scenes that it already has are not asked about again, so a killed run goes on. Nil keeps everything in memory.
    public var journal: JournalPlace?
    /// Called after each scene with the number done.
    public var progress: @Sendable (Int) throws -> Void = { _ in }

    /// - Parameter generator: of the validation split, whose seeds and backgrounds training never sees, or the held-out one
    public init(_ generator: SceneGenerator, seed: UInt64, count: Int) {
        (self.generator, self.seed, self.count) = (generator, seed, count)
    }

    /// What the answers depend on, beside the model.
    public var settings: [String: String] {
        [
            "task": "scenes", "seed": "\(seed)", "split": generator.configuration.split.rawValue,
            "questions per scene": "\(questionsPerScene)", "absent share": "\(absentShare)",
        ]
    }

    /// Names of the categories of the scenes, by id.
    public var categories: [Int: String] {
        Dictionary(generator.vocabulary.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    /// A scene again, by its number.
    public func scene(_ number: Int) -> Scene { generator.scene(seed: seed &* 1_000_003 &+ UInt64(number)) }

    /// One outcome a scene, in order.
    public func outcomes(_ session: ChatRexSession, boxes: BoxSource = .proposals()) async throws -> [SceneOutcome] {
        try await recorded(Array(0..<count), in: journal, progress: progress) { number in
            let scene = scene(number)
            var outcome = SceneOutcome(number, scene)
            try await addProposals(scene, session, &outcome)
            try await addDetection(scene, session, boxes, &outcome)
            try await addReferences(scene, session, boxes, &outcome)
            try await addCounts(scene, session, boxes, &outcome)
            try await addRegions(scene, session, &outcome)
            try await addQuestions(scene, session, boxes, &outcome)
            return outcome
        }
    }

    private func addProposals(_ scene: Scene, _ session: ChatRexSession, _ outcome: inout SceneOutcome) async throws {
        let filter = ProposalFilter(minimumScore: 0, iouThreshold: 0.8, maximumCount: 100)
        let found = try await session.propose([scene.image], filter: filter)[0]
        outcome.proposals = found.map {
            COCOResult(imageID: outcome.image, categoryID: 0, box: $0.box, score: $0.score)
        }
    }

    private func addDetection(
        _ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ outcome: inout SceneOutcome
    ) async throws {
        let present = scene.inventory.map(\.category)
        let absent = scene.negatives(Int((Double(present.count) * absentShare / (1 - absentShare)).rounded()))
        // Absent ones last would give themselves away.
        let asked = absent.isEmpty ? present : (present + absent).sorted { $0.name < $1.name }
        let answer = try await session.detect(asked.map(\.name), in: scene.image, boxes: boxes)
        outcome.add(answer, to: asked.map(\.name).joined(separator: "; "), .detect, scene)
        outcome.detections = answer.cocoResults(
            imageID: outcome.image, categories: asked.map { COCOCategory(id: $0.id, name: $0.name) })
        outcome.absent = absent.count
        let absentIDs = Set(absent.map(\.id))
        outcome.absentBoxes = outcome.detections.count { absentIDs.contains($0.categoryID) }
    }

    private func addReferences(
        _ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ outcome: inout SceneOutcome
    ) async throws {
        let referred = scene.objects.lazy.compactMap { object in
            scene.referringExpression(for: object).map { ($0.text, object.box) }
        }
        for (text, truth) in referred.prefix(questionsPerScene) {
            let answer = try await session.detect([text], in: scene.image, boxes: boxes)
            let record = ReferringRecord(image: outcome.image, expression: text, truth: truth, answer: answer)
            var accuracy = ReferringAccuracy()
            accuracy.add(predicted: record.found, truth: truth)
            outcome.references.append(record)
            outcome.add(
                answer, to: text, .refer, scene, overlap: record.found?.iou(with: truth) ?? 0,
                isRight: accuracy.correct == 1)
        }
    }

    private func addCounts(
        _ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ outcome: inout SceneOutcome
    ) async throws {
        for (category, objects) in scene.inventory.prefix(questionsPerScene) {
            let answer = try await session.count([category.name], in: scene.image, boxes: boxes)
            let places = scene.objects.filter { objects.contains($0.id) }.map(\.box)
            let count = CountingRecord.Count(category: category.name, places: places, answer: answer)
            outcome.counts.counts.append(count)
            outcome.add(
                answer, to: category.name, .count, scene, expected: "\(count.truth)",
                isRight: count.counted == count.truth)
        }
    }

    private func addRegions(_ scene: Scene, _ session: ChatRexSession, _ outcome: inout SceneOutcome) async throws {
        let objects = Array(scene.objects.prefix(questionsPerScene))
        if objects.isEmpty { return }
        let answers = try await session.describe(
            objects.map { try RegionBox($0.box) }, of: scene.image, level: .category)
        for (object, answer) in zip(objects, answers) {
            let region = RegionAnswer(answer: answer.text, category: object.category.name, box: object.box)
            outcome.regions.answers.append(region)
            outcome.add(
                answer, to: object.box.description, .region, scene, expected: region.category,
                isRight: region.isExact)
        }
    }
}

extension SceneBenchmark {
    private func addQuestions(
        _ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ outcome: inout SceneOutcome
    ) async throws {
        for question in scene.questions.prefix(questionsPerScene) {
            let answer = try await session.ask(question.question, about: scene.image, boxes: boxes)
            let isRight = Self.words(answer.text) == Self.words(question.shortAnswer)
            outcome.questions += 1
            outcome.rightQuestions += isRight ? 1 : 0
            outcome.add(
                answer, to: question.question, .ask, scene, expected: question.shortAnswer, isRight: isRight)
        }
    }

    /// A text without case and punctuation.
    private static func words(_ text: String) -> [Substring] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }
    }
}

extension SceneOutcome {
    fileprivate mutating func add(
        _ answer: GroundedAnswer, to question: String, _ task: SceneAnswer.Task, _ scene: Scene,
        expected: String? = nil, overlap: Double? = nil, isRight: Bool? = nil
    ) {
        answers.append(
            SceneAnswer(
                scene: scene.seed, task: task, question: question, answer: answer.rawText, expected: expected,
                overlap: overlap, isRight: isRight))
        faults.add(answer)
    }
}
