import Imaging

/// Pages of lines and boxes.
extension Sheet {
    /// Rows and columns with their rules.
    mutating func fillWithTable() {
        let face = face(textSize), margin = length(0.03...0.12, of: width)
        var y = length(0.04...0.2, of: height)
        if random.chance(0.6) {
            let title = self.face(textSize * 2, headingFont())
            line(x: margin, y: y, width: width - 2 * margin, face: title, limit: 4, paint: accent)
            y += title.leading + face.leading / 2
        }
        let columns = random.int(2...8), rowHeight = face.leading + random.int(2...10)
        let rows = min(random.int(3...30), max(2, (height - y - margin) / rowHeight))
        let inner = width - 2 * margin, cell = inner / columns
        let hasColumnRules = random.chance(0.5), hasRowRules = hasColumnRules || random.chance(0.7)
        let isStriped = random.chance(0.3), headColor = random.chance(0.5) ? accent : Paint.white.shifted(by: -35)
        let hasHead = random.chance(0.6), emptyShare = random.double(0...0.5), numberShare = random.double(0.2...0.9)
        let gray = Paint.white.shifted(by: -random.double(40...200))
        for row in 0..<rows {
            let top = y + row * rowHeight, band = PixelRect(x: margin, y: top, width: inner, height: rowHeight)
            if row == 0, hasHead {
                canvas.fill(band, headColor)
            } else if isStriped, row.isMultiple(of: 2) {
                canvas.fill(band, Paint.white.shifted(by: -14))
            }
            for column in 0..<columns where row == 0 || !random.chance(emptyShare) {
                let isHead = row == 0 && hasHead
                label(
                    x: margin + column * cell + 3, y: top + (rowHeight - face.leading) / 2, face: face,
                    isNumber: !isHead && column > 0 && random.chance(numberShare),
                    paint: isHead && headColor.green < 130 ? .white : nil)
            }
            if hasRowRules { rule(x: margin, y: top, width: inner, gray) }
        }
        let end = y + rows * rowHeight
        if hasRowRules { rule(x: margin, y: end, width: inner, gray) }
        if hasColumnRules {
            for column in 0...columns {
                canvas.fill(PixelRect(x: margin + column * cell, y: y, width: 1, height: end - y), gray)
            }
        }
        if random.chance(0.4) {
            _ = paragraph(
                x: margin, y: end + face.leading, width: inner, lines: random.int(1...6), bottom: height - margin / 2,
                face: face, leading: face.leading)
        }
    }

    /// A window or a web form: bars, labels, fields and buttons.
    mutating func fillWithForm(icon: (_ side: Double, inout SceneRandom) -> Patch?) {
        let face = face(textSize), pale = Paint.white.shifted(by: -random.double(8...28)),
            gray = Paint.white.shifted(by: -70)
        let rowHeight = face.leading + random.int(4...12)
        var y = 0
        if random.chance(0.75) {
            let bar = rowHeight + random.int(2...16)
            canvas.fill(PixelRect(x: 0, y: 0, width: width, height: bar), random.chance(0.5) ? accent : pale)
            line(x: 10, y: bar / 4, width: width / 2, face: face, limit: 3, paint: random.chance(0.5) ? .white : ink)
            y = bar
        }
        var left = length(0.03...0.1, of: width)
        if random.chance(0.4) {
            let menu = width / random.int(4...6)
            canvas.fill(PixelRect(x: 0, y: y, width: menu, height: height - y), pale)
            for row in stride(from: y + rowHeight, to: height - rowHeight, by: rowHeight) where random.chance(0.7) {
                line(x: 8, y: row, width: menu - 12, face: face, limit: 2)
            }
            left = menu + 10
        }
        let inner = width - left - 12
        y += rowHeight / 2
        while y + 2 * rowHeight < height {
            switch random.int(below: 7) {
            case 0:
                line(x: left, y: y, width: inner, face: self.face(textSize * 2, headingFont()), limit: 3, paint: accent)
                y += rowHeight
            case 1, 2:
                line(x: left, y: y, width: inner / 3, face: face, limit: 2)
                canvas.frame(
                    PixelRect(
                        x: left + inner / 3, y: y, width: inner * random.int(3...6) / 10, height: face.leading + 3),
                    thickness: 1, gray)
                if random.chance(0.5) {
                    line(x: left + inner / 3 + 4, y: y + 1, width: inner / 4, face: face, limit: 2)
                }
            case 3:
                let size = face.size
                canvas.frame(PixelRect(x: left, y: y + 2, width: size, height: size), thickness: 1, gray)
                line(x: left + 2 * size, y: y, width: inner / 2, face: face)
            case 4:
                let button = PixelRect(x: left, y: y, width: max(24, inner / 5), height: face.leading + 5)
                canvas.fill(button, random.chance(0.6) ? accent : pale)
                line(
                    x: left + 5, y: y + 2, width: button.width - 8, face: face, limit: 1,
                    paint: random.chance(0.6) ? .white : ink)
            case 5:
                if let icon = icon(Double(rowHeight) * random.double(1...1.8), &random) {
                    canvas.draw(icon, x: left, y: y, object: 0)
                    line(x: left + icon.width + 4, y: y + rowHeight / 3, width: inner - icon.width, face: face)
                }
                y += rowHeight
            default:
                y = paragraph(
                    x: left, y: y, width: inner, lines: random.int(1...4), bottom: height, face: face,
                    leading: face.leading)
            }
            y += rowHeight
        }
    }

