import CVips

/// One line of text as coverage, set by Pango in whatever fonts the machine has.
package struct RenderedText: Sendable {
    /// Size of the ink.
    package let width: Int, height: Int
    /// Where the ink starts within the line's layout box; keeps the baselines of different texts level.
    package let left: Int, top: Int
    /// 0...255, row-major.
    package let coverage: [UInt8]

    /// Nil where nothing can be rendered: no font, or no visible character.
    ///
    /// - Parameter size: the font size in pixels.
    package init?(_ text: String, font: String, size: Int) {
        guard (try? Vips.start()) != nil else { return nil }
        var mask = CVTextMask()
        guard cv_render_text(Self.markup(for: text), "\(font) \(size)", &mask) == CV_OK, let pixels = mask.coverage
        else {
            // The message would otherwise be taken for that of a later failure.
            _ = Vips.takeError()
            return nil
        }
        defer { cv_free(pixels) }
        (width, height) = (Int(mask.width), Int(mask.height))
        (left, top) = (Int(mask.left), Int(mask.top))
        coverage = [UInt8](UnsafeBufferPointer(start: pixels, count: width * height))
    }

    /// Renders `text`, cut down and ended by "…" until it is at most `maximumWidth` wide.
    ///
    /// - Returns: nil where not even one character fits or can be rendered.
    static func fitting(_ text: String, font: String, size: Int, maximumWidth: Int) -> RenderedText? {
        // No label is read further than this, and an endless one must not cost time.
        let longest = 60
        var characters = Array(text.prefix(longest + 1))
        var isCut = characters.count > longest
        if isCut { characters.removeLast() }
        while !characters.isEmpty {
            let shown = String(characters) + (isCut ? "…" : "")
            guard let rendered = RenderedText(shown, font: font, size: size) else { return nil }
            let width = rendered.left + rendered.width
            if width <= maximumWidth { return rendered }
            // Cut in proportion, and by one at least.
            let kept = characters.count * max(maximumWidth, 0) / width
            characters.removeLast(max(characters.count - kept, 1))
            isCut = true
        }
        return nil
    }

    /// Pango markup that shows `text` literally, on one line.
    static func markup(for text: String) -> String {
        var markup = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup += "&amp;"
            case "<": markup += "&lt;"
            case ">": markup += "&gt;"
            case "\u{2028}", "\u{2029}": markup += " "
            case _ where scalar.properties.generalCategory == .control: markup += " "
            default: markup.unicodeScalars.append(scalar)
            }
        }
        return markup
    }
}
