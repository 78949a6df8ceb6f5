import type { FloatType } from './floats.js';

/** Where a tensor's numbers lie. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: FloatType;
  readonly shape: readonly number[];
  /** Relative to the checkpoint's folder. */
  readonly file: string;
  /** From the start of the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}
