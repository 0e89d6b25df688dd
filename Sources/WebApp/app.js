// The page: a picture, boxes on it, questions about it, and answers whose phrases are linked with boxes.

import { exported, save } from "/export.js";
import { Overlay } from "/overlay.js";
import { Failure, service } from "/service.js";

const $ = (id) => document.getElementById(id);
const BYTE_LIMIT = 14 * 1024 * 1024;
const COLOURS = 8;

const HINTS = {
  detect: "Finds categories, phrases or described things. Separate several with semicolons.",
  count: "Counts things and shows each one. Separate several with semicolons.",
  ask: "Answers a question about the picture. Each question stands for itself; earlier ones are not read again.",
  caption: "Describes the picture and shows what the description names.",
  regions: "Says what is in each of your boxes, or in each suggested box when you have drawn none. A click on any box asks about it alone.",
};
const PLACEHOLDERS = { detect: "dog; red car", count: "dog", ask: "What is on the table?" };

let picture = null; // {name, type, dataURL, width, height}
let proposals = [];
let overlapLimit = null; // of suggested boxes, as the model states it
let given = []; // {id, box, name}
let lastID = 0;
let lastTurn = 0;
let turns = []; // {element, question, text, detections, model}
let shown = null;
let running = null;

const overlay = new Overlay($("overlay"), $("picture"));

// Words

function say(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

async function attempt(action) {
  say("");
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    say(error instanceof Failure ? error.message : `Something went wrong in this page: ${error.message}`);
    if (!(error instanceof Failure)) console.error(error);
  }
}

function colourOf(label) {
  let hash = 0;
  for (const character of label.toLowerCase()) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % COLOURS;
}

const cssColour = (label) => getComputedStyle(document.documentElement).getPropertyValue(`--c${colourOf(label)}`).trim();

// The server

let isPresent = null;

async function checkPresence() {
  try {
    const response = await fetch("/readyz");
    showPresence(true, response.ok ? "Ready" : "Loading the model");
  } catch {
    showPresence(false);
  }
}

function showPresence(isThere, text = "Ready") {
  if (isPresent === false && isThere) say("");
  isPresent = isThere;
  $("status").textContent = isThere ? text : "Server not reachable";
  $("status").className = `status ${isThere ? (text === "Ready" ? "ready" : "") : "gone"}`;
}

service.onPresence = (isThere) => (isThere ? isPresent === true || checkPresence() : showPresence(false));
service.onKeyNeeded = () => $("key-dialog").open || $("key-dialog").showModal();
$("key-open").addEventListener("click", () => $("key-dialog").showModal());
$("key-dialog").addEventListener("close", () => {
  if ($("key-dialog").returnValue === "save") service.setKey($("key").value.trim());
  $("key").value = "";
});
setInterval(checkPresence, 5000);
checkPresence();

// Pictures

async function load(file) {
  if (!file.type.startsWith("image/")) throw new Failure(`${file.name || "This"} is not a picture.`);
  if (file.size > BYTE_LIMIT) {
    const size = (file.size / 1024 / 1024).toFixed(1);
    throw new Failure(`${file.name || "The picture"} has ${size} MB; up to 14 MB can be sent. Make it smaller first.`);
  }
  const dataURL = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Failure(`${file.name || "The picture"} cannot be read.`));
    reader.readAsDataURL(file);
  });
  // Tried apart from the page, so that a broken file leaves the former picture where it is.
  const trial = new Image();
  trial.src = dataURL;
  await trial.decode().catch(() => {
    throw new Failure(`This browser cannot show ${file.name || "the picture"}; save it as JPEG or PNG.`);
  });
  const image = $("picture");
  image.src = dataURL;
  await image.decode();
  running?.abort();
  picture = { name: file.name || "picture.png", type: file.type, dataURL, width: image.naturalWidth, height: image.naturalHeight };
  [proposals, given, turns, shown] = [[], [], [], null];
  $("turns").replaceChildren();
  for (const [id, isHidden] of [["welcome", true], ["frame", false], ["tools", false]]) $(id).hidden = isHidden;
  overlay.setPicture(picture.width, picture.height);
  showGiven();
  show(null);
  await propose();
}

