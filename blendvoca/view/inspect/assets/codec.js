// Packed data back into typed arrays. The layout is written by pack.py: sections, one after the other, each with the
// bytes of its numbers sorted by significance (which compresses better), then deflated and written as base64.

const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array };

async function readBlob(id) {
  const text = document.getElementById(id).textContent;
  const raw = atob(text.trim());
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function readSections(packed) {
  const bytes = await readBlob(packed.blob);
  const found = {};
  let offset = 0;
  for (const [name, kind, count] of packed.sections) {
    const Type = TYPES[kind], width = Type.BYTES_PER_ELEMENT;
    const plain = new Uint8Array(count * width);
    for (let byte = 0; byte < width; byte++) {
      const plane = offset + byte * count;
      for (let i = 0; i < count; i++) plain[i * width + byte] = bytes[plane + i];
    }
    found[name] = new Type(plain.buffer);
    offset += count * width;
  }
  return found;
}

// A rig: neutral and triangles, occlusion, eyes, and per shape which vertices move and by how much.
async function readRig(packed) {
  const parts = await readSections(packed);
  const count = packed.vertices;
  const neutral = new Float32Array(3 * count);
  for (let i = 0; i < 3 * count; i++) {
    neutral[i] = packed.origin[i % 3] + parts.positions[i] * packed.position_step;
  }
  const maskBytes = Math.ceil(count / 8);
  const shapes = [];
  let next = 0;
  for (let k = 0; k < packed.names.length; k++) {
    const moved = [];
    for (let v = 0; v < count; v++) {
      if (parts.masks[k * maskBytes + (v >> 3)] & (128 >> (v & 7))) moved.push(v);
    }
    const offsets = new Float32Array(3 * moved.length);
    let largest = 0;
    for (let axis = 0; axis < 3; axis++) {
      for (let i = 0; i < moved.length; i++) offsets[3 * i + axis] = parts.values[next++] * packed.steps[k];
    }
    for (let i = 0; i < offsets.length; i += 3) {
      largest = Math.max(largest, Math.hypot(offsets[i], offsets[i + 1], offsets[i + 2]));
    }
    shapes.push({ name: packed.names[k], moved: Uint32Array.from(moved), offsets, largest });
  }
  return {
    ...packed, neutral, shapes, faces: Uint32Array.from(parts.faces), cap: Uint32Array.from(parts.cap), occlusion: parts.occlusion, eyes: parts.eyes,
    colours: parts.colours,
  };
}

// A track on the rig's shapes: values[frame * columns.length + column] in 0..1.
async function readTrack(packed) {
  const parts = await readSections(packed);
  return { ...packed, values: Float32Array.from(parts.values, (value) => value / 65535) };
}

// Eight-bit mu-law (ITU-T G.711) into 16-bit samples.
function decodeMuLaw(bytes) {
  const table = new Int16Array(256);
  for (let code = 0; code < 256; code++) {
    const inverted = ~code & 255;
    const magnitude = (((inverted & 15) << 3) + 132 << (inverted >> 4 & 7)) - 132;
    table[code] = inverted & 128 ? -magnitude : magnitude;
  }
  return Int16Array.from(bytes, (code) => table[code]);
}

function wavBlob(samples, rate) {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); head.setUint32(4, 36 + samples.byteLength, true); text(8, "WAVEfmt ");
  head.setUint32(16, 16, true); head.setUint16(20, 1, true); head.setUint16(22, 1, true);
  head.setUint32(24, rate, true); head.setUint32(28, 2 * rate, true); head.setUint16(32, 2, true);
  head.setUint16(34, 16, true); text(36, "data"); head.setUint32(40, samples.byteLength, true);
  return new Blob([head, samples], { type: "audio/wav" });
}

async function readSound(packed) {
  const parts = await readSections(packed);
  const samples = decodeMuLaw(parts.samples);
  return { samples, rate: packed.rate, url: URL.createObjectURL(wavBlob(samples, packed.rate)) };
}
