import Foundation
import Imaging
import Testing

@Suite struct DecodingTests {
    /// The picture that `gradient(24, 18)` makes in `make_fixtures.py`.
    static let gradient: [UInt8] = (0..<18 * 24).flatMap { index -> [UInt8] in
        let (y, x) = index.quotientAndRemainder(dividingBy: 24)
        return [UInt8(x * 255 / 23), UInt8(y * 255 / 17), UInt8((x * 7 + y * 13) % 256)]
    }

    @Test(arguments: [
        "gradient.png", "srgb-tagged.png", "bad-profile.png", "tiled.tif", "lossless.webp",
    ])
    func `lossless sRGB pictures are exact`(name: String) throws {
        let image = try Image(contentsOf: fixture(name))
        #expect((image.width, image.height, image.channels) == (24, 18, 3))
        #expect(image.pixels == Self.gradient)
    }

    @Test(arguments: ["landscape", "portrait", "square", "rgba", "gray", "one_px_off"])
    func `the reference pictures padded to a square are exact`(name: String) throws {
        let pictures = try GoldenPictures("chatrex-tiny/preprocess.safetensors")
        let image = try Image(contentsOf: golden("chatrex-tiny/preprocess/\(name).png"))
        let square = try image.paddedToSquare(color: Color(red: 122, green: 116, blue: 104))
        #expect(square == (try pictures("\(name).square_u8")))
    }

    @Test(arguments: 1...8)
    func `EXIF orientation is applied`(orientation: Int) throws {
        let image = try Image(contentsOf: fixture("orientation-\(orientation).jpg"))
        try #require((image.width, image.height) == (48, 32))
        let corners = [image.pixel(4, 4), image.pixel(44, 4), image.pixel(4, 28), image.pixel(44, 28)]
        let expected: [[UInt8]] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]]
        for (found, wanted) in zip(corners, expected) {
            #expect(zip(found, wanted).allSatisfy { abs(Int($0) - Int($1)) < 12 }, "\(found), not \(wanted)")
        }
    }

    @Test func `16-bit samples lose their low byte`() throws {
        let values = (0..<16).flatMap { y in (0..<16).map { x in x * 4096 + y * 256 + 255 } }
        let rgb = try Image(contentsOf: fixture("rgb16.png"))
        #expect(rgb.pixels == values.flatMap { [UInt8($0 >> 8), UInt8((65535 - $0) >> 8), UInt8($0 >> 8)] })
        let gray = try Image(contentsOf: fixture("gray16.png"))
        #expect(gray.pixels == values.flatMap { [UInt8](repeating: UInt8($0 >> 8), count: 3) })
        let rgba = try Image(contentsOf: fixture("rgba16.png"), channels: .rgba)
        let level = values.map { (UInt8($0 >> 8), UInt8((65535 - $0) >> 8)) }
        #expect(rgba.pixels == level.flatMap { [$0, $0, $0, $1] })
    }

    @Test func `a palette with alpha keeps both`() throws {
        let image = try Image(contentsOf: fixture("palette-alpha.png"), channels: .rgba)
        #expect(image == (try Image(contentsOf: fixture("palette-alpha.expected.png"), channels: .rgba)))
        #expect(Set(stride(from: 3, to: image.pixels.count, by: 4).map { image.pixels[$0] }).isSuperset(of: [0, 128]))
    }

    @Test func `alpha is dropped for RGB and opaque where there is none`() throws {
        #expect(try Image(contentsOf: fixture("gray-alpha.png")).pixel(3, 3) == [200, 200, 200])
        #expect(try Image(contentsOf: fixture("gray-alpha.png"), channels: .rgba).pixel(3, 3) == [200, 200, 200, 100])
        #expect(try Image(contentsOf: fixture("one-pixel.png"), channels: .rgba).pixel(0, 0) == [0, 0, 0, 255])
    }

    @Test func `one-bit pictures are black and white`() throws {
        let image = try Image(contentsOf: fixture("one-bit.png"))
        #expect(image.pixels == [UInt8](repeating: 255, count: 9 * 5 * 3))
    }

    @Test func `CMYK inks look as they do in print`() throws {
        let image = try Image(contentsOf: fixture("cmyk.jpg"))
        let blocks = (0..<5).map { image.pixel(16 * $0 + 8, 8).map(Int.init) }
        let (cyan, magenta, yellow, black, white) = (blocks[0], blocks[1], blocks[2], blocks[3], blocks[4])
        #expect(cyan[0] < 80 && cyan[1] > 120 && cyan[2] > 180)
        #expect(magenta[0] > 180 && magenta[1] < 80 && magenta[2] > 90)
        #expect(yellow[0] > 220 && yellow[1] > 200 && yellow[2] < 90)
        #expect(black.allSatisfy { $0 < 70 })
        #expect(white.allSatisfy { $0 > 245 })
    }

    @Test func `an embedded profile is applied`() throws {
        // Stored as (60, 200, 90); LittleCMS by way of Pillow gives (0, 201, 80).
        let pixel = try Image(contentsOf: fixture("wide-gamut.jpg")).pixel(16, 16)
        #expect(zip(pixel, [0, 201, 80]).allSatisfy { abs(Int($0) - $1) <= 3 }, "\(pixel)")
    }

    @Test(arguments: ["animated.gif", "animated.webp"])
    func `an animation gives its first frame`(name: String) throws {
        let image = try Image(contentsOf: fixture(name))
        #expect((image.width, image.height) == (20, 12))
        #expect(image.pixel(10, 6) == [255, 0, 0])
    }

    @Test func `HEIC is read where libvips was built with it`() throws {
        let image: Image
        do {
            image = try Image(contentsOf: fixture("corners.heic"))
        } catch ImagingError.unsupportedFormat(_, let found) {
            #expect(found.contains("this build"))
            return
        }
        try #require((image.width, image.height) == (48, 32))
        #expect(zip(image.pixel(6, 6), [255, 0, 0]).allSatisfy { abs(Int($0) - $1) < 30 })
        #expect(zip(image.pixel(42, 26), [255, 255, 0]).allSatisfy { abs(Int($0) - $1) < 30 })
    }

    @Test(arguments: [("one-pixel.png", 1, 1), ("tall.png", 1, 5000)])
    func `extreme shapes are read`(name: String, width: Int, height: Int) throws {
        let image = try Image(contentsOf: fixture(name))
        #expect((image.width, image.height) == (width, height))
    }

    @Test func `the name plays no part`() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("photo.txt").path
            try Data(fixtureBytes("gradient.png")).write(to: URL(fileURLWithPath: path))
            #expect(try Image(contentsOf: path).pixels == Self.gradient)
        }
    }

    @Test func `many threads may decode, resize, draw and encode at once`() async throws {
        let names = ["gradient.png", "orientation-6.jpg", "animated.webp", "wide-gamut.jpg"]
        @Sendable func work(_ name: String) throws -> [UInt8] {
            let image = try Image(contentsOf: fixture(name)).resized(width: 120, height: 90)
            return try image.draw([Annotation(x1: 9, y1: 30, x2: 80, y2: 70, label: name)]).encoded(as: .png)
        }
        let expected = try Dictionary(uniqueKeysWithValues: names.map { ($0, try work($0)) })
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                let name = names[index % names.count], wanted = expected[name]
                group.addTask { try work(name) == wanted }
            }
            for try await same in group { #expect(same) }
        }
    }
}