async function propose() {
  $("proposal-count").textContent = "Looking for boxes";
  const asked = picture;
  try {
    overlapLimit ??= await statedLimits();
    const found = await service.json("/v1/propose", {
      image: picture.dataURL, granularity: "both", proposal_min_score: 0.05, iou: 1, max_detections: 600,
    });
    if (picture === asked) proposals = found.proposals;
  } finally {
    showProposals();
  }
}

/// What the model's own boxes pass. The model states it once it is loaded.
async function statedLimits() {
  const [model] = (await (await service.request("/v1/models")).json()).data;
  if (model.proposal_min_score) $("threshold").value = model.proposal_min_score;
  return model.iou;
}

/// Nothing is asked of the server: the scores are here.
function shownProposals() {
  const grain = document.querySelector("input[name=grain]:checked").value;
  const threshold = Number($("threshold").value);
  const passing = proposals.filter(({ score, granularity }) => score >= threshold && (grain === "both" || granularity === grain));
  // Best first: a box goes where a better one covers almost the same.
  const kept = [];
  for (const one of passing) if (kept.every((better) => overlap(one.box, better.box) <= overlapLimit)) kept.push(one);
  return kept;
}

/// Intersection over union.
function overlap([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) {
  const shared = Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1)) * Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1));
  return shared ? shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared) : 0;
}

function showProposals() {
  const list = shownProposals();
  $("threshold-value").textContent = Number($("threshold").value).toFixed(2);
  $("proposal-count").textContent = picture ? `${list.length} boxes shown` : "";
  overlay.setProposals(list);
}

$("threshold").addEventListener("input", showProposals);
for (const input of document.querySelectorAll("input[name=grain]")) input.addEventListener("change", showProposals);
for (const id of ["choose", "another"]) $(id).addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) attempt(() => load(file));
  $("file").value = "";
});
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  if (file) attempt(() => load(file));
});
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("stage").classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || $("stage").classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("stage").classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (file) attempt(() => load(file));
});

async function listExamples() {
  const names = await fetch("/examples").then((response) => response.json(), () => []);
  for (const name of names) {
    const button = document.createElement("button"), image = new Image();
    const words = name.replace(/\.[^.]*$/, "");
    button.type = "button";
    button.setAttribute("aria-label", `Example: ${words}`);
    [image.src, image.alt] = [`/examples/${name}`, ""];
    button.append(image);
    button.addEventListener("click", () => attempt(async () => {
      const blob = await (await service.request(`/examples/${name}`)).blob();
      await load(new File([blob], name, { type: "image/jpeg" }));
    }));
    const entry = document.createElement("li");
    entry.append(button);
    $("examples").append(entry);
  }
}
listExamples();

// Boxes of the user

function addGiven(box) {
  lastID += 1;
  given.push({ id: lastID, box: box.map((value) => Math.round(value * 10) / 10), name: "" });
  showGiven();
}

function removeGiven(id) {
  given = given.filter((one) => one.id !== id);
  showGiven();
}

function showGiven() {
  overlay.setGiven(given);
  $("boxes-section").hidden = given.length === 0;
  const rows = given.map((one, index) => {
    const row = document.createElement("li"), line = document.createElement("span");
    const name = Object.assign(document.createElement("input"), { type: "text", value: one.name, placeholder: "name", maxLength: 100 });
    name.setAttribute("aria-label", `Name of box ${index}`);
    name.addEventListener("change", () => {
      one.name = name.value.trim();
      overlay.setGiven(given);
    });
    const button = (text, action) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      made.setAttribute("aria-label", `${text}: box ${index}`);
      made.addEventListener("click", action);
      return made;
    };
    line.append(
      name, button("Describe", () => attempt(() => describe(one.box))),
      button("Mention", () => mention(index)), button("Delete", () => removeGiven(one.id)));
    row.append(line);
    return row;
  });
  $("boxes").replaceChildren(...rows);
}

