/** 32-bit floats as the types of GGUF files. */

/** The types that Heed writes, with ggml's number for each. */
export const WRITTEN = { F32: 0, F16: 1, Q8_0: 8 } as const;
export type WrittenType = keyof typeof WRITTEN;

/** Values in a block of Q8_0, and its bytes: a 16-bit scale and a byte for each value. */
const BLOCK = 32, BLOCK_BYTES = 34;

/** Bytes that so many values take. */
export const bytesOf = (type: WrittenType, count: number): number =>
  ({ F32: 4 * count, F16: 2 * count, Q8_0: (count / BLOCK) * BLOCK_BYTES })[type];

/** The type for rows of so many values: Q8_0 packs them in blocks, so other rows stay 16-bit. */
export const fitting = (type: WrittenType, row: number): WrittenType => (type === 'Q8_0' && row % BLOCK !== 0 ? 'F16' : type);

/** Little-endian bytes. */
export function encode(type: WrittenType, values: Float32Array): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return type === 'F16' ? halves(values) : q8(values);
}

const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/** The nearest 16-bit float's bits; halfway, the even one. What is too large becomes infinite. */
export function halfBits(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000, size = bits[0]! & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 the steps are 2^-24 wide: adding 1.5·2^23 steps rounds to whole ones.
  if (size < 0x38800000) return sign | (Math.fround(Math.abs(float[0]) * 2 ** 24 + 12582912) - 12582912);
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

function halves(values: Float32Array): Uint8Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = halfBits(values[i]!);
  return new Uint8Array(out.buffer);
}

/** ggml's `quantize_row_q8_0`: d = max|x| / 127 is stored in 16 bits; each value is x / d, by the d before that, rounded away from 0. */
function q8(values: Float32Array): Uint8Array {
  const out = new Uint8Array(bytesOf('Q8_0', values.length));
  for (let from = 0, at = 0; from < values.length; from += BLOCK, at += BLOCK_BYTES) {
    let most = 0;
    for (let i = from; i < from + BLOCK; i++) most = Math.max(most, Math.abs(values[i]!));
    const d = Math.fround(most / 127), inverse = d === 0 ? 0 : Math.fround(1 / d), half = halfBits(d);
    out[at] = half & 255;
    out[at + 1] = half >> 8;
    for (let i = 0; i < BLOCK; i++) {
      const x = Math.fround(values[from + i]! * inverse);
      out[at + 2 + i] = Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
    }
  }
  return out;
}
