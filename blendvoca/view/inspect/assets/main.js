// Start: wire the controls, keys and theme to the app, and offer its state to whoever tests it.

const KEYS = [
  [["Space"], "play or pause"], [["←", "→"], "one frame back or on; with Shift ten"], [["Home", "End"], "start or end of the clip"],
  [["↑", "↓"], "shape before or after"], [["[", "]"], "slower or faster"], [["P", "N"], "clip before or after"],
  [["1", "2", "3"], "front, three-quarter, side"], [["+", "−"], "nearer or farther"], [["0"], "camera to its start"],
  [["H"], "next heat map"], [["W"], "triangles"], [["M"], "mirror: left and right together"], [["R"], "all shapes to zero"],
  [["B"], "back to the clip"], [["C", "S"], "copy the pose, download it"], [["L"], "loop"], [["T"], "light or dark"], [["?"], "this list"],
];
const VIEWS = { front: [0, 0], half: [0.62, 0.06], side: [1.5, 0] };

// What changes with every picture.
App.prototype.tell = function tell(time) {
  byId("now").textContent = clockText(time);
  if (this.clip) {
    byId("frame-now").textContent = `${this.shownFrame + 1} of ${this.clip.tracks[0].frames}`;
    byId("timeline").setAttribute("aria-valuenow", time.toFixed(2));
    byId("timeline").setAttribute("aria-valuetext", `${time.toFixed(2)} seconds, frame ${this.shownFrame + 1}`);
    this.timeline.lastTime = time;
    this.timeline.place(time);
  }
  if (!this.player.playing || this.drawn % 5 === 0) {
    this.sliders.set(this.weights[0]);
    this.tellValues();
  }
  const legend = byId("legend"), unit = this.rig.unit;
  legend.hidden = this.heat === "off";
  byId("stage").classList.toggle("warm", !legend.hidden);
  if (!legend.hidden) {
    const first = this.clip && !this.free ? this.clip.tracks[0].label : "";
    byId("legend-what").textContent = {
      shape: `Displacement of ${this.rig.names[this.shape]}`, pose: "Distance from neutral", gap: `Distance from ${first}`,
      fit: "Fit error, mean of the clip", "fit-max": "Fit error, largest of the clip",
    }[this.heat];
    const figure = (value) => String(Number((value * unit.scale).toPrecision(3)));
    byId("legend-end").textContent = `${figure(this.full)} ${unit.name}`;
  }
};

App.prototype.tellValues = function tellValues() {
  const keys = byId("curve-keys");
  const count = this.clip && !this.free ? this.clip.tracks.length : 0;
  if (keys.childElementCount !== count) {
    keys.replaceChildren(...Array.from({ length: count }, (_, i) => {
      const line = element("span");
      line.append(element("b"), ...(count > 1 ? [element("span", this.clip.tracks[i].label)] : []));
      return line;
    }));
  }
  [...keys.children].forEach((line, i) => {
    line.style.setProperty("--own", trackPaint(i));
    line.firstChild.textContent = this.weights[i][this.shape].toFixed(2);
  });
};

App.prototype.transport = function transport() {
  const playing = this.player.playing;
  byId("transport").classList.toggle("playing", playing);
  byId("play").setAttribute("aria-label", playing ? "Pause (Space)" : "Play (Space)");
  byId("total").textContent = `/ ${clockText(this.player.duration)}`;
  byId("timeline").setAttribute("aria-valuemax", this.player.duration.toFixed(2));
  byId("loop").setAttribute("aria-pressed", this.player.loop);
  byId("silent").hidden = !this.clip || this.player.sounding;
};

function setTheme(app, name) {
  document.documentElement.dataset.theme = name;
  if (!app.rig) return;
  app.timeline.redraw();
  app.labels();
  showFigures(byId("figures"), app.clip, app.meta.fit_errors_mm, app.rig.unit);
  app.wake();
}

