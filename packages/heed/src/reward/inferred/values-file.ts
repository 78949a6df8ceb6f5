import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { fileError } from '../../run/files.js';

const Foresight = z.strictObject({ rows: z.int(), right: z.number(), logProbability: z.number(), atRandom: z.number() });

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

/** Reads a file of one of the forms that Heed writes. @throws UserError where it cannot be read, or has another form */
export async function readJsonAs<T>(file: string, schema: z.ZodType<T>, madeBy: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fileError(error, file, 'reading');
  }
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new UserError(`${file} is not JSON.`, [`Write it with ${madeBy}.`]);
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue!.path.length === 0 ? '' : `${issue!.path.map(String).join('.')}: `;
  throw new UserError(`${file} is no file of ${madeBy}: ${place}${issue!.message}`, [`Write it with ${madeBy}.`]);
}

export const readValues = (file: string): Promise<Values> => readJsonAs(file, Values, 'heed infer');
