import CVips

/// What the installed libvips can do.
public enum ImagingSupport {
    /// Version of libvips.
    public static var version: String { String(cString: cv_version()) }

    /// Whether pictures of a format can be read.
    public static func reads(_ format: ImageFormat) -> Bool {
        (try? Vips.start()) != nil && cv_has_operation(format.loader)
    }

    /// Whether pictures of a format can be written.
    public static func writes(_ format: ImageFormat) -> Bool {
        (try? Vips.start()) != nil && cv_has_operation("\(format.rawValue)save_buffer")
    }

    /// Whether labels can be drawn. Without a font Pango sets every letter as the same empty box.
    public static var hasFont: Bool {
        let font = DrawingStyle().font
        guard let narrow = RenderedText("i", font: font, size: 24), let wide = RenderedText("W", font: font, size: 24)
        else {
            return false
        }
        return narrow.width < wide.width
    }
}
