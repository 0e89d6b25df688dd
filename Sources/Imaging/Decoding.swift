import CVips
import Foundation

/// Bounds on what is decoded, checked before memory is taken.
public struct DecodingLimits: Sendable, Equatable {
    /// Width times height; read from the header.
    public var maximumPixelCount: Int
    /// Length of the encoded file.
    public var maximumByteCount: Int

    public init(maximumPixelCount: Int = 100_000_000, maximumByteCount: Int = 512 << 20) {
        self.maximumPixelCount = maximumPixelCount
        self.maximumByteCount = maximumByteCount
    }

    /// 100 million pixels, 512 MiB.
    public static let `default` = DecodingLimits()
}

extension Image {
    /// Reads a JPEG, PNG, WebP, TIFF, GIF (first frame) or HEIC file, whatever its name.
    ///
    /// EXIF orientation is applied. Grey, palette, CMYK, 16-bit and ICC-tagged pictures become 8-bit sRGB: 16-bit samples
    /// lose their low byte, an embedded profile is applied unless it is sRGB. 8-bit PNG without a profile is exact.
    ///
    /// - Throws: `ImagingError`; a truncated or damaged file is refused, never half decoded.
    public init(contentsOf path: String, channels: Channels = .rgb, limits: DecodingLimits = .default) throws {
        let bytes = try readFile(path, limit: limits.maximumByteCount)
        try self.init(decoding: bytes, source: path, channels: channels, limits: limits)
    }

    /// Decodes the bytes of a picture file. See `init(contentsOf:channels:limits:)`.
    public init(decoding bytes: [UInt8], channels: Channels = .rgb, limits: DecodingLimits = .default) throws {
        try self.init(decoding: bytes, source: "image data", channels: channels, limits: limits)
    }

    private init(decoding bytes: [UInt8], source: String, channels: Channels, limits: DecodingLimits) throws {
        let file = try EncodedFile(bytes: bytes, source: source, limits: limits)
        let (stored, orientation) = try file.decoded(channels: channels, limits: limits)
        self = stored.oriented(orientation)
    }
}

/// What a picture file says about itself before anything is decoded.
public struct ImageHeader: Sendable, Equatable {
    public let format: ImageFormat
    /// Sides in pixels, as shown.
    public let width: Int, height: Int
    /// How the rows are stored.
    public let orientation: Orientation
    /// 8, 16 or 32.
    public let bitsPerSample: Int
    /// Whether the colours are those of four inks.
    public let isCMYK: Bool

    /// Reads the header alone.
    /// - Throws: `ImagingError`; a file whose header is sound may still be damaged further on.
    public init(decoding bytes: [UInt8], limits: DecodingLimits = .default) throws {
        let file = try EncodedFile(bytes: bytes, source: "image data", limits: limits)
        self = try file.opened(limits: limits) { _, header in
            let orientation = Orientation(rawValue: Int(header.orientation)) ?? .up
            let (width, height) = (Int(header.width), Int(header.height))
            return ImageHeader(
                format: file.format, width: orientation.isTurned ? height : width,
                height: orientation.isTurned ? width : height, orientation: orientation,
                bitsPerSample: Int(header.depth), isCMYK: header.is_cmyk)
        }
    }

    private init(
        format: ImageFormat, width: Int, height: Int, orientation: Orientation, bitsPerSample: Int, isCMYK: Bool
    ) {
        (self.format, self.width, self.height, self.orientation) = (format, width, height, orientation)
        (self.bitsPerSample, self.isCMYK) = (bitsPerSample, isCMYK)
    }
}

/// Bytes of a known format on their way through libvips.
private struct EncodedFile {
    let bytes: [UInt8], source: String, format: ImageFormat

    init(bytes: [UInt8], source: String, limits: DecodingLimits) throws {
        guard !bytes.isEmpty else { throw ImagingError.empty(source: source) }
        guard bytes.count <= limits.maximumByteCount else {
            throw ImagingError.tooManyBytes(source: source, count: bytes.count, limit: limits.maximumByteCount)
        }
        guard let format = ImageFormat(sniffing: bytes) else {
            throw ImagingError.unsupportedFormat(source: source, found: ImageFormat.describeUnknown(bytes))
        }
        try Vips.start()
        (self.bytes, self.source, self.format) = (bytes, source, format)
    }

    /// The pixels as stored, and how to turn them.
    func decoded(channels: Image.Channels, limits: DecodingLimits) throws -> (Image, Orientation) {
        try opened(limits: limits) { picture, header in
            let (width, height) = (Int(header.width), Int(header.height))
            let count = try Image.byteCount(width: width, height: height, channels: channels.rawValue)
            let pixels = try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
                guard cv_read_srgb(picture, Int32(channels.rawValue), output.baseAddress, count) == CV_OK else {
                    throw damaged()
                }
                initialized = count
            }
            let image = Image(uncheckedWidth: width, height: height, channels: channels.rawValue, pixels: pixels)
            return (image, Orientation(rawValue: Int(header.orientation)) ?? .up)
        }
    }

    /// Reads the header and checks the number of pixels.
    func opened<Result>(
        limits: DecodingLimits, _ body: (_ picture: OpaquePointer, CVHeader) throws -> Result
    ) throws -> Result {
        try bytes.withUnsafeBytes { input in
            var picture: OpaquePointer?
            var header = CVHeader()
            let status = cv_open(input.baseAddress, input.count, format.loader, &picture, &header)
            guard status != CV_MISSING else {
                throw ImagingError.unsupportedFormat(
                    source: source, found: "\(format.name), which this build of libvips cannot read")
            }
            guard status == CV_OK, let picture else { throw damaged() }
            defer { cv_close(picture) }

            let (width, height) = (Int(header.width), Int(header.height))
            let (area, overflow) = width.multipliedReportingOverflow(by: height)
            guard !overflow, area <= limits.maximumPixelCount else {
                throw ImagingError.tooManyPixels(
                    source: source, width: width, height: height, limit: limits.maximumPixelCount)
            }
            return try body(picture, header)
        }
    }

    private func damaged() -> ImagingError {
        .damaged(source: source, format: format, reason: Vips.takeError())
    }
}

/// Reads an ordinary file of at most `limit` bytes.
private func readFile(_ path: String, limit: Int) throws -> [UInt8] {
    func unreadable(_ reason: String) -> ImagingError { .fileNotReadable(path: path, reason: reason) }
    // Without O_NONBLOCK a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(String(cString: strerror(errno))) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw unreadable("it is a directory")
    default: throw unreadable("it is not an ordinary file")
    }
    let size = Int(status.st_size)
    guard size <= limit else { throw ImagingError.tooManyBytes(source: path, count: size, limit: limit) }

    // A file that shrinks meanwhile gives fewer bytes, one that grows is cut; the decoder judges the rest.
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
            let got = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw unreadable(String(cString: strerror(errno))) }
            if got == 0 { break }
            count += got
        }
    }
}
