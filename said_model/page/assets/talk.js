// The page that talks: recordings in, takes drawn for them, shown and played by the viewer (App), saved as files.

class TalkApp extends App {
  constructor(meta) {
    super(meta);
    this.sounds = [];
    this.recording = null;
    this.recorded = 0;
    const text = (name) => (byId(`blob-${name}`) ? byId(`blob-${name}`).textContent : null);
    const parts = { runtime: text("runtime"), wasm: text("wasm"), model: text("model"), encoder: text("encoder"), description: meta.model };
    this.drawing = new Drawing(parts, (share) => this.tellWork(share));
  }

  // The address of this page names nothing: what is shown lives in the browser alone.
  async followAddress() {
    if (this.speaker) return;
    await this.openSpeaker(0);
    if (byId("blob-sound")) await this.openPacked();
  }

  tellAddress() {}

  // A take, with its recording's sound, for whatever head is shown.
  async unpackClip(take) {
    const columns = take.names.map((name) => this.rig.names.indexOf(name)), kept = columns.flatMap((place, i) => (place < 0 ? [] : [i]));
    const frames = take.values.length / take.names.length, values = new Float32Array(frames * kept.length);
    for (let frame = 0; frame < frames; frame++) {
      kept.forEach((column, i) => { values[frame * kept.length + i] = take.values[frame * take.names.length + column]; });
    }
    const track = { label: take.name, fps: take.fps, frames, columns: kept.map((i) => columns[i]), values };
    const { pcm, rate } = take.sound;
    return { clip: { ...take, tracks: [track], fields: [null, null] }, sound: { samples: pcm, rate, url: URL.createObjectURL(wavBlob(pcm, rate)) } };
  }

  async openSpeaker(index) {
    this.meta.speakers[index].clips = this.recording ? this.recording.takes : [];
    await super.openSpeaker(index);
    this.tellState();
  }

  listClips() {
    super.listClips();
    byId("clip-count").textContent = this.speaker.clips.length || "";
    if (!this.speaker.clips.length) byId("clips").replaceChildren();
  }

  async openClip(index) {
    await super.openClip(index);
    this.tellState();
  }

  // What can be done now.
  tellState() {
    const idle = !this.working, { clip, recording } = this;
    byId("welcome").hidden = this.sounds.length > 0;
    byId("another").disabled = byId("seed").disabled = !recording || !recording.sound || !idle;
    for (const id of ["save-csv", "save-livelink", "save-glb"]) byId(id).disabled = !clip;
    byId("save-sound").disabled = !recording;
    const last = recording && recording.takes.at(-1);
    if (this.seedOf !== last) { this.seedOf = last; byId("seed").value = last ? last.seed + 1 : 0; }
    markCurrent(byId("sounds"), this.sounds.indexOf(recording));
  }

  tellWork(share) {
    byId("work").hidden = share === null;
    if (share !== null) byId("work-bar").value = share;
  }

  note(message) {
    byId("message").textContent = message;
    byId("message-box").hidden = !message;
  }

  listSounds() {
    fillList(byId("sounds"), this.sounds.map(({ name, seconds }) => ({ name, more: clockText(seconds).slice(0, -3) })), (i) => this.openRecording(this.sounds[i]));
    this.tellState();
  }

  // Take a sound file in, or what the microphone gave; the first part of it is drawn.
  async addSound(file, name, recorded) {
    this.note("");
    this.tellWork(0);
    byId("work-what").textContent = `Reading ${name}`;
    try {
      const parts = (await openSound(file, name, recorded)).map((part) => ({ ...part, file, takes: [], sound: null, unsaved: recorded !== undefined }));
      const first = this.sounds.push(...parts) - parts.length;
      this.listSounds();
      if (parts.length > 1) {
        this.note(`${name} lasts ${Math.round(parts.reduce((sum, part) => sum + part.seconds, 0) / 60)} minutes. A face is drawn for five minutes at a time: choose a part in the list.`);
      }
      this.tellWork(null);
      await this.openRecording(this.sounds[first]);
    } catch (error) {
      if (recorded !== undefined) this.keep(file, name, recorded);
      this.note(`Not opened: ${error.message}.`);
    } finally { if (!this.working) this.tellWork(null); }
  }

