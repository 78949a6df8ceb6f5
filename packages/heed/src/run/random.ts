/**
 * Random numbers named by what they are for, never by when they were drawn.
 *
 * `createRandom(seed, 'order', epoch)` gives the same stream in every process, so a resumed run needs no saved state:
 * it asks for the stream of step 41 by name. The keys are hashed with SHA-256 into the state of xoshiro128**
 * (Blackman & Vigna 2018), so that neighbouring keys give unrelated streams.
 */
import { createHash } from 'node:crypto';

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** A uniform integer in [0, n), for 1 ≤ n ≤ 2³². */
  int(n: number): number;
  /** A draw from the standard normal distribution. */
  normal(): number;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** `n` different items in random order. Throws when there are fewer. */
  sample<T>(items: readonly T[], n: number): T[];
}

function state(keys: readonly (string | number)[]): Uint32Array {
  for (const key of keys) {
    if (typeof key === 'number' && !Number.isFinite(key)) throw new RangeError(`createRandom: ${key} cannot name a stream`);
  }
  // JSON keeps 1 and "1", and ["a","b"] and ["ab"], apart.
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest();
  const words = Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32LE(4 * i));
  if (words.every((word) => word === 0)) words[0] = 1; // the one state that xoshiro cannot leave
  return words;
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** The stream named by `keys`. No keys is a stream too. */
export function createRandom(...keys: (string | number)[]): Random {
  const initial = state(keys);
  let a = initial[0] ?? 0;
  let b = initial[1] ?? 0;
  let c = initial[2] ?? 0;
  let d = initial[3] ?? 0;
  let spare: number | undefined;

  const bits = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  const next = (): number => {
    const high = bits() >>> 5;
    const low = bits() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  };
  const int = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000) throw new RangeError(`Random.int: ${n} is not an integer in [1, 2^32]`);
    return Math.floor(next() * n);
  };
  /** The first `n` places of a Fisher-Yates shuffle. */
  const pick = <T>(items: readonly T[], n: number): T[] => {
    const copy = items.slice();
    for (let i = 0; i < n; i++) {
      const j = i + int(copy.length - i);
      const kept = copy[i] as T;
      copy[i] = copy[j] as T;
      copy[j] = kept;
    }
    copy.length = n;
    return copy;
  };

  return {
    next,
    int,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Marsaglia's polar method: no sine, whose last bit may differ between engines.
      for (;;) {
        const u = 2 * next() - 1;
        const v = 2 * next() - 1;
        const s = u * u + v * v;
        if (s === 0 || s >= 1) continue;
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    },
    shuffle: (items) => pick(items, items.length),
    sample(items, n) {
      if (!Number.isInteger(n) || n < 0 || n > items.length) throw new RangeError(`Random.sample: cannot take ${n} of ${items.length}`);
      return pick(items, n);
    },
  };
}
