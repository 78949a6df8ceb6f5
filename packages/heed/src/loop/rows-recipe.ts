import { z } from 'zod';
import { Sampling } from '../run/recipe-schemas.js';

const shared = {
  /** Number of optimizer steps after which the policy writes its part anew. 0: only once, before training. */
  every: z.int().min(0).default(0),
  ...Sampling,
};

/** `rows:` of a recipe of `heed train`: parts of the rows that the model itself writes. */
export const RowsOptions = z.discriminatedUnion('make', [
  z.strictObject({
    /** Refinements of unsatisfactory responses, from their judgments (ILF): for rows of the kind `refined`. */
    make: z.literal('refine'),
    ...shared,
    /** The user turn, with {instruction}, {response} and {judgment}. Default: Heed's own words. */
    wording: z.string().optional(),
  }),
  z
    .strictObject({
      /** Positives beside a negative, drawn from the model (D2O): for rows of the kind `negative`. */
      make: z.literal('self-correct'),
      ...shared,
      /** Positives drawn for each row: K of the paper. Draw more than the method uses, since some will be unusable. */
      samples: z.int().min(1).default(12),
      /**
       * Whether positives are drawn with the self-correction prompt, or (the paper's ablation) with the plain prompt. Both are learnt with
       * the plain one.
       */
      correct: z.boolean().default(true),
      /** The user turn, with {instruction}. Default: Heed's own words. */
      wording: z.string().optional(),
    })
    .refine(({ correct, wording }) => correct || wording === undefined, {
      path: ['wording'],
      message: 'words the self-correction prompt, but correct is false; leave it out',
    }),
]);
export type RowsOptions = z.infer<typeof RowsOptions>;

/** `rows:` of a recipe of `heed align`: the same, or how the answers to a prompt become a row. */
export const AlignRowsOptions = z.discriminatedUnion('make', [
  ...RowsOptions.options,
  z.strictObject({
    /** The best answer to a prompt against the worst (online DPO): for rows of the kind `preference`, which are made so by default. */
    make: z.literal('pairs'),
    /** The least difference of their rewards; a closer pair is left out and counted. Default: any difference. */
    minGap: z.number().min(0).default(0),
  }),
  z.strictObject({
    /** The best of n answers to a prompt, where it is better than their mean (best-of-n): for rows of the kind `conversation`. */
    make: z.literal('best-of-n'),
  }),
  z.strictObject({
    /** A demonstration of the data against the policy's own answer (SPIN): for rows of the kind `preference`, without a reward. */
    make: z.literal('self-play'),
  }),
]);
export type AlignRowsOptions = z.infer<typeof AlignRowsOptions>;

/** Whether these rows lack a part that the model writes. */
export const areWritten = (rows: AlignRowsOptions): rows is RowsOptions => rows.make === 'refine' || rows.make === 'self-correct';
