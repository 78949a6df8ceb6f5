/**
 * What the frozen matrices of a model are in memory: `f32`, as they are stored (those of a GGUF file dequantised); `gguf`, the codes of a
 * GGUF file, which give the same numbers; `int8` and `int4`, rounded once by blocks (`quantize.ts`).
 */
export const PRECISIONS = ['f32', 'gguf', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];
