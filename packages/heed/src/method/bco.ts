import { add, detach, div, logSigmoid, mul, neg, sub, sum } from '@heed/tensor';
import { z } from 'zod';
import { DESIRABLE, desirable, labelledMetrics, oneClass } from './labelled.js';
import { defineMethod } from './method.js';
import { reference, referenceOf } from './options.js';
import { logRatio, ofRows } from './pairs.js';

const options = z.strictObject({
  /** β. 0.1 is TRL's. */
  beta: z.number().positive().default(0.1),
  reference,
});

/**
 * Binary classifier optimisation: a classifier of good and bad completions whose logit is the reward. Jung et al., arXiv 2404.04656.
 *
 *   r = β (log π(y|x) − log π_ref(y|x)),    L = −log σ(r − δ)  of a good y,   −log σ(δ − r)  of a bad one
 *
 * The paper's δ is half the sum of the classes' mean rewards, by a moving average. Here, as in TRL, δ is the mean reward of all rows of
 * all optimizer steps so far, this one included: every row weighs the same, and a step's δ is known before its loss. δ is not
 * differentiated. The paper's density-ratio weights, for prompts of unlike distributions, are left out. Unit: row, both labels together.
 */
export const bco = defineMethod({
  name: 'bco',
  paper: 'Jung et al., Binary Classifier Optimization for Large Language Model Alignment, arXiv 2404.04656',
  row: 'labelled',
  options,
  names: ['completion'],
  columns: [DESIRABLE],
  references: (given) => ({ reference: { is: referenceOf(given.reference), scores: ['completion'] } }),
  scope: () => 'step',
  /** δ, and the rows that it is the mean of. */
  memory: { delta: 0, count: 0 },
  lossAtReference: () => Math.LN2,
  sequences: (row, text) => ({ completion: text.respond(row.prompt, row.completion) }),
  columnsOf: desirable,
  unfitTogether: (rows) => oneClass(rows, 'bco'),

  loss({ logp: { completion }, under, columns, rows, memory }, { beta }) {
    const good = columns[DESIRABLE]!;
    const reward = mul(logRatio(completion, under['reference']!.completion), beta);
    const count = add(memory['count']!, rows);
    const delta = add(memory['delta']!, div(sub(sum(detach(reward)), mul(memory['delta']!, rows)), count));
    const logit = sub(reward, delta);
    const each = neg(add(mul(good, logSigmoid(logit)), mul(sub(1, good), logSigmoid(neg(logit)))));
    return {
      terms: [ofRows(each, rows)],
      metrics: { ...labelledMetrics(reward, delta, good, completion.sum(), rows), delta: { sum: mul(delta, rows), count: rows } },
      memory: { delta, count },
    };
  },
});
