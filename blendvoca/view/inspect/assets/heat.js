// Heat maps: which distances are painted, and how far the scale reaches.

Object.assign(App.prototype, {
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
  },

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
  },

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
  },
});

// The next round figure above a length, in the rig's unit.
function roundUp(value, scale) {
  const shown = Math.max(value * scale, 1e-3), power = 10 ** Math.floor(Math.log10(shown));
  return [1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10].find((step) => step * power >= shown * 0.99) * power / scale;
}
