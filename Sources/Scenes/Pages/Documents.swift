import Imaging

/// Pages of writing.
extension Sheet {
    /// Running text in one to three columns, with headings and now and then a small figure.
    mutating func fillWithText(figure: (_ width: Int, _ height: Int, inout SceneRandom) -> Canvas) {
        let face = face(textSize), leading = face.leading + random.int(0...face.size / 2)
        let margin = length(0.03...0.14, of: width), top = length(0.03...0.14, of: height)
        let columns = random.pick([1, 1, 1, 2, 2, 3]) ?? 1, gutter = max(6, width / 30)
        let columnWidth = (width - 2 * margin - (columns - 1) * gutter) / columns
        let alignment = random.pick([Alignment.left, .justified, .justified, .justified]) ?? .left
        let bottom = height - length(0.03...0.12, of: height)
        let end = random.chance(0.25) ? top + length(0.15...0.8, of: bottom - top) : bottom
        var start = top
        if random.chance(0.4) {
            let title = self.face(textSize * random.int(2...3), headingFont())
            let side = random.pick([Alignment.left, .centered]) ?? .left
            for _ in 0..<random.int(1...2) {
                line(x: margin, y: start, width: width - 2 * margin, face: title, side, limit: 6, paint: accent)
                start += title.leading
            }
            start += leading
        }
        // One figure at most: a page of figures is no page of text.
        var figureColumn = random.chance(0.3) ? random.int(below: columns) : -1
        let isIndented = random.chance(0.5)
        for column in 0..<columns {
            let x = margin + column * (columnWidth + gutter)
            var y = start
            while y + leading < end {
                if column == figureColumn, random.chance(0.4) {
                    let size = min(columnWidth, width / 3), height = min(size * 3 / 4, end - y - leading)
                    if height > 16 {
                        canvas.paste(figure(size, height, &random), x: x + (columnWidth - size) / 2, y: y)
                        y += height + leading
                    }
                    figureColumn = -1
                } else if random.chance(0.2) {
                    let heading = self.face(textSize + random.int(1...6), headingFont())
                    line(x: x, y: y, width: columnWidth, face: heading, limit: 4, paint: accent)
                    y += heading.leading + leading / 3
                }
                let indent = isIndented ? face.size : 0
                line(x: x + indent, y: y, width: columnWidth - indent, face: face, alignment)
                y = paragraph(
                    x: x, y: y + leading, width: columnWidth, lines: random.int(1...12), bottom: end, face: face,
                    leading: leading, alignment)
                if !isIndented { y += leading / 2 }
            }
        }
        if random.chance(0.4) { label(x: width / 2, y: height - top / 2, face: face, isNumber: true) }
        if random.chance(0.2) { rule(x: margin, y: top / 2, width: width - 2 * margin) }
    }

    /// Lines of a program or a log.
    mutating func fillWithCode() {
        let font = random.pick(lettering.monospaced) ?? font
        let face = face(textSize, font), leading = face.leading
        let colors = (0..<4).map { _ in random.chance(0.5) ? ink : .vivid(&random).mixed(with: .black, 0.3) }
        let hasNumbers = random.chance(0.4), margin = hasNumbers ? 4 * face.size : length(0.02...0.08, of: width)
        var depth = 0
        if hasNumbers, random.chance(0.5) {
            canvas.fill(
                PixelRect(x: 0, y: 0, width: margin - face.size, height: height), Paint.white.shifted(by: -18))
        }
        var y = length(0.02...0.06, of: height)
        while y + leading < height {
            if hasNumbers {
                label(x: face.size / 2, y: y, face: face, isNumber: true, paint: ink.mixed(with: .white, 0.5))
            }
            if random.chance(0.85) {
                var x = margin + depth * 2 * face.size
                for _ in 0..<random.int(1...7) where x < width * 9 / 10 {
                    guard let word = random.pick(face.words) else { break }
                    canvas.set(word, x: x, y: y, random.pick(colors) ?? ink)
                    x += word.left + word.width + face.gap
                }
            }
            depth = max(0, min(6, depth + random.int(-1...1)))
            y += leading
        }
    }

