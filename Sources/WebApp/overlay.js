// The boxes over the picture: suggestions, an answer's detections, and the boxes that the user draws.

const NAMESPACE = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, parent = null) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

function place(rect, [x1, y1, x2, y2]) {
  rect.setAttribute("x", x1);
  rect.setAttribute("y", y1);
  rect.setAttribute("width", Math.max(0, x2 - x1));
  rect.setAttribute("height", Math.max(0, y2 - y1));
}

/// Fires `drawn` {box}, `changed` {id, box}, `removed` {id}, `picked` {box} and `hovered` {key}.
export class Overlay extends EventTarget {
  constructor(svg, image) {
    super();
    this.svg = svg;
    this.image = image;
    this.size = [1, 1];
    this.layers = Object.fromEntries(["proposals", "detections", "given"].map((name) => [name, element("g", {}, svg)]));
    this.drag = null;
    svg.addEventListener("pointerdown", (event) => this.begin(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.end(event));
    svg.addEventListener("pointercancel", () => this.cancel());
    svg.addEventListener("keydown", (event) => this.press(event));
    for (const [name, isOver] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
      svg.addEventListener(name, (event) => {
        if (event.target.dataset?.key) this.tell("hovered", { key: isOver ? event.target.dataset.key : null });
      });
    }
    const observer = new ResizeObserver(() => this.fit());
    for (const watched of [image, image.parentElement]) observer.observe(watched);
  }

  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  setPicture(width, height) {
    this.size = [width, height];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    for (const layer of Object.values(this.layers)) layer.replaceChildren();
    this.fit();
  }

  /// Lays the overlay on the picture, and sizes what must not grow with it.
  fit() {
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.image;
    Object.assign(this.svg.style, {
      left: `${offsetLeft}px`, top: `${offsetTop}px`, width: `${offsetWidth}px`, height: `${offsetHeight}px`,
    });
    this.unit = this.size[0] / Math.max(1, offsetWidth);
    this.layLabels();
    for (const handle of this.svg.querySelectorAll("circle")) handle.setAttribute("r", 5 * this.unit);
  }

  label(layer, text, box) {
    const made = element("text", {}, layer);
    made.textContent = text;
    made.box = box;
  }

  /// Puts every label into its box's corner, below those that are there already and never beyond the picture's edge.
  layLabels() {
    const { unit, size: [width, height] } = this, line = 15 * unit, taken = [];
    for (const text of this.svg.querySelectorAll("text")) {
      text.style.fontSize = `${13 * unit}px`;
      text.style.strokeWidth = `${3 * unit}px`;
      const long = text.getComputedTextLength();
      const x = Math.max(2 * unit, Math.min(text.box[0] + 3 * unit, width - long - 3 * unit));
      let y = Math.min(text.box[1] + line, height - 4 * unit);
      const isTaken = () => taken.some((other) => Math.abs(other.y - y) < line && x < other.end && other.x < x + long);
      while (isTaken() && y + line < height) y += line;
      taken.push({ x, y, end: x + long });
      text.setAttribute("x", x);
      text.setAttribute("y", y);
    }
  }

  setProposals(proposals) {
    const layer = this.layers.proposals;
    layer.replaceChildren();
    for (const { box, granularity } of proposals) {
      place(element("rect", { class: "shade thin" }, layer), box);
      const rect = element("rect", { class: `proposal ${granularity}` }, layer);
      place(rect, box);
      rect.box = box;
    }
  }

  /// - detections: {box, key, colour, label, score}
  setDetections(detections) {
    const layer = this.layers.detections;
    layer.replaceChildren();
    const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    for (const { box, key, colour, label, score } of [...detections].sort((a, b) => area(b.box) - area(a.box))) {
      place(element("rect", { class: "shade" }, layer), box);
      const name = `${label}, score ${score.toFixed(2)}`;
      const rect = element("rect", { class: `detection c${colour}`, tabindex: 0, role: "button", "aria-label": name }, layer);
      element("title", {}, rect).textContent = name;
      place(rect, box);
      rect.box = box;
      rect.dataset.key = key;
    }
    // What several phrases share gets one label.
    const labels = new Map();
    for (const { box, label } of detections) {
      const at = String(box), known = labels.get(at) ?? { box, names: new Set() };
      known.names.add(label);
      labels.set(at, known);
    }
    for (const { box, names } of labels.values()) this.label(layer, [...names].join(", "), box);
    this.layLabels();
  }

  /// - boxes: {id, box, name}
  setGiven(boxes) {
    const focused = document.activeElement?.dataset?.id;
    const layer = this.layers.given;
    layer.replaceChildren();
    boxes.forEach(({ id, box, name }, index) => {
      place(element("rect", { class: "shade" }, layer), box);
      const description = `Box ${index}${name ? `, ${name}` : ""}`;
      const rect = element("rect", { class: "given", tabindex: 0, role: "button", "aria-label": description }, layer);
      place(rect, box);
      rect.box = box;
      rect.dataset.id = id;
      const [x1, y1, x2, y2] = box;
      [[x1, y1, "nw"], [x2, y1, "ne"], [x2, y2, "se"], [x1, y2, "sw"]].forEach(([x, y, corner]) => {
        const handle = element("circle", { class: "handle", cx: x, cy: y, r: 5 * this.unit }, layer);
        handle.style.cursor = corner === "nw" || corner === "se" ? "nwse-resize" : "nesw-resize";
        handle.dataset.corner = corner;
        handle.dataset.id = id;
        handle.box = box;
      });
      this.label(layer, name ? `${index} ${name}` : String(index), box);
      if (String(id) === focused) rect.focus();
    });
    this.layLabels();
  }

  light(key) {
    this.svg.classList.toggle("lighting", key !== null);
    for (const rect of this.svg.querySelectorAll("rect.detection")) rect.classList.toggle("lit", rect.dataset.key === key);
  }

  // Pointer and keys

  point(event) {
    const frame = this.svg.getBoundingClientRect();
    const clamp = (value, limit) => Math.min(Math.max(value, 0), limit);
    return [
      clamp(((event.clientX - frame.left) / frame.width) * this.size[0], this.size[0]),
      clamp(((event.clientY - frame.top) / frame.height) * this.size[1], this.size[1]),
    ];
  }

  begin(event) {
    if (event.button !== 0) return;
    const target = event.target, start = this.point(event);
    const mode = target.dataset.corner ?? (target.dataset.id ? "move" : "draw");
    this.drag = { mode, start, target, id: Number(target.dataset.id), box: target.box, result: null, ghost: null };
    this.svg.setPointerCapture(event.pointerId);
    if (target.tabIndex >= 0) target.focus();
    event.preventDefault();
  }

  move(event) {
    const drag = this.drag;
    if (!drag) return;
    const [x, y] = this.point(event), [x0, y0] = drag.start;
    if (!drag.result && Math.hypot(x - x0, y - y0) < 4 * this.unit) return;
    drag.result = drag.mode === "draw" ? [x0, y0, x, y] : this.shifted(drag.box, drag.mode, x - x0, y - y0);
    drag.result = this.upright(drag.result);
    drag.ghost ??= element("rect", { class: "given" }, this.layers.given);
    place(drag.ghost, drag.result);
  }

  end(event) {
    const drag = this.drag;
    this.cancel();
    if (!drag) return;
    if (!drag.result) {
      if (drag.box) this.tell("picked", { box: drag.box });
      return;
    }
    const [x1, y1, x2, y2] = drag.result;
    if (x2 - x1 < 2 || y2 - y1 < 2) return;
    if (drag.mode === "draw") this.tell("drawn", { box: drag.result });
    else this.tell("changed", { id: drag.id, box: drag.result });
  }

  cancel() {
    this.drag?.ghost?.remove();
    this.drag = null;
  }

  press(event) {
    const { id } = event.target.dataset;
    const box = event.target.box;
    if (!box) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.tell("picked", { box });
    } else if (id && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      this.tell("removed", { id: Number(id) });
    } else if (id && event.key.startsWith("Arrow")) {
      event.preventDefault();
      const step = Math.max(1, Math.round(this.size[0] / 200));
      const dx = { ArrowLeft: -step, ArrowRight: step }[event.key] ?? 0;
      const dy = { ArrowUp: -step, ArrowDown: step }[event.key] ?? 0;
      const changed = this.shifted(box, event.shiftKey ? "se" : "move", dx, dy);
      if (changed[2] - changed[0] >= 2 && changed[3] - changed[1] >= 2) this.tell("changed", { id: Number(id), box: changed });
    }
  }

  shifted([x1, y1, x2, y2], mode, dx, dy) {
    const [width, height] = this.size;
    if (mode === "move") {
      const sx = Math.min(Math.max(dx, -x1), width - x2), sy = Math.min(Math.max(dy, -y1), height - y2);
      return [x1 + sx, y1 + sy, x2 + sx, y2 + sy];
    }
    const inX = (x) => Math.min(Math.max(x, 0), width), inY = (y) => Math.min(Math.max(y, 0), height);
    return [
      mode.includes("w") ? inX(x1 + dx) : x1, mode.includes("n") ? inY(y1 + dy) : y1,
      mode.includes("e") ? inX(x2 + dx) : x2, mode.includes("s") ? inY(y2 + dy) : y2,
    ];
  }

  upright([x1, y1, x2, y2]) {
    return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  }
}
