import Foundation
import Imaging
import Testing

@Suite struct EncodingTests {
    @Test(arguments: [ImageEncoding.png, .losslessWebP], [Image.Channels.rgb, .rgba])
    func `lossless encodings give the same pixels back`(encoding: ImageEncoding, channels: Image.Channels) throws {
        var image = try Image.pattern(width: 37, height: 21, channels: channels.rawValue)
        // WebP drops the colour of fully transparent pixels.
        if channels == .rgba {
            for index in stride(from: 3, to: image.pixels.count, by: 4) { image.pixels[index] |= 1 }
        }
        let bytes = try image.encoded(as: encoding)
        #expect(ImageFormat(sniffing: bytes) == encoding.format)
        #expect(try Image(decoding: bytes, channels: channels) == image)
    }

    @Test(arguments: [ImageEncoding.jpeg(), .webp()])
    func `lossy encodings give nearly the same pixels back`(encoding: ImageEncoding) throws {
        let image = try Image(contentsOf: fixture("orientation-1.jpg"))
        let bytes = try image.encoded(as: encoding)
        #expect(ImageFormat(sniffing: bytes) == encoding.format)
        let decoded = try Image(decoding: bytes)
        #expect(zip(decoded.pixel(4, 4), image.pixel(4, 4)).allSatisfy { abs(Int($0) - Int($1)) < 16 })
        #expect((decoded.width, decoded.height) == (image.width, image.height))
    }

    @Test func `quality trades size, and any number is accepted`() throws {
        let image = try Image.pattern(width: 64, height: 64)
        let small = try image.encoded(as: .jpeg(quality: -5)), large = try image.encoded(as: .jpeg(quality: 400))
        #expect(small.count * 4 < large.count)
    }

    @Test func `JPEG flattens alpha onto white`() throws {
        let clear = try Image(
            width: 16, height: 16, channels: .rgba, filledWith: Color(red: 0, green: 0, blue: 0, alpha: 0))
        let decoded = try Image(decoding: try clear.encoded(as: .jpeg()))
        #expect(decoded.pixels.allSatisfy { $0 >= 254 })
    }

    @Test func `no metadata is written`() throws {
        let image = try Image(contentsOf: fixture("orientation-6.jpg"))
        let bytes = try image.encoded(as: .jpeg())
        for marker in ["Exif", "ICC_PROFILE", "http"] {
            #expect(Data(bytes).range(of: Data(marker.utf8)) == nil)
        }
        #expect(try Image(decoding: bytes).width == 48)
    }

    @Test(arguments: [("a.jpg", ImageFormat.jpeg), ("b.JPEG", .jpeg), ("c.png", .png), ("d.webp", .webp)])
    func `the extension decides the format`(name: String, format: ImageFormat) throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent(name).path
            try Image.pattern(width: 8, height: 8).write(to: path)
            #expect(ImageFormat(sniffing: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))) == format)
        }
    }

    @Test(arguments: ["picture", "picture.bmp", "jpg", ""])
    func `unknown extensions are refused`(path: String) throws {
        let image = try Image.pattern(width: 2, height: 2)
        #expect(throws: ImagingError.unknownExtension(path: path)) { try image.write(to: path) }
    }

    @Test func `a file is replaced whole and nothing else is left`() throws {
        try withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("a.png").path
            try Image.pattern(width: 90, height: 90).write(to: path)
            let second = try Image.pattern(width: 3, height: 2)
            try second.write(to: path)
            #expect(try Image(contentsOf: path) == second)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
        }
    }

    @Test func `an unwritable path is reported and leaves nothing`() throws {
        try withTemporaryFolder { folder in
            let image = try Image.pattern(width: 2, height: 2)
            let taken = folder.appendingPathComponent("taken.png")
            try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
            for path in [taken.path, folder.appendingPathComponent("missing/a.png").path] {
                #expect {
                    try image.write(to: path)
                } throws: { error in
                    if case ImagingError.fileNotWritable(path, _) = error { true } else { false }
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken.png"])
        }
    }

    @Test func `sides that the format cannot hold are refused`() throws {
        let image = try Image(width: 20_000, height: 1, filledWith: .white)
        #expect {
            try image.encoded(as: .webp())
        } throws: { error in
            if case ImagingError.encodingFailed(.webp, _) = error { true } else { false }
        }
    }
}
