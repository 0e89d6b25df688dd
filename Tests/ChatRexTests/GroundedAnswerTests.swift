import Boxes
import ChatRex
import Foundation
import Testing

@Suite struct GroundedAnswerTests {
    static let boxes = [
        Box(x1: 0, y1: 0, x2: 10, y2: 20), Box(x1: 5.5, y1: 6, x2: 50, y2: 60), Box(x1: -5, y1: 90, x2: 30, y2: 130),
    ]
    static let text =
        "<ground>dog</ground><objects><obj2><obj0></objects>\n<ground>Red "
        + "Cat</ground><objects><obj1></objects><|im_end|>"
    static let answer = GroundedAnswer(
        rawText: text, boxes: boxes, proposalScores: [0.81, 0.5, 0.04], indexConfidences: [1, 0.25, 0.5])

    @Test func `indices are bound to boxes and scores`() {
        let answer = Self.answer
        #expect(answer.text == "dog\nRed Cat")
        #expect(answer.detections.map(\.phrase) == ["dog", "dog", "Red Cat"])
        #expect(answer.detections.map(\.object.box) == [Self.boxes[2], Self.boxes[0], Self.boxes[1]])
        #expect(answer.detections.map(\.object.proposalScore) == [0.04, 0.81, 0.5])
        for (object, score) in zip(answer.detections.map(\.object), [0.2, 0.45, 0.5]) {
            #expect(abs(object.score - score) < 1e-12)
        }
        #expect(answer.groups.map { answer.textRange($0.range).map { answer.text[$0] } } == ["dog", "Red Cat"])
        #expect(answer.issues.isEmpty && !answer.isTruncated)
    }

    @Test func `confidences that cannot be told apart are ignored`() {
        let answer = GroundedAnswer(
            rawText: Self.text, boxes: Self.boxes, proposalScores: [0.81, 0.5, 0.04], indexConfidences: [1, 1])
        #expect(answer.detections.map(\.object.score) == [0.04, 0.81, 0.5])
    }

    @Test func `confidences follow their tags past dropped indices`() {
        let answer = GroundedAnswer(
            rawText: "<obj9><ground>a</ground><objects><obj1><obj1><obj0></objects>", boxes: Self.boxes,
            indexConfidences: [0.1, 0.2, 0.3, 0.4])
        #expect(answer.detections.map(\.object.score) == [0.2, 0.4])
        #expect(answer.issues.map(\.kind) == [.unknownIndex, .repeatedIndex])
    }

    @Test func `without boxes no index is bound`() {
        let parsed = AnswerParser.parse("<obj0> <ground>a</ground><objects><obj1></objects>", boxCount: nil)
        let answer = GroundedAnswer(rawText: "", parsed: parsed, boxes: [])
        #expect(answer.groups.map(\.objects) == [[]] && answer.mentions.isEmpty)
        #expect(answer.issues.map(\.kind) == [.unknownIndex, .unknownIndex])
    }

    @Test func `an answer survives JSON`() throws {
        var answer = Self.answer
        answer.isTruncated = true
        answer.issues = [AnswerIssue(.strayTag, text: "</objects>", position: 3)]
        answer.mentions = [.init(position: 2, object: .init(index: 1, box: Self.boxes[1], score: 1))]
        let data = try JSONEncoder().encode(answer)
        #expect(try JSONDecoder().decode(GroundedAnswer.self, from: data) == answer)

        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let groups = try #require(json["groups"] as? [[String: Any]])
        #expect(groups[0]["range"] as? [Int] == [0, 3])
        let objects = try #require(groups[1]["objects"] as? [[String: Any]])
        #expect(objects[0]["box"] as? [Double] == [5.5, 6, 50, 60])
        let issues = try #require(json["issues"] as? [[String: Any]])
        #expect(issues[0]["kind"] as? String == "strayTag")
    }

