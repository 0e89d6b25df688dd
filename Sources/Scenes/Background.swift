import Imaging

/// What lies behind the objects.
public enum BackgroundKind: String, Sendable, Hashable, CaseIterable, Codable {
    /// A part of a wallpaper.
    case photo
    case plain, gradient, clouds, stripes, checker, paper
    /// Ground below, sky above.
    case landscape

    /// How a caption calls it; nil for what can be anything.
    public var phrase: String? {
        switch self {
        case .photo: nil
        case .plain: "a plain background"
        case .gradient: "a smooth background"
        case .clouds: "a cloudy background"
        case .stripes: "a striped background"
        case .checker: "a checkered background"
        case .paper: "a paper background"
        case .landscape: "a landscape with ground and sky"
        }
    }
}

extension Canvas {
    /// Fills the whole canvas. `photo` is used by `.photo` alone; without one that becomes `.clouds`.
    mutating func fill(_ kind: BackgroundKind, photo: Image?, random: inout SceneRandom) {
        switch kind {
        case .photo:
            if let photo { fillPhoto(photo, &random) } else { fillClouds(&random) }
        case .plain:
            let paint = Paint.random(&random)
            paintEach { _, _ in paint }
        case .gradient: fillGradient(&random)
        case .clouds: fillClouds(&random)
        case .stripes: fillStripes(&random)
        case .checker: fillChecker(&random)
        case .paper: fillPaper(&random)
        case .landscape: fillLandscape(&random)
        }
    }

    private mutating func paintEach(_ paint: (Int, Int) -> Paint) {
        let (width, height) = (width, height)
        pixels.withUnsafeMutableBufferPointer { pixels in
            for y in 0..<height {
                for x in 0..<width {
                    let color = paint(x, y), start = (y * width + x) * 3
                    pixels[start] = UInt8(saturating: color.red)
                    pixels[start + 1] = UInt8(saturating: color.green)
                    pixels[start + 2] = UInt8(saturating: color.blue)
                }
            }
        }
    }

    private mutating func fillGradient(_ random: inout SceneRandom) {
        let first = Paint.random(&random), second = Paint.random(&random)
        let (sine, cosine) = SceneMath.sineAndCosine(random.double(-3.14...3.14))
        let (w, h) = (Double(width), Double(height))
        paintEach { x, y in
            let along = 0.5 + 0.5 * ((2 * Double(x) / w - 1) * cosine + (2 * Double(y) / h - 1) * sine)
            return first.mixed(with: second, max(0, min(1, along)))
        }
    }

    private mutating func fillClouds(_ random: inout SceneRandom) {
        let first = Paint.random(&random), second = Paint.random(&random)
        let noise = NoiseField(width: width, height: height, cell: random.int(12...90), octaves: 4, random: &random)
        paintEach { x, y in first.mixed(with: second, Double(noise[x, y])) }
    }

    private mutating func fillStripes(_ random: inout SceneRandom) {
        let first = Paint.random(&random), second = first.mixed(with: .random(&random), random.double(0.2...0.9))
        let (sine, cosine) = SceneMath.sineAndCosine(random.double(-1.57...1.57))
        let period = random.double(10...70), share = random.double(0.25...0.75)
        paintEach { x, y in
            let along = (Double(x) * cosine + Double(y) * sine) / period
            return along - along.rounded(.down) < share ? first : second
        }
    }

    private mutating func fillChecker(_ random: inout SceneRandom) {
        let first = Paint.random(&random), second = first.mixed(with: .random(&random), random.double(0.2...0.9))
        let side = random.int(10...60)
        paintEach { x, y in (x / side + y / side).isMultiple(of: 2) ? first : second }
    }

