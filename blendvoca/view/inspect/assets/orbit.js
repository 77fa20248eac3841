// The camera: orbit around the head, zoom, move aside; mouse, touch and keys. +y is up, the face looks along +z.

class Orbit {
  constructor(element, changed) {
    this.fieldOfView = 20 * Math.PI / 180;
    this.changed = changed;
    this.pointers = new Map();
    this.home = { middle: [0, 0, 0], half: [1, 1, 1] };
    this.reset();
    element.addEventListener("pointerdown", (event) => this.down(event, element));
    element.addEventListener("pointermove", (event) => this.move(event, element));
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(event.deltaY * lines * 0.0012));
    }, { passive: false });
    element.addEventListener("dblclick", () => this.reset());
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  // Look at a box given by its middle and half its size; from the second on, from where the last one was looked at.
  frame(middle, half) {
    const { home, yaw, pitch, scale, target } = this;
    this.home = { middle: [...middle], half: [...half] };
    this.reset();
    if (this.framed) {
      Object.assign(this, { yaw, pitch, scale });
      this.target = middle.map((value, i) => value + target[i] - home.middle[i]);
    }
    this.framed = true;
  }

  reset() {
    this.target = [...this.home.middle];
    this.yaw = 0.24; this.pitch = 0.05; this.scale = 1;
    this.changed();
  }

  turn(yaw, pitch) {
    this.yaw = yaw; this.pitch = Math.min(Math.max(pitch, -1.45), 1.45);
    this.changed();
  }

  zoom(factor) {
    this.scale = Math.min(Math.max(this.scale * factor, 0.12), 4);
    this.changed();
  }

  down(event, element) {
    element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    element.focus({ preventScroll: true });
  }

  move(event, element) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.entries()].filter(([id]) => id !== event.pointerId).map((entry) => entry[1]);
    const dx = event.clientX - before.x, dy = event.clientY - before.y;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const height = element.clientHeight;
    if (others.length) {
      const other = others[0];
      const old = Math.hypot(before.x - other.x, before.y - other.y);
      const now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      this.pan(dx / 2, dy / 2, height);
      if (old > 0 && now > 0) this.zoom(old / now);
    } else if (event.buttons & 6 || event.shiftKey) {
      this.pan(dx, dy, height);
    } else {
      this.turn(this.yaw - dx * 5 / height, this.pitch + dy * 5 / height);
    }
  }

  pan(dx, dy, height) {
    const reach = 2 * this.distance(1) * Math.tan(this.fieldOfView / 2) / height;
    const [right, up] = this.axes();
    for (let i = 0; i < 3; i++) this.target[i] += (-dx * right[i] + dy * up[i]) * reach;
    this.changed();
  }

  // Camera axes in the world: right, up, towards the viewer.
  axes() {
    const cy = Math.cos(this.yaw), sy = Math.sin(this.yaw), cp = Math.cos(this.pitch), sp = Math.sin(this.pitch);
    return [[cy, 0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]];
  }

  distance(aspect) {
    const { half } = this.home;
    const wide = Math.max(half[0], half[2] * 0.9) / Math.min(aspect, 10);
    return this.scale * 1.13 * Math.max(half[1], wide) / Math.tan(this.fieldOfView / 2) + half[2];
  }

  // View and view-projection (column-major 4x4) for a picture `aspect` times as wide as high.
  matrices(aspect) {
    const [r, u, b] = this.axes(), t = this.target, distance = this.distance(aspect);
    const dot = (a) => -(a[0] * t[0] + a[1] * t[1] + a[2] * t[2]);
    const view = [r[0], u[0], b[0], 0, r[1], u[1], b[1], 0, r[2], u[2], b[2], 0, dot(r), dot(u), dot(b) - distance, 1];
    const size = Math.hypot(...this.home.half);
    const near = Math.max(distance - 3 * size, distance * 0.05), far = distance + 4 * size;
    const f = 1 / Math.tan(this.fieldOfView / 2);
    const c = -(far + near) / (far - near), d = -2 * far * near / (far - near);
    const clip = new Float32Array(16);
    for (let column = 0; column < 4; column++) {
      const [x, y, z, w] = view.slice(4 * column, 4 * column + 4);
      clip.set([f / aspect * x, f * y, c * z + d * w, -z], 4 * column);
    }
    return { view: Float32Array.from(view), clip };
  }
}
