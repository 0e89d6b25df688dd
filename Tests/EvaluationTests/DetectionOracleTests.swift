import Boxes
import Evaluation
import Foundation
import Testing

/// Compares with what pycocotools and lvis say; `Scripts/oracles/detection_fixtures.py` writes the fixtures.
@Suite struct DetectionOracleTests {
    @Test(arguments: try Fixture.all(kind: "coco"))
    func `COCO figures equal pycocotools`(fixture: Fixture) throws {
        let report = try DetectionEvaluator.evaluate(fixture.results, on: fixture.dataset, .coco)
        fixture.expected.compare(report)
    }

    @Test(arguments: try Fixture.all(kind: "lvis"))
    func `LVIS figures equal the lvis package`(fixture: Fixture) throws {
        let rules = DetectionProtocol.lvis(fixture.dataset.categories)
        let report = try DetectionEvaluator.evaluate(fixture.results, on: fixture.dataset, rules)
        fixture.expected.compare(report)
    }

    @Test(arguments: try Fixture.all(kind: "proposals"))
    func `proposal recall equals pycocotools without categories`(fixture: Fixture) throws {
        var recall = ProposalRecall(maxProposals: try #require(fixture.maxProposals))
        for image in try fixture.images() { try recall.add(image) }
        let report = recall.report()
        expectEqual("recall50", report.recall50, fixture.expected.recall50)
        expectEqual("ar", report.ar, fixture.expected.recalls.first)
        expectEqual("arSmall", report.arSmall, fixture.expected.arSmall)
        expectEqual("arMedium", report.arMedium, fixture.expected.arMedium)
        expectEqual("arLarge", report.arLarge, fixture.expected.arLarge)
    }

    @Test(arguments: try Fixture.all(kind: "coco"))
    func `the order of images does not matter`(fixture: Fixture) throws {
        var dataset = fixture.dataset
        dataset.images.reverse()
        let reversed = try DetectionEvaluator.evaluate(fixture.results, on: dataset, .coco)
        fixture.expected.compare(reversed)
    }
}

/// A dataset, detections, and the figures expected of them.
struct Fixture: Decodable, CustomTestStringConvertible {
    var kind: String
    var dataset: COCODataset
    var results: [COCOResult]
    var expected: Expected
    var maxProposals: Int?
    var name = ""

    var testDescription: String { name }

    private enum CodingKeys: CodingKey { case kind, dataset, results, expected, maxProposals }

    static func all(kind: String) throws -> [Fixture] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let fixtures = try files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
            .map {
                var fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: $0))
                fixture.name = $0.deletingPathExtension().lastPathComponent
                return fixture
            }
            .filter { $0.kind == kind }
        return try #require(fixtures.isEmpty ? nil : fixtures, "there is no fixture of kind \(kind)")
    }

    /// Pycocotools lines up boxes by category even where it ignores categories, which decides between equal scores.
    func images() throws -> [EvaluationImage] {
        let truths = Dictionary(grouping: dataset.annotations.sorted { $0.categoryID < $1.categoryID }, by: \.imageID)
        let found = Dictionary(grouping: results.sorted { $0.categoryID < $1.categoryID }, by: \.imageID)
        return try dataset.images.map { image in
            EvaluationImage(
                id: image.id, truths: try (truths[image.id] ?? []).map { try GroundTruthBox($0) },
                detections: try (found[image.id] ?? []).map { try DetectedBox($0) })
        }
    }
}

struct Expected: Decodable {
    var ap: Double?, ap50: Double?, ap75: Double?, apSmall: Double?, apMedium: Double?, apLarge: Double?
    var apRare: Double?, apCommon: Double?, apFrequent: Double?
    var arSmall: Double?, arMedium: Double?, arLarge: Double?, recall50: Double?
    var recalls: [Double]

    func compare(_ report: DetectionReport) {
        let pairs: [(String, Double?, Double?)] = [
            ("ap", report.ap, ap), ("ap50", report.ap50, ap50), ("ap75", report.ap75, ap75),
            ("apSmall", report.apSmall, apSmall), ("apMedium", report.apMedium, apMedium),
            ("apLarge", report.apLarge, apLarge), ("apRare", report.apRare, apRare),
            ("apCommon", report.apCommon, apCommon), ("apFrequent", report.apFrequent, apFrequent),
            ("arSmall", report.arSmall, arSmall), ("arMedium", report.arMedium, arMedium),
            ("arLarge", report.arLarge, arLarge),
        ]
        for (name, value, expected) in pairs { expectEqual(name, value, expected) }
        if let recall50 { expectEqual("recall50", report.recall50, recall50) }
        #expect(report.recalls.count == recalls.count)
        for (recall, expected) in zip(report.recalls, recalls) {
            expectEqual("AR@\(recall.maxDetections)", recall.value, expected)
        }
    }
}

func expectEqual(_ name: String, _ value: Double?, _ expected: Double?, tolerance: Double = 1e-9) {
    guard let value, let expected else {
        #expect(
            value == nil && expected == nil, "\(name): \(String(describing: value)), \(String(describing: expected))")
        return
    }
    #expect(abs(value - expected) <= tolerance, "\(name): \(value), expected \(expected)")
}
