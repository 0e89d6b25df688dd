import Imaging

/// What pages need beside objects and backgrounds. Everything is clipped to the canvas.
extension Canvas {
    /// The part of a stretch that lies within a side; empty where there is none.
    private static func visible(_ start: Int, _ length: Int, of side: Int) -> Range<Int> {
        let low = max(0, min(start, side))
        return low..<max(low, min(start + length, side))
    }

    /// Covers a rectangle.
    mutating func fill(_ area: PixelRect, _ paint: Paint) {
        let columns = Self.visible(area.x, area.width, of: width), rows = Self.visible(area.y, area.height, of: height)
        let color = paint.bytes, width = width
        pixels.withUnsafeMutableBufferPointer { pixels in
            for y in rows {
                for x in columns {
                    let start = (y * width + x) * 3
                    (pixels[start], pixels[start + 1], pixels[start + 2]) = color
                }
            }
        }
    }

    /// Draws the outline of a rectangle.
    mutating func frame(_ area: PixelRect, thickness: Int, _ paint: Paint) {
        let (x, y, width, height) = (area.x, area.y, area.width, area.height)
        fill(PixelRect(x: x, y: y, width: width, height: thickness), paint)
        fill(PixelRect(x: x, y: y + height - thickness, width: width, height: thickness), paint)
        fill(PixelRect(x: x, y: y, width: thickness, height: height), paint)
        fill(PixelRect(x: x + width - thickness, y: y, width: thickness, height: height), paint)
    }

    /// Covers an ellipse that fills a rectangle; with a thickness only its edge.
    mutating func ellipse(_ area: PixelRect, thickness: Int? = nil, _ paint: Paint) {
        let a = Double(area.width) / 2, b = Double(area.height) / 2
        guard a >= 1, b >= 1 else { return }
        let inner = thickness.map { max(0, 1 - Double($0) / min(a, b)) } ?? 0
        for y in Self.visible(area.y, area.height, of: height) {
            let v = (Double(y - area.y) + 0.5 - b) / b
            let outside = max(0, 1 - v * v).squareRoot(), inside = max(0, inner * inner - v * v).squareRoot()
            let (left, right) = (Double(area.x) + a - a * outside, Double(area.x) + a + a * outside)
            let (from, to) = (Double(area.x) + a - a * inside, Double(area.x) + a + a * inside)
            if inside > 0 {
                row(y, left, from, paint)
                row(y, to, right, paint)
            } else {
                row(y, left, right, paint)
            }
        }
    }

    private mutating func row(_ y: Int, _ left: Double, _ right: Double, _ paint: Paint) {
        let x = Int(left.rounded())
        fill(PixelRect(x: x, y: y, width: Int(right.rounded()) - x, height: 1), paint)
    }

