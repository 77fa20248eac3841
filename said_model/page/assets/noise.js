// Standard normal noise, the same as torch draws on a CPU for a seed: so a seed gives the library's take.

// Mersenne Twister MT19937 (Matsumoto and Nishimura 1998).
class Twister {
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.state[i - 1] ^ this.state[i - 1] >>> 30;
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.place = 624;
  }

  next() {
    const state = this.state;
    if (this.place === 624) {
      for (let i = 0; i < 624; i++) {
        const mixed = state[i] & 0x80000000 | state[(i + 1) % 624] & 0x7fffffff;
        state[i] = state[(i + 397) % 624] ^ mixed >>> 1 ^ (mixed & 1 ? 0x9908b0df : 0);
      }
      this.place = 0;
    }
    let y = state[this.place++];
    y ^= y >>> 11; y ^= y << 7 & 0x9d2c5680; y ^= y << 15 & 0xefc60000; y ^= y >>> 18;
    return y >>> 0;
  }

  // In [0, 1), 24 bits.
  uniform() { return (this.next() & 0xffffff) / 0x1000000; }
}

// `count` numbers (a multiple of sixteen), by Box and Muller's transform in blocks of sixteen.
function normalNoise(seed, count) {
  const twister = new Twister(seed >>> 0), noise = new Float32Array(count);
  for (let i = 0; i < count; i++) noise[i] = twister.uniform();
  for (let start = 0; start < count; start += 16) {
    for (let i = start; i < start + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - noise[i])), angle = 2 * Math.PI * noise[i + 8];
      noise[i] = radius * Math.cos(angle);
      noise[i + 8] = radius * Math.sin(angle);
    }
  }
  return noise;
}
