import Foundation
import GoldenParity
import Testing

@Suite struct GoldenTests {
    /// One failure a rung that is too far off, named as in the set's README.
    @Test func everyStageOfTheTinyNetworkMatchesTheReference() throws {
        let rungs = try GoldenParity.climb(goldenFolder.appending(path: "upn-tiny"))
        #expect(rungs.count == 139)
        for rung in rungs {
            #expect(rung.passes, "\(rung.name): \(rung.largestError) > \(rung.tolerance)")
        }
    }
}
