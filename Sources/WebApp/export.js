// Files from what is shown: {name, width, height, model, text, detections: [{label, box, score}]}.

const classesOf = (shown) => [...new Set(shown.detections.map((detection) => detection.label))];

function json(shown) {
  return JSON.stringify({
    image: { name: shown.name, width: shown.width, height: shown.height },
    model: shown.model, text: shown.text, detections: shown.detections,
  }, null, 2);
}

function coco(shown) {
  const classes = classesOf(shown);
  return JSON.stringify({
    images: [{ id: 1, file_name: shown.name, width: shown.width, height: shown.height }],
    categories: classes.map((name, index) => ({ id: index + 1, name })),
    annotations: shown.detections.map(({ label, box: [x1, y1, x2, y2], score }, index) => ({
      id: index + 1, image_id: 1, category_id: classes.indexOf(label) + 1, bbox: [x1, y1, x2 - x1, y2 - y1],
      area: (x2 - x1) * (y2 - y1), iscrowd: 0, score,
    })),
  }, null, 2);
}

function yolo(shown) {
  const classes = classesOf(shown), { width, height } = shown;
  const lines = shown.detections.map(({ label, box: [x1, y1, x2, y2], score }) => [
    classes.indexOf(label),
    ...[(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height, score].map((n) => n.toFixed(6)),
  ].join(" "));
  return lines.map((line) => `${line}\n`).join("");
}

function labelStudio(shown) {
  const { width, height } = shown;
  const result = shown.detections.map(({ label, box: [x1, y1, x2, y2], score }, index) => ({
    id: `region-${index}`, type: "rectanglelabels", from_name: "label", to_name: "image",
    original_width: width, original_height: height, image_rotation: 0, score,
    value: {
      x: x1 / width * 100, y: y1 / height * 100, width: (x2 - x1) / width * 100, height: (y2 - y1) / height * 100,
      rotation: 0, rectanglelabels: [label],
    },
  }));
  const score = result.length ? result.reduce((sum, region) => sum + region.score, 0) / result.length : 0;
  return JSON.stringify([{ data: { image: shown.name }, predictions: [{ model_version: shown.model, score, result }] }], null, 2);
}

function picture(shown, image, colourOf) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [shown.width, shown.height];
  const context = canvas.getContext("2d"), unit = Math.max(shown.width, shown.height) / 700;
  context.drawImage(image, 0, 0, shown.width, shown.height);
  context.font = `600 ${14 * unit}px system-ui, "DejaVu Sans", sans-serif`;
  context.textBaseline = "top";
  for (const { label, box: [x1, y1, x2, y2], score } of shown.detections) {
    const colour = colourOf(label), text = `${label} ${Math.round(score * 100)}%`;
    context.lineWidth = 2.5 * unit;
    context.strokeStyle = colour;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const top = y1 >= 19 * unit ? y1 - 19 * unit : y1;
    context.fillStyle = colour;
    context.fillRect(x1, top, context.measureText(text).width + 8 * unit, 19 * unit);
    context.fillStyle = "#fff";
    context.fillText(text, x1 + 4 * unit, top + 2.5 * unit);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/// The name and contents of a file in a format, with a note where the file alone does not say everything.
export async function exported(format, shown, image, colourOf) {
  const stem = shown.name.replace(/\.[^.]*$/, "") || "picture";
  const file = (suffix, text, type) => ({ name: stem + suffix, blob: new Blob([text], { type }) });
  switch (format) {
    case "coco": return file(".coco.json", coco(shown), "application/json");
    // One file a click: browsers ask before a page saves a second one.
    case "yolo": return {
      ...file(".txt", yolo(shown), "text/plain"),
      note: `Classes: ${classesOf(shown).map((name, index) => `${index} ${name}`).join(", ")}`,
    };
    case "label-studio": return file(".label-studio.json", labelStudio(shown), "application/json");
    case "png": return { name: `${stem}.boxes.png`, blob: await picture(shown, image, colourOf) };
    default: return file(".json", json(shown), "application/json");
  }
}

export function save({ name, blob }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
