import Foundation
import LanguageModels
import Recipes
import Testing
import Training
import UPN

/// What the recipes at full size would take. Nothing of that size is allocated.
@Suite struct PlanTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Recipes")

    private func plan(_ name: String, _ stage: ConversationStage) throws -> TrainingPlan {
        var recipe = try RecipeFile.load(Self.folder.appending(path: name), defaults: ChatRexRecipe())
        recipe.conversation.stage = stage
        return try ChatRexTraining.plan(recipe, from: ChatRexStart())
    }

    @Test func theProposalNetworkOfThePaper() throws {
        let recipe = try RecipeFile.load(Self.folder.appending(path: "paper-upn.yaml"), defaults: UPNRecipe())
        #expect(recipe.network == .large)
        let plan = try UPNTraining.plan(recipe)
        #expect((210_000_000..<230_000_000).contains(plan.elements) && plan.trained == plan.elements)
        #expect(plan.batchSeconds == nil && plan.steps == 1_500_000 && plan.picturesPerStep == 2)
        let backbone = try #require(plan.parts.first { $0.name == "backbone.model" })
        #expect(backbone.rates == [0.1])
        #expect(plan.missing.contains("data/objects365"))
        #expect(plan.weightBytes == plan.elements * 4 && plan.averageBytes == 0)
        let batch = try #require(plan.batchBytes)
        #expect((1 << 30..<40 << 30).contains(batch))
    }

    @Test func theStagesOfThePaper() throws {
        let align = try plan("paper-align.yaml", .align)
        // Qwen2.5-7B with CLIP-L, ConvNeXt-L and two projectors.
        #expect((8_000_000_000..<8_400_000_000).contains(align.elements))
        // Embeddings in and out (2 x 152064 x 3584) and two projectors.
        #expect((1_090_000_000..<1_150_000_000).contains(align.trained))
        #expect(align.steps == 3812 && align.picturesPerStep == 32)
        let perception = try plan("paper-perception.yaml", .perception)
        #expect(perception.trained == perception.elements && perception.learningRate == 2e-5)
        #expect(perception.momentBytes == 8 * perception.elements)
        let joint = try plan("paper-joint.yaml", .joint)
        #expect(joint.steps == 29688 && joint.picturesPerStep == 16)
        for plan in [align, perception, joint] {
            #expect(plan.batchSeconds == nil && plan.missing.contains { $0.contains("--init") })
        }
    }

    @Test func updatesOfLowRankAreAPartOfTheirOwn() throws {
        var recipe = try RecipeFile.load(
            Self.folder.appending(path: "paper-joint.yaml"), defaults: ChatRexRecipe())
        recipe.conversation.lora = .init(rank: 16, alpha: 32)
        (recipe.conversation.encoderRate, recipe.conversation.embeddingRate) = (0, 0)
        let plan = try ChatRexTraining.plan(recipe, from: ChatRexStart())
        let updates = try #require(plan.parts.first { $0.name.contains("low-rank") })
        // 28 layers, rank 16: the sum of both sides of seven matrices.
        let sides = (3584 + 3584) * 2 + (3584 + 512) * 2 + (3584 + 18944) * 3
        #expect(updates.elements == 28 * 16 * sides && updates.trained == updates.elements)
        #expect(plan.parts.first { $0.name == "model.layers" }?.trained == 0)
        #expect(plan.trained < 90_000_000)
    }
}
