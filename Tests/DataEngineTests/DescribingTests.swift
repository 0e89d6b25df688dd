import Boxes
import DataEngine
import Foundation
import Hummingbird
import Imaging
import Testing

/// A picture whose pixels all differ.
private func picture(width: Int, height: Int) throws -> EngineImage {
    let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
    let image = try Image(width: width, height: height, channels: 3, pixels: pixels)
    return EngineImage(bytes: [], format: "png", sha256: "", image: image)
}

@Suite("Captions by an endpoint") struct EndpointCaptionerTests {
    @Test("The paper's prompt goes out with the picture as a JPEG of limited size")
    func asks() async throws {
        let server = try await ScriptedEndpoint { _, _ in
            try ScriptedEndpoint.says("Sure! Here is the description: \"A dog lies on the grass.\" Anything else?")
        }
        let captioner = try EndpointCaptioner(server.endpoint())
        #expect(try await captioner.caption(picture(width: 2000, height: 1000)) == "A dog lies on the grass.")
        let body = ChatRequestBody(await server.log.bodies[0])
        #expect(body.text == "Please provide a one-sentence description for this image.")
        let sent = try Image(decoding: try #require(body.pictures.first))
        #expect(sent.width == 896 && sent.height == 448)
        #expect(ImageFormat(sniffing: try #require(body.pictures.first)) == .jpeg)
        _ = try await captioner.caption(picture(width: 100, height: 50))
        let small = try Image(decoding: try #require(ChatRequestBody(await server.log.bodies[1]).pictures.first))
        #expect(small.width == 100 && small.height == 50)
    }

    @Test("A faulty answer is asked for again, differently, and the good one is taken")
    func asksAgain() async throws {
        let model = ScriptedModel("", "I'm sorry, I can't help with that.", "A dog lies on the grass.")
        let captioner = try EndpointCaptioner(model)
        #expect(try await captioner.caption(picture(width: 64, height: 64)) == "A dog lies on the grass.")
        #expect(await model.questions.map(\.variation) == [0, 1, 2])
        #expect(captioner.faults == ["empty": 1, "refused": 1])
    }

    @Test(
        "A picture whose answers are all faulty is dropped under a fixed name",
        arguments: [
            ("", "caption empty"), ("I cannot view images.", "caption refused"),
            ("Ein Hund liegt auf der grünen Wiese.", "caption in another language"),
            (String(repeating: "on ", count: 40), "caption repetitive"),
        ])
    func drops(answer: String, reason: String) async throws {
        let model = ScriptedModel(answer)
        let captioner = try EndpointCaptioner(model)
        await #expect {
            _ = try await captioner.caption(picture(width: 64, height: 64))
        } throws: { ($0 as? Drop)?.reason == reason }
        #expect(await model.questions.count == 3)
    }

    @Test("Faulty answers are kept too, so that a repeated run asks for none of them again")
    func keptFaults() async throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let server = try await ScriptedEndpoint { number, _ in
            try ScriptedEndpoint.says(number < 2 ? "" : "A dog lies on the grass.")
        }
        let cache = try AnswerCache(folder.url.appendingPathComponent("answers.sqlite"))
        let captioner = try EndpointCaptioner(StoredAnswersModel(server.endpoint(), cache: cache))
        let image = try picture(width: 64, height: 64)
        for _ in 0..<3 { #expect(try await captioner.caption(image) == "A dog lies on the grass.") }
        #expect(await server.requests == 3)
    }
}

@Suite("Descriptions of regions by an endpoint") struct EndpointRegionCaptionerTests {
    @Test(
        "A crop has a margin and stays inside the picture",
        arguments: [
            (Box(x1: 100, y1: 100, x2: 200, y2: 140), 0.1, PixelRect(x: 90, y: 90, width: 120, height: 60)),
            (Box(x1: 0, y1: 0, x2: 640, y2: 480), 0.5, PixelRect(x: 0, y: 0, width: 640, height: 480)),
            (Box(x1: -50, y1: 460, x2: 50, y2: 600), 0.0, PixelRect(x: 0, y: 460, width: 50, height: 20)),
            (Box(x1: 10.4, y1: 10.4, x2: 30.6, y2: 30.6), 0.0, PixelRect(x: 10, y: 10, width: 21, height: 21)),
        ])
    func areas(box: Box, margin: Double, area: PixelRect) throws {
        var settings = RegionCropSettings()
        settings.margin = margin
        let crop = try RegionCrop(box, inWidth: 640, height: 480, settings)
        #expect(crop.area == area)
        #expect(crop.box.x1 >= 0 && crop.box.x2 <= Double(area.width) && crop.box.y2 <= Double(area.height))
    }

