import DataEngine
import Foundation
import Imaging
import Recipes
import Scenes
import Testing
import Torch
import TorchNN
import Training
import VisionEncoders

private let hasAssets =
    FileManager.default.fileExists(atPath: AssetLocations.debian.stamps)
    && FileManager.default.fileExists(atPath: AssetLocations.debian.emojiFont) && ImagingSupport.hasFont

private func recipe() -> PageRecipe {
    var recipe = PageRecipe()
    recipe.network.backbone = ConvNeXtConfiguration(widths: [8, 16], depths: [1, 1])
    recipe.network.side = 32
    (recipe.batchSize, recipe.evaluationExamples) = (8, 12)
    (recipe.options.steps, recipe.options.evaluationMinutes, recipe.options.averageDecay) = (2, nil, 0)
    return recipe
}

private let generators = Result {
    let assets = try SceneAssets(catalogue: Catalogue(names: ["apple", "dog", "cat", "car"]), withPhotos: false)
    return (
        training: try PageGenerator(split: .training, assets: assets),
        validation: try PageGenerator(split: .validation, assets: assets)
    )
}

private func task(_ recipe: PageRecipe) throws -> PageTask {
    let (training, validation) = try generators.get()
    return try PageTask(recipe, generator: training, validation: validation)
}

extension SharedStateTests {
    @Suite(.enabled(if: hasAssets)) struct PageTaskTests {
        @Test func `the loss of one batch falls and every parameter learns`() throws {
            let threads = Runtime.threadCount
            try Runtime.setThreadCount(1)
            defer { try? Runtime.setThreadCount(threads) }
            let task = try task(recipe())
            let parameters = task.parameterGroups.flatMap(\.parameters)
            for parameter in parameters { try parameter.tensor.requiringGradient() }
            #expect(parameters.count == task.tensors.count)
            let optimizer = try AdamW(task.parameterGroups)
            let batch = try task.batch(0, progress: 0)
            var losses: [Float] = []
            for step in 0..<120 {
                let loss = try task.losses(batch).total
                losses.append(try loss.item())
                try loss.backward()
                if step == 1 { #expect(parameters.filter { $0.tensor.gradient == nil }.map(\.name) == []) }
                try optimizer.step(learningRate: 5e-3)
                try optimizer.clearGradients()
            }
            #expect(losses[119] < losses[0] / 2, "\(losses)")
        }

        @Test func `a run leaves a classifier that loads`() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pages-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let recipe = recipe(), task = try task(recipe)
            let run = try TrainingRun(task, options: recipe.options, folder: folder, configuration: recipe)
            #expect(try run.run() == .finished)
            let loaded = try PageClassifierNetwork.load(run.folder.checkpoint(2).appendingPathComponent("export"))
            #expect(loaded.configuration == recipe.network)
            let figures = try task.evaluate()
            #expect(figures.keys.sorted() == ["precision", "recall"])
            #expect(figures.values.allSatisfy { (0...1).contains($0) })
        }
    }
}

@Suite struct PageRecipeTests {
    @Test func `the recipe of the built-in classifier can be followed`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Recipes/nano-pages.yaml").standardized
        let recipe = try RecipeFile.load(file, defaults: PageRecipe())
        #expect(recipe.network == PageClassifierConfiguration())
    }

    @Test(arguments: [
        ("batchSize: 0", "batchSize"), ("network: {image_size: 100}", "image_size"),
        ("labelSmoothing: 2", "labelSmoothing"),
    ])
    func `what cannot be trained is named`(text: String, name: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        try (text + "\noptions: {steps: 1}").write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = try #require(throws: RecipeError.self) { try RecipeFile.load(file, defaults: PageRecipe()) }
        #expect("\(error)".contains(name), "\(error)")
    }
}
