/// Why a picture could not be read, changed or written. `source` is the path, or "image data" for bytes.
public enum ImagingError: Error, Equatable, CustomStringConvertible {
    /// Missing, a directory, not permitted, or not an ordinary file.
    case fileNotReadable(path: String, reason: String)
    /// More bytes than `DecodingLimits.maximumByteCount`.
    case tooManyBytes(source: String, count: Int, limit: Int)
    /// More pixels than `DecodingLimits.maximumPixelCount`, seen in the header before anything was decoded.
    case tooManyPixels(source: String, width: Int, height: Int, limit: Int)
    /// No bytes at all.
    case empty(source: String)
    /// Not one of `ImageFormat`; `found` says what the bytes look like.
    case unsupportedFormat(source: String, found: String)
    /// Truncated or broken picture data.
    case damaged(source: String, format: ImageFormat, reason: String)
    /// A side below 1, channels other than 3 or 4, or more than 2 GiB of pixels.
    case invalidSize(width: Int, height: Int, channels: Int)
    /// A pixel array of the wrong length.
    case invalidPixels(expected: Int, found: Int)
    /// A crop that is empty or leaves the picture.
    case invalidRegion(PixelRect, width: Int, height: Int)
    /// The file name's extension names no format that can be written.
    case unknownExtension(path: String)
    /// The encoder refused, e.g. a WebP side above 16383 pixels.
    case encodingFailed(format: ImageFormat, reason: String)
    /// The file could not be written; nothing was left behind.
    case fileNotWritable(path: String, reason: String)
    /// libvips did not start.
    case libraryUnavailable(reason: String)

    public var description: String {
        switch self {
        case .fileNotReadable(let path, let reason):
            "Cannot read \(path): \(reason)."
        case .tooManyBytes(let source, let count, let limit):
            "\(source) has \(count) bytes; the limit is \(limit). Shrink the picture or raise the limit."
        case .tooManyPixels(let source, let width, let height, let limit):
            "\(source) is \(width) x \(height) pixels; the limit is \(limit) in all. Shrink it or raise the limit."
        case .empty(let source):
            "\(source) is empty."
        case .unsupportedFormat(let source, let found):
            "\(source) is not a picture that can be read (\(found)). Use JPEG, PNG, WebP, TIFF, GIF or HEIC."
        case .damaged(let source, let format, let reason):
            "\(source) is a damaged or truncated \(format.name) file: \(reason)."
        case .invalidSize(let width, let height, let channels):
            "A picture cannot be \(width) x \(height) with \(channels) channels."
        case .invalidPixels(let expected, let found):
            "A picture of this size has \(expected) bytes, but \(found) were given."
        case .invalidRegion(let region, let width, let height):
            "Cannot cut \(region.width) x \(region.height) at (\(region.x), \(region.y)) from \(width) x \(height) pixels."
        case .unknownExtension(let path):
            "\(path) names no format that can be written. Use .jpg, .jpeg, .png or .webp."
        case .encodingFailed(let format, let reason):
            "Cannot encode as \(format.name): \(reason)."
        case .fileNotWritable(let path, let reason):
            "Cannot write \(path): \(reason)."
        case .libraryUnavailable(let reason):
            "libvips is not usable: \(reason)."
        }
    }
}
