/** Numbers of matrices in codes, on the host; rounded as the runtime rounds them. */
import { halfTable, upcast } from './floats.js';
import { type Factors, type PackedTensor, type Place, zeroOf } from './stored-tensor.js';

/** Values whose factors lie together: a range that is widened begins and ends between two such groups. */
export const groupOf = ({ block, scales, minima }: PackedTensor): number =>
  block * Math.max(togetherIn(scales), minima === undefined ? 1 : togetherIn(minima));

const togetherIn = (factors: Factors): number => ('codes' in factors ? factors.together : 1);

/** The bytes that values `from` … `from + count` are made of. */
export function placesOf(tensor: PackedTensor, from: number, count: number): Place[] {
  const { dtype, block, codes, scales, minima } = tensor;
  const part = ({ file, offset }: Place, bytes: number): Place => ({ file, offset: offset + from * bytes, length: count * bytes });
  const ofFactors = (factors: Factors): Place[] =>
    ('codes' in factors
      ? [part(factors.codes, 1 / block), part(factors.halves, 2 / (block * factors.together))]
      : [part(factors.halves, 2 / block)]);
  return [part(codes, dtype === 'uint4' ? 1 / 2 : 1), ...ofFactors(scales), ...(minima === undefined ? [] : ofFactors(minima))];
}

/** As many values as `bytes`, read from `placesOf`, hold. */
export function widen(tensor: PackedTensor, bytes: readonly Uint8Array[]): Float32Array {
  const { dtype, block } = tensor;
  const [codes, ...rest] = bytes as [Uint8Array, ...Uint8Array[]];
  const four = dtype === 'uint4';
  const { scales, minima: least } = factorsIn(tensor, rest);
  const zero = zeroOf(tensor);
  const out = new Float32Array(scales.length * block);
  for (let b = 0, at = 0; b < scales.length; b++) {
    const scale = scales[b]!, minimum = least?.[b];
    for (let i = 0; i < block; i++, at++) {
      const code = four ? (codes[at >> 1]! >> (4 * (at & 1))) & 15 : codes[at]!;
      out[at] = scale * (code - zero);
      if (minimum !== undefined) out[at]! += minimum;
    }
  }
  return out;
}

/** Each block's scale and minimum, from `placesOf` without the codes. */
export function factorsIn({ scales, minima }: PackedTensor, bytes: readonly Uint8Array[]): { scales: Float32Array; minima?: Float32Array } {
  const rest = [...bytes];
  return { scales: factorsOf(scales, rest), ...(minima && { minima: factorsOf(minima, rest) }) };
}

/** Each block's number. Takes its bytes from the front of `rest`. */
function factorsOf(factors: Factors, rest: Uint8Array[]): Float32Array {
  if (!('codes' in factors)) return upcast('float16', rest.shift()!);
  const [codes, bytes] = [rest.shift()!, rest.shift()!];
  const half = halfTable();
  return Float32Array.from(codes, (code, b) => {
    const at = 2 * Math.floor(b / factors.together);
    return half[bytes[at]! | (bytes[at + 1]! << 8)]! * ((code << 24) >> 24);
  });
}
