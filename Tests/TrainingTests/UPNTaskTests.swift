import Boxes
import Foundation
import Imaging
import Testing
import Torch
import TorchNN
import Training
import UPN
import VisionEncoders

private func recipe() -> UPNRecipe {
    var recipe = UPNRecipe()
    recipe.network = UPNConfiguration(
        backbone: SwinConfiguration(
            width: 16, depths: [1, 1, 1], headCounts: [1, 2, 4], windowSize: 4, returnedStages: [1, 2]),
        width: 32, headCount: 4, pointCount: 2, hiddenWidth: 64, levelCount: 3, encoderLayerCount: 1,
        decoderLayerCount: 2, queryCount: 20, groupCount: 8, shortSide: 64, longSide: 64)
    recipe.batchSize = 2
    recipe.denoising = DenoisingConfiguration(count: 8)
    recipe.phases = [.init(end: 1, sides: [64])]
    recipe.options.steps = 60
    recipe.options.learningRate = 2e-3
    recipe.options.warmupSteps = 5
    recipe.options.clipNorm = 1
    recipe.options.averageDecay = 0
    recipe.options.evaluationMinutes = nil
    recipe.options.logSteps = 50
    return recipe
}

/// Two bright squares on a dark ground.
private func picture(_ number: Int) throws -> AnnotatedPicture {
    var pixels = [UInt8](repeating: 30, count: 64 * 64 * 3)
    let places = number % 2 == 0 ? [(8, 10), (38, 36)] : [(34, 6), (10, 40)]
    for (left, top) in places {
        for y in top..<top + 18 {
            for x in left..<left + 16 { for channel in 0..<3 { pixels[(y * 64 + x) * 3 + channel] = 230 } }
        }
    }
    let boxes = places.map { Box(x: Double($0.0), y: Double($0.1), width: 16, height: 18) }
    return AnnotatedPicture(
        image: try Image(width: 64, height: 64, channels: 3, pixels: pixels),
        boxes: SceneBoxes(fine: boxes, coarse: boxes))
}

extension SharedStateTests {
    @Suite struct UPNTaskTests {
        @Test(arguments: [1, 4]) func theLossOfOneBatchFallsAndEveryParameterLearns(encoderMatches: Int) throws {
            // Two threads would wait for each other more than they work on so small a network.
            let threads = Runtime.threadCount
            try Runtime.setThreadCount(1)
            defer { try? Runtime.setThreadCount(threads) }
            var recipe = recipe()
            recipe.encoderMatchesPerTarget = encoderMatches
            let task = try UPNTask(recipe, source: picture, evaluationPictures: [picture(0)])
            let parameters = task.parameterGroups.flatMap(\.parameters)
            for parameter in parameters { try parameter.tensor.requiringGradient() }
            let optimizer = try AdamW(task.parameterGroups)
            let batch = try task.batch(0, progress: 0)
            var losses: [Float] = []
            for step in 0..<40 {
                let loss = try task.losses(batch).total
                losses.append(try loss.item())
                try loss.backward()
                if step == 2 {
                    // The other prompt is not asked for in this batch.
                    let idle = parameters.filter { $0.tensor.gradient == nil && !$0.name.contains("coarse") }
                    #expect(idle.map(\.name) == [])
                }
                try optimizer.clipGradients(to: 1)
                try optimizer.step(learningRate: 1e-3)
                try optimizer.clearGradients()
            }
            #expect(losses[39] < losses[0] / 2)
            #expect(!losses.contains { !$0.isFinite })
        }

        @Test func aRunLeavesANetworkThatLoads() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("upn-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            var recipe = recipe()
            recipe.options.steps = 2
            let task = try UPNTask(recipe, source: picture, evaluationPictures: [picture(0), picture(1)])
            let run = try TrainingRun(task, options: recipe.options, folder: folder, configuration: recipe)
            #expect(try run.run() == .finished)
            let loaded = try UniversalProposalNetwork.load(run.folder.checkpoint(2).appendingPathComponent("export"))
            #expect(loaded.configuration == recipe.network)
            let proposals = try loaded.propose([picture(0).image], filter: ProposalFilter(minimumScore: 0))
            #expect(!proposals[0].isEmpty)
            let figures = try task.evaluate()
            #expect(figures.keys.sorted() == ["coarse_recall", "coarse_recall75", "fine_recall", "fine_recall75"])
            #expect(figures.values.allSatisfy { (0...1).contains($0) })
        }

        @Test func promptsTakeTurns() throws {
            let task = try UPNTask(recipe(), source: picture, evaluationPictures: [])
            let turns = try (0..<4).map { try task.batch($0, progress: 0).granularity }
            #expect(turns == [.fine, .coarse, .fine, .coarse])
        }
    }
}
