/// The picture formats that are read. Decided by the first bytes; a file's name plays no part.
public enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp, tiff, gif, heic

    /// The format's usual spelling.
    public var name: String {
        switch self {
        case .webp: "WebP"
        default: rawValue.uppercased()
        }
    }

    /// How the names of picture files end, in lower case.
    public static let fileExtensions: Set<String> = [
        "jpg", "jpeg", "png", "webp", "tif", "tiff", "gif", "heic", "heif",
    ]

    /// The media type for HTTP.
    public var mediaType: String { "image/\(rawValue)" }

    /// The format of a file that begins with `bytes`, or nil where it is none of these.
    public init?(sniffing bytes: [UInt8]) {
        func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: signature)
        }
        if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if has(Array("RIFF".utf8)), has(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if [[0x49, 0x49, 0x2A, 0], [0x4D, 0x4D, 0, 0x2A], [0x49, 0x49, 0x2B, 0], [0x4D, 0x4D, 0, 0x2B]]
            .contains(where: { has($0) })
        {
            self = .tiff
        } else if has(Array("GIF87a".utf8)) || has(Array("GIF89a".utf8)) {
            self = .gif
        } else if has(Array("ftyp".utf8), at: 4),
            ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].contains(where: {
                has(Array($0.utf8), at: 8)
            })
        {
            self = .heic
        } else {
            return nil
        }
    }

    /// What bytes that are no supported picture look like, for the error message.
    static func describeUnknown(_ bytes: [UInt8]) -> String {
        let head = bytes.prefix(256)
        let text = String(decoding: head, as: UTF8.self)
        if text.contains("<svg") || text.hasPrefix("<?xml") { return "it looks like SVG or XML" }
        if text.hasPrefix("%PDF") { return "it looks like PDF" }
        if text.dropFirst(4).hasPrefix("ftyp") { return "it looks like AVIF or video" }
        if head.allSatisfy({ $0 >= 32 && $0 != 127 || (9...13).contains($0) }) { return "it looks like text" }
        return "its first bytes are of no known format"
    }

    /// The libvips operation that decodes this format and no other.
    var loader: String {
        switch self {
        case .heic: "heifload_buffer"
        default: "\(rawValue)load_buffer"
        }
    }
}
