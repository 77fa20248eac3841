// glTF binary files: taken apart, read as a rig, and written back with a take as their animation.

function readGlb(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) throw new Error("it is no binary glTF file (.glb)");
  let document = null, binary = new Uint8Array(0);
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const size = view.getUint32(at, true), kind = view.getUint32(at + 4, true), chunk = bytes.subarray(at + 8, at + 8 + size);
    if (kind === 0x4e4f534a) document = JSON.parse(new TextDecoder().decode(chunk));
    else if (kind === 0x004e4942) binary = chunk;
    at += 8 + size;
  }
  if (!document) throw new Error("it holds no glTF document");
  return { document, binary };
}

function writeGlb({ document, binary }) {
  const text = new TextEncoder().encode(JSON.stringify(document)), padded = (size) => Math.ceil(size / 4) * 4;
  const total = 28 + padded(text.length) + padded(binary.length), bytes = new Uint8Array(total), view = new DataView(bytes.buffer);
  const words = (at, ...values) => values.forEach((value, i) => view.setUint32(at + 4 * i, value, true));
  words(0, 0x46546c67, 2, total, padded(text.length), 0x4e4f534a);
  bytes.fill(32, 20, 20 + padded(text.length));
  bytes.set(text, 20);
  words(20 + padded(text.length), padded(binary.length), 0x004e4942);
  bytes.set(binary, 28 + padded(text.length));
  return bytes;
}

const targetNames = (mesh) => (mesh.extras && mesh.extras.targetNames) || (mesh.primitives[0].extras || {}).targetNames || [];

// The file with a take as its animation; every mesh that has shapes of it moves.
function animatedGlb(source, { names, values, fps }, label) {
  const { binary } = source, document = structuredClone(source.document), count = values.length / names.length;
  const parts = [binary];
  let size = binary.length;
  document.bufferViews = document.bufferViews || [];
  document.accessors = document.accessors || [];
  const scalars = (numbers, bounds) => {
    const fill = (4 - size % 4) % 4, bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    parts.push(new Uint8Array(fill), bytes);
    document.bufferViews.push({ buffer: 0, byteOffset: size + fill, byteLength: bytes.length });
    size += fill + bytes.length;
    document.accessors.push({ bufferView: document.bufferViews.length - 1, componentType: 5126, count: numbers.length, type: "SCALAR", ...bounds });
    return document.accessors.length - 1;
  };
  const times = Float32Array.from({ length: count }, (_, i) => i / fps);
  const input = scalars(times, { min: [0], max: [times[count - 1]] }), samplers = [], channels = [];
  document.nodes.forEach((node, index) => {
    const mesh = node.mesh === undefined ? null : document.meshes[node.mesh], targets = mesh ? targetNames(mesh) : [];
    const columns = matchShapes(names, targets);
    if (!columns.some((column) => column >= 0)) return;
    const weights = new Float32Array(count * targets.length);
    columns.forEach((column, target) => {
      if (column >= 0) for (let frame = 0; frame < count; frame++) weights[frame * targets.length + target] = values[frame * names.length + column];
    });
    samplers.push({ input, output: scalars(weights), interpolation: "LINEAR" });
    channels.push({ sampler: samplers.length - 1, target: { node: index, path: "weights" } });
  });
  if (!samplers.length) throw new Error("no mesh of this head has the shapes of the take");
  document.animations = [...(document.animations || []), { name: label, samplers, channels, extras: { fps } }];
  const joined = new Uint8Array(size);
  parts.reduce((at, part) => { joined.set(part, at); return at + part.length; }, 0);
  document.buffers = [{ ...(document.buffers || [{}])[0], byteLength: size }, ...(document.buffers || []).slice(1)];
  return writeGlb({ document, binary: joined });
}

// A spelling's letters and its side: eyeBlink_L, EyeBlinkLeft and EYE BLINK LEFT are one.
function spelling(name) {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").split(/[^A-Za-z0-9]+/).filter(Boolean).map((word) => word.toLowerCase());
  const sides = { l: "left", left: "left", r: "right", right: "right" }, side = words.map((word) => sides[word]).filter(Boolean).pop() || "";
  return { text: words.filter((word) => !sides[word]).join(""), side };
}

// For each target the column of `names` that it means, or -1; an unknown prefix is passed over where that is unambiguous.
function matchShapes(names, targets) {
  const wanted = names.map(spelling), found = targets.map(spelling);
  const result = targets.map((target) => names.indexOf(target));
  for (const fits of [(a, b) => a === b, (a, b) => b.endsWith(a)]) {
    wanted.forEach((name, column) => {
      if (result.includes(column)) return;
      const places = found.flatMap((other, i) => (result[i] < 0 && other.side === name.side && fits(name.text, other.text) ? [i] : []));
      if (places.length === 1) result[places[0]] = column;
    });
  }
  return result;
}
