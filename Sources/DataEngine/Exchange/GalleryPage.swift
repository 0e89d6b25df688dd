import Annotations
import Boxes
import Foundation
import WebPages

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
        let summary =
            shown == total
            ? "\(total) pictures, \(regions) regions" : "\(shown) of \(total) pictures, \(regions) regions"
        let body = """
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
            """
        return WebPage(title: title, style: style, body: body, script: script).html
    }

    /// One sample: its picture with boxes, its caption, its regions.
    static func card(_ annotation: Annotation, picture: String, number: Int) -> String {
        let numbers = Dictionary(
            annotation.regions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        let names = annotation.regions.compactMap(\.category)
        let kinds = Set(names).sorted().map(Markup.escaped).joined(separator: "|")
        let alternative =
            annotation.caption?.text
            ?? "Picture without a caption, showing \(Set(names).sorted().joined(separator: ", "))"
        var boxed = BoxedPicture(
            source: picture, alternative: alternative, width: annotation.width, height: annotation.height,
            marks: annotation.regions.enumerated().map { number, region in
                BoxedPicture.Mark(number, region.box, label: name(region, number), kind: "c\(number % 8)")
            })
        boxed.isEager = number < 4
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
            \(boxed.html)
            <div class="texts">\(text)</div>
            </article>
            """
    }

    private static func item(_ region: Region, _ number: Int) -> String {
        var text = "<b>\(Markup.escaped(name(region, number)))</b>"
        if let score = region.score { text += " <small>\(PageNumber.short(score))</small>" }
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

    // MARK: Parts

    /// Beside what all pages have.
    private static let style = """
        h2 { font-size: .875rem; font-weight: 500; color: var(--soft); display: flex; gap: .6rem; justify-content: space-between; overflow-wrap: anywhere; }
        .find { margin: 0 0 0 auto; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
        .find label { display: flex; gap: .45rem; align-items: center; font-size: .875rem; color: var(--soft); }
        input, select { font: inherit; font-size: .95rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 7px; padding: .3rem .6rem; max-width: 14rem; }
        #found { min-width: 7rem; }
        main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: 1.25rem; max-width: 84rem; margin: 0 auto; }
        .sample { display: grid; grid-template-columns: minmax(0, 1.25fr) minmax(18rem, 1fr); gap: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; content-visibility: auto; contain-intrinsic-size: auto 30rem; }
        .texts { display: grid; gap: .7rem; align-content: start; min-width: 0; overflow-wrap: anywhere; }
        .caption { font-size: 1.02rem; }
        .phrase { border-bottom: 2px solid var(--mark); border-radius: 3px 3px 0 0; padding: 0 .12em; background: color-mix(in srgb, var(--mark) 12%, transparent); cursor: default; }
        .phrase.lit { background: color-mix(in srgb, var(--mark) 32%, transparent); }
        .level { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr); gap: .4rem; align-items: baseline; }
        details { font-size: .9rem; }
        summary { color: var(--accent); cursor: pointer; }
        dl { display: grid; gap: .15rem; padding-top: .35rem; max-height: 18rem; overflow: auto; }
        dt { color: var(--soft); }
        dd + dt { margin-top: .35rem; }
        @media (max-width: 56rem) {
          main { padding: .75rem; }
          .sample { grid-template-columns: minmax(0, 1fr); gap: .8rem; padding: .75rem; }
          .bar { position: static; padding: .6rem .75rem; }
          .find { margin: 0; }
        }
        @media (prefers-reduced-motion: no-preference) { .phrase { transition: background .12s; } }
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
        \(PageStyle.lighting)
        """
}