function mention(index) {
  document.querySelector("input[name=task][value=ask]").checked = true;
  showTask();
  const text = $("text");
  text.value += `${text.value && !text.value.endsWith(" ") ? " " : ""}<obj${index}>`;
  text.focus();
}

overlay.addEventListener("drawn", ({ detail }) => addGiven(detail.box));
overlay.addEventListener("changed", ({ detail }) => {
  const one = given.find(({ id }) => id === detail.id);
  if (one) one.box = detail.box;
  showGiven();
});
overlay.addEventListener("removed", ({ detail }) => removeGiven(detail.id));
overlay.addEventListener("picked", ({ detail }) => attempt(() => describe(detail.box)));
overlay.addEventListener("hovered", ({ detail }) => light(detail.key));
$("add-box").addEventListener("click", () => {
  const { width, height } = picture;
  addGiven([width * 0.35, height * 0.35, width * 0.65, height * 0.65]);
  [...document.querySelectorAll("svg rect.given")].at(-1)?.focus();
});

// Questions

const task = () => document.querySelector("input[name=task]:checked").value;

function showTask() {
  const now = task();
  $("hint").textContent = HINTS[now];
  $("text").hidden = !(now in PLACEHOLDERS);
  $("text").placeholder = PLACEHOLDERS[now] ?? "";
  $("text").setAttribute("aria-label", now === "ask" ? "Question" : "What to look for");
  $("style-field").hidden = now !== "caption";
  $("level-field").hidden = now !== "regions";
  $("grounded-field").hidden = now !== "ask";
}

for (const input of document.querySelectorAll("input[name=task]")) input.addEventListener("change", showTask);
showTask();

const givenBoxes = () => (given.length ? { boxes: given.map(({ box }) => box) } : {});

/// The body of a chat request for the form as it is.
function chatBody() {
  const now = task();
  const text = now === "caption" ? "Describe the picture." : $("text").value.trim();
  if (!text) throw new Failure(now === "ask" ? "Write a question first." : "Write what to look for first.");
  return {
    messages: [{ role: "user", content: [{ type: "text", text }, { type: "image_url", image_url: { url: picture.dataURL } }] }],
    task: now === "ask" && !$("grounded").checked ? "chat" : now, plain_text: true,
    ...(now === "caption" ? { style: $("style").value } : {}), ...(now === "ask" ? givenBoxes() : {}),
  };
}

async function ask() {
  if (!picture) throw new Failure("Choose a picture first.");
  if (task() === "regions") return describeAll();
  const body = chatBody();
  const turn = addTurn(task() === "caption" ? `Caption, ${$("style").value}` : $("text").value.trim());
  turn.isCount = task() === "count";
  await run(turn, async (signal) => {
    for await (const { choices: [choice], model } of service.stream(body, signal)) {
      turn.model = model;
      const delta = choice?.delta ?? {};
      turn.text = delta.plain_text ?? turn.text + (delta.content ?? "");
      turn.detections.push(...(delta.detections ?? []));
      turn.notFound.push(...(delta.not_found ?? []));
      drawTurn(turn);
      if (delta.detections) show(turn);
    }
  });
}

const describe = (box) => describeRegions([box], "This region");
const describeAll = () => {
  const boxes = given.length ? given.map(({ box }) => box) : shownProposals().slice(0, 100).map(({ box }) => clipped(box));
  if (!boxes.length) throw new Failure("There is no box to describe. Draw one, or lower the score of the suggested boxes.");
  return describeRegions(boxes, given.length ? "Your boxes" : `${boxes.length} suggested boxes`);
};

