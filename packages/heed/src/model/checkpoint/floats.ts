import type { FloatType } from '@heed/tensor';

/* The dtypes that weights are stored in, and how they become 32-bit floats. */
export { type FloatType, halfTable, upcast } from '@heed/tensor';

export const BYTES: Readonly<Record<FloatType, number>> = { float32: 4, float16: 2, bfloat16: 2 };
