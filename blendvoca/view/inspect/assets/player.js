// The clock. With sound the audio element leads and pictures follow; without, the wall clock does.

class Player {
  constructor(audio, changed) {
    this.audio = audio;
    this.changed = changed;
    this.duration = 0;
    this.speed = 1;
    this.loop = false;
    this.playing = false;
    this.sounding = false;
    this.started = 0;
    this.offset = 0;
    audio.preservesPitch = true;
    audio.addEventListener("ended", () => this.sounding && this.finish());
    audio.addEventListener("error", () => { if (audio.getAttribute("src")) this.silence(); });
  }

  load(sound, duration) {
    this.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = sound ? sound.url : null;
    this.sounding = Boolean(sound);
    this.duration = duration;
    this.offset = 0;
    if (sound) this.audio.src = sound.url; else this.audio.removeAttribute("src");
    this.audio.load();
    this.audio.playbackRate = this.audio.defaultPlaybackRate = this.speed;
  }

  // The browser refuses the sound: go on without it.
  silence() {
    this.offset = this.time;
    this.sounding = false;
    this.started = performance.now();
    this.changed();
  }

  get time() {
    if (this.sounding) return Math.min(this.audio.currentTime, this.duration);
    if (!this.playing) return this.offset;
    return Math.min(this.offset + (performance.now() - this.started) / 1000 * this.speed, this.duration);
  }

  async play() {
    if (!this.duration || this.playing) return;
    if (this.time >= this.duration - 0.01) this.seek(0);
    this.playing = true;
    this.started = performance.now();
    if (this.sounding) {
      try { await this.audio.play(); } catch (error) { if (error.name !== "AbortError") this.silence(); }
    }
    this.changed();
  }

  pause() {
    this.offset = this.time;
    this.playing = false;
    if (this.sounding) this.audio.pause();
    this.changed();
  }

  seek(time) {
    const goal = Math.min(Math.max(time, 0), this.duration);
    this.offset = goal;
    this.started = performance.now();
    if (this.sounding) this.audio.currentTime = goal;
    this.changed();
  }

  setSpeed(speed) {
    this.offset = this.time;
    this.started = performance.now();
    this.speed = speed;
    this.audio.playbackRate = this.audio.defaultPlaybackRate = speed;
    this.changed();
  }

  // Called for every picture: notices the end where no sound does.
  tick() {
    if (this.playing && !this.sounding && this.time >= this.duration) this.finish();
  }

  finish() {
    this.playing = false;
    if (this.loop) { this.seek(0); this.play(); } else { this.offset = this.duration; this.changed(); }
  }
}
