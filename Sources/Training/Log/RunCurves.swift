import Evaluation
import Foundation

/// The curves of one or several runs as one picture.
public enum RunCurves {
    /// One run: its loss with the parts it is made of, all figures on held-out data, learning rate and gradient norm. Several runs:
    /// a chart for each figure, a line for each run.
    /// - Returns: SVG
    public static func svg(_ runs: [RunHistory]) -> String {
        let charts = runs.count == 1 ? charts(of: runs[0]) : charts(comparing: runs)
        let columns = min(2, max(charts.count, 1)), rows = (charts.count + columns - 1) / columns
        let (width, height) = (440, 300)
        var parts = [
            """
            <svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(columns * width) \(max(rows, 1) * height)">
            <style>\(LineChart.style)</style>
            <rect class="paper" width="100%" height="100%"/>
            """
        ]
        for (number, chart) in charts.enumerated() {
            let place = """
                <svg x="\(number % columns * width)" y="\(number / columns * height)" width="\(width)" height="\(height)"
                """
            parts.append(place + chart.svg(isAlone: false).dropFirst("<svg".count))
        }
        return parts.joined(separator: "\n") + "</svg>\n"
    }

    private static let apart: Set<String> = ["loss", "norm", "rate"]

    private static func charts(of run: RunHistory) -> [LineChart] {
        let parts = run.training.keys.filter { !apart.contains($0) }.sorted()
        var losses = (["loss"] + parts).compactMap { series($0, run.training[$0]) }
        // The only part of a loss is the loss.
        if parts.count == 1 { losses.removeLast() }
        var charts = [chart("\(run.name): loss", losses)]
        // Shares together; what has another scale alone.
        let shares = run.validation.filter { $0.value.allSatisfy { (0...1).contains($0.y) } }.keys.sorted()
        charts.append(
            chart("validation", shares.compactMap { series($0, run.validation[$0], hasDots: true) }))
        for name in run.validation.keys.sorted() where !shares.contains(name) {
            charts.append(
                chart("validation: \(name)", [series("", run.validation[name], hasDots: true)].compactMap { $0 }))
        }
        charts.append(rates([(name: "", run: run)]))
        charts.append(chart("gradient norm", [series("", run.training["norm"])].compactMap { $0 }))
        return charts.filter { !$0.series.isEmpty }
    }

    private static func charts(comparing runs: [RunHistory]) -> [LineChart] {
        let validation = Set(runs.flatMap(\.validation.keys)).sorted()
        let labels = labels(runs)
        var charts = [
            chart("loss", zip(labels, runs).compactMap { series($0, $1.training["loss"]) })
        ]
        charts += validation.map { name in
            chart(
                "validation: \(name)",
                zip(labels, runs).compactMap { series($0, $1.validation[name], hasDots: true) })
        }
        charts.append(rates(Array(zip(labels, runs))))
        return charts.filter { !$0.series.isEmpty }
    }

    /// Learning rates in a unit that leaves short numbers.
    private static func rates(_ runs: [(name: String, run: RunHistory)]) -> LineChart {
        let most = runs.flatMap { $0.run.training["rate"] ?? [] }.map(\.y).max() ?? 0
        let power = most > 0 && most.isFinite ? Int(log10(most).rounded(.down)) : 0
        let lines = runs.compactMap { name, run in
            series(name, run.training["rate"]?.map { ($0.x, $0.y / pow(10, Double(power))) })
        }
        return chart(power == 0 ? "learning rate" : "learning rate, in 1e\(power)", lines)
    }

    /// Names of runs, numbered where two have the same.
    private static func labels(_ runs: [RunHistory]) -> [String] {
        var seen: [String: Int] = [:]
        return runs.map { run in
            let count = seen[run.name, default: 0] + 1
            seen[run.name] = count
            return count == 1 ? run.name : "\(run.name) (\(count))"
        }
    }

    private static func series(_ name: String, _ points: [RunHistory.Point]?, hasDots: Bool = false)
        -> LineChart.Series?
    {
        guard let points, !points.isEmpty else { return nil }
        return LineChart.Series(name, points, hasDots: hasDots)
    }

    private static func chart(_ title: String, _ series: [LineChart.Series]) -> LineChart {
        LineChart(title, x: "step", y: "", series)
    }
}
