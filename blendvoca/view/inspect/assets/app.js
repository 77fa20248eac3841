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
    fillList(byId("clips"), speaker.clips.map((clip) => ({ name: clip.name, more: clipFacts(clip) })), (i) => this.openClip(i));
    byId("clip-count").textContent = speaker.clips.length;
    const left = speaker.n_clips - speaker.clips.length;
    if (left > 0) byId("clips").append(element("p", `${left} more in the dataset; --clip all packs them.`));
    if (!speaker.clips.length) byId("clips").append(element("p", "No clip is on this page."));
    const same = this.clip ? speaker.clips.findIndex((clip) => clip.name === this.clip.name) : 0;
    await this.openClip(Math.max(same, 0));
  }

  async openClip(index) {
    const packed = this.speaker.clips[index] || null, turn = this.turn = (this.turn || 0) + 1;
    this.player.pause();
    let clip = null, sound = null;
    if (packed) {
      const tracks = await Promise.all(packed.tracks.map(readTrack));
      sound = packed.sound && await readSound(packed.sound);
      const fields = await Promise.all([packed.error_mean, packed.error_max].map((part) => part && readSections(part)));
      clip = { ...packed, tracks, fields };
    }
    if (turn !== this.turn) { if (sound) URL.revokeObjectURL(sound.url); return; }
    this.clip = clip; this.clipIndex = clip ? index : -1; this.sound = sound;
    this.free = clip ? null : new Float32Array(this.rig.names.length);
    this.player.load(sound, clip ? clip.seconds : 0);
    markCurrent(byId("clips"), index);
    this.prepareHeads();
    this.describe();
    this.choose(this.shape);
  }

  prepareHeads() {
    const count = this.clip && !this.free ? Math.min(this.clip.tracks.length, 4) : 1;
    this.heads = Array.from({ length: count }, () => new Head(this.rig));
    this.weights = this.heads.map(() => new Float32Array(this.rig.names.length));
    if (this.renderer) this.renderer.load(this.rig, count);
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
    showFigures(byId("figures"), clip, meta.fit_errors_mm);
    byId("notes").replaceChildren(...[...speaker.notes, ...(clip ? clip.notes : [])].map((note) => element("p", note)));
  }

  // Names over the heads, where there are several.
  labels() {
    const several = this.heads.length > 1 && this.renderer;
    byId("labels").replaceChildren(...(several ? this.heads : []).map((_, i) => {
      const label = element("span", this.clip.tracks[i].label), region = this.renderer.region(i, this.heads.length);
      label.style.setProperty("--own", trackPaint(i));
      label.style.left = `${region.x + region.width / 2}px`;
      label.style.top = `${region.y + (window.innerWidth > 760 ? 52 : 8)}px`;
      return label;
    }));
  }

  choose(shape) {
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

  // The distance, in the rig's unit, that is painted darkest.
  heatFull() {
    if (!this.rig) return 1;
    const largest = Math.max(...this.rig.shapes.map((shape) => shape.largest));
    if (this.heat === "shape") return roundUp(this.rig.shapes[this.shape].largest, this.rig.unit.scale);
    if (this.heat === "gap" && this.heads.length > 1) return roundUp(this.largestGap(), this.rig.unit.scale);
    if (this.heat.startsWith("fit") && this.clip && this.clip.error_mean) {
      return roundUp((this.heat === "fit" ? this.clip.error_mean : this.clip.error_max).full / 1000, this.rig.unit.scale);
    }
    return roundUp(largest, this.rig.unit.scale);
  }

  // The largest distance between the first head and the others, over some frames of the clip.
  largestGap() {
    const first = new Head(this.rig), other = new Head(this.rig), weights = new Float32Array(this.rig.names.length);
    let largest = 0;
    for (let i = 0; i < 16; i++) {
      const time = (i + 0.5) / 16 * this.clip.seconds;
      weightsAt(this.clip.tracks[0], time, weights);
      first.pose(weights);
      for (const track of this.clip.tracks.slice(1)) {
        weightsAt(track, time, weights);
        other.pose(weights);
        largest = Math.max(largest, other.heatBetween(first.positions, other.positions, 1));
      }
    }
    return largest;
  }

  seek(time) {
    this.bind();
    this.player.seek(time);
  }

  step(frames) {
    if (!this.clip) return;
    this.player.pause();
    const fps = this.clip.tracks[0].fps;
    this.seek(Math.min(Math.max(Math.round(this.player.time * fps) + frames, 0), this.clip.tracks[0].frames - 1) / fps + 1e-5);
  }

  async toggle() {
    if (!this.clip) return;
    if (this.player.playing) { this.player.pause(); return; }
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

  // Fill heat values; returns which heads are painted with them.
  warm() {
    const first = this.heads[0];
    return this.heads.map((head, i) => {
      if (this.heat === "shape") head.heatOfShape(this.shape, this.full);
      else if (this.heat === "pose") head.heatBetween(head.positions, this.rig.neutral, this.full);
      else if (this.heat === "gap" && i > 0) head.heatBetween(head.positions, first.positions, this.full);
      else if (this.heat.startsWith("fit") && i === 0) {
        const part = this.heat === "fit" ? 0 : 1, entry = part ? this.clip.error_max : this.clip.error_mean;
        head.heatOfField(this.clip.fields[part].values, this.full / (entry.full / 1000) * 65535);
      } else return false;
      return true;
    });
  }

  // Pictures a second while playing; where they are few, draw fewer pixels. At rest draw all of them, and in software
  // twice as many each way, which smooths the edges.
  measure(now) {
    const renderer = this.renderer;
    clearTimeout(this.resting);
    if (!this.player.playing) {
      this.stamps = [];
      const best = renderer && renderer.software ? 2 : 1;
      if (renderer && this.restDrawn !== this.drawn) {
        this.resting = setTimeout(() => { renderer.quality = best; this.restDrawn = this.drawn + 1; this.wake(); }, 160);
      }
      return;
    }
    this.stamps.push(now);
    if (this.stamps.length > 40) this.stamps.shift();
    const count = this.stamps.length;
    this.pace = count > 1 ? 1000 * (count - 1) / (now - this.stamps[0]) : 0;
    this.slow = count > 8 && this.pace < 40 ? (this.slow || 0) + 1 : 0;
    if (this.slow > 6 && this.playQuality > 0.4) {
      this.playQuality = Math.max(this.playQuality * 0.75, 0.4);
      this.stamps = [now]; this.slow = 0;
    }
  }

  // Pixels of the next picture: few while things move, many at rest.
  chooseQuality() {
    if (!this.renderer) return;
    const still = this.restDrawn === this.drawn + 1;
    if (this.player.playing) this.renderer.quality = this.playQuality;
    else if (!still) this.renderer.quality = Math.max(this.playQuality, 0.7);
  }

  state() {
    return {
      ready: Boolean(this.rig && this.heads.length), speaker: this.speaker && this.speaker.name,
      clip: this.clip ? this.clip.name : null, time: this.shownTime, frame: this.shownFrame,
      audioTime: this.sound ? byId("audio").currentTime : null, playing: this.player.playing, speed: this.player.speed,
      sounding: this.player.sounding, free: Boolean(this.free), shape: this.rig && this.rig.names[this.shape],
      weights: this.weights.length ? Object.fromEntries(this.rig.names.map((name, k) => [name, this.weights[0][k]])) : {},
      heads: this.heads.length, heat: this.heat, heatFull: this.full, mirror: this.mirror, wire: this.wire,
      drawn: this.drawn, fps: this.pace || 0, quality: this.renderer ? this.renderer.quality : 0,
      rested: !this.player.playing && !this.waiting && this.restDrawn === this.drawn || !this.renderer,
      theme: document.documentElement.dataset.theme,
    };
  }
}

const clipFacts = (clip) => (clip.fit && clip.fit.error_mean_mm !== null
  ? `${clip.seconds.toFixed(1)} s · ${clip.fit.error_mean_mm.toFixed(2)} mm` : `${clip.seconds.toFixed(1)} s`);

// The next round figure above a length, in the rig's unit.
function roundUp(value, scale) {
  const shown = Math.max(value * scale, 1e-3), power = 10 ** Math.floor(Math.log10(shown));
  return [1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10].find((step) => step * power >= shown * 0.99) * power / scale;
}
