import Boxes
import ChatRex
import Foundation
import Imaging
import Testing
import Torch
import TorchNN
import Training
import UPN

/// Models that differ from ChatRex in one thing, as the paper's comparisons need them.
extension SharedStateTests {
    @Suite struct VariantTests {
        private static func trained(_ change: (inout ChatRexRecipe) -> Void) throws -> ModelFolder {
            var recipe = ChatRexRecipe()
            (recipe.options.steps, recipe.options.warmupSteps, recipe.options.evaluationMinutes) = (1, 1, nil)
            (recipe.conversation.batchSize, recipe.conversation.encoderRate) = (1, 0)
            change(&recipe)
            let run = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            let start = ChatRexStart(model: try ModelFolder.find().url)
            #expect(try ChatRexTraining.run(recipe, from: start, folder: run) == .finished)
            return ModelFolder(ChatRexTraining.exported(run))
        }

        @Test("A twin that writes coordinates is trained from a model, and finds its boxes without proposals")
        func coordinates() async throws {
            let folder = try Self.trained { $0.boxNotation = .coordinates }
            #expect(try ChatRexModel.configuration(of: folder.url).boxNotation == .coordinates)
            let session = try await ChatRexSession(
                model: folder, proposalNetwork: ModelFolder.find().proposalNetwork)
            let image = try Image(
                width: 60, height: 40, channels: 3, pixels: [UInt8](repeating: 120, count: 60 * 40 * 3))
            var options = AnswerOptions()
            options.maxTokens = 24
            let answer = try await session.detect(["dog"], in: image, options: options)
            // Whatever so young a model says, boxes that it names are within the picture.
            for (_, object) in answer.detections {
                #expect(Box(x1: 0, y1: 0, x2: 60, y2: 40).overlapArea(with: object.box) == object.box.area)
            }
            let region = try await session.describe(
                [RegionBox(Box(x1: 3, y1: 4, x2: 50, y2: 30))], of: image, options: options)
            #expect(region.count == 1)
        }

        @Test("Objects are read from CLIP with projectors of their own, which must begin anew")
        func clipObjects() throws {
            let folder = try Self.trained { ($0.objectFeatures, $0.renewedParts) = (.clip, [.projectors, .language]) }
            let model = try ChatRexModel.load(folder.url), origin = try ChatRexModel.load(ModelFolder.find().url)
            #expect(model.configuration.objectFeatures == .clip && model.configuration.objectChannels == 128)
            func tensors(_ model: ChatRexModel) throws -> [String: [Float]] {
                try Dictionary(
                    uniqueKeysWithValues: model.namedParameters.map { ($0.name, try $0.tensor.array(of: Float.self)) })
            }
            let (new, old) = (try tensors(model), try tensors(origin))
            // The encoders rest, the language model is another one.
            let encoders = new.keys.filter { $0.hasPrefix("vision_tower") }
            #expect(!encoders.isEmpty && encoders.allSatisfy { new[$0] == old[$0] })
            #expect(new["model.layers.0.mlp.up_proj.weight"] != old["model.layers.0.mlp.up_proj.weight"])
            let error = #expect(throws: TrainingError.self) { try Self.trained { $0.objectFeatures = .clip } }
            #expect("\(try #require(error))".contains("projectors"))
        }

        @Test("With one prompt for all, a network learns both granularities' boxes under the fine one")
        func onePrompt() throws {
            var recipe = TinyUPN.recipe
            recipe.promptsApart = false
            let picture = try AnnotatedPicture(
                image: Image(width: 64, height: 64, channels: 3, pixels: [UInt8](repeating: 9, count: 64 * 64 * 3)),
                boxes: SceneBoxes(
                    fine: [Box(x1: 4, y1: 4, x2: 20, y2: 20)],
                    coarse: [Box(x1: 4, y1: 4, x2: 20, y2: 20), Box(x1: 4, y1: 4, x2: 60, y2: 60)]))
            (recipe.augmentation.cropRate, recipe.augmentation.shrinkRate) = (0, 0)
            let task = try UPNTask(recipe, source: { _ in picture }, evaluationPictures: [picture])
            for number in 0..<2 {
                let batch = try task.batch(number, progress: 0)
                #expect(batch.granularity == .fine && batch.pictures.fine.allSatisfy { $0.count == 2 })
            }
            #expect(try task.evaluate().count == 6)
        }
    }
}
