import Foundation
import Imaging
import Testing

@Suite struct HostileInputTests {
    @Test func `a bomb is refused by its header`() throws {
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(
                throws: ImagingError.tooManyPixels(
                    source: fixture("bomb.png"), width: 20000, height: 20000, limit: 100_000_000)
            ) { try Image(contentsOf: fixture("bomb.png")) }
        }
        #expect(time < .seconds(1))
    }

    @Test func `the limits can be set`() throws {
        let exact = DecodingLimits(maximumPixelCount: 24 * 18)
        #expect(throws: Never.self) { try Image(contentsOf: fixture("gradient.png"), limits: exact) }
        let small = DecodingLimits(maximumPixelCount: 24 * 18 - 1)
        #expect(
            throws: ImagingError.tooManyPixels(
                source: fixture("gradient.png"), width: 24, height: 18, limit: 24 * 18 - 1)
        ) { try Image(contentsOf: fixture("gradient.png"), limits: small) }

        let bytes = try fixtureBytes("gradient.png")
        let short = DecodingLimits(maximumByteCount: bytes.count - 1)
        #expect(
            throws: ImagingError.tooManyBytes(source: "image data", count: bytes.count, limit: bytes.count - 1)
        ) { try Image(decoding: bytes, limits: short) }
        #expect(throws: ImagingError.self) { try Image(contentsOf: fixture("gradient.png"), limits: short) }
    }

    @Test(arguments: [("drawing.png", "SVG"), ("text.jpg", "text")])
    func `other formats are refused whatever their name`(name: String, found: String) throws {
        #expect {
            try Image(contentsOf: fixture(name))
        } throws: { error in
            guard case ImagingError.unsupportedFormat(fixture(name), let text) = error else { return false }
            return text.contains(found)
        }
    }

    @Test(arguments: [
        "%PDF-1.7\n", "<?xml version=\"1.0\"?><svg/>", "push graphic-context\nviewbox 0 0 1 1\n", "P6\n1 1\n255\nabc",
        "MVG\n", "\u{0}\u{0}\u{0}\u{18}ftypavif", "\u{1}", "SIMPLE  =  T", "GIF", "RIFF0000WAVE",
    ])
    func `bytes of other formats are refused`(text: String) {
        #expect {
            try Image(decoding: Array(text.utf8))
        } throws: { error in
            if case ImagingError.unsupportedFormat = error { true } else { false }
        }
    }

    @Test func `nothing is refused as empty`() {
        #expect(throws: ImagingError.empty(source: fixture("empty.png"))) {
            try Image(contentsOf: fixture("empty.png"))
        }
        #expect(throws: ImagingError.empty(source: "image data")) { try Image(decoding: []) }
    }

    @Test(arguments: ["", ".", "no-such-file.png", "gradient.png/inside.png"])
    func `paths that are no file are refused`(name: String) {
        let path = name.isEmpty ? "" : fixture(name)
        #expect {
            try Image(contentsOf: path)
        } throws: { error in
            guard case ImagingError.fileNotReadable(path, let reason) = error else { return false }
            return !reason.isEmpty
        }
    }

    @Test func `devices and pipes are refused without waiting`() throws {
        #expect(throws: ImagingError.fileNotReadable(path: "/dev/zero", reason: "it is not an ordinary file")) {
            try Image(contentsOf: "/dev/zero")
        }
        try withTemporaryFolder { folder in
            let pipe = folder.appendingPathComponent("pipe.png").path
            try #require(mkfifo(pipe, 0o600) == 0)
            #expect(throws: ImagingError.fileNotReadable(path: pipe, reason: "it is not an ordinary file")) {
                try Image(contentsOf: pipe)
            }
        }
    }

    @Test func `a truncated photograph is refused`() {
        #expect {
            try Image(contentsOf: fixture("truncated.jpg"))
        } throws: { error in
            guard case ImagingError.damaged(fixture("truncated.jpg"), .jpeg, let reason) = error else { return false }
            return !reason.isEmpty
        }
    }

    @Test(arguments: [
        "orientation-1.jpg", "rgb16.png", "soft-alpha.png", "lossless.webp", "tiled.tif", "still.gif",
        "corners.heic",
    ])
    func `a file cut anywhere in its first two thirds is refused`(name: String) throws {
        let bytes = try fixtureBytes(name)
        for cut in stride(from: 1, through: bytes.count * 2 / 3, by: max(bytes.count / 24, 1)) {
            #expect(throws: ImagingError.self, "cut at \(cut)") { try Image(decoding: Array(bytes.prefix(cut))) }
        }
    }

    @Test(arguments: [
        "orientation-6.jpg", "cmyk.jpg", "wide-gamut.jpg", "palette-alpha.png", "srgb-tagged.png", "lossless.webp",
        "tiled.tif", "animated.gif", "corners.heic",
    ])
    func `altered bytes give a picture or a typed error`(name: String) throws {
        let original = try fixtureBytes(name)
        var random = SplitMix(state: 11)
        let limits = DecodingLimits(maximumPixelCount: 1_000_000)
        for _ in 0..<60 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                let image = try Image(decoding: bytes, channels: .rgba, limits: limits)
                #expect(image.pixels.count == image.width * image.height * 4)
            } catch {
                #expect(error is ImagingError)
            }
        }
    }

    @Test(arguments: [(0, 1, 3), (1, -1, 3), (1, 1, 1), (1, 1, 5), (Int.max, 2, 3), (1 << 32, 1 << 32, 4)])
    func `impossible sizes are refused`(width: Int, height: Int, channels: Int) {
        #expect(throws: ImagingError.invalidSize(width: width, height: height, channels: channels)) {
            try Image(width: width, height: height, channels: channels, pixels: [0])
        }
    }

    @Test func `a pixel array of the wrong length is refused`() {
        #expect(throws: ImagingError.invalidPixels(expected: 12, found: 11)) {
            try Image(width: 2, height: 2, channels: 3, pixels: [UInt8](repeating: 0, count: 11))
        }
    }
}

/// A small seeded generator, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
