import Boxes
import Foundation
import GroundingDINO
import Imaging
import Testing
import Tokenizers
import Torch

@Suite struct GroundingTests {
    // MARK: Phrases

    private static let limit = 32

    private static func passes(_ phrases: [String], limit: Int = Self.limit) throws -> [PhrasePass] {
        try PhrasePass.passes(for: phrases, GroundingTokenizer(folder: smallModel), limit: limit)
    }

    @Test func phrasesAreJoinedWithFullStopsAndKnowTheirTokens() throws {
        let pass = try #require(
            try Self.passes(["A red cat", "zebra", "", "two. small, dogs?", "ZEBRA!?.", "a RED  cat. "]).first)
        let tokenizer = try GroundingTokenizer(folder: smallModel)
        #expect(tokenizer.pieces.decode(pass.ids) == "[CLS] a red cat. zebra. two small, dogs. zebra [UNK]. [SEP]")
        #expect(pass.spans.map(\.phrases) == [[0, 5], [1], [3], [4]])
        #expect(
            pass.spans.map { tokenizer.pieces.decode(Array(pass.ids[$0.tokens])) } == [
                "a red cat", "zebra", "two small, dogs", "zebra [UNK]",
            ])
    }

    @Test func whatLooksLikeASpecialTokenDoesNotPartAPhrase() throws {
        let pass = try #require(try Self.passes(["[SEP] cat [CLS] [PAD] . dog"]).first)
        #expect(pass.spans.map(\.tokens) == [1..<pass.ids.count - 2])
        #expect(
            pass.ids.indices.filter { [0, 101, 102, 1012].contains(pass.ids[$0]) } == [
                0, pass.ids.count - 2, pass.ids.count - 1,
            ])
    }

    @Test func tooManyPhrasesAreSplitOverPasses() throws {
        let words = ["red", "cat", "two", "small", "dog", "zebra", "blue", "car"]
        let phrases = words.flatMap { first in words.map { "\(first) \($0)" } }
        let passes = try Self.passes(phrases)
        #expect(passes.count > 5 && passes.allSatisfy { $0.ids.count <= Self.limit })
        #expect(passes.flatMap(\.spans).flatMap(\.phrases) == Array(phrases.indices))
        #expect(passes.allSatisfy { $0.ids.first == 101 && $0.ids.last == 102 })
        // One more phrase would not have fitted into any but the last.
        #expect(passes.dropLast().allSatisfy { $0.ids.count + 3 > Self.limit })
    }

    @Test func aPhraseThatIsTooLongIsCut() throws {
        let passes = try Self.passes([String(repeating: "cat ", count: 1250), "dog"])
        #expect(passes.map(\.ids.count) == [Self.limit, 4])
        #expect(passes.flatMap(\.spans).map(\.tokens) == [1..<30, 1..<2])
        #expect(try Self.passes(["cat dog", "cat"], limit: 4).map(\.ids.count) == [4])
        #expect(try Self.passes([]).isEmpty && Self.passes(["", ".", " ?? "]).isEmpty)
    }

    // MARK: Answers

    /// Scores of three boxes for `[CLS] a red car . car . [SEP]`.
    private static func answer() throws -> GroundingAnswer {
        let scores: [[Float]] = [
            [0.1, 0.1, 0.3, 0.6, 0.1, 0.5, 0.1, 0.1],  // the mean would choose the short phrase
            [0.1, 0.2, 0.2, 0.2, 0.9, 0.3, 0.1, 0.1],  // a separator lifts the box
            [0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.1, 0.1],
        ]
        let logits = scores.map { $0.map { log($0 / (1 - $0)) } }
        let boxes: [Float] = [0.5, 0.5, 0.2, 0.4, 0.25, 0.5, 0.5, 1, 0.5, 0.5, 1, 1]
        return try GroundingAnswer(
            logits: Tensor(logits.flatMap { $0 }, shape: [3, 8]), boxes: Tensor(boxes, shape: [3, 4]), width: 100,
            height: 50)
    }

    @Test func aBoxGoesToThePhraseWithTheBestToken() throws {
        let answer = try Self.answer(), spans = [1..<4, 5..<6]
        let assigned = answer.assigned(spans, boxThreshold: 0.4, textThreshold: 0.25)
        #expect(assigned.map(\.box) == [0, 1] && assigned.map(\.span) == [0, 1])
        #expect(abs(assigned[0].score - 0.6) < 1e-6 && abs(assigned[1].score - 0.3) < 1e-6)
        #expect(answer.assigned(spans, boxThreshold: 0.4, textThreshold: 0.4).map(\.box) == [0])
        #expect(answer.assigned(spans, boxThreshold: 0.95, textThreshold: 0).isEmpty)
        #expect(answer.assigned([], boxThreshold: 0, textThreshold: 0).isEmpty)
        let first = answer.boxes[0].values(.xyxy)
        #expect(zip(first, [40, 15, 60, 35]).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func equalBestTokensAreDecidedByTheMean() throws {
        let scores: [Float] = [0, 2, 1, 0, 2, 2, 0, 0]
        let answer = try GroundingAnswer(
            logits: Tensor(scores, shape: [1, 8]), boxes: Tensor([0.5, 0.5, 1, 1] as [Float], shape: [1, 4]), width: 9,
            height: 9)
        #expect(answer.assigned([1..<3, 4..<6], boxThreshold: 0.1, textThreshold: 0.1).map(\.span) == [1])
        #expect(answer.assigned([4..<6, 1..<3], boxThreshold: 0.1, textThreshold: 0.1).map(\.span) == [0])
    }

    // MARK: The whole

    @Test func phrasesGetBoxesWithinThePictureBestFirst() async throws {
        let model = try await GroundingDINO.load(smallModel)
        let image = try testImage(width: 90, height: 60)
        let phrases = ["a red cat", "two small dogs", "zebra", "", "a red cat"]
        let all = try await model.ground(phrases, in: image, boxThreshold: 0, textThreshold: 0, overlapLimit: 1)
        #expect(all.count == 5 && all[3].isEmpty && all[0] == all[4])
        #expect(all[..<3].map(\.count).reduce(0, +) <= 12 && all[..<3].contains { $0.count > 1 })
        for boxes in all {
            #expect(boxes.map(\.score) == boxes.map(\.score).sorted(by: >))
            #expect(
                boxes.allSatisfy {
                    $0.box.x1 >= 0 && $0.box.y1 >= 0 && $0.box.x2 <= 90 && $0.box.y2 <= 60 && $0.box.area > 0
                })
        }
        let strict = try await model.ground(
            phrases, in: image, boxThreshold: 0.2, textThreshold: 0.2, overlapLimit: 0.3)
        for (own, every) in zip(strict, all) {
            #expect(own.allSatisfy { $0.score > 0.2 && every.contains($0) })
            for (index, box) in own.enumerated() {
                #expect(own[..<index].allSatisfy { $0.box.iou(with: box.box) <= 0.3 })
            }
        }
        #expect(try await model.ground(phrases, in: image, boxThreshold: 1).allSatisfy(\.isEmpty))
        #expect(try await model.ground([], in: image).isEmpty)
        #expect(try await model.ground(["?", ""], in: image) == [[], []])
    }

    @Test func aTextIsLabelledAndEndsWithAFullStop() async throws {
        let model = try await GroundingDINO.load(smallModel)
        let image = try testImage(width: 90, height: 60)
        let boxes = try await model.detect("A red cat. zebra", in: image, boxThreshold: 0.05, textThreshold: 0.05)
        #expect(!boxes.isEmpty && boxes.allSatisfy { $0.score > 0.05 })
        #expect(
            try await model.detect("a red cat . zebra.", in: image, boxThreshold: 0.05, textThreshold: 0.05) == boxes)
        _ = try await model.detect("", in: image)
        _ = try await model.detect(String(repeating: "cat. ", count: 1000), in: image)
    }

    @Test(arguments: [(1, 1), (1, 5000), (5000, 1), (3, 700), (2, 2)])
    func oddPicturesAreLookedAt(_ width: Int, _ height: Int) async throws {
        let model = try await GroundingDINO.load(smallModel)
        let image = try Image(width: width, height: height, filledWith: Color(red: 90, green: 200, blue: 10))
        let found = try await model.ground(["a red cat"], in: image, boxThreshold: 0, textThreshold: 0)
        #expect(found.count == 1 && found[0].allSatisfy { $0.box.isValid && $0.box.x2 <= Double(width) })
    }

    @Test func longPhrasesManyPhrasesAndPicturesWithAlphaAreFine() async throws {
        let model = try await GroundingDINO.load(smallModel)
        let image = try Image(width: 40, height: 30, channels: .rgba, filledWith: .white)
        let phrases =
            [String(repeating: "zebra cat ", count: 500), String(repeating: "x", count: 5000)]
            + (0..<40).map { "car \($0)" }
        #expect(try await model.ground(phrases, in: image, boxThreshold: 0, textThreshold: 0).count == 42)
    }

    @Test func callersAtTheSameTimeTakeTurns() async throws {
        let model = try await GroundingDINO.load(smallModel)
        let image = try testImage(width: 64, height: 64)
        let alone = try await model.ground(["zebra"], in: image, boxThreshold: 0, textThreshold: 0)
        try await withThrowingTaskGroup(of: [[GroundedBox]].self) { group in
            for _ in 0..<4 {
                group.addTask { try await model.ground(["zebra"], in: image, boxThreshold: 0, textThreshold: 0) }
            }
            for try await found in group { #expect(found == alone) }
        }
    }
}
