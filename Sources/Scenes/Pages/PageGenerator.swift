import Imaging

/// Makes examples for the classifier of low-content pictures: pages, screens, charts, logos and the like on white, and pictures that
/// are worth keeping, many of them bright, framed or written over.
///
/// An example depends on the split, the assets and its seed alone. Held-out examples have other fonts, objects and photographs than
/// training examples.
public struct PageGenerator: Sendable {
    public let split: SceneSplit
    let scenes: SceneGenerator
    let lettering: Lettering

    /// Sets some thousand words, which takes a second or two.
    ///
    /// - Throws: `ScenesError.missingAssets` where the machine has no font, or what `SceneGenerator` throws.
    public init(split: SceneSplit, assets: SceneAssets) throws(ScenesError) {
        var configuration = SceneConfiguration(split: split)
        (configuration.width, configuration.height, configuration.variesAspect) = (256, 256, true)
        self.split = split
        scenes = try SceneGenerator(configuration: configuration, assets: assets)
        lettering = try Lettering(split: split)
    }

    /// The example of a seed: every other one has little content.
    public func example(seed: UInt64) -> PageExample {
        let kinds = seed.isMultiple(of: 2) ? PageKind.lowContent : PageKind.content
        var random = SceneRandom(seed: seed, stream: "page kind/\(split.rawValue)")
        return example(of: kinds[random.weightedIndex(kinds.map(\.weight))], seed: seed)
    }

    /// An example of a kind.
    public func example(of kind: PageKind, seed: UInt64) -> PageExample {
        var random = SceneRandom(seed: seed, stream: "page/\(split.rawValue)")
        var canvas = kind.isLowContent ? page(kind, &random) : content(kind, &random)
        if random.chance(0.1) { canvas.grade(Grade(saturation: 0)) }
        return PageExample(seed: seed, kind: kind, image: Self.stored(canvas.image, &random))
    }

    /// As files are: often smaller than they were, and with the traces of JPEG.
    private static func stored(_ image: Image, _ random: inout SceneRandom) -> Image {
        var image = image
        let isReduced = random.chance(0.2), scale = random.double(0.4...0.9)
        let isCoded = random.chance(0.35), quality = random.int(25...92)
        if isReduced {
            let width = max(32, Int(Double(image.width) * scale)), height = max(32, Int(Double(image.height) * scale))
            image = (try? image.resized(width: width, height: height)) ?? image
        }
        if isCoded, let bytes = try? image.encoded(as: .jpeg(quality: quality)), let coded = try? Image(decoding: bytes)
        {
            image = coded
        }
        return image
    }

    // MARK: Pages

    private func page(_ kind: PageKind, _ random: inout SceneRandom) -> Canvas {
        let (width, height) = Self.pageSize(kind, &random)
        var sheet = Sheet(
            width: width, height: height, lettering: lettering,
            random: SceneRandom(seed: random.next(), stream: "sheet"))
        func figure(width: Int, height: Int, random: inout SceneRandom) -> Canvas {
            picture(width: width, height: height, &random)
        }
        func object(side: Double, random: inout SceneRandom) -> Patch? { self.object(side: side, &random) }
        switch kind {
        case .text: sheet.fillWithText(figure: figure)
        case .code: sheet.fillWithCode()
        case .table: sheet.fillWithTable()
        case .form: sheet.fillWithForm(icon: object)
        case .chart: sheet.fillWithChart()
        case .diagram: sheet.fillWithDiagram()
        case .slide: sheet.fillWithSlide(figure: figure)
        case .receipt: sheet.fillWithReceipt()
        case .barcode: sheet.fillWithBarcode()
        case .drawing: sheet.fillWithDrawing()
        case .logo: sheet.fillWithLogo(object: object)
        case .wordmark: sheet.fillWithWordmark()
        default: sheet.leaveBlank()
        }
        return random.chance(0.45) ? Self.scanned(sheet.canvas, isFullOfText: kind.isFullOfText, &random) : sheet.canvas
    }

