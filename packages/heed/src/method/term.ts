import type { Tensor } from '@heed/tensor';

/** Σ `sum` / Σ `count`, both scalars, over the whole optimizer step: how a micro-batch contributes to a loss or a metric. */
export interface Term {
  readonly sum: Tensor;
  readonly count: Tensor;
}

/** The least or the largest of some numbers, a scalar, over the whole optimizer step: how a micro-batch contributes to such a metric. */
export type Extreme = { readonly least: Tensor } | { readonly most: Tensor };
