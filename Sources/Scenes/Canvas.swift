/// The picture that a scene is drawn on, and which object every pixel shows.
struct Canvas {
    let width: Int, height: Int
    /// RGB.
    var pixels: [UInt8]
    /// Index of the topmost object plus 1; 0 for the background.
    private(set) var owners: [UInt16]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 0, count: width * height * 3)
        owners = [UInt16](repeating: 0, count: width * height)
    }

    /// The columns and rows of a patch that lie inside when its corner is at a place.
    private func visibleRange(of patch: Patch, x: Int, y: Int, margin: Int = 0) -> (x: Range<Int>, y: Range<Int>)? {
        let x1 = max(-margin, -x), x2 = min(patch.width + margin, width - x)
        let y1 = max(-margin, -y), y2 = min(patch.height + margin, height - y)
        return x1 < x2 && y1 < y2 ? (x1..<x2, y1..<y2) : nil
    }

    /// What a patch would cover: its own pixels inside the canvas, and how many of each object's pixels it would hide.
    func coverage(of patch: Patch, x: Int, y: Int, objectCount: Int) -> (visible: Int, hidden: [Int]) {
        var hidden = [Int](repeating: 0, count: objectCount + 1)
        guard let range = visibleRange(of: patch, x: x, y: y) else { return (0, hidden) }
        hidden.withUnsafeMutableBufferPointer { hidden in
            owners.withUnsafeBufferPointer { owners in
                patch.pixels.withUnsafeBufferPointer { pixels in
                    for row in range.y {
                        for column in range.x
                        where pixels[(row * patch.width + column) * 4 + 3] >= Patch.threshold {
                            hidden[Int(owners[(y + row) * width + x + column])] += 1
                        }
                    }
                }
            }
        }
        return (hidden.reduce(0, +), Array(hidden.dropFirst()))
    }

    /// Blends a patch over the canvas; its solid pixels belong to `object` from now on.
    mutating func draw(_ patch: Patch, x: Int, y: Int, object: Int) {
        guard let range = visibleRange(of: patch, x: x, y: y) else { return }
        let owner = UInt16(clamping: object + 1), width = width
        pixels.withUnsafeMutableBufferPointer { canvas in
            owners.withUnsafeMutableBufferPointer { owners in
                patch.pixels.withUnsafeBufferPointer { pixels in
                    for row in range.y {
                        for column in range.x {
                            let source = (row * patch.width + column) * 4
                            let alpha = pixels[source + 3]
                            if alpha == 0 { continue }
                            let place = (y + row) * width + x + column, rest = 255 - Int(alpha)
                            for channel in 0..<3 {
                                let below = Int(canvas[place * 3 + channel]) * rest
                                canvas[place * 3 + channel] = UInt8(
                                    min(255, Int(pixels[source + channel]) + (below * 257 + 32768) >> 16))
                            }
                            if alpha >= Patch.threshold { owners[place] = owner }
                        }
                    }
                }
            }
        }
    }

    /// Darkens the canvas under a soft copy of a patch's outline.
    mutating func drawShadow(of patch: Patch, x: Int, y: Int, radius: Int, strength: Double) {
        let radius = max(1, radius)
        guard let range = visibleRange(of: patch, x: x, y: y, margin: 2 * radius) else { return }
        let outline = Self.softOutline(of: patch, radius: radius)
        let stride = patch.width + 4 * radius, amount = Int(max(0, min(1, strength)) * 256), width = width
        pixels.withUnsafeMutableBufferPointer { canvas in
            outline.withUnsafeBufferPointer { outline in
                for row in range.y {
                    for column in range.x {
                        let depth = Int(outline[(row + 2 * radius) * stride + column + 2 * radius])
                        if depth == 0 { continue }
                        let place = ((y + row) * width + x + column) * 3, light = 65536 - depth * amount * 257 / 256
                        for channel in 0..<3 {
                            canvas[place + channel] = UInt8((Int(canvas[place + channel]) * light) >> 16)
                        }
                    }
                }
            }
        }
    }

    /// The patch's alpha after two box blurs, larger than the patch by twice the radius on every side.
    private static func softOutline(of patch: Patch, radius: Int) -> [UInt8] {
        let width = patch.width + 4 * radius, height = patch.height + 4 * radius
        var plane = [UInt8](repeating: 0, count: width * height)
        var scratch = plane
        plane.withUnsafeMutableBufferPointer { plane in
            for row in 0..<patch.height {
                for column in 0..<patch.width {
                    plane[(row + 2 * radius) * width + column + 2 * radius] =
                        patch.pixels[(row * patch.width + column) * 4 + 3]
                }
            }
            scratch.withUnsafeMutableBufferPointer { scratch in
                for _ in 0..<2 {
                    boxBlur(plane, scratch, lines: height, length: width, lineStep: width, step: 1, radius: radius)
                    boxBlur(scratch, plane, lines: width, length: height, lineStep: 1, step: width, radius: radius)
                }
            }
        }
        return plane
    }

    private static func boxBlur(
        _ input: UnsafeMutableBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, lines: Int,
        length: Int, lineStep: Int, step: Int, radius: Int
    ) {
        let factor = 65536 / (2 * radius + 1)
        for line in 0..<lines {
            let start = line * lineStep
            var sum = 0
            for position in 0..<min(radius, length) { sum += Int(input[start + position * step]) }
            for position in 0..<length {
                if position + radius < length { sum += Int(input[start + (position + radius) * step]) }
                output[start + position * step] = UInt8(min(255, (sum * factor) >> 16))
                if position >= radius { sum -= Int(input[start + (position - radius) * step]) }
            }
        }
    }

    /// Bounds and number of the pixels that each object still shows.
    func visibleParts(objectCount: Int) -> [(bounds: PixelBounds, area: Int)] {
        var parts = [(bounds: PixelBounds, area: Int)](repeating: (PixelBounds(), 0), count: objectCount)
        for y in 0..<height {
            for x in 0..<width {
                let owner = Int(owners[y * width + x])
                if owner > 0, owner <= objectCount {
                    parts[owner - 1].bounds.include(x: x, y: y)
                    parts[owner - 1].area += 1
                }
            }
        }
        return parts
    }
}