    private static func pageSize(_ kind: PageKind, _ random: inout SceneRandom) -> (width: Int, height: Int) {
        let long = random.int(240...448)
        let aspect =
            switch kind {
            case .receipt: random.double(0.3...0.6)
            case .text, .table: random.chance(0.75) ? random.double(0.65...0.8) : random.double(0.8...1.8)
            case .slide, .chart, .form: random.chance(0.8) ? random.double(1.2...1.8) : random.double(0.6...1.2)
            default: random.double(0.6...1.8)
            }
        return aspect < 1 ? (max(64, Int(Double(long) * aspect)), long) : (long, max(64, Int(Double(long) / aspect)))
    }

    /// Traces of paper, lamp and scanner or camera: off-white, uneven light, grain, a small turn. Strong shadows only where writing
    /// tells a page from a wall.
    private static func scanned(_ canvas: Canvas, isFullOfText: Bool, _ random: inout SceneRandom) -> Canvas {
        var canvas = canvas
        let warmth = random.double(-6...14), fade = random.double(0...32), black = random.double(0...40)
        canvas.mapLevels { channel, level in
            let white = 255 - fade - (channel == 2 ? max(0, warmth) : channel == 0 ? max(0, -warmth) : 0)
            return black + (white - black) * level / 255
        }
        if random.chance(0.4) {
            let border =
                random.chance(0.7) ? Paint.white.shifted(by: -fade) : Paint.white.shifted(by: -random.double(20...255))
            canvas = canvas.turned(by: random.double(-0.06...0.06), onto: border)
        }
        if random.chance(0.4) { canvas.shade(strength: random.double(8...(isFullOfText ? 110 : 35)), &random) }
        if random.chance(0.6) { canvas.grade(Grade(grain: random.int(2...14)), seed: random.next()) }
        return canvas
    }

    // MARK: Pictures

    private func content(_ kind: PageKind, _ random: inout SceneRandom) -> Canvas {
        let long = random.int(192...400), aspect = random.double(0.6...1.7)
        let width = aspect < 1 ? Int(Double(long) * aspect) : long
        let height = aspect < 1 ? long : Int(Double(long) / aspect)
        switch kind {
        case .scene: return notWhite { Canvas(scenes.scene(seed: random.next()).image) }
        case .closeUp: return notWhite { Canvas(scenes.crop(seed: random.next(), side: long).image) }
        case .brightPhoto: return bright(width: width, height: height, &random)
        case .snow: return snow(width: width, height: height, &random)
        case .whiteSky: return whiteSky(width: width, height: height, &random)
        case .interior: return interior(width: width, height: height, &random)
        case .framed: return framed(width: width, height: height, &random)
        case .captioned: return captioned(width: width, height: height, &random)
        case .webPage: return webPage(width: width, height: height, &random)
        case .collage: return collage(width: width, height: height, &random)
        case .poster: return poster(width: width, height: height, &random)
        default: return picture(width: width, height: height, &random)
        }
    }

    /// The first of a few pictures that is neither mostly white nor all of one tone: such a one would be no clear example.
    private func notWhite(_ make: () -> Canvas) -> Canvas {
        var canvas = make()
        for _ in 0..<4 where canvas.share(atLeast: 222) > 0.3 || canvas.contrast < 12 { canvas = make() }
        return canvas
    }

    /// A part of a photograph, or objects before a background.
    func picture(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        notWhite {
            var canvas = Canvas(width: max(8, width), height: max(8, height))
            let others: [BackgroundKind] = [.landscape, .clouds, .gradient, .stripes, .checker]
            let isPhoto = random.chance(0.7)
            canvas.fill(
                isPhoto ? .photo : random.pick(others) ?? .clouds, photo: random.pick(scenes.photos)?.image,
                random: &random)
            scatter(isPhoto && random.chance(0.4) ? 0 : random.int(1...7), sizes: 0.15...0.7, on: &canvas, &random)
            canvas.grade(.random(&random, strength: 1), seed: random.next())
            return canvas
        }
    }

