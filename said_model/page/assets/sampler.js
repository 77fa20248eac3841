// From noise to coefficients: the steps of the JSON's `sampler`, over overlapping windows whose predictions are joined.

// First frame of every window: evenly spread, the first at 0, the last one ending with the clip.
function windowStarts(count, frames, overlap) {
  const last = Math.max(count - frames, 0), gaps = Math.ceil(last / (frames - overlap));
  // Half-way cases go to the even number, as Python rounds.
  const round = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  return gaps ? Array.from({ length: gaps + 1 }, (_, i) => round(last * i / gaps)) : [0];
}

// The share that each window has in each of its frames; the shares of a frame add up to one.
function windowShares(starts, frames, count) {
  const bump = Float64Array.from({ length: frames }, (_, i) => Math.sin(Math.PI * (i + 0.5) / frames) ** 2);
  const total = new Float64Array(count);
  for (const start of starts) for (let i = 0; i < frames; i++) total[start + i] += bump[i];
  return starts.map((start) => bump.map((value, i) => (starts.length > 1 ? value / total[start + i] : 1)));
}

// Clean coefficients, times the scale, that a prediction stands for.
function toClean(predicted, x, step, plan) {
  const { signal, noise } = step;
  const clean = plan.prediction === "sample" ? predicted
    : plan.prediction === "epsilon" ? (x - noise * predicted) / signal : signal * x - noise * predicted;
  return plan.threshold ? Math.min(Math.max(clean, 0), plan.scale) : clean;
}

// Draw coefficients (N, K) in 0..1.
// audio: features (N, D); noise: (N, K); predict(x, timestep, audio, frames): the network, to one prediction or two;
// onStep(done, of): is awaited between windows, and may throw to end it.
async function drawSample({ sampler: plan, windows: [view], names }, audio, noise, predict, onStep) {
  const channels = names.length, count = noise.length / channels, width = audio.length / count;
  const frames = Math.min(count, view.frames), starts = windowStarts(count, frames, view.overlap);
  const shares = windowShares(starts, frames, count), all = plan.steps.length * starts.length;
  const x = Float64Array.from(noise), before = new Float64Array(x.length), clean = new Float64Array(x.length);
  let done = 0;
  for (const step of plan.steps) {
    clean.fill(0);
    for (const [which, start] of starts.entries()) {
      await onStep(done++, all);
      const from = start * channels, cut = Float32Array.from(x.subarray(from, from + frames * channels));
      const heard = audio.slice(start * width, (start + frames) * width);
      const [given, without] = await predict(cut, step.timestep, heard, frames);
      for (let i = 0; i < cut.length; i++) {
        const at = from + i, own = toClean(given[i], x[at], step, plan);
        const guided = plan.guidance_scale > 0 ? own + plan.guidance_scale * (own - toClean(without[i], x[at], step, plan)) : own;
        clean[at] += shares[which][Math.floor(i / channels)] * guided;
      }
    }
    for (let i = 0; i < x.length; i++) {
      const clipped = plan.clip === null ? clean[i] : Math.min(Math.max(clean[i], -plan.clip), plan.clip);
      x[i] = step.keep * x[i] + step.clean * clipped + step.raw * clean[i] + step.before * before[i];
      before[i] = clipped;
    }
  }
  await onStep(all, all);
  return Float32Array.from(x, (value) => Math.min(Math.max(value / plan.scale, 0), 1));
}
