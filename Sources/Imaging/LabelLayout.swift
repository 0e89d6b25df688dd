/// Finds places for labels: near their box, inside the picture, and apart from one another where there is room.
struct LabelLayout {
    let width: Int, height: Int
    private var placed: [PixelRect] = []

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The place of a label beside `box`, or nil where the picture is smaller than the label.
    mutating func place(labelWidth: Int, labelHeight: Int, beside box: PixelRect) -> PixelRect? {
        guard labelWidth <= width, labelHeight <= height else { return nil }
        var best: PixelRect?
        var leastOverlap = Int.max
        for (x, y) in candidates(labelWidth: labelWidth, labelHeight: labelHeight, box: box) {
            let label = PixelRect(x: x, y: y, width: labelWidth, height: labelHeight)
            let overlap = placed.reduce(0) { $0 + $1.overlap(with: label) }
            if overlap < leastOverlap { (best, leastOverlap) = (label, overlap) }
            if overlap == 0 { break }
        }
        if let best { placed.append(best) }
        return best
    }

    /// Top left corners in order of preference, all inside the picture.
    private func candidates(labelWidth: Int, labelHeight: Int, box: PixelRect) -> [(x: Int, y: Int)] {
        func clampedX(_ x: Int) -> Int { min(max(x, 0), width - labelWidth) }
        let left = clampedX(box.x), right = clampedX(box.x + box.width - labelWidth)
        let middle = clampedX(box.x + (box.width - labelWidth) / 2)
        let (top, bottom) = (box.y, box.y + box.height)
        let above = top - labelHeight
        var places = [
            (left, above), (left, top), (left, bottom), (right, above), (right, top), (right, bottom),
            (left, bottom - labelHeight), (right, bottom - labelHeight), (middle, above), (middle, bottom),
        ]
        // Then away from the box, a label's height at a time, on either side of its edges.
        for shift in 1...12 {
            let distance = shift * labelHeight
            for x in [left, right, clampedX(box.x - labelWidth), clampedX(box.x + box.width)] {
                places += [(x, above - distance), (x, top + distance), (x, bottom + distance)]
            }
        }
        return places.filter { (0...height - labelHeight).contains($0.1) }
    }
}