    /// Axes with bars, lines or points, or with nothing.
    mutating func fillWithChart() {
        let face = face(textSize), left = length(0.06...0.16, of: width),
            bottom = height - length(0.08...0.2, of: height)
        let top = length(0.05...0.18, of: height), right = width - length(0.03...0.12, of: width)
        let (w, h) = (right - left, bottom - top)
        if random.chance(0.7) {
            line(
                x: left, y: max(1, top - 2 * face.leading), width: w, face: self.face(textSize + 5), .centered, limit: 5
            )
        }
        let pale = Paint.white.shifted(by: -random.double(20...60))
        let ticks = random.int(3...8)
        for tick in 0...ticks {
            let y = bottom - h * tick / ticks, x = left + w * tick / ticks
            if random.chance(0.6) { rule(x: left, y: y, width: w, pale) }
            label(x: max(0, left - 3 * face.size), y: y - face.size / 2, face: face, isNumber: true)
            if random.chance(0.8) { label(x: x, y: bottom + 3, face: face, isNumber: random.chance(0.6)) }
        }
        let thickness = random.int(1...2)
        if random.chance(0.4) {
            canvas.frame(PixelRect(x: left, y: top, width: w, height: h), thickness: thickness, ink)
        } else {
            canvas.fill(PixelRect(x: left, y: top, width: thickness, height: h), ink)
            rule(x: left, y: bottom, width: w, thickness: thickness)
        }
        let series = random.int(1...4),
            colors = (0..<series).map { _ in random.chance(0.3) ? ink : Paint.vivid(&random) }
        switch random.int(below: 8) {
        case 0: break
        case 1, 2, 3: drawBars(left, bottom, w, h, colors)
        case 4: drawPoints(left, bottom, w, h, colors)
        default: drawCurves(left, bottom, w, h, colors)
        }
        if random.chance(0.5) {
            for (index, color) in colors.enumerated() {
                let y = top + 6 + index * face.leading
                canvas.fill(PixelRect(x: right - 5 * face.size, y: y, width: face.size, height: face.size), color)
                label(x: right - 4 * face.size + 3, y: y, face: face, isNumber: false)
            }
        }
    }

    private mutating func drawBars(_ left: Int, _ bottom: Int, _ w: Int, _ h: Int, _ colors: [Paint]) {
        let lies = random.chance(0.3), groups = random.int(3...12), slot = max(2, (lies ? h : w) / groups)
        let bar = max(1, slot * random.int(5...9) / 10 / colors.count)
        for group in 0..<groups {
            for (index, color) in colors.enumerated() {
                let size = length(0.05...0.95, of: lies ? w : h), place = group * slot + slot / 8 + index * bar
                canvas.fill(
                    lies
                        ? PixelRect(x: left, y: bottom - place - bar, width: size, height: bar)
                        : PixelRect(x: left + place, y: bottom - size, width: bar, height: size), color)
            }
        }
    }

    private mutating func drawPoints(_ left: Int, _ bottom: Int, _ w: Int, _ h: Int, _ colors: [Paint]) {
        let slope = random.double(-0.6...0.6), spread = random.double(0.05...0.35), size = random.int(2...5)
        for _ in 0..<random.int(15...150) {
            let x = random.unit(), y = 0.5 + slope * (x - 0.5) + spread * (random.unit() + random.unit() - 1)
            canvas.ellipse(
                PixelRect(
                    x: left + Int(x * Double(w)), y: bottom - Int(max(0, min(1, y)) * Double(h)), width: size,
                    height: size),
                random.pick(colors) ?? ink)
        }
    }

