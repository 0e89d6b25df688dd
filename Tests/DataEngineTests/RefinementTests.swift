import Boxes
import DataEngine
import Foundation
import Testing

@Suite("Verifying and rewriting by an endpoint") struct EndpointRefinerTests {
    @Test(
        "An answer is a yes, a no, or asked for again",
        arguments: [
            (["yes"], true), (["Yes."], true), (["**No**, it does not."], false), (["Answer: yes"], true),
            (["<think>yes or no?</think>No"], false), (["Perhaps.", "Yes"], true), (["Yes and no", "no"], false),
            (["", "The dog"], false),
        ])
    func verification(answers: [String], agrees: Bool) async throws {
        let model = ScriptedModel(answers.map { ChatReply(text: $0) })
        let refiner = try EndpointRefiner(model)
        #expect(try await refiner.agrees("A brown dog on the grass.", with: "a dog") == agrees)
        let questions = await model.questions
        #expect(questions.count == answers.count && questions[0].choices == ["yes", "no"])
        #expect(questions[0].text.contains("Phrase: a dog\nDescription: A brown dog on the grass."))
        #expect(questions[0].examples.map(\.answer) == ["yes", "no", "yes", "no"])
        #expect(refiner.faults["unverified"] == (answers.count == 2 && answers[1].contains("dog") ? 1 : nil))
    }

    @Test(
        "A model that only names the thing verifies, too",
        arguments: [
            (["dog"], true), (["A brown dog.\nDescription: a cat"], true), (["dogs"], true), (["cat"], false),
            (["...", "dog"], true),
            (["", ""], false),
        ])
    func naming(answers: [String], agrees: Bool) async throws {
        var settings = RefinementSettings()
        settings.verification = .naming
        let model = ScriptedModel(answers.map { ChatReply(text: $0) })
        let refiner = try EndpointRefiner(model, settings)
        #expect(try await refiner.agrees("A brown dog on the grass.", with: "a dog with a collar") == agrees)
        let questions = await model.questions
        #expect(questions.count == answers.count && questions[0].choices.isEmpty)
        #expect(questions[0].text == "Description: A brown dog on the grass.\nName the thing that is described.")
    }

    @Test(
        "An expression is one line that names the thing",
        arguments: [
            (["the brown dog on the grass"], "the brown dog on the grass"),
            (["\"The brown dog on the grass.\"\nObject: cat"], "The brown dog on the grass"),
            (["Expression: the two dogs"], "the two dogs"), (["\n\n- the dog \"Rex\""], "the dog Rex"),
            (["", "the dog"], "the dog"), (["the man in a blue shirt", "the cat"], nil),
            ([String(repeating: "dog ", count: 21), "I'm sorry, I can't."], nil), (["the brown one"], "the brown one"),
        ] as [([String], String?)])
    func rewriting(answers: [String], expression: String?) async throws {
        let model = ScriptedModel(answers.map { ChatReply(text: $0) })
        let refiner = try EndpointRefiner(model)
        let found = try await refiner.referringExpression(from: "A brown dog on the grass.", phrase: "a brown dog")
        #expect(found == expression)
        #expect(await model.questions.count == answers.count)
    }

    @Test("Texts that look like a prompt's gaps are left as they are")
    func gaps() async throws {
        let model = ScriptedModel("yes")
        var settings = RefinementSettings()
        settings.showsExamples = false
        _ = try await EndpointRefiner(model, settings).agrees("A sign says {phrase}.", with: "a {description}")
        let question = await model.questions[0]
        #expect(question.text.hasPrefix("Phrase: a {description}\nDescription: A sign says {phrase}.\n"))
        #expect(question.examples.isEmpty)
        settings.rewritingPrompt = "Shorten it."
        #expect(throws: EngineError.self) { try settings.validate() }
    }
}