function wire(app) {
  const click = (id, action) => byId(id).addEventListener("click", action);
  const speeds = [...byId("speed").options].map((option) => Number(option.value));
  const faster = (by) => {
    const next = speeds[Math.min(Math.max(speeds.indexOf(app.player.speed) + by, 0), speeds.length - 1)];
    byId("speed").value = String(next);
    app.player.setSpeed(next);
  };
  const other = () => setTheme(app, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  const view = (name) => { app.camera.reset(); app.camera.turn(...VIEWS[name]); };
  const loop = () => { app.player.loop = !app.player.loop; app.transport(); };
  const mesh = () => { app.wire = !app.wire; byId("wire").setAttribute("aria-pressed", app.wire); app.wake(); };
  const neighbour = (by) => {
    const order = app.rig.groups.flatMap((group) => group.shapes);
    app.choose(order[(order.indexOf(app.shape) + by + order.length) % order.length]);
    app.sliders.reveal(app.shape);
  };
  const nextHeat = () => {
    const options = [...byId("heat").options].filter((option) => !option.disabled).map((option) => option.value);
    app.setHeat(options[(options.indexOf(app.heat) + 1) % options.length]);
  };
  const clip = (by) => {
    const goal = app.clipIndex + by;
    if (goal >= 0 && goal < app.speaker.clips.length) app.openClip(goal);
  };
  click("play", () => app.toggle());
  click("start", () => app.seek(0));
  click("loop", loop); click("theme", other); click("wire", mesh);
  click("mirror", () => app.setMirror(!app.mirror));
  click("reset", () => app.reset());
  click("copy-pose", () => app.copyPose());
  click("save-pose", () => app.savePose());
  click("back", () => app.bind());
  click("help", () => byId("keys").showModal());
  byId("speed").addEventListener("change", (event) => app.player.setSpeed(Number(event.target.value)));
  byId("heat").addEventListener("change", (event) => app.setHeat(event.target.value));
  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => view(button.dataset.view)));
  const tabs = [...document.querySelectorAll("#tabs button")];
  const tab = (name) => {
    document.body.dataset.tab = name;
    tabs.forEach((button) => button.setAttribute("aria-current", button.dataset.tab === name));
  };
  tabs.forEach((button) => button.addEventListener("click", () => tab(button.dataset.tab)));
  tab(document.body.dataset.tab);

  const actions = {
    " ": () => app.toggle(), Home: () => app.seek(0), End: () => app.clip && app.seek(app.clip.seconds),
    ArrowLeft: (event) => app.step(event.shiftKey ? -10 : -1), ArrowRight: (event) => app.step(event.shiftKey ? 10 : 1),
    ArrowUp: () => neighbour(-1), ArrowDown: () => neighbour(1), "[": () => faster(-1), "]": () => faster(1),
    p: () => clip(-1), n: () => clip(1), 1: () => view("front"), 2: () => view("half"), 3: () => view("side"),
    "+": () => app.camera.zoom(0.85), "=": () => app.camera.zoom(0.85), "-": () => app.camera.zoom(1 / 0.85),
    0: () => app.camera.reset(), h: nextHeat, w: mesh, m: () => app.setMirror(!app.mirror), r: () => app.reset(),
    b: () => app.bind(), c: () => app.copyPose(), s: () => app.savePose(), l: loop, t: other, "?": () => byId("keys").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, at = event.target;
    const takes = { INPUT: /^(Arrow|Home|End|Page)/, SELECT: /^(Arrow|Home|End|Page| |Enter|.$)/, BUTTON: /^ $/, SUMMARY: /^ $/ }[at.tagName];
    if (!actions[key] || (takes && takes.test(event.key))) return;
    event.preventDefault();
    actions[key](event);
  });
  // A button that was clicked gives the keyboard back, so that Space plays.
  document.addEventListener("click", (event) => { if (event.detail > 0 && event.target.closest("button")) document.activeElement.blur(); });
}

// Start the page with an app of this kind.
function start(Kind) {
  const meta = JSON.parse(byId("meta").textContent);
  byId("title").textContent = meta.name;
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  for (const [keys, what] of KEYS) {
    const term = element("dt");
    term.append(...keys.map((key) => element("kbd", key)));
    byId("key-list").append(term, element("dd", what));
  }
  const app = new Kind(meta);
  if (typeof DecompressionStream === "undefined") {
    app.trouble("This browser is too old for this page: it cannot unpack compressed data (DecompressionStream).");
    return;
  }
  wire(app);
  fillList(byId("speakers"), meta.speakers.map((speaker) => ({ name: speaker.name, more: speaker.split })), (i) => app.openSpeaker(i));
  byId("speaker-count").textContent = meta.speakers.length;
  app.followAddress().catch((error) => app.trouble(`The page's data cannot be read: ${error.message}`));
  window.addEventListener("hashchange", () => app.followAddress());
  window.inspect = {
    app, state: () => app.state(),
    seek: (time) => app.seek(time),
    // Where the vertices of a head are on the page, in CSS pixels: x0, y0, x1, y1, …
    project: (head = 0) => {
      const region = app.renderer.region(head, app.heads.length), box = byId("view").getBoundingClientRect();
      const m = app.camera.matrices(region.width / region.height).clip, p = app.heads[head].positions, found = [];
      for (let i = 0; i < p.length; i += 3) {
        const at = [0, 1, 3].map((row) => m[row] * p[i] + m[4 + row] * p[i + 1] + m[8 + row] * p[i + 2] + m[12 + row]);
        found.push(box.left + region.x + (at[0] / at[2] + 1) / 2 * region.width, box.top + region.y + (1 - at[1] / at[2]) / 2 * region.height);
      }
      return found;
    },
  };
}