    /// Puts objects at random places.
    private func scatter(
        _ count: Int, sizes: ClosedRange<Double>, on canvas: inout Canvas, _ random: inout SceneRandom
    ) {
        let side = Double(min(canvas.width, canvas.height)), hasShadows = random.chance(0.6)
        for index in 0..<count {
            guard let patch = object(side: side * random.double(sizes), &random) else { continue }
            let x = random.int(0...canvas.width) - patch.width / 2, y = random.int(0...canvas.height) - patch.height / 2
            if hasShadows {
                canvas.drawShadow(of: patch, x: x + 2, y: y + 3, radius: 3, strength: random.double(0.2...0.5))
            }
            canvas.draw(patch, x: x, y: y, object: index)
        }
    }

    /// A cut-out of some category of the split.
    private func object(side: Double, _ random: inout SceneRandom) -> Patch? {
        guard let category = random.pick(scenes.vocabulary),
            let number = random.pick(scenes.assets.spritesOfCategory[category.id])
        else { return nil }
        let pose = Pose(
            longSide: max(4, side), angle: random.double(-0.25...0.25),
            isMirrored: category.isMirrorable && random.chance(0.5),
            tone: .random(&random, strength: 0.7))
        return Patch(sprite: scenes.assets.sprites[number], pose: pose)
    }

    private func bright(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = brightened(picture(width: width, height: height, &random), &random)
        for _ in 0..<4 where canvas.contrast < 12 {
            canvas = brightened(picture(width: width, height: height, &random), &random)
        }
        return canvas
    }

    /// Exposed for too long, or seen through a white veil.
    private func brightened(_ canvas: Canvas, _ random: inout SceneRandom) -> Canvas {
        var canvas = canvas
        if random.chance(0.6) {
            // The share of pixels that turn white is bounded, so that there is still something to see.
            let gains = [random.double(1.6...3.2), 1.5, 1.2], lift = random.double(0...60)
            let original = canvas
            for gain in gains {
                canvas = original
                canvas.mapLevels { _, level in lift + gain * level }
                if canvas.share(atLeast: 235) < 0.5 { break }
            }
        } else {
            let contrast = random.double(0.3...0.6)
            canvas.mapLevels { _, level in 255 - (255 - level) * contrast }
        }
        return canvas
    }

    /// Bright ground and sky that are nowhere quite flat, with a few objects.
    private func snow(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = Canvas(width: width, height: height)
        let ground = Paint(
            hue: random.double(190...250), saturation: random.double(0...0.1), value: random.double(0.8...1))
        canvas.fill(PixelRect(x: 0, y: 0, width: width, height: height), ground)
        if random.chance(0.6) {
            let sky = Paint(
                hue: random.double(190...230), saturation: random.double(0...0.5), value: random.double(0.7...1))
            let horizon = Int(Double(height) * random.double(0.1...0.6))
            canvas.fill(PixelRect(x: 0, y: 0, width: width, height: horizon), sky)
            if random.chance(0.6) {
                let trees = Paint(hue: random.double(60...220), saturation: 0.3, value: random.double(0.2...0.7))
                for x in stride(from: 0, to: width, by: 3) {
                    let size = random.int(0...max(2, height / 8))
                    canvas.fill(PixelRect(x: x, y: horizon - size, width: random.int(1...5), height: size), trees)
                }
            }
        }
        canvas.shade(strength: random.double(18...70), cell: random.int(20...120), &random)
        if random.chance(0.7) { canvas.shade(strength: random.double(8...40), cell: random.int(2...10), &random) }
        scatter(random.int(1...5), sizes: 0.08...0.5, on: &canvas, &random)
        if random.chance(0.7) { canvas.grade(Grade(grain: random.int(2...12)), seed: random.next()) }
        return canvas
    }

    /// Things before a sky without any colour, as on an overcast day.
    private func whiteSky(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = picture(width: width, height: height, &random)
        let sky = Paint.white.shifted(by: -random.double(0...22))
        let edge = Double(height) * random.double(0.3...0.65), roughness = Double(height) * random.double(0.02...0.35)
        let skyline = NoiseField(width: width, height: 1, cell: random.int(8...80), octaves: 4, random: &random)
        for x in 0..<width {
            let bottom = Int(edge + roughness * Double(skyline[x, 0] - 0.5))
            canvas.fill(PixelRect(x: x, y: 0, width: 1, height: bottom), sky)
        }
        scatter(random.int(1...4), sizes: 0.2...0.7, on: &canvas, &random)
        let gain = random.double(0.9...1.4)
        canvas.mapLevels { _, level in gain * level }
        if random.chance(0.6) { canvas.grade(Grade(grain: random.int(2...10)), seed: random.next()) }
        return canvas
    }

