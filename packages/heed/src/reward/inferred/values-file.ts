import { z } from 'zod';
import { readJsonAs } from '../../run/json-file.js';

export const Foresight = z.strictObject({ rows: z.int(), right: z.number(), logProbability: z.number(), atRandom: z.number() });

/** What `heed infer` writes: a distribution over the weights of named features. */
export const Values = z.strictObject({
  kind: z.literal('heed values'),
  /** φ = (x − centre) / scale, held within ±3. `version` of a feature that a module exports. */
  features: z.array(z.strictObject({
    name: z.string(), centre: z.number(), scale: z.number().positive(), version: z.string().optional(),
  })).min(1),
  /** Of the weights, in the order of the features. */
  mean: z.array(z.number()),
  covariance: z.array(z.array(z.number())),
  /** The value from which on people call a response good, where they voted. */
  threshold: z.strictObject({ mean: z.number(), deviation: z.number() }).optional(),
  /** Standard deviation of each weight before any evidence. */
  prior: z.number().positive(),
  evidence: z.strictObject({ comparisons: z.int(), demonstrations: z.int(), votes: z.int() }),
  /** Features that were the same for all responses: nothing is known of them. */
  unknown: z.array(z.string()),
  foresight: Foresight.optional(),
}).refine(
  ({ features: { length }, mean, covariance }) =>
    [mean, covariance, ...covariance].every((list) => list.length === length),
  'features, mean and covariance differ in length',
);
export type Values = z.infer<typeof Values>;

/** @throws UserError where the file cannot be read, or has another form */
export const readValues = (file: string): Promise<Values> => readJsonAs(file, Values, 'heed infer');
