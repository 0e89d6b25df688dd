/// 8-bit sRGB pixels, interleaved, row-major; 3 channels (RGB) or 4 (RGBA, straight alpha).
///
/// The pixel of column `x` and row `y` starts at `(y * width + x) * channels`.
public struct Image: Sendable, Equatable {
    /// What is kept of a decoded picture.
    public enum Channels: Int, Sendable {
        /// Colour alone; an alpha channel is dropped, not blended, as the reference models do.
        case rgb = 3
        /// Colour and straight alpha; 255 where the picture has none.
        case rgba = 4
    }

    /// Columns, at least 1.
    public let width: Int
    /// Rows, at least 1.
    public let height: Int
    /// 3 or 4.
    public let channels: Int
    /// `width * height * channels` bytes. Change values, not the count.
    public var pixels: [UInt8]

    /// Wraps pixels that already have this layout.
    ///
    /// - Throws: `ImagingError.invalidSize` or `.invalidPixels`.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws {
        let expected = try Self.byteCount(width: width, height: height, channels: channels)
        guard pixels.count == expected else {
            throw ImagingError.invalidPixels(expected: expected, found: pixels.count)
        }
        self.init(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
    }

    /// A picture of one colour.
    ///
    /// - Throws: `ImagingError.invalidSize`.
    public init(width: Int, height: Int, channels: Channels = .rgb, filledWith color: Color) throws {
        let count = try Self.byteCount(width: width, height: height, channels: channels.rawValue)
        let stride = channels.rawValue
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in Swift.stride(from: 0, to: count, by: stride) {
                buffer[index] = color.red
                buffer[index + 1] = color.green
                buffer[index + 2] = color.blue
                if stride == 4 { buffer[index + 3] = color.alpha }
            }
            initialized = count
        }
        self.init(uncheckedWidth: width, height: height, channels: channels.rawValue, pixels: pixels)
    }

    /// For sizes that are known to be valid.
    init(uncheckedWidth width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// Bytes of a picture of this size.
    ///
    /// - Throws: `ImagingError.invalidSize` where a side is below 1, the channels are not 3 or 4, or 2 GiB are exceeded.
    static func byteCount(width: Int, height: Int, channels: Int) throws -> Int {
        let invalid = ImagingError.invalidSize(width: width, height: height, channels: channels)
        guard width > 0, height > 0, channels == 3 || channels == 4 else { throw invalid }
        let (area, areaOverflow) = width.multipliedReportingOverflow(by: height)
        let (count, overflow) = area.multipliedReportingOverflow(by: channels)
        guard !areaOverflow, !overflow, count <= Int(Int32.max) else { throw invalid }
        return count
    }

    /// The pixels for reading without bounds checks; guards against a `pixels` array of another size.
    func withPixels<Result>(_ body: (UnsafePointer<UInt8>) throws -> Result) rethrows -> Result {
        precondition(pixels.count == width * height * channels, "Image.pixels was given another count")
        return try pixels.withUnsafeBufferPointer { buffer in
            // A picture has at least one pixel, so the buffer has an address.
            guard let base = buffer.baseAddress else { preconditionFailure("Image without pixels") }
            return try body(base)
        }
    }
}

extension Image: CustomStringConvertible {
    /// The size alone, so that a log line never holds millions of pixels.
    public var description: String { "\(width) x \(height) \(channels == 4 ? "RGBA" : "RGB") image" }
}

/// An 8-bit sRGB colour with straight alpha.
public struct Color: Sendable, Hashable {
    public var red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8

    public init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
        self.red = red
        self.green = green
        self.blue = blue
        self.alpha = alpha
    }

    public static let black = Color(red: 0, green: 0, blue: 0)
    public static let white = Color(red: 255, green: 255, blue: 255)
}
