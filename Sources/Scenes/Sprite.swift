import Imaging

/// One size of a sprite: RGBA with premultiplied alpha and a transparent frame one pixel wide.
///
/// Premultiplied pixels can be averaged without a fringe; the frame lets interpolation run over the edge unchecked.
struct SpriteLevel: Sendable {
    /// With the frame.
    let width: Int, height: Int
    let pixels: [UInt8]

    /// The larger side of the sprite itself.
    var longSide: Int { max(width, height) - 2 }
}

/// A cut-out of one object, kept at falling sizes so that drawing it small costs little and does not alias.
public struct Sprite: Sendable {
    /// Position in the assets.
    public private(set) var id: Int
    public let categoryID: Int
    public let source: SpriteSource
    /// Colours by their share, largest first.
    public let colors: [ColorShare]
    /// Number of clearly separated pieces, at least 1.
    public let pieceCount: Int
    /// Largest first, each half of the one before.
    let levels: [SpriteLevel]

    /// The larger side of the stored sprite in pixels.
    public var longSide: Int { levels.first?.longSide ?? 0 }

    /// The smaller side over the larger.
    var isFlat: Bool {
        guard let level = levels.first else { return false }
        return min(level.width, level.height) * 4 < level.longSide
    }

    /// Larger sprites are reduced on loading: scenes draw none larger.
    static let maximumLongSide = 256
    /// Sprites that would have to be blown up too much are not worth having.
    static let minimumLongSide = 30

    /// Prepares a decoded cut-out; nil where it is empty or tiny.
    init?(categoryID: Int, source: SpriteSource, image: Image) {
        guard image.channels == 4, let full = Self.cutOut(image) else { return nil }
        var levels = [full]
        while let last = levels.last, last.longSide > 32 { levels.append(Self.halved(last)) }
        let measured = levels.last { $0.longSide >= 48 } ?? full
        guard full.longSide >= Self.minimumLongSide else { return nil }
        id = 0
        self.categoryID = categoryID
        self.source = source
        self.levels = levels
        colors = ColorName.shares(in: measured)
        pieceCount = Pieces(level: measured).count
        if colors.isEmpty { return nil }
    }

    /// The same sprite with its position in the assets.
    func numbered(_ id: Int) -> Sprite {
        var copy = self
        copy.id = id
        return copy
    }

    /// The level to draw from at a size: the smallest that need not be enlarged.
    func level(forLongSide side: Double) -> SpriteLevel? {
        levels.last { Double($0.longSide) >= side } ?? levels.first
    }

    /// The opaque part, premultiplied, at most `maximumLongSide` large.
    private static func cutOut(_ image: Image) -> SpriteLevel? {
        var left = image.width, right = -1, top = image.height, bottom = -1
        for y in 0..<image.height {
            for x in 0..<image.width where image.pixels[(y * image.width + x) * 4 + 3] >= 24 {
                left = min(left, x)
                right = max(right, x)
                top = min(top, y)
                bottom = max(bottom, y)
            }
        }
        guard left <= right, top <= bottom else { return nil }
        let (width, height) = (right - left + 1, bottom - top + 1)
        let long = max(width, height)
        let scale = long > maximumLongSide ? Double(maximumLongSide) / Double(long) : 1
        let outWidth = max(1, Int((Double(width) * scale).rounded()))
        let outHeight = max(1, Int((Double(height) * scale).rounded()))
        return averaged(width: outWidth, height: outHeight, fromWidth: width, height: height) { x, y in
            let start = ((top + y) * image.width + left + x) * 4
            let alpha = Int(image.pixels[start + 3])
            return (
                Int(image.pixels[start]) * alpha, Int(image.pixels[start + 1]) * alpha,
                Int(image.pixels[start + 2]) * alpha, alpha * 255
            )
        }
    }

    /// Half as large, frame kept.
    private static func halved(_ level: SpriteLevel) -> SpriteLevel {
        let (width, height) = (level.width - 2, level.height - 2)
        return averaged(
            width: max(1, width / 2), height: max(1, height / 2), fromWidth: width, height: height
        ) { x, y in
            let start = ((y + 1) * level.width + x + 1) * 4
            return (
                Int(level.pixels[start]) * 255, Int(level.pixels[start + 1]) * 255,
                Int(level.pixels[start + 2]) * 255, Int(level.pixels[start + 3]) * 255
            )
        }
    }

    /// Means over whole source pixels. `source` gives premultiplied values times 255.
    private static func averaged(
        width: Int, height: Int, fromWidth: Int, height fromHeight: Int,
        source: (Int, Int) -> (Int, Int, Int, Int)
    ) -> SpriteLevel {
        var pixels = [UInt8](repeating: 0, count: (width + 2) * (height + 2) * 4)
        for y in 0..<height {
            let y0 = y * fromHeight / height, y1 = max(y0 + 1, (y + 1) * fromHeight / height)
            for x in 0..<width {
                let x0 = x * fromWidth / width, x1 = max(x0 + 1, (x + 1) * fromWidth / width)
                var sum = (0, 0, 0, 0)
                for sourceY in y0..<y1 {
                    for sourceX in x0..<x1 {
                        let value = source(sourceX, sourceY)
                        sum = (sum.0 + value.0, sum.1 + value.1, sum.2 + value.2, sum.3 + value.3)
                    }
                }
                let divisor = 255 * (y1 - y0) * (x1 - x0)
                let start = ((y + 1) * (width + 2) + x + 1) * 4
                pixels[start] = UInt8((sum.0 + divisor / 2) / divisor)
                pixels[start + 1] = UInt8((sum.1 + divisor / 2) / divisor)
                pixels[start + 2] = UInt8((sum.2 + divisor / 2) / divisor)
                pixels[start + 3] = UInt8((sum.3 + divisor / 2) / divisor)
            }
        }
        return SpriteLevel(width: width + 2, height: height + 2, pixels: pixels)
    }
}

/// The clearly separated pieces of a cut-out: connected opaque regions that each make up a good share of it.
struct Pieces {
    /// For every pixel the piece it belongs to, from 1; 0 elsewhere.
    let labels: [UInt8]
    /// 1 where the cut-out does not fall apart.
    let count: Int

    init(level: SpriteLevel) {
        self.init(width: level.width, height: level.height) { level.pixels[$0 * 4 + 3] }
    }

    init(width: Int, height: Int, alpha: (Int) -> UInt8) {
        var component = [Int32](repeating: 0, count: width * height)
        var areas: [Int] = []
        var stack: [Int] = []
        for start in 0..<width * height where component[start] == 0 && alpha(start) >= 96 {
            let label = Int32(areas.count + 1)
            var area = 0
            component[start] = label
            stack.append(start)
            while let position = stack.popLast() {
                area += 1
                let x = position % width, y = position / width
                for ny in max(0, y - 1)...min(height - 1, y + 1) {
                    for nx in max(0, x - 1)...min(width - 1, x + 1) {
                        let next = ny * width + nx
                        if component[next] == 0, alpha(next) >= 96 {
                            component[next] = label
                            stack.append(next)
                        }
                    }
                }
            }
            areas.append(area)
        }
        let total = areas.reduce(0, +)
        let large = areas.indices.filter { areas[$0] * 8 >= total && areas[$0] >= 12 }
        guard (2...6).contains(large.count) else {
            labels = component.map { $0 > 0 ? 1 : 0 }
            count = 1
            return
        }
        var renamed = [UInt8](repeating: 0, count: areas.count + 1)
        for (index, area) in large.enumerated() { renamed[area + 1] = UInt8(index + 1) }
        labels = component.map { renamed[Int($0)] }
        count = large.count
    }
}