  // A recording that cannot be read is still there to be saved.
  keep(file, name, seconds) {
    const entry = { name, seconds, file, takes: [], sound: null, unsaved: true, read: () => Promise.reject(new Error(`${name} cannot be read here. Save it`)) };
    this.sounds.push(entry);
    this.recording = entry;
    this.listSounds();
  }

  // A sound that came with the page.
  async openPacked() {
    const { name, rate } = this.meta.sound, { samples } = await readSections(this.meta.sound);
    await this.addSound(wavBlob(samples, rate), name);
  }

  async openRecording(recording) {
    this.recording = recording;
    this.speaker.clips = recording.takes;
    this.listClips();
    try {
      if (!recording.sound) {
        const { samples, silent } = await recording.read();
        const pcm = Int16Array.from(samples, (value) => Math.min(Math.max(Math.round(value * 32768), -32768), 32767));
        recording.sound = { pcm, rate: recording.rate, silent };
      }
      if (recording !== this.recording) return;
      await this.openClip(recording.takes.length - 1);
      if (!recording.takes.length) await this.drawTake(recording, 0);
    } catch (error) {
      this.tellState();
      this.note(`Not opened: ${error.message}.`);
    }
  }

  async drawTake(recording, seed) {
    if (this.working) return;
    this.working = true;
    this.drawing.begin();
    byId("work-what").textContent = this.drawing.loading ? `Drawing take ${recording.takes.length + 1}` : "Starting the model";
    this.tellWork(0);
    this.tellState();
    try {
      const { samples } = await recording.read();
      this.drawing.ready().then(() => { byId("work-what").textContent = `Drawing take ${recording.takes.length + 1}`; }, () => {});
      const drawn = await this.drawing.draw(this.sounds.indexOf(recording), samples, recording.rate, seed);
      if (drawn) await this.addTake(recording, seed, drawn);
    } catch (error) {
      this.note(`Not drawn: ${error.message}. The sound is kept.`);
    } finally {
      this.working = false;
      this.tellWork(null);
      this.tellState();
    }
    // A sound that was opened meanwhile has waited.
    const { recording: next } = this;
    if (next !== recording && next.sound && !next.takes.length) await this.drawTake(next, 0);
  }

  async addTake(recording, seed, { values, seconds }) {
    const { names, fps } = this.meta.model, pace = recording.seconds / seconds;
    const notes = [`Drawn in ${seconds.toFixed(1)} s: ${pace >= 10 ? Math.round(pace) : pace.toFixed(1)} × real time.`];
    if (recording.sound.silent) notes.push("The sound is silent: expect a face at rest.");
    if (recording.seconds < 0.2) notes.push("The sound is too short for speech.");
    const lacking = names.filter((name, k) => !this.rig.names.includes(name) && values.some((value, i) => i % names.length === k && value > 0.05));
    if (lacking.length) notes.push(`This head lacks ${lacking.join(", ")}.`);
    recording.takes.push({
      name: `Take ${recording.takes.length + 1}, seed ${seed}`, seed, names, fps, values, seconds: Math.max(recording.seconds, values.length / names.length / fps),
      drawn: seconds, transcript: "", notes, differences: [], fit: null, sound: recording.sound, error_mean: null, error_max: null,
    });
    if (recording !== this.recording) return;
    this.listClips();
    await this.openClip(recording.takes.length - 1);
    // Browsers let a page sound once it was touched.
    if (!navigator.userActivation || navigator.userActivation.hasBeenActive) await this.toggle();
  }

  async record() {
    if (this.recorder) { this.recorder.stop(); return; }
    this.note("");
    const recorder = new Recorder((blob, seconds) => this.takeRecording(blob, seconds));
    try {
      await recorder.start();
    } catch (error) { this.note(`Not recorded: ${error.message}.`); return; }
    this.recorder = recorder;
    this.player.pause();
    const tick = () => {
      byId("record").textContent = `Stop, ${clockText(recorder.seconds).slice(0, -3)}`;
      if (recorder.seconds > MOST_SECONDS) recorder.stop();
    };
    byId("record").setAttribute("aria-pressed", "true");
    tick();
    this.ticking = setInterval(tick, 250);
  }

  takeRecording(blob, seconds) {
    clearInterval(this.ticking);
    this.recorder = null;
    byId("record").setAttribute("aria-pressed", "false");
    byId("record").textContent = "Record";
    if (!blob.size) { this.note("Not recorded: the microphone gave no sound."); return; }
    this.recorded += 1;
    this.addSound(blob, `Recording ${this.recorded}`, seconds);
  }

