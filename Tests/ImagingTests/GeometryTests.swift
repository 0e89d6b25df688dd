import Imaging
import Testing

@Suite struct GeometryTests {
    /// 3 x 2 pixels, of which each holds its number three times.
    static let numbered = (0..<6).flatMap { [UInt8](repeating: $0, count: 3) }

    static func image() throws -> Image { try Image(width: 3, height: 2, channels: 3, pixels: numbered) }

    /// The numbers row by row.
    static func rows(_ image: Image) -> [[Int]] {
        (0..<image.height).map { y in (0..<image.width).map { x in Int(image.pixel(x, y)[1]) } }
    }

    @Test(arguments: [
        (Orientation.up, [[0, 1, 2], [3, 4, 5]]), (.upMirrored, [[2, 1, 0], [5, 4, 3]]),
        (.down, [[5, 4, 3], [2, 1, 0]]), (.downMirrored, [[3, 4, 5], [0, 1, 2]]),
        (.leftMirrored, [[0, 3], [1, 4], [2, 5]]), (.right, [[3, 0], [4, 1], [5, 2]]),
        (.rightMirrored, [[5, 2], [4, 1], [3, 0]]), (.left, [[2, 5], [1, 4], [0, 3]]),
    ])
    func `each orientation moves pixels as EXIF says`(orientation: Orientation, expected: [[Int]]) throws {
        #expect(Self.rows(try Self.image().oriented(orientation)) == expected)
    }

    @Test(arguments: -5...5)
    func `quarter turns add up`(turns: Int) throws {
        let image = try Image.pattern(width: 5, height: 3, channels: 4)
        let turned = image.rotated(clockwiseQuarterTurns: turns)
        #expect(turned.width == (turns % 2 == 0 ? 5 : 3))
        #expect(turned.rotated(clockwiseQuarterTurns: -turns) == image)
    }

    @Test func `a clockwise turn takes the left bottom to the left top`() throws {
        #expect(Self.rows(try Self.image().rotated(clockwiseQuarterTurns: 1)) == [[3, 0], [4, 1], [5, 2]])
    }

    @Test func `flips swap sides`() throws {
        #expect(Self.rows(try Self.image().flippedHorizontally()) == [[2, 1, 0], [5, 4, 3]])
        #expect(Self.rows(try Self.image().flippedVertically()) == [[3, 4, 5], [0, 1, 2]])
    }

    @Test func `a crop has the pixels of its region`() throws {
        #expect(
            Self.rows(try Self.image().cropped(to: PixelRect(x: 1, y: 0, width: 2, height: 2))) == [[1, 2], [4, 5]])
        #expect(try Self.image().cropped(to: PixelRect(x: 0, y: 0, width: 3, height: 2)) == Self.image())
    }

    @Test(arguments: [
        PixelRect(x: -1, y: 0, width: 2, height: 2), PixelRect(x: 2, y: 0, width: 2, height: 1),
        PixelRect(x: 0, y: 0, width: 0, height: 1), PixelRect(x: 0, y: 2, width: 1, height: 1),
        PixelRect(x: 0, y: 1, width: 1, height: Int.max), PixelRect(x: Int.max, y: 0, width: Int.max, height: 1),
    ])
    func `a crop outside is refused`(region: PixelRect) throws {
        let image = try Self.image()
        #expect(throws: ImagingError.invalidRegion(region, width: 3, height: 2)) { try image.cropped(to: region) }
    }

    @Test func `the odd pixel of the padding goes to the bottom`() throws {
        let square = try Self.image().paddedToSquare(color: Color(red: 9, green: 9, blue: 9))
        #expect(Self.rows(square) == [[0, 1, 2], [3, 4, 5], [9, 9, 9]])
        let turned = try Self.image().rotated(clockwiseQuarterTurns: 1).paddedToSquare(color: .white)
        #expect(Self.rows(turned) == [[3, 0, 255], [4, 1, 255], [5, 2, 255]])
    }

    @Test(arguments: [(5000, 7), (7, 5000), (4099, 2050), (300, 200)])
    func `a square that is never there gives the same pixels`(width: Int, height: Int) throws {
        let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        let image = try Image(width: width, height: height, channels: 3, pixels: pixels)
        let color = Color(red: 122, green: 116, blue: 104)
        let expected = try image.paddedToSquare(color: color).resized(width: 50, height: 50)
        #expect(try image.resizedInSquare(side: 50, padding: color) == expected)
    }

    @Test func `padding keeps alpha`() throws {
        let image = try Image(width: 1, height: 3, channels: .rgba, filledWith: .black)
        let square = try image.paddedToSquare(color: Color(red: 1, green: 2, blue: 3, alpha: 4))
        #expect(square.pixel(0, 0) == [1, 2, 3, 4])
        #expect(square.pixel(1, 0) == [0, 0, 0, 255])
    }
}
