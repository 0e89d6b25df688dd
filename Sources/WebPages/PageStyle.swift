/// What the pages of this package have in common: colours, letters and pictures with boxes over them.
public enum PageStyle {
    public static let common = """
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
        h1, h2, h3, p, dl, dd { margin: 0; }
        h1 { font-size: 1.1rem; font-weight: 650; }
        code { font: .95em ui-monospace, "DejaVu Sans Mono", monospace; }
        .quiet { color: var(--soft); font-size: .875rem; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
        .bar { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem; padding: .6rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
        .stage { background: var(--stage); border-radius: 8px; display: flex; align-items: center; justify-content: center; overflow: hidden; align-self: start; }
        .frame { position: relative; width: min(100%, 34rem * var(--ratio)); }
        .frame img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
        .box { position: absolute; border: 2px solid var(--mark); box-shadow: 0 0 0 1px rgb(0 0 0 / .4), inset 0 0 0 1px rgb(0 0 0 / .25); border-radius: 2px; }
        .box b { display: none; position: absolute; left: -2px; bottom: 100%; padding: 0 .35rem; font-size: .75rem; line-height: 1.35; font-style: normal; font-weight: 600; white-space: nowrap; background: var(--mark); color: var(--card); border-radius: 3px; }
        .box.low b { bottom: auto; top: 0; }
        .lighting .box { opacity: .25; }
        .lighting .box.lit { opacity: 1; border-width: 3px; background: color-mix(in srgb, var(--mark) 18%, transparent); z-index: 1; }
        .box.lit b { display: block; }
        .regions { list-style: none; margin: 0; padding: 0; display: grid; gap: .15rem; max-height: 24rem; overflow: auto; font-size: .9rem; }
        .region { border-left: 4px solid var(--mark); padding: .12rem .6rem; border-radius: 0 6px 6px 0; cursor: default; }
        .region.lit { background: color-mix(in srgb, var(--mark) 14%, transparent); }
        .region:focus-visible { outline-offset: -2px; }
        .region b { font-weight: 600; }
        .region small { color: var(--soft); font-size: .8rem; }
        .c0 { --mark: var(--c0); } .c1 { --mark: var(--c1); } .c2 { --mark: var(--c2); } .c3 { --mark: var(--c3); }
        .c4 { --mark: var(--c4); } .c5 { --mark: var(--c5); } .c6 { --mark: var(--c6); } .c7 { --mark: var(--c7); }
        @media (prefers-reduced-motion: no-preference) { .region, .box { transition: background .12s, opacity .12s; } }
        """

    /// A script that lights, within a `.sample`, everything with the same `data-r` as what is pointed at.
    public static let lighting = """
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