@Suite("Refining without a language model") struct RuleRefinerTests {
    @Test(
        "A description agrees when it names the thing",
        arguments: [
            ("A brown dog on the grass.", "dog", true), ("Two dogs play.", "a brown dog", true),
            ("A cat sleeps.", "dog", false),
            ("A man with a red hat.", "people", false), ("A person waits.", "three people", true),
            ("The dog has a collar.", "a dog with a red collar", true),
            ("A red collar.", "a dog with a red collar", false),
            ("Slices of pizza on a plate.", "a slice of pizza", true),
            ("People at a table.", "a group of people", true),
            ("A bus at the stop.", "buses", true), ("A catalogue.", "cat", false), ("A dog’s nose.", "dog", true),
            ("", "dog", false),
            ("A dog.", "", false), ("Glasses on a table.", "a pair of glasses", true),
        ])
    func agreement(description: String, phrase: String, agrees: Bool) async throws {
        #expect(PhraseAgreement.names(description, phrase) == agrees)
        let refiner = RuleRefiner(try await PhraseAgreement())
        #expect(try await refiner.agrees(description, with: phrase) == agrees)
    }

    @Test(
        "The expression is the shortest clause that names the thing, else the phrase",
        arguments: [
            (
                "A brown dog with a collar is lying on the grass, looking at a ball.", "dog",
                "the brown dog with a collar lying on the grass"
            ),
            ("The image shows a red bus. The bus is on a street.", "a bus", "the red bus"),
            ("A ball beside the dog.", "dog", "dog"), ("The cat is black.", "cat", "the cat that is black"),
            ("There are two dogs in the snow.", "dogs", "two dogs in the snow"),
            ("It sleeps.", "a white cat", "a white cat"),
            ("Dog.", "a dog", "a dog"), ("", "a dog", "a dog"),
        ])
    func expressions(description: String, phrase: String, expression: String) async throws {
        let refiner = RuleRefiner(try await PhraseAgreement())
        #expect(try await refiner.referringExpression(from: description, phrase: phrase) == expression)
    }

    @Test("Alike in meaning is what a sentence model says")
    func similarity() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("LanguageModelsTests/Fixtures/bert")
        var settings = AgreementSettings()
        (settings.rule, settings.embedder, settings.minimumSimilarity) = (.similarity, folder.path, 0.9999)
        let agreement = try await PhraseAgreement(settings)
        #expect(try await agreement("a brown dog", "a brown dog"))
        #expect(try await !agreement("zebra", "dog"))
        settings.rule = .both
        #expect(try await !PhraseAgreement(settings)("a brown dog runs", "dog"))
        settings.rule = .either
        #expect(try await PhraseAgreement(settings)("a brown dog runs", "dog"))
        settings.embedder = ""
        await #expect(throws: EngineError.self) { try await PhraseAgreement(settings) }
        settings.embedder = "/nowhere"
        await #expect(throws: (any Error).self) { try await PhraseAgreement(settings) }
    }

    @Test("What fails the cheap check is not asked about")
    func checked() async throws {
        let model = ScriptedModel("yes")
        let refiner = CheckedRefiner(try EndpointRefiner(model), after: try await PhraseAgreement())
        #expect(try await !refiner.agrees("A cat sleeps.", with: "dog"))
        #expect(await model.questions.isEmpty)
        #expect(try await refiner.agrees("A dog sleeps.", with: "dog"))
        #expect(await model.questions.count == 1)
    }

    @Test("An expression is kept only if it leads back to its own region")
    func consistency() {
        let own = Box(x1: 0, y1: 0, x2: 100, y2: 100), near = Box(x1: 10, y1: 0, x2: 110, y2: 100)
        let far = Box(x1: 300, y1: 0, x2: 400, y2: 100)
        func keeps(_ boxes: [Box], others: [Box] = []) -> Bool {
            GroundingConsistency.keeps(found: boxes.map { ScoredBox(box: $0, score: 0.5) }, own: own, others: others)
        }
        #expect(keeps([own]) && keeps([near]) && keeps([near], others: [far, own]))
        #expect(!keeps([]) && !keeps([far, own]))
        #expect(!keeps([near], others: [Box(x1: 12, y1: 0, x2: 112, y2: 100)]))
        #expect(!keeps([Box(x1: 0, y1: 0, x2: 49, y2: 100)]) && keeps([Box(x1: 0, y1: 0, x2: 50, y2: 100)]))
    }
}
