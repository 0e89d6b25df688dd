/// A labelled box to be drawn.
public struct Annotation: Sendable, Equatable {
    /// Corners in pixels from the picture's top left edge; 0 is the left edge of the first pixel.
    public var x1: Double, y1: Double, x2: Double, y2: Double
    /// Shown literally; empty for none.
    public var label: String
    /// What the colour is chosen by, e.g. the phrase without its score; the label where nil.
    public var colorKey: String?

    public init(x1: Double, y1: Double, x2: Double, y2: Double, label: String = "", colorKey: String? = nil) {
        self.x1 = x1
        self.y1 = y1
        self.x2 = x2
        self.y2 = y2
        self.label = label
        self.colorKey = colorKey
    }

    /// See `Color.init(forKey:)`.
    public var color: Color { Color(forKey: colorKey ?? label) }
}

/// How annotations look.
public struct DrawingStyle: Sendable, Equatable {
    /// Pixels; by the picture's size where nil.
    public var lineWidth: Int?
    /// Pixels; by the picture's size where nil.
    public var fontSize: Int?
    /// A Pango font family with optional style words.
    public var font: String
    /// How much of its colour tints the inside of a box, 0...1.
    public var fillOpacity: Double

    public init(lineWidth: Int? = nil, fontSize: Int? = nil, font: String = "Sans Bold", fillOpacity: Double = 0) {
        self.lineWidth = lineWidth
        self.fontSize = fontSize
        self.font = font
        self.fillOpacity = fillOpacity
    }

    /// Sizes for pictures of these dimensions.
    fileprivate func resolved(width: Int, height: Int) -> (lineWidth: Int, fontSize: Int) {
        let side = Double(width + height) / 2
        return (
            min(max(lineWidth ?? max(side < 160 ? 1 : 2, Int((side * 0.0035).rounded())), 1), 512),
            min(max(fontSize ?? max(10, Int((side * 0.024).rounded())), 4), 512)
        )
    }
}

extension Image {
    /// The picture with boxes and their labels drawn on it.
    ///
    /// Boxes are clipped to the picture; those outside it or with a coordinate that is not a number are left out. Labels
    /// stay inside and apart from one another where there is room. A missing font never fails: Pango then shows empty
    /// squares for letters, and a label that cannot be set at all is left out.
    public func draw(_ annotations: [Annotation], style: DrawingStyle = DrawingStyle()) -> Image {
        let (lineWidth, fontSize) = style.resolved(width: width, height: height)
        // Small boxes last, so that large ones do not cover them.
        let boxes = annotations.compactMap { annotation in
            annotation.pixels(inWidth: width, height: height).map { (annotation: annotation, area: $0) }
        }.sorted { $0.area.width * $0.area.height > $1.area.width * $1.area.height }

        var canvas = Canvas(self)
        for box in boxes { canvas.fill(box.area, with: box.annotation.color, opacity: style.fillOpacity) }
        for box in boxes { canvas.outline(box.area, lineWidth: lineWidth, color: box.annotation.color) }

        var layout = LabelLayout(width: width, height: height)
        for box in boxes.reversed() where !box.annotation.label.isEmpty {
            let outer = box.area.expanded(by: lineWidth / 2).clipped(toWidth: width, height: height)
            guard let tag = LabelTag(box.annotation.label, font: style.font, size: fontSize, maximumWidth: width),
                let place = layout.place(labelWidth: tag.width, labelHeight: tag.height, beside: outer)
            else { continue }
            canvas.draw(tag, at: place, color: box.annotation.color)
        }
        return canvas.image
    }
}

/// A label's text and the size of the coloured field around it.
private struct LabelTag {
    let text: RenderedText
    let width: Int, height: Int, padding: Int

    init?(_ label: String, font: String, size: Int, maximumWidth: Int) {
        padding = max(2, size / 3)
        guard
            let text = RenderedText.fitting(
                label, font: font, size: size, maximumWidth: maximumWidth - 2 * padding)
        else { return nil }
        self.text = text
        width = text.left + text.width + 2 * padding
        // A line of Latin text is 1.17 times its size high; other scripts may need more.
        height = max(size * 6 / 5, text.top + text.height) + padding / 2 * 2
    }
}

extension Canvas {
    /// Draws a box's outline, with a thin dark edge that keeps it visible on a background of its own colour.
    fileprivate mutating func outline(_ area: PixelRect, lineWidth: Int, color: Color) {
        let outer = area.expanded(by: lineWidth / 2)
        let halo = max(1, lineWidth / 3)
        frame(outer.expanded(by: halo), thickness: halo, with: .black, opacity: 0.35)
        let inner = outer.expanded(by: -lineWidth)
        if inner.width > 2 * halo, inner.height > 2 * halo {
            frame(inner, thickness: halo, with: .black, opacity: 0.35)
        }
        // Kept inside, so that a box at the picture's edge has all four lines.
        frame(outer.clipped(toWidth: image.width, height: image.height), thickness: lineWidth, with: color)
    }

    fileprivate mutating func draw(_ tag: LabelTag, at place: PixelRect, color: Color) {
        fill(place, with: color)
        draw(tag.text, x: place.x + tag.padding, y: place.y + tag.padding / 2, with: color.readableTextColor)
    }
}

extension Annotation {
    /// The pixels that the box covers inside a picture, at least one; nil where it lies outside or is not finite.
    fileprivate func pixels(inWidth width: Int, height: Int) -> PixelRect? {
        guard [x1, y1, x2, y2].allSatisfy(\.isFinite) else { return nil }
        let (w, h) = (Double(width), Double(height))
        let (left, right) = (min(x1, x2), max(x1, x2))
        let (top, bottom) = (min(y1, y2), max(y1, y2))
        guard left < w, top < h, right >= 0, bottom >= 0 else { return nil }
        let x = min(Int(max(left, 0).rounded()), width - 1)
        let y = min(Int(max(top, 0).rounded()), height - 1)
        return PixelRect(
            x: x, y: y, width: max(Int(min(right, w).rounded()) - x, 1),
            height: max(Int(min(bottom, h).rounded()) - y, 1))
    }
}

extension PixelRect {
    fileprivate func expanded(by margin: Int) -> PixelRect {
        PixelRect(x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin)
    }
}
