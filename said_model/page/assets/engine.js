// The worker: holds the network in onnxruntime's WebAssembly and draws takes, so that the page never stands still.

// What is packed in the page: base64 of zlib.
async function unpack(text) {
  const raw = atob(text.trim()), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const breathe = () => new Promise((resolve) => { setTimeout(resolve); });
class Cancelled extends Error {}

class Engine {
  async load({ runtime, wasm, model, encoder, description }) {
    const script = new TextDecoder().decode(await unpack(runtime));
    this.ort = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
    // Pages from files have no shared memory, hence one thread.
    Object.assign(this.ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: (await unpack(wasm)).buffer });
    this.description = description;
    this.model = await this.open(model);
    this.encoder = encoder ? await this.open(encoder) : null;
  }

  async open(text) {
    return this.ort.InferenceSession.create(await unpack(text), { executionProviders: ["wasm"] });
  }

  tensor(values, ...shape) { return new this.ort.Tensor("float32", values, shape); }

  // Run a network and return its outputs, in order.
  async run(session, inputs) {
    const outputs = await session.run(inputs);
    return session.outputNames.map((name) => outputs[name].data);
  }

  // Normalised samples to features (frames, D); long sound in pieces, with the encoder's context on either side.
  async features(samples, frames, pause) {
    const { values, width } = frontEnd(samples, frames, this.description.front_end);
    if (!this.encoder) return values;
    const context = this.description.encoder.context, piece = 1200, parts = [];
    for (let start = 0; start < frames; start += piece) {
      const low = Math.max(start - context, 0), high = Math.min(start + piece + context, frames);
      const given = this.tensor(values.slice(low * width, high * width), 1, high - low, width);
      const [encoded] = await this.run(this.encoder, { spectra: given });
      const depth = encoded.length / (high - low);
      parts.push(encoded.slice((start - low) * depth, (Math.min(start + piece, frames) - low) * depth));
      await pause();
    }
    const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { joined.set(part, at); return at + part.length; }, 0);
    return joined;
  }

  // Encode a sound: its features, the frames that are drawn for it, and how many of those are kept.
  async encode(sound, samples, rate, pause) {
    const { front_end: front, fps, windows: [view] } = this.description;
    const own = normalised(await resampled(samples, rate, front.rate, pause), front);
    const kept = Math.max(Math.round(own.length / front.rate * fps), 1), frames = Math.max(kept, view.least);
    const filled = new Float32Array(frames > kept ? Math.max(Math.round(frames / fps * front.rate), own.length) : own.length);
    filled.set(own);
    return { sound, kept, frames, features: await this.features(filled, frames, pause) };
  }

  // Draw a take. What was encoded of the last sound is kept for its next takes.
  async draw({ id, sound, samples, rate, seed }, report) {
    const names = this.description.names;
    // Messages come in while the worker pauses; so does the wish to stop.
    const pause = async () => { await breathe(); if (this.cancelled === id) throw new Cancelled(); };
    if (!this.last || this.last.sound !== sound) this.last = await this.encode(sound, samples, rate, pause);
    const { frames, kept, features } = this.last, depth = features.length / frames;
    const predict = (x, timestep, heard, count) => this.run(this.model, {
      noisy: this.tensor(x, 1, count, names.length), timestep: this.tensor(Float32Array.of(timestep), 1),
      audio: this.tensor(heard, 1, count, depth),
    });
    const values = await drawSample(this.description, features, normalNoise(seed, frames * names.length), predict,
      async (done, of) => { report(done, of); await pause(); });
    return values.slice(0, kept * names.length);
  }
}

const engine = new Engine();
let queue = Promise.resolve();

async function answer(message) {
  const { id } = message;
  try {
    if (message.kind === "load") {
      await engine.load(message);
      postMessage({ kind: "ready", id });
    } else {
      const start = performance.now();
      const values = await engine.draw(message, (done, of) => postMessage({ kind: "progress", id, done, of }));
      postMessage({ kind: "drawn", id, values, seconds: (performance.now() - start) / 1000 }, [values.buffer]);
    }
  } catch (error) {
    postMessage({ kind: error instanceof Cancelled ? "cancelled" : "failed", id, reason: String(error && error.message || error) });
  }
}

addEventListener("message", ({ data }) => {
  if (data.kind === "cancel") engine.cancelled = data.id;
  else queue = queue.then(() => answer(data));
});
