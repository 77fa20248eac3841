// Lists, sliders and figures beside the stage. Names come from files: they are only ever set as text.

function element(tag, text = "", name = "") {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  if (name) made.className = name;
  return made;
}

const byId = (id) => document.getElementById(id);
const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const TRACK_PAINTS = ["--accent", "--second", "--third", "--fourth"];
const trackPaint = (which) => paint(TRACK_PAINTS[which % TRACK_PAINTS.length]);

function paintNumbers(name) {
  return paint(name).slice(1).match(/../g).map((pair) => parseInt(pair, 16));
}

function clockText(seconds) {
  const minutes = Math.floor(seconds / 60 + 1e-9);
  return `${minutes}:${Math.max(seconds - 60 * minutes, 0).toFixed(2).padStart(5, "0")}`;
}

// A list of buttons; arrow keys go up and down in it.
function fillList(root, entries, pick) {
  root.replaceChildren(...entries.map(({ name, more }, index) => {
    const button = element("button");
    const label = element("span", name, "name");
    label.title = name;
    button.append(label, element("span", more, "more"));
    button.addEventListener("click", () => pick(index));
    button.addEventListener("keydown", (event) => {
      const next = { ArrowDown: button.nextElementSibling, ArrowUp: button.previousElementSibling }[event.key];
      if (!next || next.tagName !== "BUTTON") return;
      event.preventDefault();
      event.stopPropagation();
      next.focus();
    });
    return button;
  }));
}

function markCurrent(root, index) {
  [...root.querySelectorAll("button")].forEach((button, i) => {
    if (i === index) { button.setAttribute("aria-current", "true"); button.scrollIntoView({ block: "nearest" }); }
    else button.removeAttribute("aria-current");
  });
}

// One row a shape, in groups.
class Sliders {
  constructor(root, { move, choose }) {
    Object.assign(this, { root, move, choose });
    this.rows = [];
  }

  show(rig) {
    const closed = new Set([...this.root.querySelectorAll("details:not([open])")].map((group) => group.dataset.name));
    this.rows = [];
    this.root.replaceChildren(...rig.groups.map((group) => {
      const block = element("details");
      block.open = !closed.has(group.name);
      block.dataset.name = group.name;
      const summary = element("summary", group.name[0].toUpperCase() + group.name.slice(1));
      summary.append(element("span", String(group.shapes.length), "count"));
      block.append(summary, ...group.shapes.map((shape) => this.row(rig.names[shape], shape)));
      return block;
    }));
  }

  row(name, shape) {
    const row = element("div", "", "row"), input = element("input"), output = element("output", "0");
    const label = element("button", name);
    label.title = `${name}: show its curve`;
    label.addEventListener("click", () => this.choose(shape));
    Object.assign(input, { type: "range", min: 0, max: 1, step: 0.01, value: 0 });
    input.setAttribute("aria-label", name);
    input.dataset.shape = shape;
    input.addEventListener("input", () => { this.choose(shape); this.move(shape, Number(input.value)); });
    input.addEventListener("dblclick", () => this.move(shape, 0));
    row.append(label, input, output);
    this.rows[shape] = { row, input, output, value: 0 };
    return row;
  }

  set(weights) {
    this.rows.forEach((entry, shape) => {
      const value = weights[shape];
      if (Math.abs(entry.value - value) < 0.003 && (value !== 0 || entry.value === 0)) return;
      entry.value = value;
      entry.input.value = value;
      entry.input.style.setProperty("--v", value.toFixed(3));
      entry.output.textContent = value >= 0.005 ? value.toFixed(2) : "0";
      entry.row.classList.toggle("moved", value >= 0.005);
    });
  }

  mark(chosen) {
    this.rows.forEach(({ row }, shape) => row.classList.toggle("chosen", shape === chosen));
  }

  reveal(chosen) {
    const entry = this.rows[chosen];
    if (!entry) return;
    entry.row.closest("details").open = true;
    entry.row.scrollIntoView({ block: "nearest" });
  }
}

function table(head, rows, caption, name = "") {
  const made = element("table", "", name);
  if (caption) made.append(element("caption", caption));
  if (head.length) {
    const line = element("tr");
    line.append(...head.map((text) => element("th", text)));
    made.append(line);
  }
  for (const row of rows) {
    const line = element("tr");
    line.append(...row.map((text) => element("td", text)));
    made.append(line);
  }
  return made;
}

const mm = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(2)}`);

// Figures of a clip: its certificate, where it stands in the dataset, how far other tracks are from it.
function showFigures(root, clip, errors, unit) {
  root.replaceChildren();
  if (!clip) { root.append(element("p", "No clip is chosen.", "explain")); return; }
  const fit = clip.fit;
  if (fit) {
    root.append(table(["mm", "mean", "95 %", "max"], [
      ["face", mm(fit.error_mean_mm), mm(fit.error_p95_mm), mm(fit.error_max_mm)],
      ["lips", mm(fit.lips_mean_mm), mm(fit.lips_p95_mm), mm(fit.lips_max_mm)]]));
    if (errors.length > 1) root.append(strip(errors, fit.error_mean_mm));
    root.append(table([], [
      ["at the rate limit", `${(100 * fit.rate_limit_share).toFixed(1)} %`],
      ["duality gap", fit.duality_gap === null ? "–" : fit.duality_gap.toExponential(1)],
      ["solver", fit.status === "optimal" ? fit.solver : `${fit.solver}: ${fit.status}`]], "", "wide"));
  } else {
    root.append(element("p", "No fit figures: this track was not fitted here.", "explain"));
  }
  for (const entry of clip.differences) {
    const distance = (value) => `${mm(value / 1000 * unit.scale)} ${unit.name}`;
    root.append(table([], [
      ["mean distance", distance(entry.mean_mm)], ["largest distance", distance(entry.max_mm)],
      ["coefficients, RMS", entry.coefficient_rms.toFixed(3)]], `${entry.label} against ${clip.tracks[0].label}`, "wide"));
  }
}

// All clips' fit errors as dots on a line; this clip's stands out.
function strip(errors, own) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const add = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text) made.textContent = text;
    svg.append(made);
  };
  const low = Math.min(...errors), high = Math.max(...errors), span = high - low || 1;
  const x = (value) => 6 + (value - low) / span * 220;
  svg.id = "strip";
  svg.setAttribute("viewBox", "0 0 232 40");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Mean fit error ${own.toFixed(2)} mm; clips of this dataset: ${low.toFixed(2)} to ${high.toFixed(2)} mm`);
  errors.forEach((value, i) => add("circle", { cx: x(value), cy: 12 + (i * 7 % 11) - 5, r: 1.6, fill: paint("--faint"),
    "fill-opacity": 0.55, stroke: "none" }));
  add("circle", { cx: x(own), cy: 12, r: 4.5, fill: paint("--accent"), stroke: paint("--panel"), "stroke-width": 1.5 });
  const style = { y: 35, "font-size": 11, fill: paint("--faint"), stroke: "none" };
  add("text", { ...style, x: 2 }, low.toFixed(2));
  add("text", { ...style, x: 116, "text-anchor": "middle" }, "all clips, mean mm");
  add("text", { ...style, x: 230, "text-anchor": "end" }, high.toFixed(2));
  return svg;
}
