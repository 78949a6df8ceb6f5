import type { FloatType } from './floats.js';

/** Where bytes lie. */
export interface Place {
  /** Relative to the checkpoint's folder. */
  readonly file: string;
  /** From the start of the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

interface Named {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tensor of floats. */
export interface FloatTensor extends Named, Place {
  readonly dtype: FloatType;
}

/** A number for each block: 16-bit floats, or 8-bit codes (signed) each of which is multiplied by the float of `together` blocks. */
export type Factors = { readonly halves: Place } | { readonly codes: Place; readonly halves: Place; readonly together: number };

/**
 * A matrix in codes, by blocks of neighbours along its rows: number = (code − zero)·scale + minimum. Two codes of `uint4` are in a byte,
 * the first in its low half. The zero of `uint8` is 128, that of `uint4` is 8, or 0 where there are minima.
 */
export interface PackedTensor extends Named {
  readonly dtype: 'uint4' | 'uint8';
  readonly shape: readonly [number, number];
  /** Neighbours that share a scale. */
  readonly block: number;
  readonly codes: Place;
  readonly scales: Factors;
  readonly minima?: Factors;
  /** Zero points as the runtime reads them, of the codes' type, as many as any tensor of the checkpoint has blocks. */
  readonly zeros?: Place;
  /** Bytes of all its parts. */
  readonly length: number;
}

/** Where a tensor's numbers lie. */
export type StoredTensor = FloatTensor | PackedTensor;

export const isPacked = (tensor: StoredTensor): tensor is PackedTensor => tensor.dtype === 'uint4' || tensor.dtype === 'uint8';

/** The number that a code stands for 0 with. */
export const zeroOf = ({ dtype, minima }: { readonly dtype: PackedTensor['dtype']; readonly minima?: Factors | boolean }): number => {
  if (dtype === 'uint8') return 128;
  return minima === undefined || minima === false ? 8 : 0;
};
