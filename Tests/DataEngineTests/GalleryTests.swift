import Annotations
import Boxes
import DataEngine
import Foundation
import Imaging
import Testing

@Suite struct GalleryTests {
    private func page(
        _ samples: [AnnotatedSample], _ settings: GallerySettings = GallerySettings(), title: String = "Set"
    )
        throws -> (html: String, pictures: [String: [UInt8]], shown: Int)
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gallery-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let shown = try Gallery.write(SampleList(samples: samples), title: title, to: folder, settings: settings)
        let pictures = folder.appendingPathComponent("pictures")
        let names = try FileManager.default.contentsOfDirectory(atPath: pictures.path)
        let files = try names.map { ($0, [UInt8](try Data(contentsOf: pictures.appendingPathComponent($0)))) }
        let html = try String(contentsOf: folder.appendingPathComponent("index.html"), encoding: .utf8)
        return (html, Dictionary(uniqueKeysWithValues: files), shown)
    }

    @Test func whateverATextSaysItIsShownAndNotObeyed() throws {
        let evil = "<script>alert(1)</script> \" onmouseover='alert(2)' </span> & \u{1} <img src=x onerror=alert(3)>"
        let region = Region(
            id: 0, box: Box(x1: 1, y1: 1, x2: 50, y2: 50), category: evil, phrase: evil, description: evil,
            referringExpression: evil)
        let sample = ExchangeFixtures.sample(
            "a", picture: try ExchangeFixtures.picture(),
            caption: GroundedCaption(text: evil, phrases: [.init(text: "<script>", start: 0, end: 8, regions: [0])]),
            regions: [region], conversation: [GroundedTurn(question: evil, answer: GroundedCaption(text: evil))])
        let html = try page([sample], title: evil).html
        // One script, its own; one picture, its own; no attribute that a text has brought.
        #expect(html.components(separatedBy: "<script").count == 2 && html.components(separatedBy: "<img").count == 2)
        #expect(!html.contains("onmouseover='") && !html.contains("\u{1}"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &quot; onmouseover=&#39;alert(2)&#39;"))
        #expect(html.contains("script-src 'sha256-"))
    }

    @Test func phrasesAndBoxesAndRegionsPointAtEachOther() throws {
        let html = try page(ExchangeFixtures.samples()).html
        #expect(html.contains(#"<span class="phrase c0" data-r="0" tabindex="0">a brown dog</span> lies by"#))
        #expect(html.contains(#"<span class="phrase c1" data-r="1" tabindex="0">two benches</span>."#))
        #expect(html.contains(#"data-r="0" style="left:10%;top:15.625%;width:40%;height:59.375%""#))
        #expect(html.contains(#"<li class="region c2" data-r="2" tabindex="0">"#))
        #expect(
            html.contains(#"data-kinds="|dog|park bench|""#) && html.contains(#"<option value="dog">dog (1)</option>"#))
        #expect(html.contains("3 pictures, 4 regions") && html.contains("2 questions"))
    }

    @Test func thePageNeedsNothingButItsPictures() throws {
        let html = try page(ExchangeFixtures.samples()).html
        #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("@import"))
        let sources = html.components(separatedBy: " src=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(sources == ["pictures/full.jpg", "pictures/bare.jpg", "pictures/web-p_1.jpg"])
    }

    @Test func largeSetsAreSampledEvenlyAndPicturesMadeSmall() throws {
        let picture = try ExchangeFixtures.picture(400, 300)
        let samples = (0..<10).map { ExchangeFixtures.sample("p\($0)", picture: picture, width: 400, height: 300) }
        var settings = GallerySettings()
        (settings.samples, settings.pictureSide) = (4, 64)
        let first = try page(samples, settings), second = try page(samples, settings)
        #expect(first.shown == 4 && first.pictures.keys.sorted() == ["p1.jpg", "p3.jpg", "p6.jpg", "p8.jpg"])
        #expect(first.html == second.html && first.pictures == second.pictures)
        #expect(first.html.contains("4 of 10 pictures"))
        let small = try Image(decoding: #require(first.pictures["p1.jpg"]))
        #expect(small.width == 64 && small.height == 48)
    }

    @Test func aSampleThatCannotBeShownIsLeftOut() throws {
        let good = ExchangeFixtures.sample("good", picture: try ExchangeFixtures.picture())
        var bad = ExchangeFixtures.sample("bad", picture: [1, 2, 3])
        var outside = ExchangeFixtures.sample("../outside", picture: try ExchangeFixtures.picture())
        outside.annotation.key = "../outside"
        bad.annotation.key = "bad"
        #expect(try page([good, bad, outside]).pictures.keys.sorted() == ["good.jpg"])
    }

    @Test func settingsThatMakeNoSenseAreRefused() throws {
        var settings = GallerySettings()
        settings.samples = 0
        #expect(throws: ExchangeError.self) { try page([], settings) }
    }
}