    private mutating func drawCurves(_ left: Int, _ bottom: Int, _ w: Int, _ h: Int, _ colors: [Paint]) {
        for color in colors {
            let count = random.int(5...40), drift = random.double(-0.03...0.03), jump = random.double(0.02...0.2)
            var level = random.double(0.2...0.8)
            let points = (0..<count).map { index in
                level = max(0.02, min(0.98, level + drift + jump * (random.unit() - 0.5)))
                return SIMD2(
                    Double(left) + Double(w * index) / Double(count - 1), Double(bottom) - level * Double(h))
            }
            canvas.stroke(points, thickness: random.int(1...3), color)
        }
    }

    /// Boxes with words, and lines between them.
    mutating func fillWithDiagram() {
        let face = face(textSize), columns = random.int(2...4), rows = random.int(2...5)
        let cellWidth = width / columns, cellHeight = height / rows, isFilled = random.chance(0.4)
        let pale = accent.mixed(with: .white, 0.75), isRound = random.chance(0.3), thickness = random.int(1...2)
        var centers: [SIMD2<Double>] = [], boxes: [PixelRect] = []
        for row in 0..<rows {
            for column in 0..<columns where random.chance(0.75) {
                let w = cellWidth * random.int(5...7) / 10, h = cellHeight * random.int(3...6) / 10
                let x = column * cellWidth + (cellWidth - w) / 2, y = row * cellHeight + (cellHeight - h) / 2
                boxes.append(PixelRect(x: x, y: y, width: w, height: h))
                centers.append(SIMD2(Double(x) + Double(w) / 2, Double(y) + Double(h) / 2))
            }
        }
        for (from, to) in zip(centers, centers.dropFirst()) {
            let corner = SIMD2(to.x, from.y)
            canvas.stroke(random.chance(0.6) ? [from, corner, to] : [from, to], thickness: thickness, ink)
        }
        for box in boxes {
            let inside = isFilled ? pale : Paint.white
            if isRound {
                canvas.ellipse(box, inside)
                canvas.ellipse(box, thickness: thickness, ink)
            } else {
                canvas.fill(box, inside)
                canvas.frame(box, thickness: thickness, ink)
            }
            line(
                x: box.x + 3, y: box.y + (box.height - face.leading) / 2, width: box.width - 6, face: face, .centered,
                limit: 3)
        }
    }

    /// A signature, a sketch, or staves.
    mutating func fillWithDrawing() {
        let thickness = random.int(1...4), paint = random.chance(0.7) ? ink : accent
        if random.chance(0.15) {
            for system in stride(from: height / 10, to: height * 9 / 10, by: max(50, height / 7)) {
                for staff in 0..<5 { rule(x: width / 20, y: system + staff * 6, width: width * 9 / 10) }
                for _ in 0..<random.int(6...20) {
                    let x = random.int(width / 20...width * 9 / 10), y = system + random.int(-1...8) * 3
                    canvas.ellipse(PixelRect(x: x, y: y, width: 7, height: 5), ink)
                    canvas.fill(PixelRect(x: x + 6, y: y - 14, width: 1, height: 16), ink)
                }
            }
            return
        }
        for _ in 0..<random.int(1...14) {
            var place = SIMD2(random.double(0.1...0.9) * Double(width), random.double(0.1...0.9) * Double(height))
            var heading = random.double(-3.1...3.1), bend = random.double(-0.3...0.3)
            let points = (0..<random.int(8...60)).map { _ in
                bend = max(-0.6, min(0.6, bend + 0.25 * (random.unit() - 0.5)))
                heading += bend
                // Back into -π...π, which the series needs.
                if heading > 3.1 { heading -= 6.28 } else if heading < -3.1 { heading += 6.28 }
                let (sine, cosine) = SceneMath.sineAndCosine(heading)
                place += SIMD2(cosine, sine) * (Double(min(width, height)) / 40)
                return place
            }
            canvas.stroke(points, thickness: thickness, paint)
        }
    }

