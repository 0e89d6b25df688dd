// How well a model does on scenes that training never saw: proposals, detection, referring, counting, naming.

import Boxes
import ChatRex
import Imaging
import LanguageModels
import Scenes
import UPN

/// Figures of a model on scenes, with the protocol that they were made by.
public struct SceneReport: Sendable, Codable {
    /// Share of the objects that one of at most 100 fine proposals covers with an IoU of 0.5; no score threshold.
    public var upnRecall50: Double?
    /// Detection of the scene's own categories: averaged over categories, IoU 0.5, one box an object.
    public var precision50: Double?, recall50: Double?
    /// Share of referring expressions whose best box has an IoU of at least 0.5 with the object.
    public var referAccuracy50: Double?
    /// Share of counts that are exact.
    public var countExact: Double?
    /// Share of objects (by their true box) whose category is named exactly.
    public var regionExact: Double?
    /// Answers that were malformed, truncated or named nothing.
    public var malformedAnswers = 0, truncatedAnswers = 0, emptyAnswers = 0
    public var scenes = 0, objects = 0, references = 0, counts = 0
    public var seed: UInt64
    public var protocolText: String

    enum CodingKeys: String, CodingKey {
        case upnRecall50 = "upn_recall_50"
        case precision50 = "precision_50"
        case recall50 = "recall_50"
        case referAccuracy50 = "refer_acc_50"
        case countExact = "count_exact"
        case regionExact = "region_exact"
        case malformedAnswers = "malformed_answers"
        case truncatedAnswers = "truncated_answers"
        case emptyAnswers = "empty_answers"
        case scenes, objects, references, counts, seed
        case protocolText = "protocol"
    }
}

/// One question of the benchmark and what came of it.
public struct SceneAnswer: Sendable, Codable {
    public enum Task: String, Sendable, Codable { case detect, refer, count, region }

    /// Seed of the scene.
    public var scene: UInt64
    public var task: Task
    /// What was asked for, the categories joined by `; `.
    public var question: String
    /// As the model wrote it.
    public var answer: String
    /// The right count or name.
    public var expected: String?
    /// IoU of the best box of a referring expression with the object; 0 without a box.
    public var overlap: Double?
    /// Nil for detection, which is not right or wrong as a whole.
    public var isRight: Bool?
}

/// Runs a session over scenes.
public struct SceneBenchmark: Sendable {
    public let generator: SceneGenerator
    public let seed: UInt64
    public let count: Int
    /// Objects that are referred to and named, and categories that are counted, in each scene at most.
    public var questionsPerScene = 2

    /// - Parameter generator: of the validation split, whose seeds and backgrounds training never sees
    public init(_ generator: SceneGenerator, seed: UInt64, count: Int) {
        (self.generator, self.seed, self.count) = (generator, seed, count)
    }

    /// - Parameters:
    ///   - onAnswer: gets every question with its answer
    ///   - progress: called after each scene with the number done
    public func run(
        _ session: ChatRexSession, boxes: BoxSource = .proposals(),
        onAnswer: @escaping (SceneAnswer) throws -> Void = { _ in },
        progress: (Int) throws -> Void = { _ in }
    ) async throws
        -> SceneReport
    {
        var tally = Tally(onAnswer: onAnswer)
        for index in 0..<count {
            let scene = generator.scene(seed: seed &* 1_000_003 &+ UInt64(index))
            try await addProposals(scene, index, session, &tally)
            try await addDetection(scene, index, session, boxes, &tally)
            try await addReferences(scene, session, boxes, &tally)
            try await addCounts(scene, session, boxes, &tally)
            try await addRegions(scene, session, &tally)
            try progress(index + 1)
        }
        return tally.report(seed: seed, scenes: count)
    }

    private struct Tally {
        let onAnswer: (SceneAnswer) throws -> Void
        var proposals = ProposalRecall(maxProposals: 100)
        var detection = PrecisionRecall()
        var references = ReferringAccuracy()
        var counting = CountingAccuracy()
        var regions = (right: 0, total: 0)
        var faults = AnswerFaults()

        mutating func note(
            _ answer: GroundedAnswer, to question: String, _ task: SceneAnswer.Task, _ scene: Scene,
            expected: String? = nil, overlap: Double? = nil, isRight: Bool? = nil
        ) throws {
            try onAnswer(
                SceneAnswer(
                    scene: scene.seed, task: task, question: question, answer: answer.rawText, expected: expected,
                    overlap: overlap, isRight: isRight))
            faults.add(answer)
        }

