import Boxes
import ChatRex
import Foundation
import Testing

/// Boxes as four tags each, as the twin that is compared with retrieval writes them.
@Suite struct CoordinateTextTests {
    @Test("What is written is read again, up to the steps of the frame", arguments: 0..<40)
    func roundTrip(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let width = Int.random(in: 40...900, using: &random), height = Int.random(in: 40...900, using: &random)
        let text = CoordinateText(width: width, height: height)
        let step = Double(max(width, height)) / 100
        let boxes = (0..<3).map { _ in
            let x = Double.random(in: 0...0.6, using: &random) * Double(width)
            let y = Double.random(in: 0...0.6, using: &random) * Double(height)
            return Box(
                x1: x, y1: y, x2: x + max(2.5 * step, Double(width) * 0.35),
                y2: y + max(2.5 * step, Double(height) * 0.35)
            ).clipped(toWidth: Double(width), height: Double(height))
        }
        let spelled = text.spelled("<ground>cat</ground><objects><obj2><obj0></objects> and <obj1>", boxes: boxes)
        #expect(spelled.matches(of: /<obj\d+>/).count == 12)
        let reading = text.read(spelled, confidences: [])
        #expect(reading.text == "<ground>cat</ground><objects><obj0><obj1></objects> and <obj2>")
        #expect(reading.confidences == [1, 1, 1])
        for (box, truth) in zip(reading.boxes, [boxes[2], boxes[0], boxes[1]]) {
            for (side, wanted) in zip([box.x1, box.y1, box.x2, box.y2], [truth.x1, truth.y1, truth.x2, truth.y2]) {
                #expect(abs(side - wanted) <= step * 0.51 + 1e-3)
            }
        }
    }

    @Test func `what makes no box is an index that no box has`() {
        let text = CoordinateText(width: 100, height: 100)
        // A box, a box inside out, and a half one.
        let reading = text.read(
            "<objects><obj10><obj20><obj30><obj40><obj30><obj20><obj10><obj40><obj1><obj2></objects>",
            confidences: [0.9, 0.8, 0.7, 0.95, 1, 1, 1, 0.5, 0.4, 0.6])
        #expect(reading.boxes.count == 1 && reading.confidences == [0.7, 0.5, 0.4])
        let answer = GroundedAnswer(
            rawText: "", parsed: AnswerParser.parse("<ground>cat</ground>" + reading.text, boxCount: 1),
            boxes: reading.boxes, indexConfidences: reading.confidences)
        #expect(
            answer.groups.map { $0.objects.count } == [1]
                && answer.issues.map(\.kind) == [.unknownIndex, .unknownIndex])
        #expect(abs((answer.groups.first?.objects.first?.score ?? 0) - 0.7) < 1e-9)
    }

    @Test func `an index without a box stays as it is`() {
        let text = CoordinateText(width: 10, height: 20)
        #expect(text.spelled("what is <obj3>?", boxes: []) == "what is <obj3>?")
        let reading = text.read("nothing here", confidences: [])
        #expect(reading.text == "nothing here" && reading.boxes.isEmpty && reading.confidences.isEmpty)
    }
}
