import CVips
import Foundation

/// How a picture is written. Metadata is never written; the pixels are sRGB.
public enum ImageEncoding: Sendable, Equatable {
    /// Quality 1...100; alpha is flattened onto white.
    case jpeg(quality: Int = 90)
    case png
    /// Quality 1...100; keeps alpha.
    case webp(quality: Int = 85)
    case losslessWebP

    /// The encoding that a file name's extension asks for: .jpg, .jpeg, .png or .webp.
    ///
    /// - Throws: `ImagingError.unknownExtension`.
    public init(path: String) throws {
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "jpg", "jpeg": self = .jpeg()
        case "png": self = .png
        case "webp": self = .webp()
        default: throw ImagingError.unknownExtension(path: path)
        }
    }

    /// The format of the bytes.
    public var format: ImageFormat {
        switch self {
        case .jpeg: .jpeg
        case .png: .png
        case .webp, .losslessWebP: .webp
        }
    }

    /// As libvips is told; a quality outside 1...100 is brought inside.
    fileprivate func options(saver: UnsafePointer<CChar>) -> CVEncoding {
        switch self {
        case .jpeg(let quality), .webp(let quality):
            CVEncoding(saver: saver, quality: Int32(min(max(quality, 1), 100)), lossless: false)
        case .png: CVEncoding(saver: saver, quality: -1, lossless: false)
        case .losslessWebP: CVEncoding(saver: saver, quality: 100, lossless: true)
        }
    }
}

extension Image {
    /// The bytes of a picture file.
    ///
    /// - Throws: `ImagingError.encodingFailed`, e.g. for sides that the format cannot hold.
    public func encoded(as encoding: ImageEncoding) throws -> [UInt8] {
        try Vips.start()
        let format = encoding.format
        var bytes: UnsafeMutableRawPointer?
        var length = 0
        let status = withPixels { pixels in
            "\(format.rawValue)save_buffer".withCString { saver in
                cv_encode(
                    pixels, Int32(width), Int32(height), Int32(channels), encoding.options(saver: saver), &bytes,
                    &length)
            }
        }
        guard status == CV_OK, let bytes else {
            let reason = status == CV_MISSING ? "this build of libvips cannot write it" : Vips.takeError()
            throw ImagingError.encodingFailed(format: format, reason: reason)
        }
        defer { cv_free(bytes) }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: length))
    }

    /// Writes a file, by default in the format of its extension. The file appears complete or not at all.
    ///
    /// - Throws: `ImagingError.unknownExtension`, `.encodingFailed`, or `.fileNotWritable`.
    public func write(to path: String, encoding: ImageEncoding? = nil) throws {
        try writeAtomically(encoded(as: encoding ?? ImageEncoding(path: path)), to: path)
    }
}

/// Writes under a temporary name in the same folder, then renames.
private func writeAtomically(_ bytes: [UInt8], to path: String) throws {
    func unwritable() -> ImagingError { .fileNotWritable(path: path, reason: String(cString: strerror(errno))) }
    let temporary = path + ".\(UInt64.random(in: 0...UInt64.max)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable() }
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { buffer in
            Foundation.write(descriptor, buffer.baseAddress.map { $0 + written }, bytes.count - written)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        written += count
    }
    // Even a failed `close` releases the descriptor; it may be where a full disk is first reported.
    let failure = written == bytes.count ? nil : unwritable()
    guard close(descriptor) == 0, failure == nil, rename(temporary, path) == 0 else {
        let error = failure ?? unwritable()
        unlink(temporary)
        throw error
    }
}