    private mutating func fillPaper(_ random: inout SceneRandom) {
        let paper = Paint(
            hue: random.double(20...60), saturation: random.double(0.02...0.3), value: random.double(0.75...0.98))
        let coarse = NoiseField(width: width, height: height, cell: 48, octaves: 2, random: &random)
        let fine = NoiseField(width: width, height: height, cell: 3, octaves: 2, random: &random)
        let rule = random.chance(0.4) ? random.int(12...30) : nil
        paintEach { x, y in
            let shade = paper.shifted(by: 26 * Double(coarse[x, y] - 0.5) + 22 * Double(fine[x, y] - 0.5))
            return rule.map { y % $0 == 0 } == true ? shade.mixed(with: Paint(90, 120, 190), 0.5) : shade
        }
    }

    private mutating func fillLandscape(_ random: inout SceneRandom) {
        let grounds = [
            Paint(92, 140, 62), Paint(196, 172, 120), Paint(120, 92, 66), Paint(150, 150, 152), Paint(232, 236, 242),
        ]
        let ground = (random.pick(grounds) ?? grounds[0]).shifted(by: random.double(-25...25))
        let zenith = Paint(
            hue: random.double(190...230), saturation: random.double(0.2...0.7), value: random.double(0.6...1))
        let haze = zenith.mixed(with: Paint(255, 250, 240), 0.7)
        let horizon = random.double(0.25...0.65) * Double(height), (h, roll) = (Double(height), random.double(4...40))
        let clouds = NoiseField(width: width, height: height, cell: 70, octaves: 4, random: &random)
        let grass = NoiseField(width: width, height: height, cell: 7, octaves: 3, random: &random)
        paintEach { x, y in
            let edge = horizon + roll * Double(clouds[x, 0] - 0.5)
            if Double(y) < edge {
                let sky = zenith.mixed(with: haze, Double(y) / max(1, horizon))
                return sky.mixed(with: Paint(255, 255, 255), max(0, Double(clouds[x, y]) - 0.5) * 1.6)
            }
            let depth = (Double(y) - edge) / max(1, h - edge)
            return ground.mixed(with: haze, 0.25 * (1 - depth)).shifted(
                by: 60 * Double(grass[x, y] - 0.5) * (0.3 + depth))
        }
    }

    /// A random part of a photograph, often mirrored, sometimes out of focus.
    private mutating func fillPhoto(_ photo: Image, _ random: inout SceneRandom) {
        let (w, h) = (Double(width), Double(height))
        let fit = min(Double(photo.width) / w, Double(photo.height) / h)
        let scale = fit * random.double(0.5...1)
        let left = random.unit() * (Double(photo.width) - scale * w)
        let top = random.unit() * (Double(photo.height) - scale * h)
        let mirrored = random.chance(0.5), width = width, height = height
        pixels.withUnsafeMutableBufferPointer { output in
            photo.pixels.withUnsafeBufferPointer { input in
                for y in 0..<height {
                    let v = max(0, min(Double(photo.height - 1), top + (Double(y) + 0.5) * scale - 0.5))
                    let row = min(Int(v), max(0, photo.height - 2)), fy = Int((v - Double(row)) * 256)
                    let below = photo.height > 1 ? photo.width * photo.channels : 0
                    for x in 0..<width {
                        let column = mirrored ? width - 1 - x : x
                        let u = max(0, min(Double(photo.width - 1), left + (Double(column) + 0.5) * scale - 0.5))
                        let first = min(Int(u), max(0, photo.width - 2)), fx = Int((u - Double(first)) * 256)
                        let start = (row * photo.width + first) * photo.channels
                        let right = photo.width > 1 ? photo.channels : 0
                        for channel in 0..<3 {
                            let corner = start + channel
                            let upper = Int(input[corner]) * (256 - fx) + Int(input[corner + right]) * fx
                            let lower =
                                Int(input[corner + below]) * (256 - fx) + Int(input[corner + below + right]) * fx
                            output[(y * width + x) * 3 + channel] = UInt8(
                                min(255, (upper * (256 - fy) + lower * fy) >> 16))
                        }
                    }
                }
            }
        }
        grade(Grade(brightness: random.double(-25...30), contrast: random.double(0.6...1.05)))
    }
}

/// Smooth random values, 0...1: lattices of random numbers, interpolated, each octave half as coarse and half as strong.
struct NoiseField {
    private let width: Int
    private var values: [Float]

