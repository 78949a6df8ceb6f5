/** What linear layers compute with: the checkpoint's own weights, or 8 bits of them (`quantize.ts`). */
export const PRECISIONS = ['f32', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];
