import Foundation
import Testing
import Training

@Suite struct RecipeFileTests {
    private func load(_ text: String) throws -> ChatRexRecipe {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        return try RecipeFile.load(file, defaults: ChatRexRecipe())
    }

    @Test func `what a recipe leaves out keeps its default`() throws {
        let recipe = try load("conversation: {batchSize: 3}\noptions: {minutes: 7, learningRate: 1.0e-3}")
        #expect(recipe.conversation.batchSize == 3)
        #expect(recipe.conversation.sequenceLimit == ConversationOptions().sequenceLimit)
        #expect(recipe.options.minutes == 7 && recipe.options.learningRate == 1e-3)
        #expect(recipe.options.clipNorm == TrainingOptions().clipNorm)
    }

    @Test(
        arguments: [
            ("options: {minuets: 7}", "options.minuets"), ("minutes: 7", "minutes"),
            ("conversation: {steps: 7}", "conversation.steps"), ("options: 7", "options"), ("- 1\n- 2", "no mapping"),
            ("options: {clipNorm: many}", "clipNorm"), ("options: {", "yaml"),
        ])
    func `what makes no sense is named`(text: String, name: String) throws {
        let error = try #require(#expect(throws: TrainingError.self) { try load(text) })
        let message = "\(error)"
        #expect(message.contains(name), "\(message)")
    }

    @Test func `the recipes of this package can be read`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Recipes")
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "yaml" {
            if file.lastPathComponent.contains("upn") {
                _ = try RecipeFile.load(file, defaults: UPNRecipe())
            } else {
                _ = try RecipeFile.load(file, defaults: ChatRexRecipe())
            }
        }
    }
}
