import Imaging
import Scenes
import Testing

@Suite(.enabled(if: TestWorld.isAvailable && ImagingSupport.hasFont))
struct PageTests {
    private static let loaded = Result { try PageGenerator(split: .training, assets: TestWorld.assets()) }

    /// Share of the pixels that are nearly white.
    private func whiteShare(_ image: Image) -> Double {
        let levels = stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0..<$0 + 3].min() ?? 0 }
        return Double(levels.count { $0 >= 200 }) / Double(levels.count)
    }

    @Test func `a seed gives the same example on any thread`() async throws {
        let generator = try Self.loaded.get()
        let serial = (UInt64(0)..<12).map { generator.example(seed: $0) }
        let concurrent = await withTaskGroup(of: PageExample.self) { group in
            for seed in UInt64(0)..<12 { group.addTask { generator.example(seed: seed) } }
            return await group.reduce(into: [UInt64: PageExample]()) { $0[$1.seed] = $1 }
        }
        for example in serial {
            #expect(concurrent[example.seed]?.image == example.image)
            #expect(concurrent[example.seed]?.kind == example.kind)
            #expect(example.isLowContent == example.seed.isMultiple(of: 2))
        }
        #expect(Set(serial.map(\.image.pixels)).count == serial.count)
    }

    @Test func `held-out examples have other fonts and objects than training examples`() throws {
        let training = try Self.loaded.get(), heldOut = try PageGenerator(split: .heldOut, assets: TestWorld.assets())
        for kind in [PageKind.text, .logo, .photo] {
            #expect(training.example(of: kind, seed: 1).image != heldOut.example(of: kind, seed: 1).image)
        }
    }

    @Test(arguments: PageKind.lowContent) func `pages are mostly white`(kind: PageKind) throws {
        let generator = try Self.loaded.get()
        let shares = (UInt64(0)..<8).map { whiteShare(generator.example(of: kind, seed: $0).image) }
        #expect(shares.reduce(0, +) / 8 > 0.6, "\(shares)")
    }

    @Test(arguments: PageKind.content) func `pictures that are worth keeping have more than white`(kind: PageKind)
        throws
    {
        let generator = try Self.loaded.get()
        let images = (UInt64(0)..<8).map { generator.example(of: kind, seed: $0).image }
        let shares = images.map(whiteShare)
        // Snow and over-exposed pictures are white too: that is what makes them hard.
        let limit = [.snow, .brightPhoto, .interior, .whiteSky].contains(kind) ? 0.95 : 0.6
        #expect(shares.reduce(0, +) / 8 < limit, "\(shares)")
        #expect(images.allSatisfy { (32...512).contains($0.width) && (32...512).contains($0.height) })
    }
}
