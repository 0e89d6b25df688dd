import Boxes
import ChatRex
import Foundation
import Imaging
import LanguageModels
import Scenes
import Testing

/// The built-in model asked by several at a time.
@Suite(.serialized) struct SessionTests {
    private static let session = Task { try await ChatRexSession() }

    private static func scenes(_ count: Int) throws -> [Scene] {
        let generator = try SceneGenerator(assets: SceneAssets())
        return (0..<count).map { generator.scene(seed: UInt64(900 + $0)) }
    }

    @Test("Answers that are written together are those that are written alone")
    func together() async throws {
        let session = try await Self.session.value
        let questions = try Self.scenes(4).flatMap { scene -> [(Image, VisionTask)] in
            let names = scene.inventory.map(\.category.name)
            return [(scene.image, .detect(names)), (scene.image, .count([names[0]])), (scene.image, .caption)]
        }
        var alone: [GroundedAnswer] = []
        for (image, task) in questions { alone.append(try await session.answer(task, about: image)) }
        await session.forgetPictures()
        let together = try await withThrowingTaskGroup(of: (Int, GroundedAnswer).self) { group in
            for (number, (image, task)) in questions.enumerated() {
                group.addTask { (number, try await session.answer(task, about: image)) }
            }
            return try await group.reduce(into: [Int: GroundedAnswer]()) { $0[$1.0] = $1.1 }
        }
        for (number, answer) in alone.enumerated() {
            #expect(together[number]?.rawText == answer.rawText, "\(questions[number].1)")
            // Sums of a larger batch are rounded differently.
            let scores = together[number]?.detections.map(\.object.score) ?? []
            #expect(zip(scores, answer.detections.map(\.object.score)).allSatisfy { abs($0 - $1) < 1e-3 })
        }
    }

    @Test("Times are those of the work that is measured, and a picture is prepared once")
    func times() async throws {
        let session = try await Self.session.value
        let scenes = try Self.scenes(2)
        await session.forgetPictures()
        async let other = session.caption(scenes[1].image)
        let (_, first) = try await StageTimes.measured { try await session.caption(scenes[0].image) }
        let (answer, second) = try await StageTimes.measured { try await session.caption(scenes[0].image) }
        _ = try await other
        #expect(first.propose > .zero && first.reusedPictures == 0 && first.boxes > 0)
        #expect(second.propose == .zero && second.reusedPictures == 1 && second.boxes == 0)
        #expect(second.tokens > 0 && second.tokens == first.tokens && !answer.text.isEmpty)
    }

    @Test("A cancelled question ends while others are answered")
    func cancellation() async throws {
        let session = try await Self.session.value
        let image = try Self.scenes(1)[0].image
        // The phrases are forced, so that the answer is long whatever the model is like.
        let long = Task { try await session.detect((0..<1000).map { "thing number \($0)" }, in: image) }
        let short = try await session.detect(["dog"], in: image)
        long.cancel()
        await #expect(throws: CancellationError.self) { try await long.value }
        #expect(try await session.detect(["dog"], in: image).rawText == short.rawText)
    }
}
