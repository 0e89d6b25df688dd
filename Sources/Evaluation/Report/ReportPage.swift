import Foundation
import WebPages

extension EvaluationReport {
    /// `index.html`.
    ///
    /// - Parameter pictures: those that could be shown, by `ReportPicture.image`
    func page(pictures: [Int: ReportFolder.ShownPicture]) -> String {
        WebPage(
            title: title, style: ReportPage.style, body: ReportPage(report: self, pictures: pictures).body,
            script: ReportPage.script
        )
        .html
    }
}

/// The text of a report's page. Whatever comes from data is escaped.
private struct ReportPage {
    let report: EvaluationReport
    let pictures: [Int: ReportFolder.ShownPicture]

    var body: String {
        """
        <header class="bar">
        <h1>\(Markup.escaped(report.title))</h1>
        <nav aria-label="Parts">\(navigation)</nav>
        </header>
        <main>
        <section id="protocol" class="wide"><h2>Protocol</h2><dl class="protocol">\(protocolItems)</dl></section>
        <section id="figures" class="wide"><h2>Figures</h2><dl class="figures">\(figures)</dl></section>
        \(sections)
        </main>
        """
    }

    /// Links to the parts, or to the sections where there are no parts.
    private var navigation: String {
        var links = [("protocol", "Protocol"), ("figures", "Figures")], part: String?
        for section in report.sections {
            if section.part == nil || section.part != part {
                links.append(
                    (section.part.map { "part-" + $0.lowercased() } ?? section.key, section.part ?? section.title))
            }
            part = section.part
        }
        return links.map { "<a href=\"#\(Markup.escaped($0))\">\(Markup.escaped($1))</a>" }.joined()
    }

    private var protocolItems: String {
        report.protocolItems.map { "<dt>\(Markup.escaped($0.name))</dt><dd>\(Markup.escaped($0.text))</dd>" }.joined()
    }

    private var figures: String {
        func tile(_ name: String, _ value: String, _ kind: String) -> String {
            "<div class=\"\(kind)\"><dt>\(Markup.escaped(name))</dt><dd>\(Markup.escaped(value))</dd></div>"
        }
        var tiles = report.figures.map { tile($0.name, ReportFormat.text($0), "figure") }
        tiles += report.counts.map { tile($0.name, "\($0.value)", "figure count") }
        tiles += report.allCounts.dropFirst(report.counts.count).map {
            tile($0.name, "\($0.value)", $0.value > 0 ? "figure count alarm" : "figure count")
        }
        return tiles.joined()
    }

    private var sections: String {
        var text: [String] = [], part: String?
        for section in report.sections {
            if let name = section.part, name != part {
                text.append(
                    "<h2 class=\"part\" id=\"part-\(Markup.escaped(name.lowercased()))\">\(Markup.escaped(name))</h2>")
            }
            part = section.part
            let level = part == nil ? "h2" : "h3"
            let note = section.note.map { "<p class=\"quiet\">\(Markup.escaped($0))</p>" } ?? ""
            text.append(
                """
                <section id="\(Markup.escaped(section.key))" class="\(Self.kind(section.content))"><\(level)>\(Markup.escaped(section.title))</\(level)>\(note)
                \(html(section.content))
                </section>
                """)
        }
        return text.joined(separator: "\n")
    }

    /// How much room a section takes: small ones lie side by side.
    private static func kind(_ content: ReportSection.Content) -> String {
        switch content {
        case .charts(let charts): charts.count == 1 ? "chartable" : "wide"
        case .table: "tabular"
        case .matrix, .pictures: "wide"
        }
    }

    private func html(_ content: ReportSection.Content) -> String {
        switch content {
        case .table(let table): html(table)
        case .charts(let charts):
            "<div class=\"charts\">" + charts.map { $0.chart.svg(isAlone: false) }.joined() + "</div>"
        case .matrix(let matrix): html(matrix)
        case .pictures(let some):
            "<p class=\"legend quiet\"><span class=\"right\">right</span> <span class=\"wrong\">wrong</span> "
                + "<span class=\"missed\">missed</span> <span class=\"dashed\">annotated</span> <span class=\"solid\">answered</span></p>"
                + "<div class=\"pictures\">" + some.map(html).joined() + "</div>"
        }
    }

    // MARK: - Tables

    private func html(_ table: ReportTable) -> String {
        let heads = table.columns.map { column in
            "<th scope=\"col\"\(column.isText ? " class=\"t\"" : "")><button type=\"button\">\(Markup.escaped(column.title))</button></th>"
        }
        let rows = table.rows.map { row in "<tr>" + zip(table.columns, row).map(html).joined() + "</tr>" }
        return
            "<div class=\"scroll\" tabindex=\"0\"><table class=\"sortable\"><thead><tr>\(heads.joined())</tr></thead>"
            + "<tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }

