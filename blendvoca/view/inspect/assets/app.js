// What is shown and how it changes: speaker, clip, time, shape, pose, heat. Everything else asks or tells this.

class App {
  constructor(meta) {
    this.meta = meta;
    this.rigs = new Map();
    this.shape = 0;
    this.heat = "off";
    this.mirror = false;
    this.wire = false;
    this.free = null;
    this.heads = [];
    this.weights = [];
    this.shownFrame = 0;
    this.shownTime = 0;
    this.drawn = 0;
    this.stamps = [];
    this.playQuality = 1;
    this.camera = new Orbit(byId("view"), () => this.wake());
    try {
      this.renderer = new Renderer(byId("view"));
    } catch (error) { this.trouble(error.message); }
    byId("view").addEventListener("webglcontextlost", () => this.trouble("The graphics driver gave up. Load the page again."));
    this.player = new Player(byId("audio"), () => { this.transport(); this.wake(); });
    this.sliders = new Sliders(byId("shapes"), {
      move: (shape, value) => this.setWeight(shape, value), choose: (shape) => this.choose(shape),
    });
    this.timeline = new Timeline(byId("timeline"), {
      seek: (time) => this.seek(time),
      choose: (shape) => { this.choose(shape); this.sliders.reveal(shape); },
      valueOf: (shape, time) => this.valueOf(shape, time),
    });
    new ResizeObserver(() => { this.labels(); this.wake(); }).observe(byId("stage"));
  }

  trouble(message) {
    byId("trouble").textContent = message;
    byId("trouble").hidden = false;
  }

  async openSpeaker(index) {
    const speaker = this.meta.speakers[index], turn = this.turn = (this.turn || 0) + 1;
    if (!this.rigs.has(speaker.rig.blob)) this.rigs.set(speaker.rig.blob, await readRig(speaker.rig));
    if (turn !== this.turn) return;
    const before = this.rig && this.rig.names[this.shape];
    this.speaker = speaker; this.speakerIndex = index;
    this.rig = this.rigs.get(speaker.rig.blob);
    this.shape = Math.max(this.rig.names.indexOf(before || "jawOpen"), 0);
    this.camera.frame(this.rig.middle, this.rig.half);
    this.sliders.show(this.rig);
    byId("shape-count").textContent = this.rig.names.length;
    markCurrent(byId("speakers"), index);
    this.listClips();
    const same = this.clip ? speaker.clips.findIndex((clip) => clip.name === this.clip.name) : 0;
    await this.openClip(Math.max(same, 0));
  }

  listClips() {
    const { speaker } = this;
    fillList(byId("clips"), speaker.clips.map((clip) => ({ name: clip.name, more: clipFacts(clip) })), (i) => this.openClip(i));
    byId("clip-count").textContent = speaker.clips.length;
    const left = speaker.n_clips - speaker.clips.length;
    if (left > 0) {
      const note = element("p", `${left} more in the dataset; `);
      note.append(element("code", "--clip all"), " packs them.");
      byId("clips").append(note);
    }
    if (!speaker.clips.length) byId("clips").append(element("p", "No clip is on this page."));
  }

  // A clip as it is packed to its tracks, sound and fields.
  async unpackClip(packed) {
    const tracks = await Promise.all(packed.tracks.map(readTrack));
    const sound = packed.sound && await readSound(packed.sound);
    const fields = await Promise.all([packed.error_mean, packed.error_max].map((part) => part && readSections(part)));
    return { clip: { ...packed, tracks, fields }, sound };
  }

  async openClip(index) {
    const packed = this.speaker.clips[index] || null, turn = this.turn = (this.turn || 0) + 1;
    this.player.pause();
    const { clip, sound } = packed ? await this.unpackClip(packed) : { clip: null, sound: null };
    if (turn !== this.turn) { if (sound) URL.revokeObjectURL(sound.url); return; }
    this.clip = clip; this.clipIndex = clip ? index : -1; this.sound = sound;
    this.free = clip ? null : new Float32Array(this.rig.names.length);
    this.player.load(sound, clip ? clip.seconds : 0);
    this.transport();
    markCurrent(byId("clips"), index);
    this.prepareHeads();
    this.describe();
    this.choose(this.shape);
    this.tellAddress();
  }

  prepareHeads() {
    const count = this.clip && !this.free ? Math.min(this.clip.tracks.length, 4) : 1;
    this.heads = Array.from({ length: count }, () => new Head(this.rig));
    this.weights = this.heads.map(() => new Float32Array(this.rig.names.length));
    if (this.renderer) this.renderer.load(this.rig, count);
    byId("curve-keys").replaceChildren();
    const gap = byId("heat").querySelector("[value=gap]");
    gap.disabled = count < 2;
    for (const name of ["fit", "fit-max"]) {
      byId("heat").querySelector(`[value=${name}]`).disabled = !(this.clip && this.clip.error_mean);
    }
    if (byId("heat").selectedOptions[0].disabled) byId("heat").value = this.heat = "off";
    this.full = this.heatFull();
    this.labels();
    this.wake();
  }

