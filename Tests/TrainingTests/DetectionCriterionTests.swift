import Boxes
import Foundation
import Testing
import Torch
import Training

/// Numbers made with PyTorch by `Scripts/oracles/detection_losses.py`.
private struct Fixture: Decodable {
    let layers: Int, queries: Int
    let boxes: [Float], logits: [Float]
    let targets: [[[Double]]]
    let classification: [Float], l1: [Float], giou: [Float]
    let total: Float
    let boxGradient: [Float], logitGradient: [Float]

    init() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Golden/detection-losses/fixture.json")
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }

    var outputs: DetectionOutputs {
        get throws {
            let shape = [layers, targets.count, queries]
            return DetectionOutputs(
                boxes: try Tensor(boxes, shape: shape + [4]), logits: try Tensor(logits, shape: shape))
        }
    }

    var batch: DetectionTargets {
        get throws {
            try DetectionTargets(
                targets.map { $0.map { Box(centerX: $0[0], centerY: $0[1], width: $0[2], height: $0[3]) } })
        }
    }
}

private func expectClose(_ found: [Float], _ wanted: [Float], _ tolerance: Float = 1e-5) {
    #expect(found.count == wanted.count)
    let worst = zip(found, wanted).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= tolerance)
}

@Suite struct DetectionCriterionTests {
    @Test func lossesAndGradientsEqualPyTorchWithMatchingByBruteForce() throws {
        let fixture = try Fixture()
        let outputs = try fixture.outputs
        try outputs.boxes.requiringGradient()
        try outputs.logits.requiringGradient()
        let criterion = DetectionCriterion()
        let losses = try criterion(outputs, fixture.batch)
        expectClose(try losses.classification.array(), fixture.classification)
        expectClose(try losses.l1.array(), fixture.l1)
        expectClose(try losses.giou.array(), fixture.giou)
        let total = try criterion.total(losses)
        expectClose([try total.item()], [fixture.total], 1e-4)
        try total.backward()
        expectClose(try #require(outputs.boxes.gradient).array(), fixture.boxGradient, 1e-4)
        expectClose(try #require(outputs.logits.gradient).array(), fixture.logitGradient)
    }

    @Test func aBatchWithoutTargetsOnlyPushesScoresDown() throws {
        let outputs = DetectionOutputs(boxes: try .full([2, 3, 4, 4], 0.5), logits: try .zeros([2, 3, 4]))
        try outputs.boxes.requiringGradient()
        try outputs.logits.requiringGradient()
        let criterion = DetectionCriterion()
        let losses = try criterion(outputs, DetectionTargets([[], [], []]))
        // Twelve queries a layer, each (1 - alpha) * p^2 * log 2 at p = 1/2, divided by at least one box.
        expectClose(try losses.classification.array(), Array(repeating: 12 * 0.75 * 0.25 * Float(log(2.0)), count: 2))
        expectClose(try losses.l1.array(), [0, 0])
        try criterion.total(losses).backward()
        #expect(try #require(outputs.boxes.gradient).absolute().sum().item(Float.self) == 0)
        #expect(try #require(outputs.logits.gradient).min().item(Float.self) > 0)
    }

    @Test func shapesThatDoNotFitAreRefused() throws {
        let criterion = DetectionCriterion()
        let targets = try DetectionTargets([[Box(x1: 0, y1: 0, x2: 1, y2: 1)]])
        let wrongImages = DetectionOutputs(boxes: try .zeros([1, 2, 3, 4]), logits: try .zeros([1, 2, 3]))
        let wrongBoxes = DetectionOutputs(boxes: try .zeros([1, 1, 2, 4]), logits: try .zeros([1, 1, 3]))
        #expect(throws: TrainingError.self) { try criterion(wrongImages, targets) }
        #expect(throws: TrainingError.self) { try criterion(wrongBoxes, targets) }
    }

    @Test func denseTargetsTakeTheirCheapestPredictionsAndNoneTwice() throws {
        // Six predictions in two clusters; each target should own the three of its cluster.
        let centers: [Double] = [0.20, 0.22, 0.25, 0.75, 0.78, 0.80]
        let boxes: [Float] = centers.flatMap { [Float($0), 0.5, 0.2, 0.2] }
        let outputs = DetectionOutputs(
            boxes: try Tensor(boxes, shape: [1, 1, 6, 4]), logits: try .zeros([1, 1, 6]))
        let targets = try DetectionTargets([
            [0.22, 0.78].map { Box(centerX: $0, centerY: 0.5, width: 0.2, height: 0.2) }
        ])
        let criterion = DetectionCriterion()
        let three = try criterion(outputs, targets, perTarget: 3)
        // Distances of the owned: 0.02, 0, 0.03, 0.03, 0, 0.02 over six predictions.
        expectClose(try three.l1.array(), [0.10 / 6])
        // More than there are: all six go to their nearer target.
        expectClose(try criterion(outputs, targets, perTarget: 50).l1.array(), [0.10 / 6])
    }

    @Test func predictionsThatAreNotANumberGiveALossThatIsNotANumber() throws {
        let outputs = DetectionOutputs(boxes: try .full([1, 1, 3, 4], .nan), logits: try .zeros([1, 1, 3]))
        let criterion = DetectionCriterion()
        let losses = try criterion(outputs, DetectionTargets([[Box(x1: 0, y1: 0, x2: 1, y2: 1)]]))
        #expect(try criterion.total(losses).item(Float.self).isNaN)
    }
}
