// Sound at another rate, by a windowed sinc that passes 0.913 of the lower half rate, as soxr's high quality does.

const PASSED = 0.913, REJECTION = 120;

// Modified Bessel function of order zero.
function bessel(x) {
  let sum = 1, term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) { term *= (x / (2 * k)) ** 2; sum += term; }
  return sum;
}

const divisor = (a, b) => (b ? divisor(b, a % b) : a);

// A filter for each place of an output sample between input samples (Kaiser's window).
function phases(from, to) {
  const lower = Math.min(from, to) / 2, width = 2 * Math.PI * (1 - PASSED) * lower / from;
  const half = Math.ceil((REJECTION - 8) / (2.285 * width) / 2), beta = 0.1102 * (REJECTION - 8.7);
  const cutoff = (1 + PASSED) / 2 * lower / from * 2, whole = bessel(beta), count = to / divisor(from, to);
  return Array.from({ length: count }, (_, phase) => {
    const shift = phase * from / to % 1;
    return Float32Array.from({ length: 2 * half }, (_, i) => {
      const x = i - half + 1 - shift, inside = 1 - (x / half) ** 2;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      return inside > 0 ? cutoff * sinc * bessel(beta * Math.sqrt(inside)) / whole : 0;
    });
  });
}

// Samples at rate `from` to rate `to`. `pause` is awaited now and then.
async function resampled(samples, from, to, pause) {
  if (from === to) return Float32Array.from(samples);
  const filters = phases(from, to), half = filters[0].length / 2, result = new Float32Array(Math.round(samples.length * to / from));
  for (let n = 0; n < result.length; n++) {
    const place = Math.floor(n * from / to), filter = filters[n % filters.length], first = place - half + 1;
    let sum = 0;
    for (let i = Math.max(-first, 0); i < filter.length && first + i < samples.length; i++) sum += filter[i] * samples[first + i];
    result[n] = sum;
    if (n % 160000 === 159999) await pause();
  }
  return result;
}
