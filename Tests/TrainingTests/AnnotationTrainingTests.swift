import Annotations
import Boxes
import ChatRex
import Foundation
import Imaging
import LanguageModels
import Recipes
import Scenes
import Testing
import Tokenizers
import Torch
import TorchNN
import Training
import UPN
import VisionEncoders

private let generator = Result {
    var configuration = SceneConfiguration(split: .training)
    (configuration.width, configuration.height) = (160, 160)
    return try SceneGenerator(configuration: configuration, assets: SceneAssets(withPhotos: false))
}

/// A folder of annotated scenes that is gone when `body` returns.
private func withScenes(_ count: Int, _ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("annotated-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var sink = try AnnotationFolderSink(folder)
    for number in 0..<count {
        let sample = try generator.get().scene(seed: UInt64(number)).sample(key: "scene-\(number)")
        try sink.add(sample.annotation, picture: sample.picture)
    }
    try sink.finish()
    try body(folder)
}

private func pictures(_ data: TrainingData, seed: UInt64 = 1) throws -> TrainingPictures {
    let generator = try generator.get()
    return try TrainingPictures(data, seed: seed) { generator.scene(seed: 1_000_000 + UInt64($0)) }
}

extension SharedStateTests {
    @Suite struct AnnotationTrainingTests {
        @Test func aSceneAsAnAnnotationIsSoundAndSaysWhatTheSceneKnows() throws {
            let scene = try generator.get().scene(seed: 3)
            let sample = try scene.sample(key: "scene")
            #expect(sample.annotation.problems == [])
            #expect(sample.annotation.regions.map(\.box) == scene.objects.map(\.box))
            #expect(sample.annotation.caption?.text == scene.briefCaption.text)
            #expect(sample.annotation.caption?.phrases.map(\.regions) == scene.briefCaption.phrases.map(\.objectIDs))
            #expect(sample.annotation.sha256 == Annotation.digest(of: sample.picture))
            #expect(try Image(decoding: sample.picture).width == scene.image.width)
        }

        @Test(arguments: [1, 2, 7, 64, 1000]) func ashuffleMeetsEveryNumberOnce(_ count: Int) {
            let first = Shuffle(count: count, seed: 1), second = Shuffle(count: count, seed: 2)
            let order = (0..<count).map { first[$0] }
            #expect(order.sorted() == Array(0..<count) && order == (0..<count).map { first[$0] })
            if count > 60 { #expect(order != Array(0..<count) && order != (0..<count).map { second[$0] }) }
        }

        @Test func sourcesAreMixedByWeightAndEveryPassShowsEachPictureOnce() throws {
            try withScenes(6) { folder in
                let alone = try pictures(TrainingData(folders: [folder.path]))
                let boxes = try (0..<6).map { try alone.truth($0).things.map(\.box) }
                #expect(Set(boxes).count == 6)
                #expect(try alone.truth(0).things == pictures(TrainingData(folders: [folder.path])).truth(0).things)
                var data = TrainingData(folders: [folder.path])
                (data.scenes, data.folders[0].weight) = (1, 3)
                let mixed = try pictures(data)
                let scenes = try (0..<80).count { try mixed.truth($0) is Scene }
                #expect((8...34).contains(scenes), "\(scenes) of 80")
                #expect(try (0..<9).allSatisfy { try pictures(TrainingData()).truth($0) is Scene })
            }
        }

        @Test func whatIsAskedAboutAnAnnotationIsTrue() throws {
            let dog = { (id: Int, x: Double) in
                Region(
                    id: id, box: Box(x1: x, y1: 10, x2: x + 20, y2: 40), category: "dog", phrase: "a brown dog",
                    description: "A dog <obj1> with tags.", referringExpression: id == 1 ? "the left dog" : nil)
            }
            let again = Region(id: 9, box: Box(x1: 10, y1: 10, x2: 30, y2: 40.5), category: "animal")
            let annotation = Annotation(
                key: "a", source: "test", format: "jpg", sha256: "", width: 100, height: 80,
                caption: GroundedCaption(
                    text: "Two dogs and the cakes.",
                    phrases: [.init(text: "Two dogs", start: 0, end: 8, regions: [1, 2])]),
                regions: [dog(1, 10), dog(2, 60), again])
            let image = try Image(width: 100, height: 80, filledWith: .white)
            let truth = AnnotationTruth(
                annotation, image: image, vocabulary: ["cake", "dog", "cat", "animal", "zebra"], seed: 4)
            // The same box twice is one thing with two names.
            #expect(truth.things.map(\.id) == [0, 1])
            let names = Dictionary(uniqueKeysWithValues: truth.names.map { ($0.name, $0.objectIDs) })
            #expect(names["dog"] == [0, 1] && names["animal"] == [0] && names["Two dogs"] == [0, 1])
            #expect(names["a brown dog"] == [0, 1] && truth.expressions(for: 0) == ["the left dog"])
            // What is spoken of is not asked for as absent; a text with tags is not told.
            #expect(Set(truth.absentNames(5)) == ["cat", "zebra"])
            // Where not every picture was searched for every category, what was looked for in vain is known, or nothing.
            for (absent, asked) in [(["lion", "dog", "cake", "", " ", "a; b", "<obj1>"], ["lion"]), ([], [])] {
                var annotation = annotation
                annotation.absent = absent
                let truth = AnnotationTruth(annotation, image: image, vocabulary: ["cat", "zebra"], seed: 4)
                #expect(truth.absentNames(5) == asked)
            }
            #expect(truth.text(.sentence, of: 0) == nil && truth.things(with: .brief).map(\.id) == [0])
            #expect(truth.caption(.brief)?.map(\.objectIDs) == [[0, 1], []] && truth.caption(.detailed) == nil)
        }

        @Test func everyFaultOfALargeSetIsCountedByKindAndSomeAreNamed() throws {
            try withScenes(1) { folder in
                let list = folder.appendingPathComponent("annotations.jsonl")
                let good = try String(contentsOf: list, encoding: .utf8)
                func line(_ number: Int, _ box: String, score: String = "1") -> String {
                    """
                    {"format":"jpg","height":90,"key":"k\(number)","regions":[{"bbox":\(box),"id":1,"score":\(score)}],"sha256":"","source":"","width":90}

                    """
                }
                var text = good
                // Order, length, range, area and score, in stretches that are judged on different threads.
                for number in 0..<3000 {
                    switch number % 5 {
                    case 0: text += line(number, "[50,5,10,20]")
                    case 1: text += line(number, "[5,5,10]")
                    case 2: text += line(number, "[5,5,10,95]")
                    case 3: text += line(number, "[5,5,5,20]")
                    default: text += line(number, "[5,5,10,20]", score: "7")
                    }
                }
                try Data((text + good).utf8).write(to: list)
                let set = try AnnotatedPictures(AnnotationSets.open(folder), name: "test")
                #expect(set.count == 2)
                #expect(set.report.counts == [.boxForm: 1200, .boxRange: 600, .boxArea: 600, .score: 600])
                #expect(set.report.issues.count == 4 * RecordReport.keptIssues)
                #expect(set.report.issues.first?.place.hasSuffix("annotations.jsonl, line 2") == true)
                let said = "\(set.report)"
                #expect(
                    said.split(separator: "\n").count < 20
                        && said.hasPrefix("1200 boxes that are not four numbers in order"))
            }
        }

        @Test func faultyRecordsAreReportedAndLeftOut() throws {
            try withScenes(4) { folder in
                let list = folder.appendingPathComponent("annotations.jsonl")
                var lines = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").map(String.init)
                lines[1] = "{\"key\": 3}"
                lines[2] = lines[2].replacingOccurrences(of: "\"width\":160", with: "\"width\":20")
                try Data(lines.joined(separator: "\n").utf8).write(to: list)
                try Data([1, 2]).write(to: folder.appendingPathComponent("pictures/scene-3.jpg"))
                let set = try AnnotatedPictures(AnnotationSets.open(folder), name: "test")
                #expect(set.count == 2 && set.report.issueCount == 2)
                #expect(set.report.issues.allSatisfy { $0.place.contains("annotations.jsonl, line") })
                // A picture that cannot be decoded is stood in for.
                let alone = try pictures(TrainingData(folders: [folder.path]))
                let good = try AnnotationSets.open(folder).annotation(at: 0).regions.count
                for number in 0..<4 { #expect(try alone.truth(number).things.count <= good) }
                try Data().write(to: list)
                #expect(throws: TrainingError.self) { try pictures(TrainingData(folders: [folder.path])) }
            }
        }

        @Test func recipesNameTheirData() throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(
                "options: {steps: 1}\ndata:\n  scenes: 2\n  folders:\n    - {path: a}\n    - {path: b, weight: 3}\n"
                    .utf8
            )
            .write(to: file)
            let data = try RecipeFile.load(file, defaults: UPNRecipe()).data
            #expect(data.scenes == 2 && data.folders == [.init(path: "a"), .init(path: "b", weight: 3)])
            #expect(try RecipeFile.load(file, defaults: ChatRexRecipe()).data == data)
            for text in ["data: {scenes: 0}", "data: {scenes: -1}", "data: {folders: [{weight: 1}]}"] {
                try Data("options: {steps: 1}\n\(text)\n".utf8).write(to: file)
                #expect(throws: RecipeError.self) { try RecipeFile.load(file, defaults: UPNRecipe()) }
            }
        }

        @Test func aProposalNetworkTakesTwoStepsOnAnnotatedPictures() throws {
            try withScenes(4) { folder in
                let pictures = try pictures(TrainingData(folders: [folder.path]))
                var recipe = UPNRecipe()
                recipe.network = TinyUPN.recipe.network
                (recipe.batchSize, recipe.phases) = (2, [.init(end: 1, sides: [64])])
                recipe.options.steps = 2
                let task = try UPNTask(recipe, source: { try pictures.picture($0) }, evaluationPictures: [])
                try takeTwoSteps(task)
            }
        }

        @Test func aModelTakesTwoStepsOnAnnotatedPictures() throws {
            try withScenes(3) { folder in
                let tokenizer = try BytePairTokenizer(contentsOf: ModelFolder.find().tokenizer)
                try Runtime.seed(1)
                let model = try ChatRexModel(
                    .nano(vocabularySize: (tokenizer.vocabularySize + 63) / 64 * 64), ParameterStore().weights)
                var options = ConversationOptions()
                (options.stage, options.batchSize, options.encoderRate) = (.joint, 1, 0)
                let task = try ConversationTask(
                    model, tokenizer: tokenizer, options: options,
                    pictures: pictures(TrainingData(folders: [folder.path])), validation: generator.get(),
                    proposalNetwork: nil)
                #expect(try !task.batch(0, progress: 0).targets.isEmpty)
                try takeTwoSteps(task)
            }
        }

        private func takeTwoSteps<Task: TrainingTask>(_ task: Task) throws {
            for parameter in task.parameterGroups.flatMap(\.parameters) { try parameter.tensor.requiringGradient() }
            let optimizer = try AdamW(task.parameterGroups)
            for step in 0..<2 {
                let loss = try task.losses(task.batch(step, progress: 0)).total
                #expect(try loss.item(Float.self).isFinite)
                try loss.backward()
                try optimizer.step(learningRate: 1e-4)
                try optimizer.clearGradients()
            }
        }
    }
}