    /// Covers the inside of a closed outline.
    mutating func polygon(_ corners: [SIMD2<Double>], _ paint: Paint) {
        let top = corners.map(\.y).min() ?? 0, bottom = corners.map(\.y).max() ?? 0
        for y in Self.visible(Int(top), Int(bottom - top) + 1, of: height) {
            let line = Double(y) + 0.5
            let crossings = zip(corners, corners.dropFirst() + corners.prefix(1)).compactMap { from, to -> Double? in
                (from.y <= line) == (to.y <= line)
                    ? nil : from.x + (line - from.y) * (to.x - from.x) / (to.y - from.y)
            }.sorted()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                row(y, crossings[pair], crossings[pair + 1], paint)
            }
        }
    }

    /// Draws straight lines from point to point.
    mutating func stroke(_ points: [SIMD2<Double>], thickness: Int, _ paint: Paint) {
        for (from, to) in zip(points, points.dropFirst()) {
            let way = to - from, steps = max(1, Int(max(abs(way.x), abs(way.y)).rounded(.up)))
            for step in 0...steps {
                let point = from + way * (Double(step) / Double(steps))
                let corner = point - Double(thickness) / 2
                fill(
                    PixelRect(
                        x: Int(corner.x.rounded()), y: Int(corner.y.rounded()), width: thickness, height: thickness),
                    paint)
            }
        }
    }

    /// Draws a word, the top left of its layout box at (x, y).
    mutating func set(_ text: RenderedText, x: Int, y: Int, _ paint: Paint) {
        let left = x + text.left, top = y + text.top
        let columns = Self.visible(left, text.width, of: width), rows = Self.visible(top, text.height, of: height)
        let bytes = paint.bytes, color = SIMD3(Int(bytes.0), Int(bytes.1), Int(bytes.2)), width = width
        pixels.withUnsafeMutableBufferPointer { pixels in
            for row in rows {
                for column in columns {
                    let coverage = Int(text.coverage[(row - top) * text.width + column - left])
                    if coverage == 0 { continue }
                    let start = (row * width + column) * 3
                    for channel in 0..<3 {
                        let old = Int(pixels[start + channel])
                        pixels[start + channel] = UInt8(old + (color[channel] - old) * coverage / 255)
                    }
                }
            }
        }
    }

    /// Puts another canvas on this one, its top left at (x, y).
    mutating func paste(_ other: Canvas, x: Int, y: Int) {
        let columns = Self.visible(x, other.width, of: width)
        for row in Self.visible(y, other.height, of: height) {
            let source = ((row - y) * other.width + columns.lowerBound - x) * 3
            let target = (row * width + columns.lowerBound) * 3, count = columns.count * 3
            pixels.replaceSubrange(target..<target + count, with: other.pixels[source..<source + count])
        }
    }

    /// Gives every level of a channel (0...255) another one.
    mutating func mapLevels(_ change: (_ channel: Int, _ level: Double) -> Double) {
        let tables = (0..<3).map { channel in (0...255).map { UInt8(saturating: change(channel, Double($0))) } }
        pixels.withUnsafeMutableBufferPointer { pixels in
            for start in stride(from: 0, to: pixels.count, by: 3) {
                for channel in 0..<3 { pixels[start + channel] = tables[channel][Int(pixels[start + channel])] }
            }
        }
    }

    /// A copy turned about its middle by a small angle; `paint` shows in the corners.
    func turned(by radians: Double, onto paint: Paint) -> Canvas {
        var result = Canvas(width: width, height: height)
        result.fill(PixelRect(x: 0, y: 0, width: width, height: height), paint)
        let (sine, cosine) = SceneMath.sineAndCosine(radians)
        let middleX = Double(width) / 2, middleY = Double(height) / 2, width = width, height = height
        result.pixels.withUnsafeMutableBufferPointer { output in
            pixels.withUnsafeBufferPointer { input in
                for y in 0..<height {
                    for x in 0..<width {
                        let dx = Double(x) + 0.5 - middleX, dy = Double(y) + 0.5 - middleY
                        let u = middleX + dx * cosine + dy * sine - 0.5, v = middleY - dx * sine + dy * cosine - 0.5
                        guard u >= 0, v >= 0, u < Double(width - 1), v < Double(height - 1) else { continue }
                        let column = Int(u), row = Int(v)
                        let fx = Int((u - Double(column)) * 256), fy = Int((v - Double(row)) * 256)
                        let start = (row * width + column) * 3, below = start + width * 3
                        for channel in 0..<3 {
                            let upper = Int(input[start + channel]) * (256 - fx) + Int(input[start + 3 + channel]) * fx
                            let lower = Int(input[below + channel]) * (256 - fx) + Int(input[below + 3 + channel]) * fx
                            output[(y * width + x) * 3 + channel] = UInt8((upper * (256 - fy) + lower * fy) >> 16)
                        }
                    }
                }
            }
        }
        return result
    }

    /// Share of the pixels of which every channel is at least `level`.
    func share(atLeast level: UInt8) -> Double {
        let bright = pixels.withUnsafeBufferPointer { pixels in
            stride(from: 0, to: pixels.count, by: 3).count {
                pixels[$0] >= level && pixels[$0 + 1] >= level && pixels[$0 + 2] >= level
            }
        }
        return Double(bright) / Double(max(1, width * height))
    }

    /// How far the green levels spread about their mean, as a standard deviation.
    var contrast: Double {
        var sum = 0, squares = 0
        for start in stride(from: 1, to: pixels.count, by: 3) {
            let level = Int(pixels[start])
            sum += level
            squares += level * level
        }
        let count = Double(max(1, width * height)), mean = Double(sum) / count
        return max(0, Double(squares) / count - mean * mean).squareRoot()
    }
}

extension Paint {
    static let white = Paint(255, 255, 255), black = Paint(0, 0, 0)

    fileprivate var bytes: (UInt8, UInt8, UInt8) {
        (UInt8(saturating: red), UInt8(saturating: green), UInt8(saturating: blue))
    }

    /// A strong colour, as headings, bars and logos have.
    static func vivid(_ random: inout SceneRandom) -> Paint {
        Paint(
            hue: random.double(0...359.9), saturation: random.double(0.5...1), value: random.double(0.35...0.95))
    }

    /// The colour of text: mostly black or grey.
    static func ink(_ random: inout SceneRandom) -> Paint {
        random.chance(0.85)
            ? Paint.black.shifted(by: random.double(0...110)) : vivid(&random).mixed(with: .black, 0.4)
    }
}
