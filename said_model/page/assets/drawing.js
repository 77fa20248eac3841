// The page's end of the worker (engine.js): loads the network, asks for takes, hands on how far they are.

class Drawing {
  // parts: the packed runtime, network and encoder as text, and the description.
  constructor(parts, report) {
    this.parts = parts;
    this.report = report;
    this.waiting = new Map();
    this.next = 0;
    this.current = null;
  }

  // Start the worker; again after it has failed.
  ready() {
    if (this.loading) return this.loading;
    if (typeof WebAssembly === "undefined") {
      return Promise.reject(new Error("this browser has WebAssembly switched off, and the model needs it. Sound can still be recorded and saved here"));
    }
    this.worker = new Worker(URL.createObjectURL(new Blob([ENGINE], { type: "text/javascript" })));
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(`the model stopped: ${event.message || "the worker could not be started"}`);
    };
    this.loading = this.ask({ kind: "load", ...this.parts });
    this.loading.catch(() => this.close());
    return this.loading;
  }

  ask(message, transfer = []) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id }, transfer);
      if (message.kind === "draw") this.current = id;
    });
  }

  take(data) {
    if (data.kind === "progress") { this.report(data.done / data.of); return; }
    const { resolve, reject } = this.waiting.get(data.id);
    this.waiting.delete(data.id);
    if (data.kind === "failed") reject(new Error(data.reason));
    else resolve(data.kind === "cancelled" ? null : data);
  }

  fail(reason) {
    const left = [...this.waiting.values()];
    this.close();
    left.forEach(({ reject }) => reject(new Error(reason)));
  }

  close() {
    if (this.worker) this.worker.terminate();
    this.worker = this.loading = null;
    this.waiting.clear();
  }

  // From here on cancel() counts.
  begin() { this.cancelled = false; }

  // Coefficients (N, K) of a sound: { values, seconds }; null where it was cancelled.
  async draw(sound, samples, rate, seed) {
    await this.ready();
    if (this.cancelled) return null;
    const drawn = await this.ask({ kind: "draw", sound, samples, rate, seed });
    this.current = null;
    return drawn;
  }

  cancel() {
    this.cancelled = true;
    if (this.worker && this.current !== null) this.worker.postMessage({ kind: "cancel", id: this.current });
  }
}
