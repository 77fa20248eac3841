// Sound in: files of any kind that the browser reads, cut into parts of bounded length; and the microphone.

// One part is drawn at a time: five minutes, what the library draws at once.
const PART_SECONDS = 300;
// Compressed sound is decoded as a whole: beyond ten minutes at the rate that the model takes, beyond four hours not at all.
const FINE_SECONDS = 600, FINE_RATE = 48000, PLAIN_RATE = 16000, MOST_SECONDS = 4 * 3600;

// The header of a WAV file: { rate, channels, bits, float, start, frames }, or null for any other file.
async function wavHeader(file) {
  const view = new DataView(await file.slice(0, 1 << 16).arrayBuffer());
  const tag = (at) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
  if (view.byteLength < 44 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return null;
  let format = null;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const name = tag(at), size = view.getUint32(at + 4, true);
    if (name === "fmt " && at + 24 <= view.byteLength) {
      const code = view.getUint16(at + 8, true), kind = code === 0xfffe && size >= 26 ? view.getUint16(at + 32, true) : code;
      format = { channels: view.getUint16(at + 10, true), rate: view.getUint32(at + 12, true), bits: view.getUint16(at + 22, true), kind };
    } else if (name === "data" && format) {
      const { channels, rate, bits, kind } = format, start = at + 8;
      if (!((kind === 1 && [8, 16, 24, 32].includes(bits)) || (kind === 3 && [32, 64].includes(bits))) || !channels || !rate) return null;
      // A header that was written before the sound leaves the length open: read to the end.
      const bytes = Math.min(size || Infinity, file.size - start);
      return { rate, channels, bits, float: kind === 3, start, frames: Math.floor(bytes / (channels * bits / 8)) };
    }
    at += 8 + size + size % 2;
  }
  return null;
}

// Frames of a WAV file as mono: the mean of its channels.
async function wavSamples(file, { channels, bits, float, start }, from, count) {
  const wide = bits / 8, size = channels * wide;
  const view = new DataView(await file.slice(start + from * size, start + (from + count) * size).arrayBuffer());
  const reads = {
    8: (at) => (view.getUint8(at) - 128) / 128, 16: (at) => view.getInt16(at, true) / 32768,
    24: (at) => ((view.getUint8(at) | view.getInt16(at + 1, true) << 8)) / 8388608, 32: (at) => view.getInt32(at, true) / 2147483648,
  };
  const read = !float ? reads[bits] : bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  return Float32Array.from({ length: Math.floor(view.byteLength / size) }, (_, frame) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += read(frame * size + channel * wide);
    return sum / channels;
  });
}

// How long the browser says that a file lasts; Infinity or NaN where it does not know.
function lengthOf(file) {
  return new Promise((resolve) => {
    const probe = new Audio(), url = URL.createObjectURL(file);
    const done = (seconds) => { clearTimeout(timer); probe.removeAttribute("src"); URL.revokeObjectURL(url); resolve(seconds); };
    const timer = setTimeout(() => done(NaN), 4000);
    probe.preload = "metadata";
    probe.onloadedmetadata = () => done(probe.duration);
    probe.onerror = () => done(NaN);
    probe.src = url;
  });
}

async function decoded(file, name, known) {
  const seconds = known === undefined ? await lengthOf(file) : known;
  const limit = seconds > MOST_SECONDS || (!(seconds < Infinity) && file.size > 3e8);
  if (limit) throw new Error(`${name} is too long for a page: at most four hours of compressed sound. Cut it, or take \`said sample\``);
  const rate = seconds > FINE_SECONDS ? PLAIN_RATE : FINE_RATE;
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
  } catch (error) {
    throw new Error(`${name} is no sound that this browser can read (${error.message || error.name}). WAV, MP3, M4A, OGG and FLAC mostly are`);
  }
  const mono = Float32Array.from(buffer.getChannelData(0));
  for (let channel = 1; channel < buffer.numberOfChannels; channel++) {
    buffer.getChannelData(channel).forEach((value, i) => { mono[i] += value; });
  }
  return { samples: buffer.numberOfChannels > 1 ? mono.map((value) => value / buffer.numberOfChannels) : mono, rate };
}

// A file to its parts: [{ name, seconds, read() to { samples, rate } }]; what is read is not kept.
async function openSound(file, name, known) {
  const header = await wavHeader(file);
  const whole = header ? null : await decoded(file, name, known);
  const rate = header ? header.rate : whole.rate, frames = header ? header.frames : whole.samples.length;
  if (!frames) throw new Error(`${name} holds no sound`);
  const size = PART_SECONDS * rate, count = Math.ceil(frames / size);
  return Array.from({ length: count }, (_, part) => {
    const from = part * size, length = Math.min(size, frames - from);
    const read = async () => checked(name, header ? await wavSamples(file, header, from, length) : whole.samples.subarray(from, from + length));
    return { name: count > 1 ? `${name}, part ${part + 1} of ${count}` : name, seconds: length / rate, rate, read };
  });
}

function checked(name, samples) {
  let squares = 0;
  for (const value of samples) squares += value * value;
  if (!Number.isFinite(squares)) throw new Error(`${name} holds values that are no numbers`);
  return { samples, silent: Math.sqrt(squares / samples.length) < 1e-4 };
}

const MICROPHONE = {
  NotAllowedError: "the microphone was not allowed. Allow it beside the address, or open a sound file",
  NotFoundError: "there is no microphone. Connect one, or open a sound file",
  NotReadableError: "the microphone is in use by another program",
  NotSupportedError: "this browser cannot record sound. Open a sound file instead",
};

// The microphone. What comes is kept every second: whatever happens later, it is there.
class Recorder {
  constructor(ended) { this.ended = ended; this.pieces = []; }

  async start() {
    if (!navigator.mediaDevices || typeof MediaRecorder === "undefined") {
      throw new Error(MICROPHONE.NotSupportedError);
    }
    try {
      const clean = { channelCount: 1, echoCancellation: false, noiseSuppression: false };
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: clean });
      this.recorder = new MediaRecorder(this.stream, { audioBitsPerSecond: 128000 });
    } catch (error) {
      this.release();
      throw new Error(MICROPHONE[error.name] || `the microphone cannot be used (${error.message || error.name})`);
    }
    this.recorder.ondataavailable = ({ data }) => { if (data.size) this.pieces.push(data); };
    this.recorder.onstop = () => { this.release(); this.ended(new Blob(this.pieces, { type: this.recorder.mimeType }), this.seconds); };
    this.recorder.onerror = () => this.stop();
    this.recorder.start(1000);
    this.began = performance.now();
  }

  get seconds() { return (performance.now() - this.began) / 1000; }

  stop() { if (this.recorder.state !== "inactive") this.recorder.stop(); }

  release() { if (this.stream) this.stream.getTracks().forEach((track) => track.stop()); }
}
