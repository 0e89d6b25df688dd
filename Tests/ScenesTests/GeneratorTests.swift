import Scenes
import Testing

@Test func placeholderUntilAssetsLoad() { #expect(SceneSplit.allCases.count == 3) }
