/** GGUF's blocks with their codes left as they are, sorted by kind: all codes, all scales, all minima. No number changes. */
import type { PackedForm, PackedParts } from '../packed.js';
import { zeroOf } from '../stored-tensor.js';
import { SUPER, groupScales } from './k-blocks.js';

type Pack = (from: Uint8Array, count: number) => PackedParts;

/** The form of a type's codes, and how so many of its blocks are sorted. */
export interface Packing extends PackedForm {
  readonly pack: Pack;
}

const word = (from: Uint8Array, at: number): number => from[at]! | (from[at + 1]! << 8);

/** Types of 32 values whose `bytes` hold a scale, perhaps a minimum, and then what `codeOf` reads: value i of the block at `at`. */
function simple(
  form: PackedForm, bytes: number, write: (from: Uint8Array, at: number, into: Uint8Array, out: number) => void,
): Packing {
  const size = form.dtype === 'uint4' ? 16 : 32;
  return {
    ...form,
    pack(from, count) {
      const codes = new Uint8Array(count * size), scales = new Uint16Array(count);
      const minima = form.minima ? new Uint16Array(count) : undefined;
      for (let block = 0, at = 0; block < count; block++, at += bytes) {
        scales[block] = word(from, at);
        if (minima !== undefined) minima[block] = word(from, at + 2);
        write(from, at, codes, block * size);
      }
      return minima === undefined ? { codes, scales } : { codes, scales, minima };
    },
  };
}

/** ggml has value i in the low half of byte i and value i + 16 in its high half; here neighbours share a byte. */
const nibbles = (head: number) => (from: Uint8Array, at: number, into: Uint8Array, out: number): void => {
  for (let i = 0; i < 8; i++) {
    const [a, b] = [from[at + head + 2 * i]!, from[at + head + 2 * i + 1]!];
    into[out + i] = (a & 15) | ((b & 15) << 4);
    into[out + i + 8] = (a >> 4) | (b & 240);
  }
};

/** Four bits as above, and the fifth bit of value i in bit i of the 32 before them. */
const fives = (head: number, more: number) => (from: Uint8Array, at: number, into: Uint8Array, out: number): void => {
  const fifth = word(from, at + head) | (word(from, at + head + 2) << 16);
  for (let i = 0; i < 16; i++) {
    const pair = from[at + head + 4 + i]!;
    into[out + i] = ((pair & 15) | (((fifth >>> i) & 1) << 4)) + more;
    into[out + i + 16] = ((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) + more;
  }
};

const bytesOf = (from: Uint8Array, at: number, into: Uint8Array, out: number): void => {
  for (let i = 0; i < 32; i++) into[out + i] = (from[at + 2 + i]! + 128) & 255;
};

const GROUPS = 8;

/** Q4_K and Q5_K: of each super-block two factors, eight 6-bit scales and minima, and the codes that `write` sorts. */
function superBlocks(
  dtype: PackedForm['dtype'], bytes: number, write: (from: Uint8Array, at: number, into: Uint8Array, out: number) => void,
): Packing {
  const size = dtype === 'uint4' ? SUPER / 2 : SUPER;
  return {
    dtype, block: 32, together: GROUPS, minima: true,
    pack(from, count) {
      const codes = new Uint8Array(count * size);
      const [scaleCodes, minimumCodes] = [new Uint8Array(count * GROUPS), new Uint8Array(count * GROUPS)];
      const [scaleFactors, minimumFactors] = [new Uint16Array(count), new Uint16Array(count)];
      for (let block = 0, at = 0; block < count; block++, at += bytes) {
        scaleFactors[block] = word(from, at);
        // The minimum is taken away in ggml and added here.
        minimumFactors[block] = word(from, at + 2) ^ 0x8000;
        groupScales(from, at + 4, (group, scale, least) => {
          scaleCodes[block * GROUPS + group] = scale;
          minimumCodes[block * GROUPS + group] = least;
        });
        write(from, at, codes, block * size);
      }
      return { codes, scale_codes: scaleCodes, scale_factors: scaleFactors, minimum_codes: minimumCodes, minimum_factors: minimumFactors };
    },
  };
}

function q4k(from: Uint8Array, at: number, into: Uint8Array, out: number): void {
  for (let group = 0; group < GROUPS; group++) {
    const values = at + 16 + (group >> 1) * 32, shift = (group & 1) * 4;
    for (let i = 0; i < 16; i++)
      into[out++] = ((from[values + 2 * i]! >> shift) & 15) | (((from[values + 2 * i + 1]! >> shift) & 15) << 4);
  }
}

function q5k(from: Uint8Array, at: number, into: Uint8Array, out: number): void {
  for (let group = 0; group < GROUPS; group++) {
    const values = at + 48 + (group >> 1) * 32, shift = (group & 1) * 4;
    for (let i = 0; i < 32; i++)
      into[out++] = 128 + (((from[values + i]! >> shift) & 15) | (((from[at + 16 + i]! >> group) & 1) << 4));
  }
}

const q6k: Packing = {
  dtype: 'uint8', block: 16, together: 16, minima: false,
  pack(from, count) {
    const codes = new Uint8Array(count * SUPER), scaleCodes = new Uint8Array(count * 16), scaleFactors = new Uint16Array(count);
    for (let block = 0, at = 0, out = 0; block < count; block++, at += 210) {
      scaleFactors[block] = word(from, at + 208);
      scaleCodes.set(from.subarray(at + 192, at + 208), block * 16);
      for (let quarter = 0; quarter < 8; quarter++) {
        const side = quarter >> 2, low = at + side * 64 + (quarter & 1) * 32, high = at + 128 + side * 32;
        const shift = quarter & 2 ? 4 : 0, pair = (quarter & 3) * 2;
        // Six bits about 32; here eight bits about 128.
        for (let i = 0; i < 32; i++) codes[out++] = (((from[low + i]! >> shift) & 15) | (((from[high + i]! >> pair) & 3) << 4)) + 96;
      }
    }
    return { codes, scale_codes: scaleCodes, scale_factors: scaleFactors };
  },
};

const symmetric = (dtype: PackedForm['dtype']): PackedForm => ({ dtype, block: 32, together: 1, minima: false });
const shifted = (dtype: PackedForm['dtype']): PackedForm => ({ dtype, block: 32, together: 1, minima: true });

/** By ggml's name of the type. Five and six bits are kept in bytes. */
export const PACKINGS: Readonly<Record<string, Packing>> = {
  Q4_0: simple(symmetric('uint4'), 18, nibbles(2)),
  Q4_1: simple(shifted('uint4'), 20, nibbles(4)),
  Q5_0: simple(symmetric('uint8'), 22, fives(2, 112)),
  Q5_1: simple(shifted('uint8'), 24, fives(4, 128)),
  Q8_0: simple(symmetric('uint8'), 34, bytesOf),
  Q4_K: superBlocks('uint4', 144, q4k),
  Q5_K: superBlocks('uint8', 176, q5k),
  Q6_K: q6k,
};

/** The same with each code in a byte. */
export function inBytes(packing: Packing): Packing {
  if (packing.dtype === 'uint8') return packing;
  // The zero of a byte is 128.
  const more = 128 - zeroOf({ dtype: 'uint4', minima: packing.minima });
  return {
    ...packing,
    dtype: 'uint8',
    pack(from, count) {
      const { codes, ...rest } = packing.pack(from, count);
      const wide = new Uint8Array(2 * codes.length);
      codes.forEach((pair, i) => {
        wide[2 * i] = (pair & 15) + more;
        wide[2 * i + 1] = (pair >> 4) + more;
      });
      return { codes: wide, ...rest };
    },
  };
}