    /// A white room: walls that differ a little in light, a floor, windows or furniture, tiles.
    private func interior(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = Canvas.white(width: width, height: height)
        let wall = Paint(
            hue: random.double(20...240), saturation: random.double(0...0.08), value: random.double(0.86...1))
        canvas.fill(PixelRect(x: 0, y: 0, width: width, height: height), wall)
        let corner = random.int(0...width), floor = Int(Double(height) * random.double(0.6...0.95))
        canvas.fill(PixelRect(x: 0, y: 0, width: corner, height: height), wall.shifted(by: -random.double(4...30)))
        canvas.fill(
            PixelRect(x: 0, y: floor, width: width, height: height - floor),
            random.chance(0.5) ? .random(&random) : wall.shifted(by: -random.double(10...60)))
        if random.chance(0.4) {
            let tile = random.int(10...40), joint = wall.shifted(by: -random.double(10...50))
            for x in stride(from: 0, to: corner, by: tile) {
                canvas.fill(PixelRect(x: x, y: 0, width: 1, height: floor), joint)
            }
            for y in stride(from: 0, to: floor, by: tile) {
                canvas.fill(PixelRect(x: 0, y: y, width: corner, height: 1), joint)
            }
        }
        for _ in 0..<random.int(1...4) {
            let w = Int(Double(width) * random.double(0.1...0.45)), h = Int(Double(height) * random.double(0.1...0.6))
            let x = random.int(0...width) - w / 2, y = random.int(0...height) - h / 2
            if random.chance(0.3) {
                canvas.paste(picture(width: w, height: h, &random), x: x, y: y)
            } else {
                let area = PixelRect(x: x, y: y, width: w, height: h)
                canvas.fill(area, random.chance(0.5) ? .random(&random) : wall.shifted(by: -random.double(8...80)))
                canvas.frame(area, thickness: random.int(1...4), wall.shifted(by: -random.double(20...150)))
            }
        }
        scatter(random.int(0...3), sizes: 0.1...0.5, on: &canvas, &random)
        canvas.shade(strength: random.double(12...50), cell: random.int(30...200), &random)
        if random.chance(0.7) { canvas.grade(Grade(grain: random.int(2...10)), seed: random.next()) }
        return canvas
    }

    /// A picture with a white border that leaves it more than half of the area.
    private func framed(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = Canvas.white(width: width, height: height)
        let left = Int(Double(width) * random.double(0...0.13)), right = Int(Double(width) * random.double(0...0.13))
        let top = Int(Double(height) * random.double(0...0.13)), bottom = Int(Double(height) * random.double(0...0.16))
        var inside = picture(width: width - left - right, height: height - top - bottom, &random)
        if random.chance(0.3) { inside = brightened(inside, &random) }
        canvas.paste(inside, x: left, y: top)
        return canvas
    }

    /// A photograph with writing over it or below it.
    private func captioned(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var sheet = Sheet(
            width: width, height: height, lettering: lettering,
            random: SceneRandom(seed: random.next(), stream: "sheet"))
        let isOver = random.chance(0.6), strip = isOver ? 0 : Int(Double(height) * random.double(0.08...0.3))
        let isAbove = random.chance(0.4), face = sheet.face(random.pick([10, 13, 18, 26, 42]) ?? 18)
        sheet.canvas.paste(picture(width: width, height: height - strip, &random), x: 0, y: isAbove ? strip : 0)
        let paint = isOver ? random.pick([Paint.white, .black, .vivid(&random)]) ?? .white : .ink(&random)
        var y = isOver ? random.int(0...height * 2 / 3) : isAbove ? 2 : height - strip + 2
        let end = isOver || !isAbove ? height : strip
        for _ in 0..<random.int(1...(isOver ? 6 : 4)) where y + face.size < end {
            sheet.line(x: 6, y: y, width: width - 12, face: face, random.chance(0.6) ? .centered : .left, paint: paint)
            y += face.leading
        }
        return sheet.canvas
    }

