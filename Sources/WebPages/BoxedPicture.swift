import Boxes

/// A picture with boxes over it, as HTML for a page with ``PageStyle``.
public struct BoxedPicture: Sendable {
    /// One box.
    public struct Mark: Sendable {
        /// What ties the box to other parts of the sample; see ``PageStyle/lighting``.
        public var number: Int
        /// In pixels of the picture.
        public var box: Box
        public var label: String
        /// Classes of the box, which give it its colour.
        public var kind: String

        public init(_ number: Int, _ box: Box, label: String, kind: String) {
            (self.number, self.box, self.label, self.kind) = (number, box, label, kind)
        }
    }

    /// Relative to the page.
    public var source: String
    /// What those hear who do not see the picture.
    public var alternative: String
    /// Pixels that boxes are measured in.
    public var width: Int, height: Int
    public var marks: [Mark]
    /// Whether it is loaded before it is scrolled to.
    public var isEager = false

    public init(source: String, alternative: String, width: Int, height: Int, marks: [Mark]) {
        (self.source, self.alternative, self.marks) = (source, alternative, marks)
        (self.width, self.height) = (max(1, width), max(1, height))
    }

    public var html: String {
        // Large boxes first, so that small ones lie above them and can be reached.
        let boxes = marks.sorted { $0.box.area > $1.box.area }.map(html).joined()
        return """
            <div class="stage"><div class="frame" style="aspect-ratio:\(width)/\(height);--ratio:\(PageNumber.short(Double(width), of: Double(height)))">\
            <img src="\(Markup.escaped(source))" loading="\(isEager ? "eager" : "lazy")" alt="\(Markup.escaped(alternative))">\(boxes)</div></div>
            """
    }

    private func html(_ mark: Mark) -> String {
        let (width, height) = (Double(width), Double(height))
        let box = mark.box.clipped(toWidth: width, height: height)
        func share(_ part: Double, _ whole: Double) -> String { PageNumber.short(100 * part, of: whole) + "%" }
        let place =
            "left:\(share(box.x1, width));top:\(share(box.y1, height));width:\(share(box.width, width));height:\(share(box.height, height))"
        return
            "<i class=\"box \(mark.kind)\" data-r=\"\(mark.number)\" style=\"\(place)\" aria-hidden=\"true\"><b>\(Markup.escaped(mark.label))</b></i>"
    }
}
