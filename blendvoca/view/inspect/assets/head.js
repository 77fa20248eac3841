// A head: positions and normals for given coefficients, and how far points are from where they might be.

class Head {
  constructor(rig) {
    this.rig = rig;
    this.positions = Float32Array.from(rig.neutral);
    this.normals = new Float32Array(rig.neutral.length);
    this.heat = new Float32Array(rig.vertices);
    this.computeNormals();
  }

  // pose = neutral + sum of coefficient * delta
  pose(weights) {
    const p = this.positions;
    p.set(this.rig.neutral);
    this.rig.shapes.forEach((shape, k) => {
      const w = weights[k];
      if (w < 1e-6) return;
      const { moved, offsets } = shape;
      for (let i = 0, j = 0; i < moved.length; i++, j += 3) {
        const at = 3 * moved[i];
        p[at] += w * offsets[j]; p[at + 1] += w * offsets[j + 1]; p[at + 2] += w * offsets[j + 2];
      }
    });
    this.computeNormals();
  }

  // Area-weighted vertex normals of the pose, so that shading follows the deformation.
  computeNormals() {
    const p = this.positions, n = this.normals, faces = this.rig.faces;
    n.fill(0);
    for (let f = 0; f < faces.length; f += 3) {
      const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
      const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
      const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
      const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
      n[a] += x; n[a + 1] += y; n[a + 2] += z;
      n[b] += x; n[b + 1] += y; n[b + 2] += z;
      n[c] += x; n[c + 1] += y; n[c + 2] += z;
    }
    for (let i = 0; i < n.length; i += 3) {
      const length = Math.sqrt(n[i] * n[i] + n[i + 1] * n[i + 1] + n[i + 2] * n[i + 2]) || 1;
      n[i] /= length; n[i + 1] /= length; n[i + 2] /= length;
    }
  }

  // Fill heat with the share of `full` that a distance makes; returns the largest distance.
  heatBetween(first, second, full) {
    let largest = 0;
    for (let v = 0, i = 0; v < this.heat.length; v++, i += 3) {
      const x = first[i] - second[i], y = first[i + 1] - second[i + 1], z = first[i + 2] - second[i + 2];
      const distance = Math.sqrt(x * x + y * y + z * z);
      this.heat[v] = distance / full;
      if (distance > largest) largest = distance;
    }
    return largest;
  }

  heatOfShape(k, full) {
    this.heat.fill(0);
    const { moved, offsets } = this.rig.shapes[k];
    moved.forEach((v, i) => {
      this.heat[v] = Math.hypot(offsets[3 * i], offsets[3 * i + 1], offsets[3 * i + 2]) / full;
    });
  }

  heatOfField(field, full) {
    for (let v = 0; v < field.length; v++) this.heat[v] = field[v] / full;
  }
}

// Coefficients of a track at a time, on all shapes of the rig; between frames they are interpolated.
function weightsAt(track, time, weights) {
  weights.fill(0);
  const count = track.columns.length;
  const place = Math.min(Math.max(time * track.fps, 0), track.frames - 1);
  const frame = Math.floor(place + 1e-4), share = Math.max(place - frame, 0);
  const row = frame * count, next = Math.min(frame + 1, track.frames - 1) * count;
  track.columns.forEach((shape, column) => {
    weights[shape] = track.values[row + column] * (1 - share) + track.values[next + column] * share;
  });
  return frame;
}