    @Test(
        "A region of which too little is seen is dropped",
        arguments: [
            Box(x1: 0, y1: 0, x2: 11, y2: 100), Box(x1: 635, y1: 0, x2: 900, y2: 400),
            Box(x1: 700, y1: 0, x2: 900, y2: 90),
            Box(x1: 50, y1: 50, x2: 20, y2: 20), Box(x1: .nan, y1: 0, x2: 100, y2: 100),
            Box(x1: 0, y1: 0, x2: .infinity, y2: 100),
        ])
    func tooSmall(box: Box) async throws {
        let captioner = try EndpointRegionCaptioner(ScriptedModel("A dog."))
        await #expect {
            _ = try await captioner.describe(box, as: "a dog", in: picture(width: 640, height: 480))
        } throws: { ($0 as? Drop)?.reason == "region too small" }
    }

    @Test("The phrase is part of the prompt; without one another prompt is asked")
    func prompts() async throws {
        let model = ScriptedModel("A brown dog lies on the grass. It is asleep. It dreams.")
        let captioner = try EndpointRegionCaptioner(model)
        let image = try picture(width: 640, height: 480), box = Box(x1: 10, y1: 10, x2: 110, y2: 110)
        let text = try await captioner.describe(box, as: "a  brown\ndog", in: image)
        #expect(text == "A brown dog lies on the grass. It is asleep.")
        _ = try await captioner.describe(box, as: nil, in: image)
        let questions = await model.questions
        #expect(questions[0].text.contains("It shows: a brown dog. Describe a brown dog in"))
        #expect(questions[1].text == RegionCaptionSettings.unconditionedPrompt)
        #expect(questions[0].pictures == questions[1].pictures)
    }

    @Test("Of several regions each has its description or its own reason, in their order")
    func several() async throws {
        let model = ScriptedModel("A brown dog lies on the grass.")
        let captioner = try EndpointRegionCaptioner(model)
        let large = Box(x1: 10, y1: 10, x2: 110, y2: 110), small = Box(x1: 0, y1: 0, x2: 3, y2: 50)
        let subjects = [large, small, large].map { RegionSubject($0, as: "a dog") }
        let results = try await captioner.describe(subjects, in: picture(width: 640, height: 480))
        let reasons = results.map { result -> String in
            switch result {
            case .success(let text): text
            case .failure(let drop): drop.reason
            }
        }
        let text = "A brown dog lies on the grass."
        #expect(reasons == [text, "region too small", text])
    }

    @Test("Small crops are enlarged and large ones made smaller; the box may be outlined")
    func sizes() async throws {
        let model = ScriptedModel("A brown dog lies on the grass.")
        var settings = RegionCaptionSettings()
        settings.crop.margin = 0
        let image = try picture(width: 1600, height: 1200)
        let boxes = [
            Box(x1: 0, y1: 0, x2: 56, y2: 112), Box(x1: 0, y1: 0, x2: 1344, y2: 672),
            Box(x1: 0, y1: 0, x2: 300, y2: 250),
            Box(x1: 0, y1: 0, x2: 1000, y2: 20),
        ]
        let captioner = try EndpointRegionCaptioner(model, settings)
        for box in boxes { _ = try await captioner.describe(box, as: "a dog", in: image) }
        let sizes = try await model.questions.map { question in
            let sent = try Image(decoding: question.pictures[0])
            return [sent.width, sent.height]
        }
        #expect(sizes == [[224, 448], [672, 336], [300, 250], [672, 13]])
        settings.crop.outlinesBox = true
        let outlining = try EndpointRegionCaptioner(model, settings)
        _ = try await outlining.describe(boxes[2], as: "a dog", in: image)
        let questions = await model.questions
        #expect(questions[4].pictures[0] != questions[2].pictures[0])
    }

    @Test("Faulty descriptions are dropped under fixed names, and bad settings are named")
    func faults() async throws {
        let captioner = try EndpointRegionCaptioner(ScriptedModel("I'm sorry, but I can't see it."))
        await #expect {
            _ = try await captioner.describe(
                Box(x1: 0, y1: 0, x2: 50, y2: 50), as: "a dog", in: picture(width: 64, height: 64))
        } throws: { ($0 as? Drop)?.reason == "description refused" }
        var settings = RegionCaptionSettings()
        settings.prompt = "Describe it."
        #expect {
            try settings.validate()
        } throws: { error in
            if case .invalidSetting("regions.prompt", _) = error as? EngineError { true } else { false }
        }
    }
}
