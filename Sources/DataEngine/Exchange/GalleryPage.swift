import Annotations
import Boxes
import Crypto
import Foundation

import struct Annotations.Annotation

/// The text of the gallery's page. Whatever comes from annotations is escaped; the only script that the page's policy lets run is its own.
enum GalleryPage {
    static func page(
        title: String, shown: Int, total: Int, regions: Int, categories: [(name: String, pictures: Int)],
        cards: [String]
    ) -> String {
        let options = categories.map {
            "<option value=\"\(Markup.escaped($0.name))\">\(Markup.escaped($0.name)) (\($0.pictures))</option>"
        }.joined()
        let digest = Data(SHA256.hash(data: Data(script.utf8))).base64EncodedString()
        let summary =
            shown == total
            ? "\(total) pictures, \(regions) regions" : "\(shown) of \(total) pictures, \(regions) regions"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; script-src 'sha256-\(digest)'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>\(Markup.escaped(title))</title>
            <style>
            \(style)
            </style>
            </head>
            <body>
            <header class="bar">
            <h1>\(Markup.escaped(title))</h1>
            <p class="quiet">\(summary)</p>
            <form class="find" role="search">
            <label><span>Words</span> <input id="words" type="search" placeholder="in any text" autocomplete="off"></label>
            <label><span>Category</span> <select id="category"><option value="">all</option>\(options)</select></label>
            <output id="found" class="quiet" aria-live="polite"></output>
            </form>
            </header>
            <main>
            \(cards.joined(separator: "\n"))
            <p id="none" class="quiet" hidden>No picture has this. Search for another word or category.</p>
            </main>
            <script>\(script)</script>
            </body>
            </html>

            """
    }

    /// One sample: its picture with boxes, its caption, its regions.
    static func card(_ annotation: Annotation, picture: String, number: Int) -> String {
        let numbers = Dictionary(
            annotation.regions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        let frame = (Double(annotation.width), Double(annotation.height))
        // Large boxes first, so that small ones lie above them and can be reached.
        let order = annotation.regions.indices.sorted {
            annotation.regions[$0].box.area > annotation.regions[$1].box.area
        }
        let boxes = order.map { box(annotation.regions[$0], $0, frame) }.joined()
        let names = annotation.regions.compactMap(\.category)
        let kinds = Set(names).sorted().map(Markup.escaped).joined(separator: "|")
        let alternative =
            annotation.caption?.text
            ?? "Picture without a caption, showing \(Set(names).sorted().joined(separator: ", "))"
        var text =
            "<h2><code>\(Markup.escaped(annotation.key))</code> <span class=\"quiet\">\(annotation.width) × \(annotation.height)</span></h2>"
        if let caption = annotation.caption { text += "<p class=\"caption\">\(grounded(caption, numbers))</p>" }
        if !annotation.regions.isEmpty {
            text += "<ol class=\"regions\" aria-label=\"Regions\">"
            text += annotation.regions.enumerated().map { item($1, $0) }.joined() + "</ol>"
        }
        if let turns = annotation.conversation, !turns.isEmpty {
            text += "<details><summary>\(turns.count) question\(turns.count == 1 ? "" : "s")</summary><dl>"
            text += turns.map { "<dt>\(Markup.escaped($0.question))</dt><dd>\(grounded($0.answer, numbers))</dd>" }
                .joined()
            text += "</dl></details>"
        }
        return """
            <article class="sample" data-kinds="|\(kinds)|" aria-label="\(Markup.escaped(annotation.key))">
            <div class="stage"><div class="frame" style="aspect-ratio:\(annotation.width)/\(annotation.height);--ratio:\(ratio(annotation))">\
            <img src="\(Markup.escaped(picture))" loading="\(number < 4 ? "eager" : "lazy")" alt="\(Markup.escaped(alternative))">\(boxes)</div></div>
            <div class="texts">\(text)</div>
            </article>
            """
    }

    private static func ratio(_ annotation: Annotation) -> String {
        percent(Double(annotation.width), of: Double(annotation.height))
    }

    private static func box(_ region: Region, _ number: Int, _ frame: (width: Double, height: Double)) -> String {
        let box = region.box.clipped(toWidth: frame.width, height: frame.height)
        let place =
            "left:\(percent(100 * box.x1, of: frame.width))%;top:\(percent(100 * box.y1, of: frame.height))%;"
            + "width:\(percent(100 * box.width, of: frame.width))%;height:\(percent(100 * box.height, of: frame.height))%"
        return
            "<i class=\"box c\(number % 8)\" data-r=\"\(number)\" style=\"\(place)\" aria-hidden=\"true\"><b>\(Markup.escaped(name(region, number)))</b></i>"
    }

    private static func item(_ region: Region, _ number: Int) -> String {
        var text = "<b>\(Markup.escaped(name(region, number)))</b>"
        if let score = region.score { text += " <small>\(percent(score, of: 1))</small>" }
        let further: [(String, String?)] = [
            ("phrase", region.phrase), ("description", region.description), ("expression", region.referringExpression),
        ]
        for (level, words) in further {
            if let words {
                text += "<span class=\"level\"><small>\(level)</small> <span>\(Markup.escaped(words))</span></span>"
            }
        }
        return "<li class=\"region c\(number % 8)\" data-r=\"\(number)\" tabindex=\"0\">\(text)</li>"
    }

    /// A text with its located phrases marked.
    private static func grounded(_ caption: GroundedCaption, _ numbers: [Int: Int]) -> String {
        let scalars = Array(caption.text.unicodeScalars)
        func text(_ range: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return Markup.escaped(String(view))
        }
        var result = "", position = 0
        for phrase in caption.phrases.sorted(by: { $0.start < $1.start }) where phrase.start >= position {
            let regions = phrase.regions.compactMap { numbers[$0] }
            guard let first = regions.first, phrase.end <= scalars.count else { continue }
            result += text(position..<phrase.start)
            let list = regions.map(String.init).joined(separator: " ")
            result +=
                "<span class=\"phrase c\(first % 8)\" data-r=\"\(list)\" tabindex=\"0\">\(text(phrase.start..<phrase.end))</span>"
            position = phrase.end
        }
        return result + text(position..<scalars.count)
    }

    private static func name(_ region: Region, _ number: Int) -> String {
        region.category ?? region.phrase ?? "region \(number)"
    }

    /// A quotient with at most three digits after the point.
    private static func percent(_ part: Double, of whole: Double) -> String {
        let thousandths = Int((1000 * part / whole).rounded())
        var digits = "\(thousandths / 1000)." + String(String(1000 + thousandths % 1000).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return digits
    }

    // MARK: Parts

    /// Colours and forms of the web page of `chatrex serve`.
    private static let style = """
        :root {
          color-scheme: light dark;
          --paper: #fbfaf8; --card: #ffffff; --ink: #1d2327; --soft: #5b666d; --line: #dcd9d2; --accent: #1f5f74; --stage: #eceae5; --focus: #2a7fa0;
          --c0: #c2185b; --c1: #1565c0; --c2: #2e7d32; --c3: #b35900; --c4: #6a3fb5; --c5: #00796b; --c6: #a1372c; --c7: #5d6d00;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14181b; --card: #1c2226; --ink: #e6e8e8; --soft: #9aa5ab; --line: #323b41; --accent: #7cc4d8; --stage: #0e1113; --focus: #7cc4d8;
            --c0: #ff80ab; --c1: #82b1ff; --c2: #81c995; --c3: #ffb870; --c4: #c3a6ff; --c5: #6fd6c6; --c6: #ff9e8f; --c7: #cddc60;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
        h1, h2, p, dl, dd { margin: 0; }
        h1 { font-size: 1.1rem; font-weight: 650; }
        h2 { font-size: .875rem; font-weight: 500; color: var(--soft); display: flex; gap: .6rem; justify-content: space-between; overflow-wrap: anywhere; }
        code { font: .95em ui-monospace, "DejaVu Sans Mono", monospace; }
        .quiet { color: var(--soft); font-size: .875rem; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
        .bar { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem; padding: .6rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
        .find { margin: 0 0 0 auto; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
        .find label { display: flex; gap: .45rem; align-items: center; font-size: .875rem; color: var(--soft); }
        input, select { font: inherit; font-size: .95rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 7px; padding: .3rem .6rem; max-width: 14rem; }
        #found { min-width: 7rem; }
        main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: 1.25rem; max-width: 84rem; margin: 0 auto; }
        .sample { display: grid; grid-template-columns: minmax(0, 1.25fr) minmax(18rem, 1fr); gap: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; content-visibility: auto; contain-intrinsic-size: auto 30rem; }
        .stage { background: var(--stage); border-radius: 8px; display: flex; align-items: center; justify-content: center; overflow: hidden; align-self: start; }
        .frame { position: relative; width: min(100%, 34rem * var(--ratio)); }
        .frame img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
        .box { position: absolute; border: 2px solid var(--mark); box-shadow: 0 0 0 1px rgb(0 0 0 / .4), inset 0 0 0 1px rgb(0 0 0 / .25); border-radius: 2px; }
        .box b { display: none; position: absolute; left: -2px; bottom: 100%; padding: 0 .35rem; font-size: .75rem; line-height: 1.35; font-style: normal; font-weight: 600; white-space: nowrap; background: var(--mark); color: var(--card); border-radius: 3px; }
        .box.low b { bottom: auto; top: 0; }
        .lighting .box { opacity: .25; }
        .lighting .box.lit { opacity: 1; border-width: 3px; background: color-mix(in srgb, var(--mark) 18%, transparent); z-index: 1; }
        .box.lit b { display: block; }
        .texts { display: grid; gap: .7rem; align-content: start; min-width: 0; overflow-wrap: anywhere; }
        .caption { font-size: 1.02rem; }
        .phrase { border-bottom: 2px solid var(--mark); border-radius: 3px 3px 0 0; padding: 0 .12em; background: color-mix(in srgb, var(--mark) 12%, transparent); cursor: default; }
        .phrase.lit { background: color-mix(in srgb, var(--mark) 32%, transparent); }
        .regions { list-style: none; margin: 0; padding: 0; display: grid; gap: .15rem; max-height: 24rem; overflow: auto; font-size: .9rem; }
        .region { border-left: 4px solid var(--mark); padding: .12rem .6rem; border-radius: 0 6px 6px 0; cursor: default; }
        .region.lit { background: color-mix(in srgb, var(--mark) 14%, transparent); }
        .region:focus-visible { outline-offset: -2px; }
        .region b { font-weight: 600; }
        .region small { color: var(--soft); font-size: .8rem; }
        .level { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr); gap: .4rem; align-items: baseline; }
        details { font-size: .9rem; }
        summary { color: var(--accent); cursor: pointer; }
        dl { display: grid; gap: .15rem; padding-top: .35rem; max-height: 18rem; overflow: auto; }
        dt { color: var(--soft); }
        dd + dt { margin-top: .35rem; }
        .c0 { --mark: var(--c0); } .c1 { --mark: var(--c1); } .c2 { --mark: var(--c2); } .c3 { --mark: var(--c3); }
        .c4 { --mark: var(--c4); } .c5 { --mark: var(--c5); } .c6 { --mark: var(--c6); } .c7 { --mark: var(--c7); }
        @media (max-width: 56rem) {
          main { padding: .75rem; }
          .sample { grid-template-columns: minmax(0, 1fr); gap: .8rem; padding: .75rem; }
          .bar { position: static; padding: .6rem .75rem; }
          .find { margin: 0; }
        }
        @media (prefers-reduced-motion: no-preference) { .phrase, .region, .box { transition: background .12s, opacity .12s; } }
        """

    /// Searches, and lights what belongs together. Without it the page shows everything.
    private static let script = """
        "use strict";
        const samples = [...document.querySelectorAll(".sample")];
        const words = document.getElementById("words"), category = document.getElementById("category");
        const found = document.getElementById("found"), none = document.getElementById("none");
        const plain = text => text.normalize("NFKD").replace(/\\p{M}/gu, "").toLowerCase();
        let texts;
        function search() {
          texts ??= samples.map(sample => plain(sample.querySelector(".texts").textContent));
          const wanted = plain(words.value).split(/\\s+/).filter(Boolean), kind = category.value;
          let count = 0;
          samples.forEach((sample, index) => {
            const fits = wanted.every(word => texts[index].includes(word)) && (!kind || sample.dataset.kinds.includes("|" + kind + "|"));
            sample.hidden = !fits;
            count += fits;
          });
          found.textContent = wanted.length || kind ? count + (count === 1 ? " picture" : " pictures") : "";
          none.hidden = count > 0;
        }
        words.addEventListener("input", search);
        category.addEventListener("change", search);
        document.querySelector(".find").addEventListener("submit", event => event.preventDefault());
        function reveal(item, list) {
          const top = item.offsetTop - list.offsetTop, bottom = top + item.offsetHeight;
          if (top < list.scrollTop) list.scrollTop = top;
          if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
        }
        function light(event) {
          const part = event.target.closest && event.target.closest("[data-r]");
          document.querySelectorAll(".lit").forEach(lit => lit.classList.remove("lit"));
          document.querySelectorAll(".lighting").forEach(lit => lit.classList.remove("lighting"));
          if (!part) return;
          const sample = part.closest(".sample"), wanted = part.dataset.r.split(" ");
          sample.classList.add("lighting");
          sample.querySelectorAll("[data-r]").forEach(other => {
            if (!other.dataset.r.split(" ").some(region => wanted.includes(region))) return;
            other.classList.add("lit");
            if (other.matches(".region") && part.matches(".box")) reveal(other, other.parentElement);
            if (other.matches(".box")) other.classList.toggle("low", other.offsetTop < 20);
          });
        }
        document.addEventListener("mouseover", light);
        document.addEventListener("focusin", light);
        document.addEventListener("keydown", event => { if (event.key === "Escape") light({ target: document }); });
        """
}
