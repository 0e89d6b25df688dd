import Boxes
import Testing

@Suite struct NonMaximumSuppressionTests {
    let square = Box(x1: 0, y1: 0, x2: 10, y2: 10)

    @Test func `the weaker of two overlapping boxes goes`() throws {
        let boxes = [square.translated(x: 1, y: 0), square, square.translated(x: 30, y: 0)]
        #expect(try nonMaximumSuppression(boxes: boxes, scores: [0.5, 0.9, 0.1], iouThreshold: 0.5) == [1, 2])
    }

    @Test func `an IoU equal to the threshold keeps both`() throws {
        let boxes = [square, Box(x1: 0, y1: 0, x2: 10, y2: 5)]
        #expect(try nonMaximumSuppression(boxes: boxes, scores: [1, 0.5], iouThreshold: 0.5) == [0, 1])
        #expect(try nonMaximumSuppression(boxes: boxes, scores: [1, 0.5], iouThreshold: 0.49) == [0])
    }

    @Test func `a suppressed box suppresses nothing`() throws {
        let boxes = [square, square.translated(x: 4, y: 0), square.translated(x: 8, y: 0)]
        #expect(try nonMaximumSuppression(boxes: boxes, scores: [0.9, 0.8, 0.7], iouThreshold: 0.4) == [0, 2])
    }

    @Test func `equal scores keep their order`() throws {
        let boxes = (0..<50).map { square.translated(x: Double($0) * 20, y: 0) }
        let scores = [Double](repeating: 0.5, count: 50)
        #expect(try nonMaximumSuppression(boxes: boxes, scores: scores, iouThreshold: 0.5) == Array(0..<50))
    }

    @Test func `NaN scores and broken boxes are left out`() throws {
        let broken = Box(x1: 0, y1: 0, x2: .nan, y2: 10)
        let kept = try nonMaximumSuppression(
            boxes: [square, broken, square], scores: [.nan, 1, 0.2], iouThreshold: 0.5)
        #expect(kept == [2])
    }

    @Test func `no boxes give no indices, missing scores an error`() throws {
        #expect(try nonMaximumSuppression(boxes: [], scores: [], iouThreshold: 0.5) == [])
        #expect(throws: BoxesError.scoreCountMismatch(boxes: 1, scores: 0)) {
            try nonMaximumSuppression(boxes: [square], scores: [], iouThreshold: 0.5)
        }
    }
}
