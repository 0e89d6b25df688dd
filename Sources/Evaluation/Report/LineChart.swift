import Foundation

/// Named lines over two axes, written as SVG that stands alone or in a page.
///
///     let chart = LineChart("Loss", x: "step", y: "loss", [.init("training", points), .init("validation", others)])
///     try chart.svg().write(to: url, atomically: true, encoding: .utf8)
public struct LineChart: Sendable {
    /// One line.
    public struct Series: Sendable {
        public var name: String
        /// In order of x. A point that is not finite (or not above 0 on a logarithmic axis) leaves a gap.
        public var points: [(x: Double, y: Double)]
        /// Whether each point gets a dot; for few points.
        public var hasDots: Bool
        /// Whether the line is drawn in dashes and in the colour of the axes; for what others are compared with.
        public var isReference: Bool

        public init(
            _ name: String, _ points: [(x: Double, y: Double)], hasDots: Bool = false, isReference: Bool = false
        ) {
            (self.name, self.points, self.hasDots, self.isReference) = (name, points, hasDots, isReference)
        }
    }

    public var title: String
    public var xLabel: String, yLabel: String
    public var series: [Series]
    /// What the axes show; nil shows what the points need.
    public var xRange: ClosedRange<Double>?, yRange: ClosedRange<Double>?
    public var isLogarithmicY = false
    /// In units of the picture; 12 units are the height of a letter.
    public var width = 440.0, height = 300.0

    public init(_ title: String, x: String, y: String, _ series: [Series]) {
        (self.title, xLabel, yLabel, self.series) = (title, x, y, series)
    }

