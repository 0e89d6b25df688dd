import DataEngine
import Foundation
import Recipes
import Testing
import Training

@Suite struct RecipeFileTests {
    private func load(_ text: String) throws -> ChatRexRecipe {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var defaults = ChatRexRecipe()
        defaults.options.minutes = 1
        return try RecipeFile.load(file, defaults: defaults)
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
            ("options: {clipNorm: many}", "clipNorm"), ("options: {", "yaml"), ("vocabularySize: 7.5", "whole number"),
        ])
    func `what makes no sense is named`(text: String, name: String) throws {
        let error = try #require(#expect(throws: RecipeError.self) { try load(text) })
        let message = "\(error)"
        #expect(message.contains(name), "\(message)")
    }

    @Test(
        arguments: [
            ("# a comment\n\noptions:\n  minuets: 7", 4, "no setting 'options.minuets'"),
            ("options:\n  minutes: 3\n  clipNorm: many", 3, "'options.clipNorm': it is no number"),
            ("conversation:\n  seed: 1\n  batchSize: 0", 3, "'conversation.batchSize': 0 is not within 1...1024"),
            ("options:\n  learningRate: -1", 2, "'options.learningRate': -1.0 is not positive"),
            ("options:\n  minutes: 3\nconversation: joint", 3, "no mapping"),
            ("conversation:\n  lora:\n    rang: 8", 3, "no setting 'conversation.lora.rang'"),
            ("conversation:\n  lora:\n    rank: 8\n    alpha: 0", 4, "'conversation.lora.alpha': 0.0 is not positive"),
            ("conversation:\n  lora:\n    rank: 8\n    dropout: 1", 4, "'conversation.lora.dropout'"),
            ("conversation:\n  lora: {rank: -1}", 2, "'conversation.lora.rank'"),
            ("conversation:\n  lora:\n    rank: 4\n    targets: [q_proj, head]", 4, "[\"head\"] is none of q_proj"),
            ("conversation:\n  boxLimit: 101", 2, "'conversation.boxLimit'"),
            ("conversation:\n  tasks:\n    captoin: 1", 3, "no setting 'conversation.tasks.captoin'"),
            ("conversation:\n  tasks:\n    caption: -1", 3, "'conversation.tasks.caption'"),
            ("\nsize: huge", 2, "size"),
            ("options:\n  divergenceFactor: 0.5", 2, "'options.divergenceFactor'"),
            ("options:\n  rateDrops: [0.9, 0.5]", 2, "'options.rateDrops'"),
        ])
    func `the line of what is wrong is told`(text: String, line: Int, reason: String) throws {
        let error = try #require(#expect(throws: RecipeError.self) { try load(text) })
        #expect("\(error)".contains("line \(line),") && "\(error)".contains(reason), "\(error)")
    }

    @Test(
        arguments: [
            ("backboneRate: -1", 1, "'backboneRate'"),
            ("batchSize: 2\nbackboneLayerDecay: 2", 2, "'backboneLayerDecay'"),
            ("network:\n  backbone:\n    drop_path_rate: 1", 1, "drop_path_rate"),
            ("augmentation:\n  longSideLimit: 100", 2, "'augmentation.longSideLimit'"),
            ("data:\n  scenes: 0\n  folders:\n    - {path: a, granularity: coarse}", 3, "the fine prompt"),
            ("data:\n  folders:\n    - {path: a, granularity: rough}", 3, "granularity"),
        ])
    func `the line of what is wrong with a proposal network's recipe is told`(text: String, line: Int, reason: String)
        throws
    {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = try #require(
            #expect(throws: RecipeError.self) {
                try RecipeFile.load(file, defaults: UPNRecipe()) { $0.options.steps = 1 }
            })
        #expect("\(error)".contains("line \(line),") && "\(error)".contains(reason), "\(error)")
    }

    @Test func `a stage's tasks can be replaced one by one`() throws {
        let tasks = try load("conversation:\n  tasks: {caption: 2, count: 0}").conversation.tasks
        #expect(tasks == ["caption": 2, "count": 0])
    }

    @Test func `a recipe that says no end is refused unless the caller says one`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        try "options: {clipNorm: 2}".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: RecipeError.self) { try RecipeFile.load(file, defaults: ChatRexRecipe()) }
        let recipe = try RecipeFile.load(file, defaults: ChatRexRecipe()) { $0.options.steps = 5 }
        #expect(recipe.options.steps == 5 && recipe.options.clipNorm == 2)
    }

    @Test func `the recipes of this package can be read`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Recipes")
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "yaml" {
            switch file.lastPathComponent {
            case let name where name.hasPrefix("engine-"): _ = try RecipeFile.load(file, defaults: EngineRecipe())
            case let name where name.hasSuffix("-upn.yaml"): _ = try RecipeFile.load(file, defaults: UPNRecipe())
            case "nano-pages.yaml": _ = try RecipeFile.load(file, defaults: PageRecipe())
            default: _ = try RecipeFile.load(file, defaults: ChatRexRecipe())
            }
        }
    }
}
