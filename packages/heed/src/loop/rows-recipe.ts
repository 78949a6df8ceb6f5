import { z } from 'zod';
import { Sampling } from '../run/recipe-schemas.js';

const shared = {
  /** Number of optimizer steps after which the policy writes its part anew. 0: only once, before training. */
  every: z.int().min(0).default(0),
  ...Sampling,
};

/** `rows:` of a recipe: parts of the rows that the model itself writes. */
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