    /// The picture.
    ///
    /// - Parameter isAlone: whether it carries its own ``style``; a page with several charts has that once.
    public func svg(isAlone: Bool = true) -> String {
        let legend = legend(), top = 34 + Double(legend.rows) * 18
        let plot = Plot(left: 54, top: top, right: width - 22, bottom: height - 42)
        let (xs, ys) = (axis(\.x, xRange, false), axis(\.y, yRange, isLogarithmicY))
        var parts = [
            """
            <svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.short(width)) \(Self.short(height))" \
            role="img" aria-label="\(Self.escaped(title))">
            """
        ]
        if isAlone { parts.append("<style>\(Self.style)</style>") }
        parts.append("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>")
        parts.append(Self.text(title, 14, 20, "title"))
        parts += legend.parts
        parts += grid(xs, ys, plot)
        for (number, series) in series.enumerated() { parts += drawn(series, number, xs, ys, plot) }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    // MARK: - Axes

    /// Where the lines are drawn.
    private struct Plot {
        let left: Double, top: Double, right: Double, bottom: Double
    }

    /// From values to 0...1.
    private struct Axis {
        let low: Double, high: Double
        let isLogarithmic: Bool

        func place(_ value: Double) -> Double? {
            let value = isLogarithmic ? log10(value) : value
            let place = (value - low) / (high - low)
            return place.isFinite ? place : nil
        }

        /// Round values, about five.
        var ticks: [Double] {
            var step = pow(10, floor(log10((high - low) / 4)))
            for factor in [2.0, 2.5, 2] where (high - low) / step > 6 { step *= factor }
            if isLogarithmic { step = max(1, step.rounded()) }
            let first = (low / step - 1e-9).rounded(.up), last = (high / step + 1e-9).rounded(.down)
            guard step > 0, first.isFinite, last - first < 20 else { return [] }
            // Adding 0 makes -0 of a rounded value 0.
            return stride(from: first, through: last, by: 1).map { isLogarithmic ? pow(10, $0 * step) : $0 * step + 0 }
        }
    }

    private func axis(
        _ part: KeyPath<(x: Double, y: Double), Double>, _ range: ClosedRange<Double>?, _ isLogarithmic: Bool
    ) -> Axis {
        func scaled(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }
        var low = Double.infinity, high = -Double.infinity
        for series in series {
            for point in series.points where point.x.isFinite && point.y.isFinite {
                let value = scaled(point[keyPath: part])
                if value.isFinite { (low, high) = (min(low, value), max(high, value)) }
            }
        }
        if let range { (low, high) = (scaled(range.lowerBound), scaled(range.upperBound)) }
        if !(low.isFinite && high.isFinite) { (low, high) = (0, 1) }
        if high - low <= max(abs(low), abs(high)) * 1e-12 {
            let margin = max(abs(low) * 0.1, 0.5)
            (low, high) = (low - margin, high + margin)
        }
        return Axis(low: low, high: high, isLogarithmic: isLogarithmic)
    }

    private func grid(_ xs: Axis, _ ys: Axis, _ plot: Plot) -> [String] {
        var parts: [String] = []
        for tick in ys.ticks {
            guard let place = ys.place(tick) else { continue }
            let y = plot.bottom - place * (plot.bottom - plot.top)
            parts.append(Self.line(plot.left, y, plot.right, y, "grid"))
            parts.append(Self.text(Self.label(tick), plot.left - 8, y + 4, "tick end"))
        }
        for tick in xs.ticks {
            guard let place = xs.place(tick) else { continue }
            let x = plot.left + place * (plot.right - plot.left)
            parts.append(Self.line(x, plot.bottom, x, plot.bottom + 4, "axis"))
            parts.append(Self.text(Self.label(tick), x, plot.bottom + 17, "tick middle"))
        }
        parts.append(Self.line(plot.left, plot.bottom, plot.right, plot.bottom, "axis"))
        parts.append(Self.text(xLabel, plot.right, height - 8, "label end"))
        let middle = (plot.top + plot.bottom) / 2
        parts.append(
            "<text class=\"label middle\" transform=\"translate(13 \(Self.short(middle))) rotate(-90)\">\(Self.escaped(yLabel))</text>"
        )
        return parts
    }

    // MARK: - Lines

    private func drawn(_ series: Series, _ number: Int, _ xs: Axis, _ ys: Axis, _ plot: Plot) -> [String] {
        let places = series.points.map { point -> (x: Double, y: Double)? in
            guard let x = xs.place(point.x), let y = ys.place(point.y) else { return nil }
            return (
                plot.left + min(max(x, 0), 1) * (plot.right - plot.left),
                plot.bottom - min(max(y, 0), 1) * (plot.bottom - plot.top)
            )
        }
        var path = "", isDown = false
        for place in Self.thinned(places) {
            guard let place else {
                isDown = false
                continue
            }
            path += "\(isDown ? "L" : "M")\(Self.short(place.x)) \(Self.short(place.y))"
            isDown = true
        }
        let kind = Self.kind(series, number)
        var parts = path.isEmpty ? [] : ["<path class=\"line \(kind)\" d=\"\(path)\"/>"]
        if series.hasDots {
            parts += places.compactMap { $0 }.map {
                "<circle class=\"dot \(kind)\" cx=\"\(Self.short($0.x))\" cy=\"\(Self.short($0.y))\" r=\"3\"/>"
            }
        }
        return parts
    }

    /// Of many points in one column of the picture, the first, the highest, the lowest and the last.
    private static func thinned(_ places: [(x: Double, y: Double)?]) -> [(x: Double, y: Double)?] {
        if places.count <= 1000 { return places }
        var kept: [(x: Double, y: Double)?] = [], column: [(x: Double, y: Double)] = []
        func flush() {
            guard let first = column.first, let last = column.last else { return }
            let heights = column.map(\.y)
            kept += [first]
            if column.count > 2 { kept += [(first.x, heights.min() ?? 0), (first.x, heights.max() ?? 0)] }
            if column.count > 1 { kept += [last] }
            column = []
        }
        for place in places {
            if let place, let first = column.first, place.x.rounded() == first.x.rounded() {
                column.append(place)
            } else {
                flush()
                if let place { column = [place] } else { kept.append(nil) }
            }
        }
        flush()
        return kept
    }

    /// Names of the lines, in rows; none for one line without a name.
    private func legend() -> (rows: Int, parts: [String]) {
        let named = series.enumerated().filter { !$1.name.isEmpty }
        if named.isEmpty { return (0, []) }
        var x = 14.0, row = 0, parts: [String] = []
        for (number, series) in named {
            let room = 34 + Double(series.name.count) * 6.6
            if x > 14, x + room > width { (x, row) = (14, row + 1) }
            let y = 38 + Double(row) * 18
            parts.append(Self.line(x, y - 4, x + 16, y - 4, "line \(Self.kind(series, number))"))
            parts.append(Self.text(series.name, x + 21, y, "tick"))
            x += room
        }
        return (row + 1, parts)
    }

    // MARK: - Text

    private static func kind(_ series: Series, _ number: Int) -> String {
        series.isReference ? "reference" : "s\(number % 8)"
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ kind: String) -> String {
        "<line class=\"\(kind)\" x1=\"\(short(x1))\" y1=\"\(short(y1))\" x2=\"\(short(x2))\" y2=\"\(short(y2))\"/>"
    }

    private static func text(_ words: String, _ x: Double, _ y: Double, _ kind: String) -> String {
        "<text class=\"\(kind)\" x=\"\(short(x))\" y=\"\(short(y))\">\(escaped(words))</text>"
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.1f", value)
    }

    private static func label(_ value: Double) -> String {
        switch abs(value) {
        case 1e6...: String(format: "%.3gM", value / 1e6)
        case 1e4...: String(format: "%.3gk", value / 1e3)
        default: String(format: "%.4g", value)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }

    /// Colours and letters, light and dark.
    public static let style: String = {
        let light = ["#1565c0", "#c2185b", "#2e7d32", "#b35900", "#6a3fb5", "#00796b", "#a1372c", "#5d6d00"]
        let dark = ["#82b1ff", "#ff80ab", "#81c995", "#ffb870", "#c3a6ff", "#6fd6c6", "#ff9e8f", "#cddc60"]
        func colours(_ values: [String], paper: String, ink: String, soft: String, grid: String) -> String {
            """
            .chart .paper { fill: \(paper); } .chart text { fill: \(soft); } .chart .title { fill: \(ink); }
            .chart .grid { stroke: \(grid); } .chart .axis { stroke: \(soft); }
            .chart .line.reference { stroke: \(soft); } .chart .dot.reference { fill: \(soft); }

            """
                + values.enumerated().map {
                    ".chart .line.s\($0) { stroke: \($1); } .chart .dot.s\($0) { fill: \($1); }"
                }.joined(separator: "\n")
        }
        return """
            .chart text { font: 12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
            .chart .title { font-size: 14px; font-weight: 600; } .chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
            .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .chart .line.reference { stroke-dasharray: 4 4; stroke-width: 1.2; }
            \(colours(light, paper: "#ffffff", ink: "#1d2327", soft: "#5b666d", grid: "#e4e1da"))
            @media (prefers-color-scheme: dark) {
            \(colours(dark, paper: "#1c2226", ink: "#e6e8e8", soft: "#9aa5ab", grid: "#323b41"))
            }
            """
    }()
}
