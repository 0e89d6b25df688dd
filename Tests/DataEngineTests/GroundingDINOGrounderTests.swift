import Boxes
import DataEngine
import Foundation
import GroundingDINO
import Imaging
import Testing

@Suite struct GroundingDINOGrounderTests {
    private static let model = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "GroundingDINOTests/Fixtures/model")

    @Test func phrasesOfACaptionAreGrounded() async throws {
        var settings = GroundingDINOSettings()
        settings.folder = Self.model.path
        settings.boxThreshold = 0
        settings.textThreshold = 0
        let grounder = try await GroundingDINOGrounder(settings)
        let image = try Image(width: 60, height: 40, filledWith: Color(red: 200, green: 30, blue: 90))
        let picture = EngineImage(bytes: [], format: "png", sha256: "", image: image)
        let phrases = [
            NounPhrase(text: "a red cat", start: 0, end: 9, kind: .descriptive, category: "cat"),
            NounPhrase(text: "zebras", start: 14, end: 20, kind: .category, category: "zebra"),
        ]
        let found = try await grounder.ground(phrases, of: "a red cat and zebras", in: picture)
        #expect(found.count == 2 && found.contains { !$0.isEmpty })
        #expect(found.joined().allSatisfy { (0...1).contains($0.score) && $0.box.isValid && $0.box.x2 <= 60 })
    }

    @Test func settingsThatCannotBeMeantAreNamed() async throws {
        await #expect(
            throws: GroundingDINOError.setting(name: "folder", reason: "is empty; give the folder of a model")
        ) {
            try await GroundingDINOGrounder(GroundingDINOSettings())
        }
        for change: (inout GroundingDINOSettings) -> Void in [
            { $0.boxThreshold = 1.5 }, { $0.textThreshold = -0.1 }, { $0.overlapLimit = .nan }, { $0.device = "tpu" },
        ] {
            var settings = GroundingDINOSettings()
            settings.folder = Self.model.path
            #expect(throws: Never.self) { try settings.validate() }
            change(&settings)
            #expect(throws: (any Error).self) { try settings.validate() }
        }
    }
}
