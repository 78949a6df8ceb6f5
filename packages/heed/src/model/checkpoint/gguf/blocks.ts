import { halfTable, upcast } from '../floats.js';
import { dequantiseQ4K, dequantiseQ5K, dequantiseQ6K, SUPER } from './k-blocks.js';

/** How a GGUF tensor type packs its values: blocks of `values` numbers in `bytes` bytes. */
export interface BlockType {
  readonly name: string;
  readonly values: number;
  readonly bytes: number;
  /** Unpack `count` blocks from `from` into `into`. */
  readonly dequantise: (from: Uint8Array, into: Float32Array, count: number) => void;
}

const float = (name: string, type: 'float32' | 'float16' | 'bfloat16', bytes: number): BlockType =>
  ({ name, values: 1, bytes, dequantise: (from, into, count) => { upcast(type, from.subarray(0, count * bytes), into); } });

/**
 * The types that can be read, by ggml's number for them. A 16-bit scale times a small integer is exact in 32 bits and
 * the sum is rounded once, so the results equal those of the `gguf` Python package bit for bit.
 */
const TYPES: Readonly<Record<number, BlockType>> = {
  0: float('F32', 'float32', 4),
  1: float('F16', 'float16', 2),
  30: float('BF16', 'bfloat16', 2),
  2: {
    name: 'Q4_0', values: 32, bytes: 18,
    dequantise(from, into, count) {
      const half = halfTable();
      for (let block = 0, at = 0, out = 0; block < count; block++, at += 18, out += 32) {
        const scale = half[from[at]! | (from[at + 1]! << 8)]!;
        for (let i = 0; i < 16; i++) {
          const pair = from[at + 2 + i]!;
          into[out + i] = scale * ((pair & 15) - 8);
          into[out + i + 16] = scale * ((pair >> 4) - 8);
        }
      }
    },
  },
  3: {
    name: 'Q4_1', values: 32, bytes: 20,
    dequantise(from, into, count) {
      const half = halfTable();
      for (let block = 0, at = 0, out = 0; block < count; block++, at += 20, out += 32) {
        const scale = half[from[at]! | (from[at + 1]! << 8)]!, least = half[from[at + 2]! | (from[at + 3]! << 8)]!;
        for (let i = 0; i < 16; i++) {
          const pair = from[at + 4 + i]!;
          into[out + i] = scale * (pair & 15) + least;
          into[out + i + 16] = scale * (pair >> 4) + least;
        }
      }
    },
  },
  6: {
    name: 'Q5_0', values: 32, bytes: 22,
    dequantise(from, into, count) {
      const half = halfTable();
      for (let block = 0, at = 0, out = 0; block < count; block++, at += 22, out += 32) {
        const scale = half[from[at]! | (from[at + 1]! << 8)]!, fifth = fifthBits(from, at + 2);
        for (let i = 0; i < 16; i++) {
          const pair = from[at + 6 + i]!;
          into[out + i] = scale * (((pair & 15) | (((fifth >>> i) & 1) << 4)) - 16);
          into[out + i + 16] = scale * (((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) - 16);
        }
      }
    },
  },
  7: {
    name: 'Q5_1', values: 32, bytes: 24,
    dequantise(from, into, count) {
      const half = halfTable();
      for (let block = 0, at = 0, out = 0; block < count; block++, at += 24, out += 32) {
        const scale = half[from[at]! | (from[at + 1]! << 8)]!,
          least = half[from[at + 2]! | (from[at + 3]! << 8)]!,
          fifth = fifthBits(from, at + 4);
        for (let i = 0; i < 16; i++) {
          const pair = from[at + 8 + i]!;
          into[out + i] = scale * ((pair & 15) | (((fifth >>> i) & 1) << 4)) + least;
          into[out + i + 16] = scale * ((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) + least;
        }
      }
    },
  },
  8: {
    name: 'Q8_0', values: 32, bytes: 34,
    dequantise(from, into, count) {
      const half = halfTable();
      for (let block = 0, at = 0, out = 0; block < count; block++, at += 34, out += 32) {
        const scale = half[from[at]! | (from[at + 1]! << 8)]!;
        for (let i = 0; i < 32; i++) into[out + i] = scale * ((from[at + 2 + i]! << 24) >> 24);
      }
    },
  },
  12: { name: 'Q4_K', values: SUPER, bytes: 144, dequantise: dequantiseQ4K },
  13: { name: 'Q5_K', values: SUPER, bytes: 176, dequantise: dequantiseQ5K },
  14: { name: 'Q6_K', values: SUPER, bytes: 210, dequantise: dequantiseQ6K },
};

/** 32 bits, one for each value of a block. */
function fifthBits(from: Uint8Array, at: number): number {
  return from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24);
}

/** ggml's names for what cannot be read yet, so that the error can say which it is. */
const OTHERS: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type with ggml's number `id`; `fail` gets the end of a sentence about the tensor. */
export function blockType(id: number, fail: (what: string) => never): BlockType {
  const known = Object.values(TYPES).map((type) => type.name).join(', ');
  return (
    TYPES[id] ??
    fail(
      `has the type ${OTHERS[id] ?? id}, which cannot be read (${known} can): take another quantisation of this model, or its safetensors`,
    )
  );
}
