// How many pixels a picture gets, how many pictures a second there are, and what the page tells about itself.

Object.assign(App.prototype, {
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
  },

  // Pixels of the next picture: few while things move, many at rest.
  chooseQuality() {
    if (!this.renderer) return;
    const still = this.restDrawn === this.drawn + 1;
    if (this.player.playing) this.renderer.quality = this.playQuality;
    else if (!still) this.renderer.quality = Math.max(this.playQuality, 0.7);
  },

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
  },
});
