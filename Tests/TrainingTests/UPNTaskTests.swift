import Checkpoints
import Foundation
import Imaging
import Testing
import Torch
import TorchNN
import Training
import UPN
import VisionEncoders

private let picture = TinyUPN.picture
private func recipe() -> UPNRecipe { TinyUPN.recipe }

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
            #expect(
                figures.keys.sorted() == [
                    "coarse_ar", "coarse_recall", "coarse_recall75", "fine_ar", "fine_recall", "fine_recall75",
                ])
            #expect(figures.values.allSatisfy { (0...1).contains($0) })
        }

        @Test func promptsTakeTurns() throws {
            let task = try UPNTask(recipe(), source: picture, evaluationPictures: [])
            let turns = try (0..<4).map { try task.batch($0, progress: 0).granularity }
            #expect(turns == [.fine, .coarse, .fine, .coarse])
        }

        @Test func theBackboneHasRatesOfItsOwnAndRestsAtZero() throws {
            var recipe = recipe()
            (recipe.backboneRate, recipe.backboneLayerDecay) = (0.1, 0.5)
            let task = try UPNTask(recipe, source: picture, evaluationPictures: [])
            var rates: [String: Double] = [:]
            for group in task.parameterGroups { for entry in group.parameters { rates[entry.name] = group.rateScale } }
            #expect(
                rates.count == task.network.namedParameters.count
                    + task.tensors.count { $0.name.hasPrefix("denoising") })
            func rate(_ name: String) -> Double? { rates["backbone.model.backbone." + name] }
            // Blocks lie at depths 1 to 3, the maps' norms behind them, the patches before them.
            #expect(rate("norm2.weight") == 0.1)
            #expect(rate("layers.2.blocks.0.mlp.fc1.weight") == 0.05)
            #expect(rate("layers.1.blocks.0.norm1.bias") == 0.025 && rate("layers.1.downsample.norm.weight") == 0.025)
            #expect(rate("layers.0.blocks.0.attn.qkv.weight") == 0.0125)
            #expect(rate("patch_embed.proj.weight") == 0.00625)
            #expect(rates["transformer.level_embed"] == 1)

            recipe.backboneRate = 0
            (recipe.recomputesActivations, recipe.options.averageDecay) = (true, 0.9)
            recipe.options.steps = 2
            let frozen = try UPNTask(recipe, source: picture, evaluationPictures: [])
            func backbone() throws -> [[Float]] {
                try frozen.network.backbone.namedParameters.map { try $0.tensor.array(of: Float.self) }
            }
            let before = try backbone()
            try withFolder { folder in
                _ = try TrainingRun(frozen, options: recipe.options, folder: folder, configuration: recipe).run()
            }
            #expect(try backbone() == before)
            #expect(frozen.network.backbone.namedParameters.allSatisfy { $0.tensor.gradient == nil })
        }

        @Test func aRunStartsFromANetworkOrFromAPretrainedBackbone() throws {
            try withFolder { folder in
                let donor = try UPNTask(recipe(), source: picture, evaluationPictures: []).network
                for entry in donor.namedParameters { try entry.tensor.fill(0.5) }
                try donor.save(to: folder.appendingPathComponent("whole"))
                func values(from start: String, _ change: (inout UPNRecipe) -> Void = { _ in }) throws -> [String:
                    Float]
                {
                    var recipe = recipe()
                    change(&recipe)
                    let task = try UPNTask(
                        recipe, from: folder.appendingPathComponent(start), source: picture, evaluationPictures: [])
                    return Dictionary(
                        uniqueKeysWithValues: try task.network.namedParameters.map {
                            ($0.name, try $0.tensor.flattened()[0].item(Float.self))
                        })
                }
                #expect(try values(from: "whole").values.allSatisfy { $0 == 0.5 })
                #expect {
                    _ = try values(from: "whole") { $0.network.hiddenWidth = 96 }
                } throws: { "\($0)".contains("linear1") && "\($0)".contains("[64, 32] instead of [96, 32]") }

                // As Hugging Face writes a Swin: queries, keys and values apart, no norms of maps.
                let path = "backbone.model.backbone."
                var tensors: [(name: String, tensor: Tensor)] = []
                for entry in donor.backbone.namedParameters where !entry.name.hasPrefix(path + "norm") {
                    let name = "swin." + SwinCheckpointKeys.rename(String(entry.name.dropFirst(path.count)))
                    let parts = name.contains("{") ? SwinCheckpointKeys.joined : [""]
                    let rows = entry.tensor.size(0) / parts.count
                    for (index, part) in parts.enumerated() {
                        tensors.append(
                            (
                                name.replacing("{query,key,value}", with: part),
                                try entry.tensor.detached()[.range(index * rows..<(index + 1) * rows)]
                            ))
                    }
                }
                let swin = folder.appendingPathComponent("swin.safetensors")
                try SafetensorsWriter.write(tensors, to: swin)
                let taken = try values(from: "swin.safetensors")
                #expect(taken.filter { $0.value == 0.5 }.keys.allSatisfy { $0.hasPrefix(path) })
                #expect(
                    taken.filter { $0.key.hasPrefix(path) && !$0.key.hasPrefix(path + "norm") }.values.allSatisfy {
                        $0 == 0.5
                    })
                try SafetensorsWriter.write(Array(tensors.dropLast()), to: swin)
                #expect(throws: TrainingError.self) { try values(from: "swin.safetensors") }
            }
        }

        @Test func picturesThatKeepTheirAspectLieOnACanvasThatHoldsThem() throws {
            var augmentation = PictureAugmentation()
            (augmentation.sides, augmentation.longSideLimit, augmentation.cropRate) = ([40, 48], 64, 0)
            let loader = SceneLoader(
                { number in
                    let (width, height) = number % 2 == 0 ? (90, 60) : (50, 200)
                    return AnnotatedPicture(
                        image: try Image(
                            width: width, height: height, channels: 3,
                            pixels: [UInt8](repeating: 9, count: width * height * 3)),
                        boxes: SceneBoxes(fine: [], coarse: []))
                }, augmentation: augmentation, batchSize: 2, seed: 1)
            let batch = try loader.batch(0)
            #expect(batch.width == batch.sizes[0].width && batch.height == 64)
            #expect([(60, 40), (64, 43)].contains { $0 == batch.sizes[0] })
            #expect(batch.sizes[1] == (16, 64))
        }
    }
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("upn-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