    @Test func `answers are joined with their positions moved`() {
        let other = GroundedAnswer(
            rawText: "\u{E9}<ground>b</ground><objects><obj0><obj0></objects><obj1>", boxes: Self.boxes,
            isTruncated: true)
        let joined = GroundedAnswer.joined([Self.answer, other])
        #expect(joined.text == "dog\nRed Cat\n\u{E9}b")
        #expect(
            joined.groups.map { joined.textRange($0.range).map { String(joined.text[$0]) } } == ["dog", "Red Cat", "b"])
        #expect(joined.mentions.map(\.position) == [14])
        #expect(joined.isTruncated)
        let reread = GroundedAnswer(rawText: joined.rawText, boxes: Self.boxes)
        #expect(reread.issues == joined.issues && reread.groups.map(\.range) == joined.groups.map(\.range))
        #expect(GroundedAnswer.joined([]).text.isEmpty)
    }

    @Test func `a range that does not fit gives none`() {
        #expect(Self.answer.textRange(0..<12) == nil)
        #expect(Self.answer.textRange(-1..<2) == nil)
        #expect(Self.answer.textRange(11..<11) != nil)
    }

    /// Groups of box indices with their scores.
    private static func scored(_ groups: [[(Int, Double)]]) -> GroundedAnswer {
        GroundedAnswer(
            rawText: "", text: "",
            groups: groups.map { objects in
                .init(
                    phrase: "thing", range: 0..<0,
                    objects: objects.map { .init(index: $0.0, box: boxes[$0.0], score: $0.1) })
            })
    }

    private static func indices(_ answer: GroundedAnswer) -> [[Int]] { answer.groups.map { $0.objects.map(\.index) } }

    @Test func `a box of several phrases stays where its score is highest, at the first among equals`() {
        let answer = Self.scored([[(0, 0.4), (1, 0.5)], [(0, 0.9)], [(1, 0.5), (0, 0.1)]])
        #expect(Self.indices(answer.withOnePhrasePerBox()) == [[1], [0], []])
    }

    @Test func `the best detections keep their phrases and their order`() {
        let answer = Self.scored([[(0, 0.4), (1, 0.5)], [(0, 0.9)]])
        #expect(Self.indices(answer.keepingBest(2)) == [[1], [0]])
        #expect(Self.indices(answer.keepingBest(0)) == [[], []])
        #expect(answer.keepingBest(3) == answer)
    }

    @Test func `training answers read back as they were meant`() {
        let groups = [(phrase: "dog", indices: [2, 0]), (phrase: "cat", indices: [])]
        let detection = GroundedAnswer(rawText: AnswerText.detection(groups), boxes: Self.boxes)
        #expect(detection.groups.map { $0.objects.map(\.index) } == [[2, 0], []] && detection.issues.isEmpty)
        let count = GroundedAnswer(rawText: AnswerText.count(groups), boxes: Self.boxes)
        #expect(count.text == "dog 2\ncat 0" && count.issues.isEmpty)
        #expect(AnswerText.regions([(index: 1, text: "a dog")]) == "a dog")
        let regions = GroundedAnswer(
            rawText: AnswerText.regions([(index: 1, text: "a dog"), (index: 0, text: "a cat")]), boxes: Self.boxes)
        #expect(regions.groups.map(\.phrase) == ["a dog", "a cat"])
        #expect(regions.groups.map { $0.objects.map(\.index) } == [[1], [0]] && regions.issues.isEmpty)
    }
}

@Suite struct DetectionScoreTests {
    @Test(arguments: [
        (0.5, 0.25 as Double?, 0.81 as Double?, 0.45), (0, 0.25, 0.81, 0.25), (1, 0.25, 0.81, 0.81),
        (0.5, 0, 0.9, 0), (0.5, 1, 1, 1), (0.5, nil, 0.7, 0.7), (0.5, 0.3, nil, 0.3), (0.5, nil, nil, 1),
        (7, 0.2, 0.6, 0.6), (.nan, 0.25, 0.81, 0.45), (0.5, .nan, 0.5, 0), (0.5, 2, 0.49, 0.7), (0.5, -1, 0.5, 0),
    ])
    func `it is a weighted geometric mean`(weight: Double, confidence: Double?, proposal: Double?, score: Double) {
        let found = DetectionScore(proposalWeight: weight)(confidence: confidence, proposal: proposal)
        #expect(abs(found - score) < 1e-12)
    }

    @Test func `the choice against the end of the group does not depend on how many others fit`() {
        #expect(DetectionScore.confidence(index: 0.1, close: nil) == 0.1)
        #expect(abs(DetectionScore.confidence(index: 0.1, close: 0.025) - 0.8) < 1e-12)
        #expect(DetectionScore.confidence(index: 0, close: 0) == 0)
        #expect(DetectionScore.confidence(index: .nan, close: 0.5) == 0)
    }
}