        func report(seed: UInt64, scenes: Int) -> SceneReport {
            SceneReport(
                upnRecall50: proposals.report().recall50, precision50: detection.precision, recall50: detection.recall,
                referAccuracy50: references.accuracy, countExact: counting.accuracy,
                regionExact: regions.total > 0 ? Double(regions.right) / Double(regions.total) : nil,
                malformedAnswers: faults.malformed, truncatedAnswers: faults.truncated, emptyAnswers: faults.empty,
                scenes: scenes,
                objects: detection.total.truths, references: references.count, counts: counting.count, seed: seed,
                protocolText: """
                    validation scenes (training names, other seeds and backgrounds); classes of the image given, no negatives; fine \
                    proposals of the model's own network, at most 100; greedy decoding under the index grammar; precision and recall \
                    at IoU 0.5 averaged over classes; regions by true boxes
                    """)
        }
    }

    private func addProposals(_ scene: Scene, _ index: Int, _ session: ChatRexSession, _ tally: inout Tally)
        async throws
    {
        let filter = ProposalFilter(minimumScore: 0, iouThreshold: 0.8, maximumCount: 100)
        let found = try await session.propose([scene.image], filter: filter)[0]
        try tally.proposals.add(
            EvaluationImage(
                id: index, truths: scene.objects.map { GroundTruthBox(category: 0, box: $0.box) },
                detections: found.map { DetectedBox(category: 0, box: $0.box, score: $0.score) }))
    }

    private func addDetection(
        _ scene: Scene, _ index: Int, _ session: ChatRexSession, _ boxes: BoxSource, _ tally: inout Tally
    ) async throws {
        let names = scene.inventory.map(\.category.name)
        let answer = try await session.detect(names, in: scene.image, boxes: boxes)
        try tally.note(answer, to: names.joined(separator: "; "), .detect, scene)
        let ids = Dictionary(uniqueKeysWithValues: scene.inventory.map { ($0.category.name, $0.category.id) })
        let detections = answer.detections.compactMap { phrase, object in
            ids[phrase].map { DetectedBox(category: $0, box: object.box, score: object.score) }
        }
        try tally.detection.add(
            EvaluationImage(
                id: index, truths: scene.objects.map { GroundTruthBox(category: $0.category.id, box: $0.box) },
                detections: detections))
    }

    private func addReferences(_ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ tally: inout Tally)
        async throws
    {
        let referred = scene.objects.lazy.compactMap { object in
            scene.referringExpression(for: object).map { ($0.text, object.box) }
        }
        for (text, truth) in referred.prefix(questionsPerScene) {
            let answer = try await session.detect([text], in: scene.image, boxes: boxes)
            let found = answer.detections.max { $0.object.score < $1.object.score }?.object.box
            let right = tally.references.correct
            tally.references.add(predicted: found, truth: truth)
            try tally.note(
                answer, to: text, .refer, scene, overlap: found?.iou(with: truth) ?? 0,
                isRight: tally.references.correct > right)
        }
    }

    private func addCounts(_ scene: Scene, _ session: ChatRexSession, _ boxes: BoxSource, _ tally: inout Tally)
        async throws
    {
        for (category, objects) in scene.inventory.prefix(questionsPerScene) {
            let answer = try await session.count([category.name], in: scene.image, boxes: boxes)
            let stated = answer.statedCount
            tally.counting.add(predicted: stated, truth: objects.count)
            try tally.note(
                answer, to: category.name, .count, scene, expected: "\(objects.count)", isRight: stated == objects.count
            )
        }
    }

    private func addRegions(_ scene: Scene, _ session: ChatRexSession, _ tally: inout Tally) async throws {
        let objects = Array(scene.objects.prefix(questionsPerScene))
        let answers = try await session.describe(
            objects.map { try RegionBox($0.box) }, of: scene.image, level: .category)
        for (object, answer) in zip(objects, answers) {
            tally.regions.total += 1
            let said = answer.text.lowercased().trimmingPrefix { $0.isWhitespace }
            let isRight = said == object.category.name.lowercased()
            if isRight { tally.regions.right += 1 }
            try tally.note(
                answer, to: object.box.description, .region, scene, expected: object.category.name, isRight: isRight)
        }
    }
}