    private func html(_ column: ReportTable.Column, _ cell: ReportTable.Cell) -> String {
        let text = Markup.escaped(ReportFormat.text(cell))
        switch cell {
        case .text: return "<td class=\"t\">\(text)</td>"
        case .share(let value?):
            return "<td class=\"share\" style=\"--v:\(PageNumber.short(100 * min(max(value, 0), 1)))\">\(text)</td>"
        default: return "<td>\(text)</td>"
        }
    }

    private func html(_ matrix: ReportMatrix) -> String {
        // Short names, such as numbers, need not stand upright.
        let isFlat = matrix.columns.allSatisfy { $0.count < 8 } && matrix.columns.count < 16
        let heads = matrix.columns.map { "<th scope=\"col\"><span>\(Markup.escaped($0))</span></th>" }
        let rows = matrix.rows.indices.map { row in
            let total = max(1, matrix.counts[row].reduce(0, +))
            let cells = matrix.counts[row].enumerated().map { column, count in
                if count == 0 { return "<td></td>" }
                // Where names are counted together, right and wrong are too.
                let isMixed = matrix.rightColumns[row] == nil && matrix.rows[row] == matrix.columns[column]
                let kind = matrix.rightColumns[row] == column ? "hit" : isMixed ? "mixed" : "slip"
                return
                    "<td class=\"\(kind)\" style=\"--v:\(PageNumber.short(100 * Double(count), of: Double(total)))\">\(count)</td>"
            }
            return "<tr><th scope=\"row\">\(Markup.escaped(matrix.rows[row]))</th>\(cells.joined())</tr>"
        }
        return """
            <div class="scroll" tabindex="0"><table class="matrix\(isFlat ? " flat" : "")"><thead><tr><td class="corner">\(Markup.escaped(matrix.rowTitle)) ↓ \
            \(Markup.escaped(matrix.columnTitle)) →</td>\(heads.joined())</tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }

    // MARK: - Pictures

    private func html(_ picture: ReportPicture) -> String {
        var stage = ""
        if let shown = pictures[picture.image] {
            let marks = picture.findings.enumerated().flatMap { number, finding in
                finding.truths.map {
                    BoxedPicture.Mark(number, $0, label: finding.name, kind: "\(finding.kind.rawValue) truth")
                }
                    + finding.answers.map {
                        BoxedPicture.Mark(number, $0, label: finding.name, kind: finding.kind.rawValue)
                    }
            }
            stage =
                BoxedPicture(
                    source: shown.file, alternative: "\(picture.name), \(picture.figure)", width: shown.width,
                    height: shown.height, marks: marks
                ).html
        }
        let items = picture.findings.enumerated().map { number, finding in
            let detail = finding.detail.isEmpty ? "" : " <small>\(Markup.escaped(finding.detail))</small>"
            return
                "<li class=\"region \(finding.kind.rawValue)\" data-r=\"\(number)\" tabindex=\"0\"><b>\(Markup.escaped(finding.name))</b>\(detail)</li>"
        }
        return """
            <article class="sample"><h4><span>\(Markup.escaped(picture.name))</span> <span>\(Markup.escaped(picture.figure))</span></h4>
            \(stage)
            <ol class="regions" aria-label="Findings">\(items.joined())</ol></article>
            """
    }

    // MARK: - Parts

    static let style =
        LineChart.style + """

            :root { --good: #2e7d32; --bad: #c62828; --miss: #b35900; }
            @media (prefers-color-scheme: dark) { :root { --good: #81c995; --bad: #ff8a80; --miss: #ffb870; } }
            html { scroll-padding-top: 4rem; }
            .bar { justify-content: space-between; }
            nav { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .875rem; }
            nav a { color: var(--accent); text-decoration: none; }
            nav a:hover { text-decoration: underline; }
            main { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1.75rem 2.5rem; padding: 1.5rem 1.25rem 3rem; max-width: 76rem; margin: 0 auto; }
            section { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; align-content: start; flex: 0 1 auto; min-width: 0; max-width: 100%; }
            section.chartable { flex-basis: 24rem; }
            section.tabular > .quiet { max-width: 30rem; }
            section.wide, h2.part { flex: 1 0 100%; }
            h2 { font-size: 1.05rem; font-weight: 650; }
            h2.part { font-size: 1.3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; margin-top: .75rem; }
            h3 { font-size: .975rem; font-weight: 650; }
            section > .quiet { max-width: 46rem; }
            .protocol { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1.25rem; font-size: .925rem; overflow-wrap: anywhere; }
            .protocol dt { color: var(--soft); }
            .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
            .figure { box-shadow: 1px 1px 0 var(--line); padding: .6rem .85rem; display: flex; flex-direction: column; justify-content: space-between; }
            .figure dt { color: var(--soft); font-size: .8rem; line-height: 1.3; }
            .figure dd { font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
            .figure.count dd { font-weight: 400; }
            .figure.alarm dd { color: var(--bad); font-weight: 600; }
            .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
            .chart { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
            .scroll { overflow: auto; max-height: 34rem; border: 1px solid var(--line); border-radius: 10px; background: var(--card); width: fit-content; max-width: 100%; }
            table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .28rem .8rem; text-align: right; white-space: nowrap; }
            th.t, td.t { text-align: left; white-space: normal; overflow-wrap: break-word; min-width: 7rem; }
            thead { position: sticky; top: 0; z-index: 1; background: var(--card); box-shadow: 0 1px 0 var(--line); }
            thead th { font-weight: 600; color: var(--soft); }
            thead button { all: unset; cursor: pointer; }
            thead button:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
            th[aria-sort="ascending"] button::after { content: " ↑"; }
            th[aria-sort="descending"] button::after { content: " ↓"; }
            tbody tr + tr { border-top: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
            .share { background: linear-gradient(to right, color-mix(in srgb, var(--accent) 14%, transparent) calc(var(--v) * 1%), transparent 0); }
            .scroll:has(.matrix) { max-height: none; }
            .matrix th, .matrix td { padding: .28rem .5rem; }
            .matrix tbody th { text-align: right; font-weight: 500; position: sticky; left: 0; background: var(--card); max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
            .matrix thead th { vertical-align: bottom; font-weight: 500; }
            .matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 8rem; overflow: hidden; text-overflow: ellipsis; }
            .matrix.flat thead th { text-align: center; }
            .matrix.flat thead span { writing-mode: horizontal-tb; transform: none; }
            .matrix td { text-align: center; min-width: 2.2rem; }
            .matrix .corner { color: var(--soft); font-size: .75rem; text-align: right; vertical-align: bottom; white-space: normal; max-width: 7rem; }
            .hit { background: color-mix(in srgb, var(--good) calc(8% + var(--v) * .45%), transparent); }
            .mixed { background: color-mix(in srgb, var(--soft) calc(5% + var(--v) * .2%), transparent); }
            .slip { background: color-mix(in srgb, var(--bad) calc(6% + var(--v) * .5%), transparent); }
            .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1rem; }
            .sample { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; align-content: start; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .75rem; }
            .frame { width: min(100%, 20rem * var(--ratio)); }
            h4 { margin: 0; font-size: .85rem; font-weight: 500; color: var(--soft); display: flex; justify-content: space-between; gap: .75rem; overflow-wrap: anywhere; }
            h4 span + span { white-space: nowrap; color: var(--ink); font-variant-numeric: tabular-nums; }
            .sample .regions { max-height: 11rem; font-size: .85rem; }
            .region { overflow-wrap: anywhere; }
            .right { --mark: var(--good); } .wrong { --mark: var(--bad); } .missed { --mark: var(--miss); }
            .box.truth { border-style: dashed; }
            .legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
            .legend span::before { content: ""; display: inline-block; width: 1.1em; height: .75em; margin-right: .4em; border: 2px solid var(--mark, var(--soft)); border-radius: 2px; vertical-align: -.05em; }
            .legend .right::before, .legend .wrong::before, .legend .missed::before { background: var(--mark); }
            .legend .dashed::before { border-style: dashed; }
            @media (max-width: 40rem) {
              .bar { position: static; padding: .6rem .75rem; }
              main { padding: 1rem .75rem 2rem; gap: 1.4rem; }
              .protocol { grid-template-columns: minmax(0, 1fr); gap: 0; }
              .protocol dd { margin-bottom: .4rem; }
              .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
              th, td { padding: .28rem .55rem; }
              th.t, td.t { min-width: 6rem; }
            }
            @media print { .bar { position: static; } .scroll, .sample .regions { max-height: none; } }
            """

    /// Sorts tables, and lights what belongs together. Without it the page shows everything.
    static let script = """
        "use strict";
        function value(row, column) {
          const text = row.cells[column].textContent, number = parseFloat(text);
          return row.cells[column].classList.contains("t") ? text : isNaN(number) ? -Infinity : number;
        }
        document.querySelectorAll("table.sortable th").forEach(head => head.addEventListener("click", () => {
          const column = head.cellIndex, body = head.closest("table").tBodies[0];
          const first = head.classList.contains("t") ? "ascending" : "descending";
          const order = head.getAttribute("aria-sort") === first ? (first === "ascending" ? "descending" : "ascending") : first;
          head.parentElement.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
          head.setAttribute("aria-sort", order);
          const sign = order === "ascending" ? 1 : -1;
          body.append(...[...body.rows].sort((one, other) => {
            const a = value(one, column), b = value(other, column);
            return sign * (typeof a === "string" ? a.localeCompare(b) : a === b ? 0 : a < b ? -1 : 1);
          }));
        }));
        \(PageStyle.lighting)
        """
}
