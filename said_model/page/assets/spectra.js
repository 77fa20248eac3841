// Sound to log-mel spectra at animation frames, as said_model/audio_encoder computes them. `front` is the JSON's front_end.

const LEAST_SAMPLES = 400;

// Samples at zero mean and unit variance; silence stays silence.
function normalised(samples, front) {
  let total = 0, squares = 0;
  for (const value of samples) { total += value; squares += value * value; }
  const mean = total / samples.length;
  const scale = Math.sqrt(Math.max(squares / samples.length - mean * mean, 0) + front.variance_floor);
  return Float32Array.from(samples, (value) => (value - mean) / scale);
}

// A complex Fourier transform in place, its size a power of two (Cooley and Tukey).
class Fourier {
  constructor(size) {
    this.size = size;
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos(2 * Math.PI * i / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin(2 * Math.PI * i / size));
    const bits = Math.log2(size);
    this.order = Uint16Array.from({ length: size }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed |= (i >> bit & 1) << (bits - 1 - bit);
      return reversed;
    });
  }

  run(re, im) {
    const { size, order, cos, sin } = this;
    for (let i = 0; i < size; i++) {
      const j = order[i];
      if (j > i) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const a = start + k, b = a + half, c = cos[k * stride], s = -sin[k * stride];
          const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
          re[b] = re[a] - x; im[b] = im[a] - y;
          re[a] += x; im[a] += y;
        }
      }
    }
  }
}

// Triangular filters, equally spaced on the mel scale: for each band its first bin and its weights.
function melFilters({ fft, rate, low, high, bands }) {
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700), hertz = (mels) => 700 * (10 ** (mels / 2595) - 1);
  const edge = (i) => hertz(mel(low) + (mel(high) - mel(low)) * i / (bands + 1));
  const bin = rate / fft;
  return Array.from({ length: bands }, (_, band) => {
    const [left, top, right] = [edge(band), edge(band + 1), edge(band + 2)];
    const first = Math.ceil(left / bin), weights = [];
    for (let i = first; i * bin <= right && i <= fft / 2; i++) {
      weights.push(Math.fround(Math.max(Math.min((i * bin - left) / (top - left), (right - i * bin) / (right - top)), 0)));
    }
    return { first, weights };
  });
}

// Normalised samples (S) to log-mel spectra (1 + S / hop, bands), centred on every hop-th sample.
function logMel(samples, front) {
  const { fft, hop, window, bands } = front, count = 1 + Math.floor(samples.length / hop);
  const fourier = new Fourier(fft), filters = melFilters(front), lead = (fft - window) / 2;
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / window));
  const re = new Float64Array(fft), im = new Float64Array(fft), power = new Float64Array(fft / 2 + 1);
  const spectra = new Float32Array(count * bands);
  for (let frame = 0; frame < count; frame++) {
    const start = frame * hop - window / 2;
    re.fill(0); im.fill(0);
    for (let i = Math.max(-start, 0); i < window && start + i < samples.length; i++) re[lead + i] = hann[i] * samples[start + i];
    fourier.run(re, im);
    for (let i = 0; i < power.length; i++) power[i] = re[i] * re[i] + im[i] * im[i];
    filters.forEach(({ first, weights }, band) => {
      let sum = front.floor;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * power[first + i];
      spectra[frame * bands + band] = Math.log(sum) * front.log_scale;
    });
  }
  return spectra;
}

// Spectra (L, bands) to patches (L, bands * orders): the course of each band around a place, by its first cosines.
function patchesOf(spectra, { bands, reach, orders }) {
  const count = spectra.length / bands, length = 2 * reach + 1, patches = new Float32Array(count * bands * orders);
  const cosine = (order, i) => Math.cos(order * (i + 0.5) * Math.PI / length) * Math.sqrt((order ? 2 : 1) / length / reach);
  const basis = Array.from({ length: orders }, (_, order) => Float64Array.from({ length }, (_, i) => cosine(order, i)));
  for (let place = 0; place < count; place++) {
    for (let band = 0; band < bands; band++) {
      basis.forEach((wave, order) => {
        let sum = 0;
        for (let i = 0; i < length; i++) sum += wave[i] * spectra[Math.min(Math.max(place + i - reach, 0), count - 1) * bands + band];
        patches[(place * bands + band) * orders + order] = sum;
      });
    }
  }
  return patches;
}

// Interpolate rows of `width` numbers, one at each whole place, at place `length * n / frames` for frame n.
function atFrames(rows, width, frames, length) {
  const last = rows.length / width - 2, result = new Float32Array(frames * width);
  for (let n = 0; n < frames; n++) {
    const place = length / frames * n, left = Math.min(Math.floor(place), last), share = place - left;
    for (let i = 0; i < width; i++) {
      const a = rows[left * width + i], b = rows[(left + 1) * width + i];
      result[n * width + i] = a + share * (b - a);
    }
  }
  return result;
}

// Normalised samples to what the network's encoder takes at the frames: { values, width }.
function frontEnd(samples, frames, front) {
  if (samples.length < LEAST_SAMPLES) {
    const padded = new Float32Array(LEAST_SAMPLES);
    padded.set(samples);
    samples = padded;
  }
  const spectra = logMel(samples, front), patches = front.features === "patches";
  const rows = patches ? patchesOf(spectra, front) : spectra, width = front.bands * (patches ? front.orders : 1);
  return { values: atFrames(rows, width, frames, samples.length / front.hop), width };
}