    /// One to three cut-outs on white, or a mark of plain shapes; now and then a name below.
    mutating func fillWithLogo(object: (_ side: Double, inout SceneRandom) -> Patch?) {
        let side = Double(min(width, height)), isCrowd = random.chance(0.2), count = isCrowd ? random.int(2...3) : 1
        let hasShadow = random.chance(0.35)
        var below = height / 2
        if random.chance(0.25) {
            let size = Int(side * random.double(0.15...0.95)), x = (width - size) / 2, y = (height - size) / 2
            for _ in 0..<random.int(1...5) {
                let w = size * random.int(2...10) / 10, h = random.chance(0.5) ? w : size * random.int(2...10) / 10
                let area = PixelRect(
                    x: x + random.int(0...size - w), y: y + random.int(0...size - h), width: w, height: h)
                let color = random.chance(0.2) ? Paint.white : random.chance(0.3) ? ink : Paint.vivid(&random)
                let thickness = random.chance(0.3) ? max(2, size / 12) : nil
                if random.chance(0.25) {
                    canvas.polygon(star(in: area), color)
                } else if random.chance(0.5) {
                    canvas.ellipse(area, thickness: thickness, color)
                } else if let thickness {
                    canvas.frame(area, thickness: thickness, color)
                } else {
                    canvas.fill(area, color)
                }
            }
            below = y + size
        } else if !isCrowd, random.chance(0.4), let patch = object(side * random.double(0.6...1), &random),
            patch.area * 4 < patch.width * patch.height * 3
        {
            // Clip art is often cut to its edges: the outline alone leaves white.
            let margin = random.int(0...Int(side) / 10)
            let frame = PixelRect(x: 0, y: 0, width: patch.width + 2 * margin, height: patch.height + 2 * margin)
            canvas = Canvas(width: max(32, frame.width), height: max(32, frame.height))
            canvas.fill(PixelRect(x: 0, y: 0, width: width, height: height), .white)
            canvas.draw(patch, x: margin, y: margin, object: 0)
            return
        } else {
            for index in 0..<count {
                let share = isCrowd ? random.double(0.12...0.35) : random.double(0.12...0.7)
                guard let patch = object(side * share, &random) else { continue }
                let slot = width / count
                let x = index * slot + (slot - patch.width) / 2 + random.int(-slot / 12...slot / 12)
                let y = (height - patch.height) / 2 + random.int(-height / 12...height / 12)
                if hasShadow {
                    canvas.drawShadow(
                        of: patch, x: x + random.int(-3...3), y: y + random.int(1...6), radius: random.int(1...6),
                        strength: random.double(0.1...0.4))
                }
                canvas.draw(patch, x: x, y: y, object: index)
                below = max(below, y + patch.height)
            }
        }
        if random.chance(0.3) {
            let face = face(random.pick([10, 13, 18, 26]) ?? 13, headingFont())
            line(
                x: 0, y: min(below + 6, height - face.leading), width: width, face: face, .centered, limit: 2,
                paint: accent)
        }
    }

    /// Corners around a middle, some nearer than others: arrows, stars and the like.
    private mutating func star(in area: PixelRect) -> [SIMD2<Double>] {
        let count = random.int(3...11), middle = SIMD2(Double(area.x), Double(area.y)), inner = random.double(0.3...1)
        let radius = SIMD2(Double(area.width), Double(area.height)) / 2
        return (0..<count).map { index in
            let (sine, cosine) = SceneMath.sineAndCosine(6.28 * (Double(index) / Double(count) - 0.5))
            return middle + radius + SIMD2(cosine, sine) * radius * (index.isMultiple(of: 2) ? 1 : inner)
        }
    }

    /// A name in large letters.
    mutating func fillWithWordmark() {
        let face = face(random.pick([18, 26, 42, 42]) ?? 42, headingFont())
        let lines = random.int(1...3), side = random.pick([Alignment.left, .centered, .centered]) ?? .centered
        let x = side == .left ? width / 10 : 0
        var y = (height - lines * face.leading) / 2
        for _ in 0..<lines {
            line(x: x, y: y, width: width - x, face: face, side, limit: random.int(1...2), paint: accent)
            y += face.leading
        }
        if random.chance(0.4) {
            rule(x: width / 6, y: y + 4, width: width * 2 / 3, thickness: random.int(1...4), accent)
        }
        if random.chance(0.4) { line(x: x, y: y + 12, width: width - x, face: self.face(10), side, limit: 4) }
    }
}
