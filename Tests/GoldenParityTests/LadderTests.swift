import Foundation
import GoldenParity
import Testing

/// Every golden set in the repository, rung by rung.
@Suite(.serialized) struct LadderTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Golden")

    @Test(arguments: ["chatrex-tiny", "chatrex-full", "qwen2-tokenizer"]) func `the ladder holds`(set: String) throws {
        let rungs = try GoldenParity.climb(Self.root.appending(path: set))
        #expect(rungs.count > 3)
        for rung in rungs { #expect(rung.passes, "\(rung.name): \(rung.largestError), allowed \(rung.tolerance)") }
    }

    @Test func `a folder without a set is an error`() {
        #expect(throws: GoldenParityError.self) { try GoldenParity.climb(URL(filePath: "/nowhere")) }
        #expect(throws: GoldenParityError.self) {
            try GoldenParity.climb(URL(filePath: #filePath).deletingLastPathComponent())
        }
    }
}
