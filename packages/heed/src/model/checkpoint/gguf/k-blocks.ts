import { halfTable } from '../floats.js';

/** Values in a super-block of the K types: eight groups of 32 with a 6-bit scale each, or sixteen of 16 with an 8-bit scale. */
export const SUPER = 256;

/**
 * Eight 6-bit scales and eight 6-bit minima from 12 bytes: the low six bits of bytes 0 to 7 are scales 0 to 3 and minima 0 to 3; the
 * nibbles of bytes 8 to 11 with the upper two bits of those before are the others.
 */
export function groupScales(from: Uint8Array, at: number, give: (group: number, scale: number, least: number) => void): void {
  for (let i = 0; i < 4; i++) {
    const a = from[at + i]!, b = from[at + 4 + i]!, c = from[at + 8 + i]!;
    give(i, a & 63, b & 63);
    give(i + 4, (c & 15) | ((a >> 2) & 48), (c >> 4) | ((b >> 2) & 48));
  }
}

const scales = new Float64Array(8), leasts = new Float64Array(8);

/** Scales and minima times the block's two factors, rounded to 32 bits. */
function scaled(from: Uint8Array, at: number): void {
  const half = halfTable(), factor = half[from[at]! | (from[at + 1]! << 8)]!, least = half[from[at + 2]! | (from[at + 3]! << 8)]!;
  groupScales(from, at + 4, (group, scale, minimum) => {
    scales[group] = Math.fround(factor * scale);
    leasts[group] = Math.fround(least * minimum);
  });
}

/** Q4_K: two factors, 12 bytes of scales, 128 bytes of nibbles (of each 32 bytes: the low ones first, then the high ones). */
export function dequantiseQ4K(from: Uint8Array, into: Float32Array, count: number): void {
  for (let block = 0, at = 0, out = 0; block < count; block++, at += 144) {
    scaled(from, at);
    for (let group = 0; group < 8; group++) {
      const scale = scales[group]!, least = leasts[group]!, values = at + 16 + (group >> 1) * 32, shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) into[out++] = Math.fround(scale * ((from[values + i]! >> shift) & 15)) - least;
    }
  }
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles (bit g of byte i: value i of group g). */
export function dequantiseQ5K(from: Uint8Array, into: Float32Array, count: number): void {
  for (let block = 0, at = 0, out = 0; block < count; block++, at += 176) {
    scaled(from, at);
    for (let group = 0; group < 8; group++) {
      const scale = scales[group]!, least = leasts[group]!, high = at + 16, values = at + 48 + (group >> 1) * 32, shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const value = ((from[values + i]! >> shift) & 15) | (((from[high + i]! >> group) & 1) << 4);
        into[out++] = Math.fround(scale * value) - least;
      }
    }
  }
}

/** Q6_K: 128 bytes of nibbles, 64 bytes of upper two bits, sixteen signed scales, one factor. Halves of 128 values, in quarters of 32. */
export function dequantiseQ6K(from: Uint8Array, into: Float32Array, count: number): void {
  const half = halfTable();
  for (let block = 0, at = 0, out = 0; block < count; block++, at += 210) {
    const factor = half[from[at + 208]! | (from[at + 209]! << 8)]!;
    for (let quarter = 0; quarter < 8; quarter++) {
      const side = quarter >> 2, low = at + side * 64 + (quarter & 1) * 32, high = at + 128 + side * 32;
      const shift = quarter & 2 ? 4 : 0, pair = (quarter & 3) * 2;
      for (let i = 0; i < 32; i++) {
        const scale = Math.fround(factor * ((from[at + 192 + quarter * 2 + (i >> 4)]! << 24) >> 24));
        into[out++] = scale * ((((from[low + i]! >> shift) & 15) | (((from[high + i]! >> pair) & 3) << 4)) - 32);
      }
    }
  }
}
