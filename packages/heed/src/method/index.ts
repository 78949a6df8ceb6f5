import { z } from 'zod';
import type { RowDefinition } from '../data/row.js';
import type { RowKind } from '../data/rows.js';
import { bco } from './bco.js';
import { bind, bindParsed } from './bind.js';
import { choice } from './choice.js';
import { classifier } from './classifier.js';
import { cpo } from './cpo.js';
import { cut } from './cut.js';
import { d2o } from './d2o.js';
import { dpo } from './dpo.js';
import { forwardPrediction } from './forward-prediction.js';
import { gradientAscent } from './gradient-ascent.js';
import { grpo } from './grpo.js';
import { hindsight } from './hindsight.js';
import { hindsightReward } from './hindsight-reward.js';
import { ilf } from './ilf.js';
import { ilfDpo } from './ilf-dpo.js';
import { kto } from './kto.js';
import type { BoundMethod, Method } from './method.js';
import { npo } from './npo.js';
import { withName } from './options.js';
import { orpo } from './orpo.js';
import { ppo } from './ppo.js';
import { principleChoice } from './principle-choice.js';
import { principleRewardModel } from './principle-reward-model.js';
import { reinforce } from './reinforce.js';
import { rewardModel } from './reward-model.js';
import { rloo } from './rloo.js';
import { sft } from './sft.js';
import { simNpo } from './sim-npo.js';
import { simpo } from './simpo.js';
import { slic } from './slic.js';
import { unlikelihood } from './unlikelihood.js';

/** A method whatever its rows, options and names are. */
export type AnyMethod = Method<RowKind | RowDefinition, unknown, string>;

/** Methods by the names that recipes give them. */
export type Methods = Readonly<Record<string, AnyMethod>>;

/** Every method of Heed's. Adding one is a file and a line here. */
export const METHODS: Methods = {
  [sft.name]: sft, [forwardPrediction.name]: forwardPrediction, [hindsight.name]: hindsight, [hindsightReward.name]: hindsightReward,
  [ilf.name]: ilf, [ilfDpo.name]: ilfDpo,
  [cut.name]: cut, [unlikelihood.name]: unlikelihood,
  [gradientAscent.name]: gradientAscent, [npo.name]: npo, [simNpo.name]: simNpo, [d2o.name]: d2o,
  [dpo.name]: dpo, [slic.name]: slic, [simpo.name]: simpo, [orpo.name]: orpo, [cpo.name]: cpo,
  [kto.name]: kto, [bco.name]: bco,
  [choice.name]: choice,
  [rewardModel.name]: rewardModel, [classifier.name]: classifier,
  [principleRewardModel.name]: principleRewardModel, [principleChoice.name]: principleChoice,
  [reinforce.name]: reinforce, [rloo.name]: rloo, [grpo.name]: grpo, [ppo.name]: ppo,
};

/** The names that a recipe's `method:` takes. */
export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

/** `method:` of a recipe: a method's name and its options. */
export type MethodOptions = { readonly name: string } & Readonly<Record<string, unknown>>;

/** The schema of `method:` where it may name one of these methods. */
export function methodOptions(methods: Methods): z.ZodType<MethodOptions> {
  type Section = z.ZodType<MethodOptions> & z.core.$ZodTypeDiscriminable;
  const sections = Object.entries(methods).map(([name, { options }]) => withName(name, options));
  return z.discriminatedUnion('name', sections as unknown as [Section, ...Section[]]);
}

/** `method:` of a recipe that names one of Heed's methods. */
export const MethodOptions = methodOptions(METHODS);

/** Whether an export of a user's module is a method. */
export const isMethod = (value: unknown): value is AnyMethod => {
  if (typeof value !== 'object' || value === null) return false;
  const { name, options, names, columns, sequences, loss, row } = value as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && (options instanceof z.ZodObject || options instanceof z.ZodPipe)
    && Array.isArray(names) && Array.isArray(columns) && typeof sequences === 'function' && typeof loss === 'function'
    && (typeof row === 'string' || (typeof row === 'object' && row !== null && 'schema' in row));
};

/** One of these methods, with options as a program writes them; default: Heed's. */
export function methodOf({ name, ...options }: MethodOptions, methods: Methods = METHODS): BoundMethod {
  return bind(methodNamed(name, methods), options);
}

/** The method that a recipe names among these, with the options that the recipe's schema parsed. */
export function methodOfRecipe({ name, ...options }: MethodOptions, methods: Methods): BoundMethod {
  return bindParsed(methodNamed(name, methods), options);
}

function methodNamed(name: string, methods: Methods): AnyMethod {
  const method = methods[name];
  if (method === undefined) throw new Error(`There is no method "${name}". There are ${Object.keys(methods).join(', ')}.`);
  return method;
}