  describe() {
    const { speaker, clip, meta } = this;
    const facts = [speaker.name];
    if (clip) facts.push(clip.name);
    if (speaker.split) facts.push(speaker.split);
    if (speaker.licence) facts.push(`licence class ${speaker.licence}`);
    facts.push(`${this.rig.vertices.toLocaleString("en")} vertices`);
    byId("subtitle").textContent = facts.join("  ·  ");
    byId("silent").hidden = !clip || Boolean(clip.sound);
    byId("transport").hidden = byId("timeline").hidden = !clip;
    byId("words-lane").hidden = !(clip && clip.transcript);
    byId("words").textContent = clip && clip.transcript ? clip.transcript : "";
    showFigures(byId("figures"), clip, meta.fit_errors_mm, this.rig.unit);
    byId("notes").replaceChildren(...[...speaker.notes, ...(clip ? clip.notes : [])].map((note) => element("p", note)));
  }

  // Names over the heads, where there are several.
  labels() {
    const several = this.heads.length > 1 && this.renderer;
    byId("labels").replaceChildren(...(several ? this.heads : []).map((_, i) => {
      const label = element("span", this.clip.tracks[i].label), region = this.renderer.region(i, this.heads.length);
      label.style.setProperty("--own", trackPaint(i));
      label.style.left = `${region.x + region.width / 2}px`;
      label.style.top = `calc(${region.y}px + var(--label-top))`;
      return label;
    }));
  }

  choose(shape) {
    if (shape === this.shape && this.timeline.clip === this.clip && this.timeline.rig === this.rig) return;
    this.shape = shape;
    this.sliders.mark(shape);
    this.timeline.show(this.clip, this.rig, shape, this.sound);
    // It may break before a capital.
    byId("curve-name").replaceChildren(...this.rig.names[shape].split(/(?=[A-Z])/).flatMap((part) => [part, element("wbr")]));
    this.full = this.heatFull();
    this.wake();
  }

  // Leave the clip's pose for one's own.
  loosen() {
    if (this.free) return;
    this.player.pause();
    this.free = Float32Array.from(this.weights[0]);
    this.prepareHeads();
    byId("free").hidden = !this.clip;
  }

  // Back to the clip's pose.
  bind() {
    if (!this.free || !this.clip) return;
    this.free = null;
    byId("free").hidden = true;
    this.prepareHeads();
  }

  setWeight(shape, value) {
    this.loosen();
    this.free[shape] = value;
    const partner = this.rig.partners[shape];
    if (this.mirror && partner >= 0) this.free[partner] = value;
    this.wake();
  }

  reset() {
    this.loosen();
    this.free.fill(0);
    this.wake();
  }

  setMirror(on) {
    this.mirror = on;
    byId("mirror").setAttribute("aria-pressed", on);
  }

  setHeat(mode) {
    this.heat = mode;
    byId("heat").value = mode;
    this.full = this.heatFull();
    this.wake();
  }

  seek(time) {
    this.bind();
    this.player.seek(time);
    this.tellAddress();
  }

  step(frames) {
    if (!this.clip) return;
    this.player.pause();
    const fps = this.clip.tracks[0].fps;
    this.seek(Math.min(Math.max(Math.round(this.player.time * fps) + frames, 0), this.clip.tracks[0].frames - 1) / fps + 1e-5);
  }

  async toggle() {
    if (!this.clip) return;
    if (this.player.playing) { this.player.pause(); this.tellAddress(); return; }
    this.bind();
    this.slow = 0;
    await this.player.play();
  }

  valueOf(shape, time) {
    const track = this.clip.tracks[0], column = track.columns.indexOf(shape);
    if (column < 0) return 0;
    const frame = Math.min(Math.round(time * track.fps), track.frames - 1);
    return track.values[frame * track.columns.length + column];
  }

  wake() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => { this.waiting = false; this.draw(now); });
  }

  draw(now) {
    if (!this.rig || !this.heads.length) return;
    this.player.tick();
    const time = this.player.time;
    this.heads.forEach((head, i) => {
      if (this.free) this.weights[i].set(this.free);
      else {
        const frame = weightsAt(this.clip.tracks[i], time, this.weights[i]);
        if (i === 0) this.shownFrame = frame;
      }
      head.pose(this.weights[i]);
    });
    this.shownTime = time;
    const heated = this.warm();
    this.chooseQuality();
    const ink = paintNumbers("--ink").map((part) => part / 255);
    if (this.renderer) this.renderer.draw(this.heads, this.camera, { heated, wire: this.wire, ink });
    this.drawn += 1;
    this.tell(time);
    this.measure(now);
    if (this.player.playing) this.wake();
  }
}

const clipFacts = (clip) => (clip.fit && clip.fit.error_mean_mm !== null
  ? `${clip.seconds.toFixed(1)} s · ${clip.fit.error_mean_mm.toFixed(2)} mm` : `${clip.seconds.toFixed(1)} s`);