const clipped = ([x1, y1, x2, y2]) => [Math.max(0, x1), Math.max(0, y1), Math.min(picture.width, x2), Math.min(picture.height, y2)];

async function describeRegions(boxes, title) {
  const turn = addTurn(title);
  await run(turn, async (signal) => {
    const answer = await service.json(
      "/v1/regions", { image: picture.dataURL, boxes: boxes.map(clipped), level: $("level").value }, signal);
    turn.model = answer.model;
    turn.detections = answer.regions.map(({ text, box, index }) => ({ label: text || "nothing to say", box, index, score: 1 }));
    turn.isList = true;
    turn.text = turn.detections.map(({ label }) => label).join("\n");
  });
}

/// Runs one request at a time; a new one takes the place of the one before.
async function run(turn, action) {
  running?.abort();
  const own = (running = new AbortController());
  turn.isWriting = true;
  $("stop").hidden = false;
  drawTurn(turn);
  try {
    await action(own.signal);
  } catch (error) {
    if (!turn.text && error.name !== "AbortError") {
      turn.element.remove();
      turns = turns.filter((one) => one !== turn);
      show(turns[0] ?? null);
    }
    if (error.name === "AbortError") turn.note = "Stopped.";
    throw error;
  } finally {
    turn.isWriting = false;
    if (running === own) {
      running = null;
      $("stop").hidden = true;
    }
    if (turns.includes(turn)) {
      drawTurn(turn);
      show(turn);
    }
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(ask);
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    attempt(ask);
  }
});
$("stop").addEventListener("click", () => running?.abort());
document.addEventListener("keydown", (event) => event.key === "Escape" && running?.abort());

// Answers

function addTurn(question) {
  const element = document.createElement("article");
  element.className = "turn";
  lastTurn += 1;
  const turn = { number: lastTurn, element, question, text: "", detections: [], notFound: [], isWriting: false, isList: false, isCount: false, model: "", note: "" };
  turns.unshift(turn);
  $("turns").prepend(element);
  show(turn);
  return turn;
}

function keyOf(turn, detection) {
  return turn.isList ? `${turn.number}-${detection.index}` : `${turn.number}-${detection.span.join("-")}`;
}

function phrase(turn, text, key, label, note = "") {
  const made = Object.assign(document.createElement("button"), { type: "button", className: `phrase c${colourOf(label)}`, textContent: text });
  made.dataset.key = key;
  if (note) made.append(Object.assign(document.createElement("small"), { textContent: note }));
  const on = () => {
    show(turn);
    light(key);
  };
  made.addEventListener("pointerenter", on);
  made.addEventListener("focus", on);
  made.addEventListener("pointerleave", () => light(null));
  made.addEventListener("blur", () => light(null));
  return made;
}

function drawTurn(turn) {
  const title = document.createElement("h2"), answer = document.createElement("div");
  title.append(turn.question);
  answer.className = `answer${turn.isWriting ? " writing" : ""}`;
  if (turn.isList) answer.append(listOf(turn));
  else answer.append(...linkedText(turn));
  const notes = [];
  if (turn.notFound.length) notes.push(`Not found: ${turn.notFound.join("; ")}.`);
  if (turn.note) notes.push(turn.note);
  const note = Object.assign(document.createElement("p"), { className: "quiet", textContent: notes.join(" ") });
  turn.element.replaceChildren(title, answer, note);
}

function listOf(turn) {
  const list = Object.assign(document.createElement("ul"), { className: "regions" });
  for (const detection of turn.detections) {
    const row = document.createElement("li");
    row.append(phrase(turn, detection.label, keyOf(turn, detection), detection.label));
    list.append(row);
  }
  return list;
}

