import { z } from 'zod';
import { Sampling } from '../run/sampling.js';

const shared = {
  /** Optimizer steps after which rows are made anew by the policy; 0: once, before training. */
  every: z.int().min(0).default(0),
  ...Sampling,
};

/** `rows:` of a recipe: parts of the rows that the model itself writes. */
export const RowsOptions = z.discriminatedUnion('make', [
  z.strictObject({
    /** Refinements of unsatisfactory responses, from their judgments (ILF): for rows of the kind `refined`. */
    make: z.literal('refine'),
    ...shared,
    /** The user turn, with {instruction}, {response} and {judgment}; left out, our own. */
    wording: z.string().optional(),
  }),
  z.strictObject({
    /** Positives beside a negative, drawn from the model (D2O): for rows of the kind `negative`. */
    make: z.literal('self-correct'),
    ...shared,
    /** Positives drawn for each row, K of the paper; more than the method uses makes up for those that are unusable. */
    samples: z.int().min(1).default(12),
    /** Draw them under the self-correction prompt; false: under the plain one (the paper's ablation). They are learnt under the plain one. */
    correct: z.boolean().default(true),
    /** The user turn, with {instruction}; left out, our own. */
    wording: z.string().optional(),
  }).refine(({ correct, wording }) => correct || wording === undefined, { path: ['wording'], message: 'without self-correction there is nothing to word; leave it out' }),
]);
export type RowsOptions = z.infer<typeof RowsOptions>;
