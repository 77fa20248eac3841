// Sound, a map of all coefficients and the curve of one shape, all under the same time; click or drag to seek.

class Timeline {
  constructor(root, { seek, choose, valueOf }) {
    this.root = root;
    this.lanes = {};
    for (const name of ["sound", "raster", "curve"]) {
      this.lanes[name] = root.querySelector(`.lane.${name} canvas`);
      const canvas = this.lanes[name];
      canvas.addEventListener("pointerdown", (event) => {
        if (!this.clip) return;
        canvas.setPointerCapture(event.pointerId);
        this.held = true;
        root.focus({ preventScroll: true });
        if (name === "raster") choose(this.shapeAt(event));
        seek(this.timeAt(event));
      });
      canvas.addEventListener("pointermove", (event) => {
        if (this.held) seek(this.timeAt(event));
        this.point(name, event, valueOf);
      });
      for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.held = false; });
      canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    }
    this.head = root.querySelector("#playhead");
    this.tip = root.querySelector("#tip");
    this.names = root.querySelector(".raster .gutter");
    new ResizeObserver(() => this.redraw()).observe(root);
  }

  show(clip, rig, shape, sound) {
    Object.assign(this, { clip, rig, shape, soundData: sound });
    this.order = rig.groups.flatMap((group) => group.shapes);
    this.redraw();
  }

  timeAt(event) {
    const box = this.lanes.curve.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.clip.seconds;
  }

  shapeAt(event) {
    const box = this.lanes.raster.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / box.height * this.order.length);
    return this.order[Math.min(Math.max(row, 0), this.order.length - 1)];
  }

  point(lane, event, valueOf) {
    if (!this.clip || event.pointerType === "touch") return;
    const shape = lane === "raster" ? this.shapeAt(event) : this.shape, time = this.timeAt(event);
    const own = this.root.getBoundingClientRect();
    this.tip.textContent = lane === "sound" ? clockText(time)
      : `${this.rig.names[shape]} ${valueOf(shape, time).toFixed(2)} at ${clockText(time)}`;
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2 + 4;
    this.tip.style.left = `${Math.min(Math.max(event.clientX - own.left, half), own.width - half)}px`;
    this.tip.style.top = `${event.clientY - own.top - 10}px`;
  }

  // Put the playhead at a time.
  place(time) {
    const seconds = this.clip ? this.clip.seconds : 0;
    const lane = this.lanes.curve.getBoundingClientRect(), own = this.root.getBoundingClientRect();
    this.head.style.transform = `translateX(${lane.left - own.left + (seconds ? time / seconds : 0) * lane.width - 0.75}px)`;
    this.head.hidden = !this.clip;
  }

  redraw() {
    if (!this.rig) return;
    this.drawSound();
    this.drawRaster();
    this.drawCurve();
    this.label();
    this.place(this.lastTime || 0);
  }

  begin(name) {
    const canvas = this.lanes[name], ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.max(Math.round(width * ratio), 1);
    canvas.height = Math.max(Math.round(height * ratio), 1);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, width, height);
    return { pen, width, height };
  }

  drawSound() {
    const { pen, width, height } = this.begin("sound");
    if (!this.clip) return;
    if (!this.soundData) {
      pen.fillStyle = paint("--faint");
      pen.font = "11.5px system-ui, sans-serif";
      pen.textBaseline = "middle";
      pen.fillText("no sound with this clip", 10, height / 2);
      return;
    }
    const samples = this.soundData.samples, step = samples.length / Math.max(width, 1);
    pen.fillStyle = paint("--faint");
    let loudest = 2000;
    for (let i = 0; i < samples.length; i += 7) loudest = Math.max(loudest, Math.abs(samples[i]));
    for (let x = 0; x < width; x++) {
      let peak = 0;
      for (let i = Math.floor(x * step); i < Math.floor((x + 1) * step); i++) peak = Math.max(peak, Math.abs(samples[i]));
      const tall = Math.max(peak / loudest * (height - 6), 1);
      pen.fillRect(x, (height - tall) / 2, 1, tall);
    }
  }

  drawRaster() {
    const { pen, width, height } = this.begin("raster");
    if (!this.clip || !width || !height) return;
    const track = this.clip.tracks[0], rows = this.order.length, rowHeight = height / rows;
    const step = Math.ceil(track.frames / 4096), across = Math.ceil(track.frames / step);  // canvases have a limit
    const place = new Map(this.order.map((shape, row) => [shape, row]));
    const image = new OffscreenCanvas(across, rows), ink = image.getContext("2d");
    const pixels = ink.createImageData(across, rows), [r, g, b] = paintNumbers("--accent");
    track.columns.forEach((shape, column) => {
      const row = place.get(shape);
      for (let x = 0; x < across; x++) {
        const share = Math.pow(track.values[x * step * track.columns.length + column], 0.6);
        pixels.data.set([r, g, b, 255 * share], 4 * (row * across + x));
      }
    });
    ink.putImageData(pixels, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(image, 0, 0, track.frames / track.fps / this.clip.seconds * width, height);
    pen.fillStyle = paint("--panel");
    let row = 0;
    for (const group of this.rig.groups.slice(0, -1)) {
      row += group.shapes.length;
      pen.fillRect(0, Math.round(row * rowHeight) - 0.5, width, 1);
    }
    pen.strokeStyle = paint("--ink");
    pen.lineWidth = 1;
    pen.strokeRect(0.5, Math.round(place.get(this.shape) * rowHeight) - 0.5, width - 1, Math.max(rowHeight + 1, 3));
  }

  drawCurve() {
    const { pen, width, height } = this.begin("curve");
    const y = (value) => height - 5 - value * (height - 10);
    pen.strokeStyle = paint("--line");
    for (const level of [0, 0.5, 1]) {
      pen.beginPath(); pen.moveTo(0, Math.round(y(level)) + 0.5); pen.lineTo(width, Math.round(y(level)) + 0.5); pen.stroke();
    }
    if (!this.clip) return;
    for (let which = this.clip.tracks.length - 1; which >= 0; which--) {
      const track = this.clip.tracks[which], column = track.columns.indexOf(this.shape);
      pen.strokeStyle = pen.fillStyle = trackPaint(which);
      pen.lineWidth = 1.8;
      pen.lineJoin = "round";
      pen.beginPath();
      for (let frame = 0; frame < track.frames; frame++) {
        const value = column < 0 ? 0 : track.values[frame * track.columns.length + column];
        pen.lineTo(frame / track.fps / this.clip.seconds * width, y(value));
      }
      pen.stroke();
    }
  }

  // Names of the groups beside the map.
  label() {
    this.names.replaceChildren();
    if (!this.clip) return;
    const total = this.order.length;
    let row = 0;
    for (const group of this.rig.groups) {
      const label = element("span", group.name);
      label.style.top = `${(row + group.shapes.length / 2) / total * 100}%`;
      row += group.shapes.length;
      if (group.shapes.length / total * this.lanes.raster.clientHeight >= 9) this.names.append(label);
    }
  }
}
