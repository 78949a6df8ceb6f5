import { z } from 'zod';
import { bco } from './bco.js';
import { choice } from './choice.js';
import { classifier } from './classifier.js';
import { cpo } from './cpo.js';
import { cut } from './cut.js';
import { d2o } from './d2o.js';
import { dpo } from './dpo.js';
import { forwardPrediction } from './forward-prediction.js';
import { gradientAscent } from './gradient-ascent.js';
import { hindsight } from './hindsight.js';
import { hindsightReward } from './hindsight-reward.js';
import { ilf } from './ilf.js';
import { ilfDpo } from './ilf-dpo.js';
import { kto } from './kto.js';
import { type BoundMethod, bind } from './method.js';
import { npo } from './npo.js';
import { withName } from './options.js';
import { orpo } from './orpo.js';
import { principleChoice } from './principle-choice.js';
import { principleRewardModel } from './principle-reward-model.js';
import { rewardModel } from './reward-model.js';
import { sft } from './sft.js';
import { simNpo } from './sim-npo.js';
import { simpo } from './simpo.js';
import { slic } from './slic.js';
import { unlikelihood } from './unlikelihood.js';

/** Every method that a recipe can name. Adding one is a file and a line here. */
const METHODS = {
  [sft.name]: sft, [forwardPrediction.name]: forwardPrediction, [hindsight.name]: hindsight, [hindsightReward.name]: hindsightReward,
  [ilf.name]: ilf, [ilfDpo.name]: ilfDpo,
  [cut.name]: cut, [unlikelihood.name]: unlikelihood,
  [gradientAscent.name]: gradientAscent, [npo.name]: npo, [simNpo.name]: simNpo, [d2o.name]: d2o,
  [dpo.name]: dpo, [slic.name]: slic, [simpo.name]: simpo, [orpo.name]: orpo, [cpo.name]: cpo,
  [kto.name]: kto, [bco.name]: bco,
  [choice.name]: choice,
  [rewardModel.name]: rewardModel, [classifier.name]: classifier,
  [principleRewardModel.name]: principleRewardModel, [principleChoice.name]: principleChoice,
} as const;

/** The names that a recipe's `method:` takes. */
export const METHOD_NAMES: readonly string[] = Object.keys(METHODS);

const named = Object.entries(METHODS).map(([name, { options }]) => withName(name, options) as z.ZodObject);

/** `method:` of a recipe: its name and its options. */
export const MethodOptions = z.discriminatedUnion('name', named as [(typeof named)[number], ...(typeof named)[number][]]);
export type MethodOptions = { readonly name: string } & Readonly<Record<string, unknown>>;

/** The method that a recipe names, with its options. */
export function methodOf({ name, ...options }: MethodOptions): BoundMethod {
  const method = METHODS[name];
  if (method === undefined) throw new Error(`There is no method "${name}". There are ${METHOD_NAMES.join(', ')}.`);
  return bind(method as Parameters<typeof bind>[0], options);
}
