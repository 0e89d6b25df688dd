import Boxes
import Testing
import Torch
import TorchNN
import Training

extension SharedStateTests {
    @Suite struct ContrastiveDenoisingTests {
        let first = [
            Box(centerX: 0.3, centerY: 0.4, width: 0.2, height: 0.1),
            Box(centerX: 0.6, centerY: 0.6, width: 0.3, height: 0.4),
        ]
        let second = [Box(centerX: 0.5, centerY: 0.5, width: 0.4, height: 0.2)]

        func queries(count: Int, noise: Double = 0.4) throws -> DenoisingQueries? {
            try Runtime.seed(3)
            let denoising = try ContrastiveDenoising(
                DenoisingConfiguration(count: count, boxNoise: noise), labels: 2, channels: 8, ParameterStore().weights)
            return try denoising(DetectionTargets([first, second, []]), label: 1, selected: 5)
        }

        @Test func sizesFollowTheLargestImage() throws {
            let queries = try #require(try queries(count: 7))
            #expect(queries.groups == 3)
            #expect(queries.count == 3 * 2 * 2)
            #expect(queries.content.shape == [3, 12, 8])
            #expect(queries.references.shape == [3, 12, 4])
            #expect(queries.attentionMask.shape == [17, 17])
        }

        @Test func positivesStayNearAndNegativesGoFarther() throws {
            let queries = try #require(try queries(count: 40))
            let boxes = try queries.references.sigmoid().array(of: Float.self)
            for (image, targets) in [first, second].enumerated() {
                for column in 0..<queries.count {
                    let isNegative = column / 2 % 2 == 1, index = column % 2
                    guard index < targets.count else { continue }
                    let at = (image * queries.count + column) * 4
                    let box = Box(
                        centerX: Double(boxes[at]), centerY: Double(boxes[at + 1]), width: Double(boxes[at + 2]),
                        height: Double(boxes[at + 3]))
                    let target = targets[index]
                    let range = isNegative ? 0.999...2.001 : 0...1.001
                    for (moved, side) in [
                        (box.x1 - target.x1, target.width), (box.x2 - target.x2, target.width),
                        (box.y1 - target.y1, target.height), (box.y2 - target.y2, target.height),
                    ] {
                        #expect(range.contains(abs(moved) / (side * 0.5 * 0.4)))
                    }
                }
            }
        }

        @Test func groupsSeeThemselvesAndTheSelectedQueriesSeeNoTarget() throws {
            let queries = try #require(try queries(count: 6))
            let mask = try queries.attentionMask.array(of: Bool.self)
            let total = queries.count + 5
            for row in 0..<total {
                for column in 0..<total {
                    let mayLook = column >= queries.count || (row < queries.count && row / 4 == column / 4)
                    #expect(mask[row * total + column] == mayLook)
                }
            }
        }

        @Test func aPerfectAnswerCostsNothingAndFillersDoNotCount() throws {
            let queries = try #require(try queries(count: 4))
            #expect(queries.groups == 2)
            let filler = [0.5, 0.5, 0.1, 0.1] as [Float]
            var boxes: [Float] = [], logits: [Float] = []
            for targets in [first, second, []] {
                for column in 0..<queries.count {
                    let index = column % 2, isPositive = column / 2 % 2 == 0
                    let isReal = index < targets.count
                    boxes += isReal && isPositive ? targets[index].values(.cxcywh).map(Float.init) : filler
                    // Fillers are sure of an object that is not there.
                    logits.append(isReal && !isPositive ? -30 : 30)
                }
            }
            let outputs = DetectionOutputs(
                boxes: try Tensor(boxes, shape: [1, 3, queries.count, 4]),
                logits: try Tensor(logits, shape: [1, 3, queries.count]))
            let criterion = DetectionCriterion()
            let losses = try criterion(outputs, DetectionTargets([first, second, []]), denoising: queries)
            #expect(try criterion.total(losses).item(Float.self) < 1e-5)
        }

        @Test func lossesAreDividedByTargetsAndGroups() throws {
            let queries = try #require(try queries(count: 4))
            let outputs = DetectionOutputs(
                boxes: try .full([1, 3, queries.count, 4], 0), logits: try .zeros([1, 3, queries.count]))
            let losses = try DetectionCriterion()(outputs, DetectionTargets([first, second, []]), denoising: queries)
            // Both groups have the same positives, so that the mean over groups is one group's sum over three targets.
            let expected = (first + second).reduce(0) { $0 + $1.values(.cxcywh).reduce(0, +) } / 3
            #expect(abs(try Double(losses.l1.array(of: Float.self)[0]) - expected) < 1e-5)
        }

        @Test func nothingIsMadeWithoutTargets() throws {
            let denoising = try ContrastiveDenoising(
                DenoisingConfiguration(), labels: 1, channels: 4, ParameterStore().weights)
            #expect(try denoising(DetectionTargets([[], []]), label: 0, selected: 5) == nil)
            #expect(try queries(count: 0) == nil)
        }
    }
}
