import type { FloatType } from '../floats.js';

/** A frozen weight that lies in a file and goes to the device once: an input of the model, float32 there whatever it is in the file. */
export interface DeviceWeight {
  readonly name: string;
  /** In the file. */
  readonly dtype: FloatType;
  readonly shape: readonly number[];
  readonly data: { readonly file: string; readonly offset: number; readonly length: number };
}

/** Rows of a table, from `from` on. */
export interface TablePart {
  readonly from: number;
  readonly weight: DeviceWeight;
}
