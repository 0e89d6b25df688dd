import Annotations
import Boxes
import DataEngine
import Foundation
import Testing

@Suite struct DatasetCardTests {
    private func statistics() throws -> DatasetStatistics {
        try DatasetStatistics(of: SampleList(samples: ExchangeFixtures.samples()))
    }

    @Test func everythingIsCountedAndMeasured() throws {
        let s = try statistics()
        #expect(s.pictures == 3 && s.regions == 4 && s.groundedPhrases == 2)
        #expect(s.captions.texts == 2 && s.captions.words == 12 && s.captions.longest == 10 && s.captions.mean == 6)
        #expect(s.categories.texts == 3 && s.categories.words == 4 && s.regionsOfCategory.count == 3)
        #expect(s.phrases.texts == 3 && s.descriptions.texts == 1 && s.referringExpressions.texts == 1)
        #expect(s.referringExpressions.longest == 7 && s.descriptions.longest == 14)
        #expect(s.conversations == 1 && s.turns == 2)
        // 25, 1900, 3600 and 4096 square pixels.
        #expect(s.sizes.small == 1 && s.sizes.medium == 3 && s.sizes.large == 0)
        #expect(s.picturesByRegions[0] == 1 && s.picturesByRegions[1] == 1 && s.picturesByRegions[3] == 1)
        #expect(s.topCategories(2).map(\.name) == ["dog", "park bench"])
    }

    @Test func picturesWithVeryManyRegionsAreCountedTogether() throws {
        let regions = (0..<50).map { Region(id: $0, box: Box(x1: 0, y1: 0, x2: 100, y2: 80), category: "dog") }
        var s = DatasetStatistics()
        s.add(ExchangeFixtures.sample("a", picture: [], regions: regions).annotation)
        #expect(s.picturesByRegions.last == 1 && s.regionsPerPicture == 50)
    }

    @Test func theCardSaysTheFiguresAndNothingElseIsMarkup() throws {
        var settings = DatasetCardSettings()
        settings.name = "Pictures | \"with\" <b>names</b>"
        var s = try statistics()
        s.pictures = 1_234_567
        s.regionsOfCategory = ["a|b_<script>": 3]
        let card = DatasetCard(
            statistics: s, drops: ["too small": 12, "not safe": 30], failures: ["caption: timed out": 1],
            settings: settings)
        let text = card.markdown
        #expect(text.hasPrefix("---\npretty_name: \"Pictures | with <b>names</b>\"\nlicense: other\n"))
        #expect(text.contains("size_categories:\n- 1M<n<10M\n") && text.contains("| pictures | 1,234,567 |"))
        #expect(text.contains("# Pictures \\| \"with\" &lt;b&gt;names&lt;/b&gt;"))
        #expect(text.contains("| a\\|b\\_&lt;script&gt; | 3 |") && !text.contains("<script>"))
        // The most frequent reason first.
        let (first, second) = (text.range(of: "| not safe | 30 |"), text.range(of: "| too small | 12 |"))
        #expect(try #require(first).lowerBound < #require(second).lowerBound)
        #expect(text.contains("## Failed") && text.contains("| caption | 2 | 6.0 | 10 |"))
    }

    @Test func anEmptySetHasACardAsWell() {
        let text = DatasetCard(statistics: DatasetStatistics()).markdown
        #expect(text.contains("| pictures | 0 |") && !text.contains("nan") && !text.contains("## Dropped"))
    }

    @Test func bothFilesAreWrittenAndTheFiguresReadAgain() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("card-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let card = DatasetCard(statistics: try statistics(), drops: ["too small": 1])
        try card.write(to: folder)
        let read = try JSONDecoder().decode(
            DatasetCard.self, from: Data(contentsOf: folder.appendingPathComponent("card.json")))
        #expect(read == card)
        #expect(try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8) == card.markdown)
    }
}
