import { z } from 'zod';
import { cut } from './cut.js';
import { dpo } from './dpo.js';
import { forwardPrediction } from './forward-prediction.js';
import { hindsight } from './hindsight.js';
import { type BoundMethod, bind } from './method.js';
import { sft } from './sft.js';

/** Every method that a recipe can name. Adding one is a file and a line here. */
const METHODS = {
  [sft.name]: sft, [forwardPrediction.name]: forwardPrediction, [hindsight.name]: hindsight,
  [cut.name]: cut,
  [dpo.name]: dpo,
} as const;

export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

const named = Object.entries(METHODS).map(([name, method]) => (method.options as z.ZodObject).safeExtend({ name: z.literal(name) }));

/** `method:` of a recipe: its name and its options. */
export const MethodOptions = z.discriminatedUnion('name', named as [(typeof named)[number], ...(typeof named)[number][]]);
export type MethodOptions = { readonly name: string } & Readonly<Record<string, unknown>>;

/** The method that a recipe names, with its options. */
export function methodOf({ name, ...options }: MethodOptions): BoundMethod {
  const method = METHODS[name];
  if (method === undefined) throw new Error(`There is no method "${name}". There are ${METHOD_NAMES.join(', ')}.`);
  return bind(method as Parameters<typeof bind>[0], options);
}
