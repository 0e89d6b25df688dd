import Boxes
import ChatRex
import DataEngine
import Foundation
import Imaging
import Scenes
import Testing

/// The built-in model as caption writer, grounder and describer.
@Suite("Modules by our own model", .serialized) struct OwnModelTests {
    private static let session = Task { try await ChatRexSession() }
    private static let scene = Result { try SceneGenerator(assets: SceneAssets()).scene(seed: 905) }

    private static func image() throws -> EngineImage {
        EngineImage(bytes: [], format: "png", sha256: "", image: try scene.get().image)
    }

    private static func phrase(_ text: String) -> NounPhrase {
        NounPhrase(text: text, start: 0, end: text.unicodeScalars.count, kind: .category, category: text)
    }

    @Test("A caption is plain text")
    func caption() async throws {
        let text = try await ModelCaptioner(Self.session.value).caption(Self.image())
        #expect(!text.isEmpty && !text.contains("<"))
    }

    @Test("An inventory names things, each once, in one sentence")
    func inventory() async throws {
        let text = try await ModelCaptioner(Self.session.value, style: .inventory).caption(Self.image())
        let things = try #require(text.wholeMatch(of: /A picture with (an? .+)\./)).1
            .replacing(" and ", with: ", ").split(separator: ", ")
        #expect(things.allSatisfy { $0.hasPrefix("a ") || $0.hasPrefix("an ") } && Set(things).count == things.count)
    }

    @Test("Phrases are asked for together, and each gets the boxes that a detection gives it")
    func grounding() async throws {
        let session = try await Self.session.value, image = try Self.image()
        let names = Array(Set(try Self.scene.get().inventory.map(\.category.name))).sorted()
        try #require(!names.isEmpty)
        let grounder = ModelGrounder(session, minimumScore: 0.2)
        let odd = [
            "<obj3>", "a <ground>dog</ground>", String(repeating: "long ", count: 100), " ", "a; b", "<|im_end|>",
        ]
        let phrases = (odd + names + [names[0].uppercased()]).map(Self.phrase)
        let boxes = try await grounder.ground(phrases, of: "", in: image)
        #expect(boxes.count == phrases.count)
        #expect(boxes.prefix(odd.count).allSatisfy { $0.isEmpty })
        let answer = try await session.detect(names, in: image.image, options: AnswerOptions(minimumScore: 0.2))
        var found = 0
        for (name, boxes) in zip(names, boxes.dropFirst(odd.count)) {
            let expected = answer.groups.filter { $0.phrase == name }.flatMap(\.objects).map(\.score).sorted(by: >)
            #expect(boxes.map(\.score) == expected, "\(name)")
            found += boxes.count
        }
        #expect(found > 0)
        #expect(boxes.last == boxes[odd.count])
        #expect(try await grounder.ground(odd.map(Self.phrase), of: "", in: image) == odd.map { _ in [] })
        #expect(try await grounder.ground([], of: "", in: image) == [])
    }

    @Test("A region is described; one that is too small is not")
    func regions() async throws {
        let session = try await Self.session.value, image = try Self.image()
        let width = Double(image.image.width), height = Double(image.image.height)
        let box = Box(x1: 0, y1: 0, x2: width * 2, y2: height)
        for captioner in [ModelRegionCaptioner(session), ModelRegionCaptioner(session, level: .phrase)] {
            #expect(try await !captioner.describe(box, as: "a dog", in: image).isEmpty)
        }
        for (level, phrase, opening) in [
            (VisionTask.RegionLevel.sentence, "old elephant", "There is an old elephant"), (.brief, "a dog", "the dog"),
        ] {
            let captioner = ModelRegionCaptioner(session, level: level)
            let text = try await captioner.describe(box, as: phrase, in: image)
            #expect(text.hasPrefix(opening), "\(text)")
            #expect(try await !captioner.describe(box, as: "<obj3>", in: image).contains("<"))
        }
        await #expect {
            _ = try await ModelRegionCaptioner(session).describe(
                Box(x1: 0, y1: 0, x2: 5, y2: 50), as: nil, in: image)
        } throws: { ($0 as? Drop)?.reason == "region too small" }
    }
}

/// Asks real servers, where there are some: `Scripts/engine/small_llm.sh serve`, `chatrex serve`.
@Suite("Modules by real servers", .serialized) struct RealServerTests {
    private static let textServer = ProcessInfo.processInfo.environment["CHATREX_TEST_LLM"]
    private static let visionServer = ProcessInfo.processInfo.environment["CHATREX_TEST_VISION"]

    @Test("A small language model verifies and rewrites", .enabled(if: textServer != nil), arguments: [false, true])
    func smallModel(withGrammar: Bool) async throws {
        var settings = EndpointSettings()
        settings.url = try #require(Self.textServer)
        settings.choices = withGrammar ? .grammar : .free
        let endpoint = try ChatEndpoint(settings)
        try await endpoint.check()
        let refiner = try EndpointRefiner(endpoint)
        let pairs = [
            ("A brown dog with a red collar lies on the grass beside a ball.", "dog"),
            ("A white bird sits on a wooden fence and looks to the left.", "dog"),
            ("The woman wears a green coat and holds an umbrella over her head.", "a woman in a coat"),
            ("A yellow taxi drives along a wet street at night.", "a cup of coffee"),
            ("A plate with two slices of pizza stands on a table next to a glass.", "pizza"),
            ("A small wooden boat is tied to a pier in calm water.", "zebra"),
        ]
        for (description, phrase) in pairs {
            var start = ContinuousClock.now
            let agrees = try await refiner.agrees(description, with: phrase)
            let verified = ContinuousClock.now - start
            start = .now
            let expression = try await refiner.referringExpression(from: description, phrase: phrase)
            print(
                "\(phrase) | \(description) | \(agrees) \(verified) | \(expression ?? "-") \(ContinuousClock.now - start)"
            )
        }
        print("faults \(refiner.faults), usage \(endpoint.usage)")
        #expect(endpoint.usage.failures == 0 && endpoint.usage.completionTokens > 0)
        await endpoint.shutdown()
    }

    @Test("Our own server captions", .enabled(if: visionServer != nil))
    func ownServer() async throws {
        var settings = EndpointSettings()
        settings.url = try #require(Self.visionServer)
        settings.parameters = #"{"task": "caption"}"#
        let endpoint = try ChatEndpoint(settings)
        try await endpoint.check()
        let scene = try SceneGenerator(assets: SceneAssets()).scene(seed: 905)
        let image = EngineImage(bytes: [], format: "png", sha256: "", image: scene.image)
        let text = try await EndpointCaptioner(endpoint).caption(image)
        print(text)
        #expect(!text.contains("<"))
        await endpoint.shutdown()
    }
}
