import Boxes
import Evaluation
import Foundation
import Testing

@Suite struct DetectionEvaluatorTests {
    let square = Box(x1: 0, y1: 0, x2: 10, y2: 10)

    @Test func `perfect detections score 1, none at all 0`() throws {
        var perfect = DetectionEvaluator(.coco)
        var blind = DetectionEvaluator(.coco)
        for id in 0..<3 {
            let truths = [GroundTruthBox(category: 1, box: square), GroundTruthBox(category: 2, box: square)]
            let detections = truths.map { DetectedBox(category: $0.category, box: $0.box, score: 0.5) }
            try perfect.add(EvaluationImage(id: id, truths: truths, detections: detections))
            try blind.add(EvaluationImage(id: id, truths: truths, detections: []))
        }
        let report = perfect.report()
        #expect(report.imageCount == 3 && report.categories.map(\.truthCount) == [3, 3])
        expectEqual("ap", report.ap, 1)
        expectEqual("ar", report.ar, 1)
        expectEqual("apSmall", report.apSmall, 1)
        #expect(report.apLarge == nil && report.apRare == nil)
        #expect(blind.report().ap == 0 && blind.report().ar == 0)
    }

    @Test func `figures without objects are nil instead of a number`() throws {
        var evaluator = DetectionEvaluator(.coco)
        #expect(evaluator.report().ap == nil)
        let stray = DetectedBox(category: 1, box: square, score: 0.5)
        try evaluator.add(EvaluationImage(id: 1, truths: [], detections: [stray]))
        let report = evaluator.report()
        #expect(report.ap == nil && report.ar == nil && report.categories.isEmpty)
        #expect(report.description.contains("AP          -"))
    }

    @Test func `a crowd excuses detections inside, and is not missed`() throws {
        var evaluator = DetectionEvaluator(.coco)
        let crowd = GroundTruthBox(category: 1, box: square.scaled(x: 10, y: 10), isCrowd: true)
        let one = GroundTruthBox(category: 1, box: square.translated(x: 200, y: 0))
        let inside = (0..<5).map {
            DetectedBox(category: 1, box: square.translated(x: Double($0), y: 3), score: 0.9)
        }
        let hit = DetectedBox(category: 1, box: one.box, score: 0.1)
        try evaluator.add(EvaluationImage(id: 1, truths: [crowd, one], detections: inside + [hit]))
        expectEqual("ap", evaluator.report().ap, 1)
    }

    @Test func `federated rules leave out what was not annotated`() throws {
        let truth = GroundTruthBox(category: 1, box: square)
        let hit = DetectedBox(category: 1, box: square, score: 0.1)
        let far = square.translated(x: 50, y: 50)
        func ap(_ stray: DetectedBox, negative: Set<Int> = [], notExhaustive: Set<Int> = []) throws -> Double? {
            var evaluator = DetectionEvaluator(.lvis(frequencies: [1: .rare, 2: .frequent]))
            try evaluator.add(
                EvaluationImage(
                    id: 1, truths: [truth], detections: [hit, stray],
                    negativeCategories: negative, notExhaustiveCategories: notExhaustive))
            let second = GroundTruthBox(category: 2, box: square)
            let found = DetectedBox(category: 2, box: square, score: 0.5)
            try evaluator.add(EvaluationImage(id: 2, truths: [second], detections: [found]))
            let report = evaluator.report()
            #expect(report.apCommon == nil)
            expectEqual("mean of both", report.ap, ((report.apRare ?? 0) + (report.apFrequent ?? 0)) / 2)
            return report.ap
        }
        // A stray box of an annotated category costs; not where its annotation is incomplete.
        expectEqual("exhaustive", try ap(DetectedBox(category: 1, box: far, score: 0.9)), 0.75)
        expectEqual("incomplete", try ap(DetectedBox(category: 1, box: far, score: 0.9), notExhaustive: [1]), 1)
        // A category nobody looked for in the image costs nothing; one known to be absent does.
        expectEqual("unknown", try ap(DetectedBox(category: 2, box: far, score: 0.9)), 1)
        expectEqual("absent", try ap(DetectedBox(category: 2, box: far, score: 0.9), negative: [2]), 0.75)
    }

    @Test func `bad input is an error and leaves the figures alone`() throws {
        var evaluator = DetectionEvaluator(.coco)
        let truth = GroundTruthBox(category: 1, box: square)
        try evaluator.add(EvaluationImage(id: 1, truths: [truth], detections: []))
        let broken = Box(x1: 0, y1: 0, x2: .nan, y2: 1)
        let inverted = Box(x1: 5, y1: 0, x2: 1, y2: 1)
        let bad: [EvaluationImage] = [
            EvaluationImage(id: 1, truths: [], detections: []),
            EvaluationImage(id: 2, truths: [GroundTruthBox(category: 1, box: broken)], detections: []),
            EvaluationImage(id: 2, truths: [], detections: [DetectedBox(category: 1, box: inverted, score: 1)]),
            EvaluationImage(id: 2, truths: [], detections: [DetectedBox(category: 1, box: square, score: .nan)]),
        ]
        for image in bad {
            #expect(throws: EvaluationError.self) { try evaluator.add(image) }
        }
        #expect(evaluator.imageCount == 1 && evaluator.report().categories.map(\.truthCount) == [1])
        let dataset = COCODataset(images: [COCOImage(id: 1, fileName: "a", width: 9, height: 9)])
        let stray = COCOResult(imageID: 7, categoryID: 1, box: square, score: 1)
        #expect(throws: EvaluationError.unknownImage(7)) {
            try DetectionEvaluator.evaluate([stray], on: dataset, .coco)
        }
    }

    @Test func `the report prints its rules and goes through JSON`() throws {
        var evaluator = DetectionEvaluator(.coco(maxDetections: [100, 5, -3]))
        let truth = GroundTruthBox(category: 1, box: square)
        let hit = DetectedBox(category: 1, box: square, score: 1)
        try evaluator.add(EvaluationImage(id: 1, truths: [truth], detections: [hit]))
        let report = evaluator.report()
        #expect(report.recalls.map(\.maxDetections) == [5, 100])
        #expect(report.description.contains("COCO boxes") && report.description.contains("AP50    100.0"))
        #expect(try JSONDecoder().decode(DetectionReport.self, from: JSONEncoder().encode(report)) == report)
    }

    @Test func `a validation set's worth of boxes takes little time`() throws {
        var evaluator = DetectionEvaluator(.coco)
        let clock = ContinuousClock()
        let time = try clock.measure {
            for id in 0..<200 {
                let truths = (0..<8).map {
                    GroundTruthBox(category: $0 % 3, box: square.translated(x: Double($0) * 30, y: 0))
                }
                let detections = (0..<100).map {
                    DetectedBox(
                        category: $0 % 3, box: square.translated(x: Double($0 * 7 % 240), y: Double($0 % 5)),
                        score: Double($0 * 37 % 100))
                }
                try evaluator.add(EvaluationImage(id: id, truths: truths, detections: detections))
            }
            _ = evaluator.report()
        }
        // 20 000 boxes; a release build takes under 0.2 s.
        #expect(time < .seconds(8))
    }
}