/// The text, with each phrase that has boxes as a button. Spans count Unicode scalars.
function linkedText(turn) {
  const scalars = Array.from(turn.text), nodes = [];
  const bySpan = new Map();
  for (const detection of turn.detections) {
    const key = keyOf(turn, detection);
    if (!bySpan.has(key)) bySpan.set(key, { key, span: detection.span, label: detection.label, count: 0 });
    bySpan.get(key).count += 1;
  }
  let position = 0;
  for (const { key, span: [start, end], label, count } of [...bySpan.values()].sort((a, b) => a.span[0] - b.span[0])) {
    if (start < position || end > scalars.length) continue;
    nodes.push(scalars.slice(position, start).join(""));
    // A count states its number itself.
    const badge = count > 1 && !turn.isCount ? `${count}` : "";
    nodes.push(phrase(turn, scalars.slice(start, end).join(""), key, label, badge));
    position = end;
  }
  return [...nodes, scalars.slice(position).join("")];
}

/// Shows the boxes of an answer.
function show(turn) {
  shown = turn;
  for (const one of turns) one.element.classList.toggle("shown", one === turn);
  const hasBoxes = Boolean(turn?.detections.length);
  $("confidence-field").hidden = !hasBoxes || turn.isList;
  $("export").hidden = !hasBoxes;
  overlay.setDetections(visibleDetections().map((detection) => ({
    ...detection, key: keyOf(turn, detection), colour: colourOf(detection.label),
  })));
}

function visibleDetections() {
  const lowest = Number($("confidence").value);
  return (shown?.detections ?? []).filter(({ score }) => shown.isList || score >= lowest);
}

$("confidence").addEventListener("input", () => {
  $("confidence-value").textContent = Number($("confidence").value).toFixed(2);
  show(shown);
});

function light(key) {
  overlay.light(key);
  for (const made of document.querySelectorAll(".phrase")) made.classList.toggle("lit", key !== null && made.dataset.key === key);
}

// Taking things along

$("export").addEventListener("click", (event) => {
  const { format } = event.target.dataset;
  if (!format || !shown) return;
  attempt(async () => {
    const named = given.filter(({ name }) => name).map(({ name, box }) => ({ label: name, box, score: 1 }));
    const detections = [...visibleDetections().map(({ label, box, score }) => ({ label, box, score })), ...named];
    const { name, width, height } = picture;
    const file = await exported(format, { name, width, height, model: shown.model, text: shown.text, detections }, $("picture"), cssColour);
    $("export-note").textContent = file.note ?? "";
    save(file);
  });
});

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/// The form as it is, as a command for the shell.
function curlCommand() {
  const now = task(), name = quoted(picture?.name ?? "picture.jpg").slice(1, -1);
  const fields = { detect: { phrases: $("text").value }, count: { phrases: $("text").value }, caption: { style: $("style").value }, regions: { level: $("level").value } }[now];
  if (!fields) {
    const body = { messages: [{ role: "user", content: [{ type: "text", text: $("text").value }, { type: "image_url", image_url: { url: "data:image/jpeg;base64,@" } }] }], task: $("grounded").checked ? "ask" : "chat", ...givenBoxes() };
    const [before, after] = JSON.stringify(body).split("@");
    return `(printf %s ${quoted(before)}; base64 -w0 '${name}'; printf %s ${quoted(after)}) | curl ${location.origin}/v1/chat/completions -H 'Content-Type: application/json' --data-binary @-`;
  }
  const parts = { ...fields, ...(now === "regions" && given.length ? { boxes: JSON.stringify(given.map(({ box }) => box)) } : {}) };
  const arguments_ = Object.entries(parts).map(([key, value]) => `--form-string ${quoted(`${key}=${value}`)}`).join(" ");
  return `curl ${location.origin}/v1/${now} -F image=@'${name}' ${arguments_}`;
}

$("curl").addEventListener("click", () => attempt(async () => {
  try {
    await navigator.clipboard.writeText(curlCommand());
  } catch {
    throw new Failure(`This browser does not let the page copy. The command is: ${curlCommand()}`);
  }
  $("curl").textContent = "Copied";
  setTimeout(() => ($("curl").textContent = "Copy as curl"), 1500);
}));
