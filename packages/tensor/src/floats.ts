/** The dtypes that weights are stored in. */
export type FloatType = 'float32' | 'float16' | 'bfloat16';

const BYTES: Readonly<Record<FloatType, number>> = { float32: 4, float16: 2, bfloat16: 2 };

let halves: Float32Array | undefined;

/** All 65,536 half-precision values by their bits: a table look-up is what makes dequantising quick. */
export function halfTable(): Float32Array {
  if (halves) return halves;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    let size = (1 + fraction / 1024) * 2 ** (exponent - 15);
    if (exponent === 0) size = fraction * 2 ** -24;
    if (exponent === 31) size = fraction ? NaN : Infinity;
    table[bits] = bits & 0x8000 ? -size : size;
  }
  return (halves = table);
}

/** Little-endian bytes of `type` as 32-bit floats (a new array, or `into`). */
export function upcast(type: FloatType, bytes: Uint8Array, into?: Float32Array): Float32Array {
  const count = bytes.length / BYTES[type];
  const out = into ?? new Float32Array(count);
  if (type === 'float32') {
    new Uint8Array(out.buffer, out.byteOffset, count * 4).set(bytes);
    return out;
  }
  const words = bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, count)
    : new Uint16Array(bytes.slice().buffer, 0, count);
  if (type === 'float16') {
    const table = halfTable();
    for (let i = 0; i < count; i++) out[i] = table[words[i]!]!;
  } else {
    const bits = new Uint32Array(out.buffer, out.byteOffset, count);
    for (let i = 0; i < count; i++) bits[i] = words[i]! << 16;
  }
  return out;
}
