import Imaging

/// A page that is being filled: its canvas, its letters and colours, and the dice.
struct Sheet {
    /// How the lines of a text lie between its margins.
    enum Alignment: CaseIterable { case left, centered, right, justified }

    var canvas: Canvas
    var random: SceneRandom
    let lettering: Lettering
    let ink: Paint, accent: Paint
    /// What running text is set in.
    let font: Lettering.Font
    /// Pixels of running text.
    let textSize: Int

    var width: Int { canvas.width }
    var height: Int { canvas.height }

    init(width: Int, height: Int, lettering: Lettering, random: SceneRandom) {
        var random = random
        canvas = Canvas(width: width, height: height)
        canvas.fill(PixelRect(x: 0, y: 0, width: width, height: height), .white)
        self.lettering = lettering
        ink = .ink(&random)
        accent = random.chance(0.4) ? ink : .vivid(&random)
        let fonts = random.chance(0.12) ? lettering.monospaced : lettering.proportional
        // Neither list is ever empty.
        font = fonts[random.int(below: fonts.count)]
        textSize = random.pick([5, 6, 6, 8, 8, 10, 13]) ?? 8
        self.random = random
    }

    /// A length between two shares of a side.
    mutating func length(_ shares: ClosedRange<Double>, of side: Int) -> Int {
        Int(Double(side) * random.double(shares))
    }

    // MARK: Text

    /// Sets words into one line as long as there is room, at most `limit` of them.
    mutating func line(
        x: Int, y: Int, width: Int, face: Lettering.Face, _ alignment: Alignment = .left, limit: Int = .max,
        paint: Paint? = nil
    ) {
        var line: [RenderedText] = [], used = 0
        while line.count < limit {
            guard let word = random.pick(random.chance(0.1) ? face.numbers : face.words) else { return }
            let advance = word.left + word.width
            if used + advance > width { break }
            line.append(word)
            used += advance + face.gap
        }
        let spare = width - (used - face.gap)
        var place = x
        switch alignment {
        case .left: break
        case .centered: place += spare / 2
        case .right: place += spare
        case .justified: break
        }
        let stretch = alignment == .justified && line.count > 2 ? Double(spare) / Double(line.count - 1) : 0
        for (index, word) in line.enumerated() {
            canvas.set(word, x: place + Int(Double(index) * stretch), y: y, paint ?? ink)
            place += word.left + word.width + face.gap
        }
    }

    /// Sets lines of running text.
    /// - Returns: where the next thing may start
    mutating func paragraph(
        x: Int, y: Int, width: Int, lines: Int, bottom: Int, face: Lettering.Face, leading: Int,
        _ alignment: Alignment = .left
    ) -> Int {
        var y = y
        for number in 0..<lines where y + leading <= bottom {
            let isLast = number == lines - 1
            let share = isLast ? random.double(0.2...0.9) : 1
            line(
                x: x, y: y, width: Int(Double(width) * share), face: face,
                isLast && alignment == .justified ? .left : alignment)
            y += leading
        }
        return y
    }

    /// Sets one number or word at a place.
    mutating func label(x: Int, y: Int, face: Lettering.Face, isNumber: Bool, paint: Paint? = nil) {
        guard let text = random.pick(isNumber ? face.numbers : face.words) else { return }
        canvas.set(text, x: x, y: y, paint ?? ink)
    }

    /// The face of a font nearest to a size; running text's own where the font has none.
    func face(_ size: Int, _ font: Lettering.Font? = nil) -> Lettering.Face {
        (font ?? self.font).face(size) ?? Lettering.Face(size: size, words: [], numbers: [])
    }

    /// A font for headings.
    mutating func headingFont() -> Lettering.Font {
        random.pick(lettering.proportional) ?? font
    }

    // MARK: Lines

    mutating func rule(x: Int, y: Int, width: Int, thickness: Int = 1, _ paint: Paint? = nil) {
        canvas.fill(PixelRect(x: x, y: y, width: width, height: thickness), paint ?? ink)
    }
}
