/// A sprite as it will appear: scaled, turned, mirrored and toned; RGBA with premultiplied alpha.
struct Patch {
    let width: Int, height: Int
    let pixels: [UInt8]
    /// The pixels that count as the object, from the patch's corner.
    let bounds: PixelBounds
    /// Number of pixels that count as the object.
    let area: Int

    /// Alpha from which on a pixel counts as part of the object.
    static let threshold: UInt8 = 96
}

/// Whole pixels, upper limits excluded.
struct PixelBounds: Equatable {
    var x1 = Int.max, y1 = Int.max, x2 = Int.min, y2 = Int.min

    var isEmpty: Bool { x1 >= x2 || y1 >= y2 }
    var width: Int { isEmpty ? 0 : x2 - x1 }
    var height: Int { isEmpty ? 0 : y2 - y1 }

    mutating func include(x: Int, y: Int) {
        x1 = min(x1, x)
        y1 = min(y1, y)
        x2 = max(x2, x + 1)
        y2 = max(y2, y + 1)
    }
}

/// How a sprite is drawn.
struct Pose {
    /// Length of the sprite's larger side in pixels, before turning.
    var longSide: Double
    /// Radians, clockwise, -π...π.
    var angle = 0.0
    var isMirrored = false
    var tone = Tone()
}

/// Light on an object: a factor for each channel and an offset in levels.
struct Tone {
    var red = 1.0, green = 1.0, blue = 1.0, offset = 0.0

    static func random(_ random: inout SceneRandom, strength: Double) -> Tone {
        let gain = 1 + strength * random.double(-0.25...0.2)
        func channel(_ random: inout SceneRandom) -> Double { gain * (1 + strength * random.double(-0.06...0.06)) }
        return Tone(
            red: channel(&random), green: channel(&random), blue: channel(&random),
            offset: strength * random.double(-12...12))
    }
}

extension Patch {
    /// Draws a sprite; nil where nothing visible remains.
    init?(sprite: Sprite, pose: Pose) {
        guard pose.longSide >= 2, pose.longSide <= 4096, let level = sprite.level(forLongSide: pose.longSide) else {
            return nil
        }
        let scale = pose.longSide / Double(level.longSide)
        let (sine, cosine) = SceneMath.sineAndCosine(pose.angle)
        let drawnWidth = Double(level.width - 2) * scale, drawnHeight = Double(level.height - 2) * scale
        let width = Int((drawnWidth * abs(cosine) + drawnHeight * abs(sine)).rounded(.up)) + 2
        let height = Int((drawnWidth * abs(sine) + drawnHeight * abs(cosine)).rounded(.up)) + 2

        // From the patch's pixel centres back to the level's pixels, in 1/65536.
        let mirror = pose.isMirrored ? -1.0 : 1.0
        let a = mirror * cosine / scale, b = mirror * sine / scale
        let c = -sine / scale, d = cosine / scale
        let dx = 0.5 - Double(width) / 2, dy = 0.5 - Double(height) / 2
        let map = Affine(
            u: Double(level.width) / 2 - 0.5 + a * dx + b * dy, v: Double(level.height) / 2 - 0.5 + c * dx + d * dy,
            ux: a, vx: c, uy: b, vy: d)
        var pixels = [UInt8](repeating: 0, count: width * height * 4)
        pixels.withUnsafeMutableBufferPointer { output in
            level.pixels.withUnsafeBufferPointer { input in
                map.draw(
                    input, width: level.width, height: level.height, into: output, width: width, height: height,
                    tone: FixedTone(pose.tone))
            }
        }
        self.init(width: width, height: height, pixels: pixels)
        if bounds.isEmpty { return nil }
    }

    private init(width: Int, height: Int, pixels: [UInt8]) {
        var bounds = PixelBounds(), area = 0
        pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<height {
                for x in 0..<width where pixels[(y * width + x) * 4 + 3] >= Patch.threshold {
                    bounds.include(x: x, y: y)
                    area += 1
                }
            }
        }
        self.init(width: width, height: height, pixels: pixels, bounds: bounds, area: area)
    }
}

/// A `Tone` in 1/256.
private struct FixedTone {
    let red: Int, green: Int, blue: Int, offset: Int

    init(_ tone: Tone) {
        red = Int((tone.red * 256).rounded())
        green = Int((tone.green * 256).rounded())
        blue = Int((tone.blue * 256).rounded())
        offset = Int((tone.offset * 256 / 255).rounded())
    }
}

/// Where a pixel comes from, in fixed point.
private struct Affine {
    let u: Int, v: Int, ux: Int, vx: Int, uy: Int, vy: Int

    init(u: Double, v: Double, ux: Double, vx: Double, uy: Double, vy: Double) {
        func fixed(_ value: Double) -> Int { Int((value * 65536).rounded()) }
        self.u = fixed(u)
        self.v = fixed(v)
        self.ux = fixed(ux)
        self.vx = fixed(vx)
        self.uy = fixed(uy)
        self.vy = fixed(vy)
    }

    /// Bilinear sampling; pixels from beyond the input stay as they are.
    func draw(
        _ input: UnsafeBufferPointer<UInt8>, width: Int, height: Int, into output: UnsafeMutableBufferPointer<UInt8>,
        width outWidth: Int, height outHeight: Int, tone: FixedTone
    ) {
        for y in 0..<outHeight {
            var u = u + y * uy, v = v + y * vy
            for x in 0..<outWidth {
                let column = u >> 16, row = v >> 16
                if column >= 0, row >= 0, column < width - 1, row < height - 1 {
                    let fx = (u >> 8) & 255, fy = (v >> 8) & 255
                    let top = (row * width + column) * 4, bottom = top + width * 4
                    let w11 = fx * fy, w01 = (fx << 8) - w11, w10 = (fy << 8) - w11
                    let w00 = 65536 - w01 - w10 - w11
                    @inline(__always) func sample(_ channel: Int) -> Int {
                        (Int(input[top + channel]) * w00 + Int(input[top + 4 + channel]) * w01
                            + Int(input[bottom + channel]) * w10 + Int(input[bottom + 4 + channel]) * w11) >> 16
                    }
                    let alpha = sample(3)
                    if alpha > 0 {
                        let start = (y * outWidth + x) * 4, lift = alpha * tone.offset
                        output[start] = UInt8(max(0, min(alpha, (sample(0) * tone.red + lift) >> 8)))
                        output[start + 1] = UInt8(max(0, min(alpha, (sample(1) * tone.green + lift) >> 8)))
                        output[start + 2] = UInt8(max(0, min(alpha, (sample(2) * tone.blue + lift) >> 8)))
                        output[start + 3] = UInt8(alpha)
                    }
                }
                u += ux
                v += vx
            }
        }
    }
}