    /// A page or a screen of which photographs fill more than half.
    private func webPage(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var sheet = Sheet(
            width: width, height: height, lettering: lettering,
            random: SceneRandom(seed: random.next(), stream: "sheet"))
        let face = sheet.face(random.pick([6, 8, 10]) ?? 8), share = random.double(0.72...0.92)
        let isBeside = random.chance(0.3)
        let w = isBeside ? Int(Double(width) * share) : width, h = isBeside ? height : Int(Double(height) * share)
        let isFirst = random.chance(0.5), margin = random.chance(0.4) ? random.int(0...8) : 0
        let x = isBeside && !isFirst ? width - w : 0, y = !isBeside && !isFirst ? height - h : 0
        sheet.canvas.paste(
            picture(width: w - 2 * margin, height: h - 2 * margin, &random), x: x + margin, y: y + margin)
        let textX = isBeside && isFirst ? w + 3 : 4, textY = !isBeside && isFirst ? h + 3 : 3
        _ = sheet.paragraph(
            x: textX, y: textY, width: isBeside ? width - w - 6 : width - 8, lines: 40,
            bottom: isBeside || isFirst ? height : height - h, face: face, leading: face.leading)
        return sheet.canvas
    }

    /// Photographs side by side with white between them.
    private func collage(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var canvas = Canvas.white(width: width, height: height)
        let columns = random.int(1...4), rows = random.int((columns == 1 ? 2 : 1)...3)
        let gap = random.int(0...max(1, min(width, height) / 30))
        let w = (width - gap * (columns + 1)) / columns, h = (height - gap * (rows + 1)) / rows
        for row in 0..<rows {
            for column in 0..<columns {
                canvas.paste(
                    picture(width: w, height: h, &random), x: gap + column * (w + gap), y: gap + row * (h + gap))
            }
        }
        return canvas
    }

    /// Objects and words on a coloured or dark ground: much of a page, but not white.
    private func poster(width: Int, height: Int, _ random: inout SceneRandom) -> Canvas {
        var sheet = Sheet(
            width: width, height: height, lettering: lettering,
            random: SceneRandom(seed: random.next(), stream: "sheet"))
        let first = Paint(
            hue: random.double(0...359.9), saturation: random.double(0.35...1), value: random.double(0.15...0.9))
        let second = random.chance(0.5) ? first : first.mixed(with: .vivid(&random), 0.6)
        for y in 0..<height {
            sheet.rule(x: 0, y: y, width: width, first.mixed(with: second, Double(y) / Double(height)))
        }
        scatter(random.int(1...4), sizes: 0.2...0.7, on: &sheet.canvas, &random)
        let face = sheet.face(random.pick([13, 18, 26, 42]) ?? 18), paint: Paint = random.chance(0.7) ? .white : .black
        var y = random.int(0...height / 2)
        for _ in 0..<random.int(1...5) where y + face.size < height {
            sheet.line(x: 8, y: y, width: width - 16, face: face, .centered, paint: paint)
            y += face.leading
        }
        return sheet.canvas
    }
}

extension Canvas {
    init(_ image: Image) {
        self.init(width: image.width, height: image.height)
        pixels = image.pixels
    }

    fileprivate static func white(width: Int, height: Int) -> Canvas {
        var canvas = Canvas(width: width, height: height)
        canvas.fill(PixelRect(x: 0, y: 0, width: width, height: height), .white)
        return canvas
    }

    /// Darkens the canvas unevenly, by up to `strength` levels.
    fileprivate mutating func shade(strength: Double, cell: Int? = nil, _ random: inout SceneRandom) {
        let noise = NoiseField(
            width: width, height: height, cell: cell ?? max(width, height) / 2, octaves: 2, random: &random)
        let width = width, height = height
        pixels.withUnsafeMutableBufferPointer { pixels in
            for y in 0..<height {
                for x in 0..<width {
                    let shadow = Int(strength * Double(noise[x, y])), start = (y * width + x) * 3
                    for channel in start..<start + 3 {
                        pixels[channel] = UInt8(max(0, Int(pixels[channel]) - shadow))
                    }
                }
            }
        }
    }
}