    /// A title and a few points, as talks show them.
    mutating func fillWithSlide(figure: (_ width: Int, _ height: Int, inout SceneRandom) -> Canvas) {
        let title = face(random.pick([18, 26, 26, 42]) ?? 26, headingFont()),
            body = face(random.pick([10, 13, 18]) ?? 13)
        let margin = length(0.04...0.12, of: width)
        var y = length(0.04...0.15, of: height)
        if random.chance(0.35) {
            let bar = y + title.leading + margin / 2
            canvas.fill(PixelRect(x: 0, y: 0, width: width, height: bar), accent)
            line(x: margin, y: y, width: width - 2 * margin, face: title, limit: 4, paint: .white)
            y = bar
        } else {
            let side = random.pick([Alignment.left, .centered]) ?? .left
            line(x: margin, y: y, width: width - 2 * margin, face: title, side, limit: 4, paint: accent)
            y += title.leading
        }
        y += body.leading
        let hasFigure = random.chance(0.3), textWidth = hasFigure ? width / 2 - margin : width - 2 * margin
        let top = y
        for _ in 0..<random.int(1...6) where y + body.leading < height - margin / 2 {
            let dot = max(2, body.size / 3)
            canvas.ellipse(PixelRect(x: margin, y: y + body.size / 2, width: dot, height: dot), accent)
            y = paragraph(
                x: margin + body.size, y: y, width: textWidth, lines: random.int(1...2), bottom: height, face: body,
                leading: body.leading)
            y += body.leading / 2
        }
        if hasFigure, height - top > 60 {
            let side = min(width * 3 / 10, height - top - 20)
            canvas.paste(figure(side, side, &random), x: width - margin - side, y: top)
        }
        if random.chance(0.4) { rule(x: 0, y: height - margin / 2, width: width, thickness: margin / 4 + 1, accent) }
    }

    /// What a till prints.
    mutating func fillWithReceipt() {
        let face = face(textSize, random.pick(lettering.monospaced)), leading = face.leading
        let margin = max(4, width / 16), inner = width - 2 * margin
        var y = length(0.02...0.08, of: height)
        for _ in 0..<random.int(1...4) {
            line(x: margin, y: y, width: inner, face: face, .centered, limit: random.int(1...3))
            y += leading
        }
        let end = height - length(0.1...0.4, of: height)
        while y + leading < end {
            if random.chance(0.12) {
                for x in stride(from: margin, to: width - margin, by: 6) { rule(x: x, y: y + leading / 2, width: 3) }
            } else {
                line(x: margin, y: y, width: inner * 6 / 10, face: face, limit: random.int(1...3))
                line(x: margin + inner * 7 / 10, y: y, width: inner * 3 / 10, face: face, .right, limit: 1)
            }
            y += leading
        }
        line(x: margin, y: y, width: inner, face: self.face(textSize * 2), limit: 2)
        if random.chance(0.5) {
            bars(PixelRect(x: margin, y: y + 3 * leading, width: inner, height: max(8, height / 12)))
        }
    }

    /// The bars of a barcode.
    mutating func bars(_ area: PixelRect) {
        var x = area.x
        while x < area.x + area.width {
            let bar = random.int(1...4)
            canvas.fill(PixelRect(x: x, y: area.y, width: bar, height: area.height), .black)
            x += bar + random.int(1...4)
        }
    }

    /// A barcode or a square code in the middle.
    mutating func fillWithBarcode() {
        let side = length(0.4...0.85, of: min(width, height)), x = (width - side) / 2, y = (height - side) / 2
        guard random.chance(0.6) else {
            bars(PixelRect(x: x, y: y + side / 4, width: side, height: side / 2))
            line(x: x, y: y + side * 3 / 4 + 2, width: side, face: face(13), .centered, limit: 3)
            return
        }
        let count = random.int(21...33), cell = max(2, side / count)
        for row in 0..<count {
            for column in 0..<count {
                // Three corners have the squares by which readers find the code.
                let (u, v) = (min(column, count - 1 - column), min(row, count - 1 - row))
                let isCorner = u < 7 && v < 7 && !(column > count / 2 && row > count / 2)
                let ring = max(abs(u - 3), abs(v - 3))
                let isDark = isCorner ? ring == 3 || ring < 2 : random.chance(0.5)
                if isDark {
                    canvas.fill(PixelRect(x: x + column * cell, y: y + row * cell, width: cell, height: cell), ink)
                }
            }
        }
        if random.chance(0.3) { line(x: 0, y: y + count * cell + 6, width: width, face: face(13), .centered, limit: 3) }
    }

    /// Nothing, or next to nothing.
    mutating func leaveBlank() {
        let gray = Paint.white.shifted(by: -random.double(15...140))
        switch random.int(below: 6) {
        case 0: break
        case 1: line(x: width / 8, y: height / 2, width: width * 3 / 4, face: face(textSize), .centered, limit: 4)
        case 2: label(x: width / 2, y: height - 24, face: face(textSize), isNumber: true)
        case 3:
            let margin = length(0.01...0.08, of: width)
            canvas.frame(
                PixelRect(x: margin, y: margin, width: width - 2 * margin, height: height - 2 * margin),
                thickness: random.int(1...3), gray)
        case 4:
            for _ in 0..<random.int(2...40) {
                let size = random.int(1...3)
                canvas.fill(
                    PixelRect(x: random.int(below: width), y: random.int(below: height), width: size, height: size),
                    gray)
            }
        default:
            let step = random.int(8...24)
            for y in stride(from: 2 * step, to: height, by: step) { rule(x: 0, y: y, width: width, gray) }
        }
    }
}
