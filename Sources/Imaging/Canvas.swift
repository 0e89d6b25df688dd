/// A picture that is being drawn on. Everything is clipped to its edges.
struct Canvas {
    private(set) var image: Image

    init(_ image: Image) {
        // So that the writes below stay inside.
        image.withPixels { _ in }
        self.image = image
    }

    /// Covers a rectangle with a colour, mixed in by `opacity` 0...1.
    mutating func fill(_ area: PixelRect, with color: Color, opacity: Double = 1) {
        let width = image.width
        let area = area.clipped(toWidth: width, height: image.height)
        let coverage = UInt8(max(0, min(255, opacity * 255)))
        guard coverage > 0, area.width > 0, area.height > 0 else { return }
        let channels = image.channels
        // A level's new value, for each channel.
        let mixed = color.components.map { new in (0...255).map { mix($0, new, coverage) } }
        let row = area.width * channels
        image.pixels.withUnsafeMutableBufferPointer { pixels in
            for y in area.y..<area.y + area.height {
                let start = (y * width + area.x) * channels
                for channel in 0..<channels {
                    mixed[channel].withUnsafeBufferPointer { levels in
                        for pixel in stride(from: start + channel, to: start + row, by: channels) {
                            pixels[pixel] = levels[Int(pixels[pixel])]
                        }
                    }
                }
            }
        }
    }

    /// Draws a frame of `thickness` pixels that lies inside `area`.
    mutating func frame(_ area: PixelRect, thickness: Int, with color: Color, opacity: Double = 1) {
        guard area.width > 2 * thickness, area.height > 2 * thickness else {
            return fill(area, with: color, opacity: opacity)
        }
        let (x, y, width, height) = (area.x, area.y, area.width, area.height)
        let inner = height - 2 * thickness
        for side in [
            PixelRect(x: x, y: y, width: width, height: thickness),
            PixelRect(x: x, y: y + height - thickness, width: width, height: thickness),
            PixelRect(x: x, y: y + thickness, width: thickness, height: inner),
            PixelRect(x: x + width - thickness, y: y + thickness, width: thickness, height: inner),
        ] {
            fill(side, with: color, opacity: opacity)
        }
    }

    /// Draws text in one colour, the top left of its layout box at (x, y).
    mutating func draw(_ text: RenderedText, x: Int, y: Int, with color: Color) {
        let ink = PixelRect(x: x + text.left, y: y + text.top, width: text.width, height: text.height)
        let visible = ink.clipped(toWidth: image.width, height: image.height)
        for row in visible.y..<visible.y + visible.height {
            for column in visible.x..<visible.x + visible.width {
                let coverage = text.coverage[(row - ink.y) * text.width + column - ink.x]
                if coverage > 0 { blend(color, coverage, x: column, y: row) }
            }
        }
    }

    private mutating func blend(_ color: Color, _ coverage: UInt8, x: Int, y: Int) {
        let pixel = (y * image.width + x) * image.channels
        for (channel, new) in color.components.prefix(image.channels).enumerated() {
            image.pixels[pixel + channel] = mix(image.pixels[pixel + channel], new, coverage)
        }
    }
}

extension Color {
    /// What is mixed into each channel; drawing makes transparent pixels opaque.
    fileprivate var components: [UInt8] { [red, green, blue, 255] }
}

/// `new` over `old`, to the nearest level.
private func mix(_ old: UInt8, _ new: UInt8, _ coverage: UInt8) -> UInt8 {
    UInt8((UInt32(old) * UInt32(255 - coverage) + UInt32(new) * UInt32(coverage) + 127) / 255)
}

extension PixelRect {
    /// The part inside a picture; of no width or height where there is none.
    func clipped(toWidth width: Int, height: Int) -> PixelRect {
        let (left, top) = (min(max(x, 0), width), min(max(y, 0), height))
        let (right, bottom) = (min(x + self.width, width), min(y + self.height, height))
        return PixelRect(x: left, y: top, width: max(right - left, 0), height: max(bottom - top, 0))
    }

    /// Pixels that both cover.
    func overlap(with other: PixelRect) -> Int {
        let width = min(x + self.width, other.x + other.width) - max(x, other.x)
        let height = min(y + self.height, other.y + other.height) - max(y, other.y)
        return max(width, 0) * max(height, 0)
    }
}
