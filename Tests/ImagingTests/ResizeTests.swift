import Imaging
import Testing

@Suite struct ResizeTests {
    @Test(arguments: ["down", "up", "long", "same"])
    func `bilinear is Pillow's to the last bit`(name: String) throws {
        let pictures = try GoldenPictures("upn-tiny/preprocess.safetensors")
        let expected = try pictures("\(name).resized")
        let resized = try pictures("\(name).image").resized(
            width: expected.width, height: expected.height, filter: .bilinear)
        #expect(resized == expected)
    }

    @Test func `bicubic is Pillow's to the last bit`() throws {
        let pictures = try GoldenPictures("chatrex-tiny/preprocess.safetensors")
        let expected = try Image(contentsOf: golden("chatrex-tiny/preprocess/full_768_u8.png"))
        #expect(try pictures("landscape.square_u8").resized(width: 768, height: 768) == expected)
    }

    @Test(arguments: [
        (17, 23, ResizeFilter.bicubic, "soft-alpha.17x23.bicubic.png"),
        (60, 11, ResizeFilter.bilinear, "soft-alpha.60x11.bilinear.png"),
    ])
    func `alpha is Pillow's to the last bit`(width: Int, height: Int, filter: ResizeFilter, name: String) throws {
        let image = try Image(contentsOf: fixture("soft-alpha.png"), channels: .rgba)
        let resized = try image.resized(width: width, height: height, filter: filter)
        #expect(resized == (try Image(contentsOf: fixture(name), channels: .rgba)))
    }

    @Test(arguments: ResizeFilter.allCases, [(1, 1), (1, 500), (3000, 1), (7, 5), (200, 90)])
    func `a plain picture stays plain at any size`(filter: ResizeFilter, size: (Int, Int)) throws {
        let color = Color(red: 12, green: 200, blue: 255)
        let image = try Image(width: 61, height: 43, filledWith: color)
        #expect(
            try image.resized(width: size.0, height: size.1, filter: filter)
                == Image(width: size.0, height: size.1, filledWith: color))
    }

    @Test func `the same size changes nothing`() throws {
        let image = try Image.pattern(width: 31, height: 17, channels: 4)
        #expect(try image.resized(width: 31, height: 17) == image)
    }

    @Test(arguments: [(0, 5), (5, -1), (Int.max, Int.max), (100_000, 100_000), (1_000_000_000, 1)])
    func `impossible sizes are refused`(width: Int, height: Int) throws {
        let image = try Image.pattern(width: 4, height: 4)
        #expect(throws: ImagingError.invalidSize(width: width, height: height, channels: 3)) {
            try image.resized(width: width, height: height)
        }
    }
}