    subscript(x: Int, y: Int) -> Float { values[y * width + x] }

    init(width: Int, height: Int, cell: Int, octaves: Int, random: inout SceneRandom) {
        self.width = width
        values = [Float](repeating: 0, count: width * height)
        var weight: Float = 1, total: Float = 0, cell = max(1, cell)
        for _ in 0..<max(1, octaves) {
            total += weight
            add(cell: cell, weight: weight, height: height, random: &random)
            if cell == 1 { break }
            weight /= 2
            cell = max(1, cell / 2)
        }
        for index in values.indices { values[index] /= total }
    }

    private mutating func add(cell: Int, weight: Float, height: Int, random: inout SceneRandom) {
        let columns = width / cell + 2, rows = height / cell + 2, width = width
        let lattice = (0..<columns * rows).map { _ in Float(random.unit()) * weight }
        // The place within a cell, eased so that the lattice does not show.
        let eased = (0..<cell).map { position in
            let t = Float(position) / Float(cell)
            return t * t * (3 - 2 * t)
        }
        values.withUnsafeMutableBufferPointer { values in
            lattice.withUnsafeBufferPointer { lattice in
                for y in 0..<height {
                    let row = (y / cell) * columns, fy = eased[y % cell]
                    var column = 0, within = 0
                    for x in 0..<width {
                        let corner = row + column, fx = eased[within]
                        let upper = lattice[corner] + (lattice[corner + 1] - lattice[corner]) * fx
                        let lower =
                            lattice[corner + columns]
                            + (lattice[corner + columns + 1] - lattice[corner + columns]) * fx
                        values[y * width + x] += upper + (lower - upper) * fy
                        within += 1
                        if within == cell {
                            within = 0
                            column += 1
                        }
                    }
                }
            }
        }
    }
}

/// A change of the whole picture's light.
struct Grade {
    /// Levels added.
    var brightness = 0.0
    /// Factor around middle grey.
    var contrast = 1.0
    /// Factor on the distance from grey.
    var saturation = 1.0
    /// Factors on red and blue in opposite directions.
    var warmth = 0.0
    /// Amplitude of the grain in levels.
    var grain = 0

    static func random(_ random: inout SceneRandom, strength: Double) -> Grade {
        Grade(
            brightness: strength * random.double(-22...22), contrast: 1 + strength * random.double(-0.2...0.2),
            saturation: 1 + strength * random.double(-0.3...0.2), warmth: strength * random.double(-0.06...0.06),
            grain: random.chance(0.5) ? Int(strength * random.double(0...14)) : 0)
    }
}

extension Canvas {
    /// Applies a change of light; `seed` places the grain.
    mutating func grade(_ grade: Grade, seed: UInt64 = 0) {
        func table(_ factor: Double) -> [Int] {
            (0...255).map { Int((((Double($0) - 128) * grade.contrast + 128 + grade.brightness) * factor).rounded()) }
        }
        let red = table(1 + grade.warmth), green = table(1), blue = table(1 - grade.warmth)
        let saturation = Int((max(0, grade.saturation) * 256).rounded()), grain = min(64, max(0, grade.grain))
        var noise = seed | 1
        pixels.withUnsafeMutableBufferPointer { pixels in
            for start in stride(from: 0, to: pixels.count, by: 3) {
                let r = red[Int(pixels[start])], g = green[Int(pixels[start + 1])], b = blue[Int(pixels[start + 2])]
                var gray = (r * 77 + g * 150 + b * 29) >> 8
                let base = gray
                if grain > 0 {
                    noise ^= noise << 13
                    noise ^= noise >> 7
                    noise ^= noise << 17
                    gray += Int(noise >> 32 & 255) * (2 * grain + 1) / 256 - grain
                }
                pixels[start] = UInt8(saturating: gray + ((r - base) * saturation) >> 8)
                pixels[start + 1] = UInt8(saturating: gray + ((g - base) * saturation) >> 8)
                pixels[start + 2] = UInt8(saturating: gray + ((b - base) * saturation) >> 8)
            }
        }
    }
}