  async addHead(file) {
    this.note("");
    try {
      const source = readGlb(new Uint8Array(await file.arrayBuffer())), rig = rigOfGlb(source, this.meta.arkit);
      const blob = `own-${this.meta.speakers.length}`;
      this.rigs.set(blob, rig);
      this.meta.speakers.push({ name: file.name, rig: { blob }, source, clips: [], n_clips: 0, split: "", licence: "", notes: [] });
      this.listHeads();
      await this.openSpeaker(this.meta.speakers.length - 1);
    } catch (error) { this.note(`Not opened: ${file.name}: ${error.message}.`); }
  }

  listHeads() {
    fillList(byId("speakers"), this.meta.speakers.map(({ name }) => ({ name, more: "" })), (i) => this.openSpeaker(i));
    byId("speaker-count").textContent = this.meta.speakers.length;
  }

  takeFiles(files) {
    for (const file of files) {
      if (/\.(glb|vrm)$/i.test(file.name)) this.addHead(file);
      else if (/\.gltf$/i.test(file.name)) this.note(`Not opened: ${file.name} keeps its data in other files. Save it as one .glb.`);
      else this.addSound(file, file.name);
    }
  }

  stem() { return (this.recording ? this.recording.name : "take").replace(/\.\w{2,5}(?=$|,)/, "").replace(/[^\w-]+/g, "_") || "take"; }

  save(id, parts, type, name) {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    this.flash(id, "Saved");
    return parts[0];
  }

  saveCsv() { return this.save("save-csv", [coefficientTable(this.clip)], "text/csv", `${this.stem()}.csv`); }

  saveLiveLink() {
    return this.save("save-livelink", [liveLinkTable(this.clip, this.meta.arkit.arkit)], "text/csv", `${this.stem()}_livelink.csv`);
  }

  async saveGlb() {
    const { speaker } = this;
    try {
      if (!speaker.source) speaker.source = readGlb(await readBlob("blob-glb"));
      return this.save("save-glb", [animatedGlb(speaker.source, this.clip, this.stem())], "model/gltf-binary", `${this.stem()}.glb`);
    } catch (error) { this.note(`Not saved: ${error.message}.`); return null; }
  }

  saveSound() {
    const { recording } = this, { sound } = recording;
    recording.unsaved = false;
    if (!sound) return this.save("save-sound", [recording.file], recording.file.type, `${this.stem()}.webm`);
    return this.save("save-sound", [wavBlob(sound.pcm, sound.rate)], "audio/wav", `${this.stem()}.wav`);
  }
}

// What this page has beside the viewer's controls.
TalkApp.prototype.connect = function connect() {
  const on = (id, action) => byId(id).addEventListener("click", action);
  const picker = (id, take) => byId(id).addEventListener("change", ({ target }) => { take([...target.files]); target.value = ""; });
  on("pick-sound", () => byId("sound-file").click());
  on("pick-head", () => byId("head-file").click());
  picker("sound-file", (files) => this.takeFiles(files));
  picker("head-file", (files) => this.takeFiles(files));
  on("record", () => this.record());
  on("another", () => { this.note(""); this.drawTake(this.recording, Math.min(Math.max(Math.round(Number(byId("seed").value)) || 0, 0), 4294967295)); });
  on("cancel", () => this.drawing.cancel());
  on("save-csv", () => this.saveCsv());
  on("save-livelink", () => this.saveLiveLink());
  on("save-glb", () => this.saveGlb());
  on("save-sound", () => this.saveSound());
  on("message-close", () => this.note(""));
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    this.takeFiles([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => { if (this.recorder || this.sounds.some(({ unsaved }) => unsaved)) event.preventDefault(); });
};

// What tests and other scripts read of it.
TalkApp.prototype.state = function state() {
  return {
    ...App.prototype.state.call(this), working: Boolean(this.working), recordings: this.sounds.map(({ name, seconds }) => ({ name, seconds })),
    takes: this.recording ? this.recording.takes.map(({ name, seed, drawn }) => ({ name, seed, drawn })) : [], message: byId("message").textContent,
  };
};

start(TalkApp);
if (window.inspect) window.inspect.app.connect();
