import { type Tensor, add, detach, div, greater, mul, relu, sigmoid, sub, sum, where } from '@heed/tensor';
import { z } from 'zod';
import type { LabelledRow } from '../data/rows.js';
import type { Message } from '../text/template.js';
import { DESIRABLE, desirable, labelledMetrics, oneClass } from './labelled.js';
import { type Among, defineMethod } from './method.js';
import { reference, referenceOf } from './options.js';
import { logRatio, ofRows } from './pairs.js';

const options = z.strictObject({
  /** `kto`, or `apo-zero`: the same without z₀ and so without mismatched pairs (TRL's apo_zero_unpaired). */
  loss: z.enum(['kto', 'apo-zero']).default('kto'),
  /** β. The paper takes 0.1. */
  beta: z.number().positive().default(0.1),
  /** λ_D: weight of good completions. With n_D good and n_U bad ones the authors advise λ_D·n_D / (λ_U·n_U) between 1 and 4/3. */
  desirableWeight: z.number().positive().default(1),
  /** λ_U: weight of bad completions. */
  undesirableWeight: z.number().positive().default(1),
  reference,
});

const samePrompt = (a: readonly Message[], b: readonly Message[]): boolean =>
  a.length === b.length && a.every(({ role, content }, i) => b[i]!.role === role && b[i]!.content === content);

/** The next row, cyclically, that answers another prompt. */
function mismatched({ rows, index }: Among<LabelledRow>): LabelledRow | undefined {
  for (let i = 1; i < rows.length; i++) {
    const other = rows[(index + i) % rows.length]!;
    if (!samePrompt(other.prompt, rows[index]!.prompt)) return other;
  }
  return undefined;
}

/**
 * Kahneman–Tversky optimisation: from votes on single completions. Ethayarajh et al., ICML 2024, arXiv 2402.01306.
 *
 *   r = log π(y|x) − log π_ref(y|x),   z₀ = max(0, mean of log π(y′|x) − log π_ref(y′|x))
 *   L = λ_D (1 − σ(β(r − z₀)))  of a good y,     λ_U (1 − σ(β(z₀ − r)))  of a bad one                                  (Eq. 7)
 *
 * log-probabilities are sums over tokens. y′ is a completion of another prompt: here of the next row in the data that has another one.
 * z₀ is taken over the whole optimizer step and not differentiated. `apo-zero`: z₀ = 0 (D'Oosterlinck et al., arXiv 2408.06266). Unit:
 * row, both labels together.
 */
export const kto = defineMethod({
  name: 'kto',
  paper: 'Ethayarajh et al., KTO: Model Alignment as Prospect Theoretic Optimization, ICML 2024, arXiv 2402.01306',
  row: 'labelled',
  options,
  names: ['completion', 'mismatched'],
  detached: ['mismatched'],
  columns: [DESIRABLE],
  references: (given) => ({
    reference: { is: referenceOf(given.reference), scores: given.loss === 'kto' ? ['completion', 'mismatched'] : ['completion'] },
    ...(given.loss === 'kto' ? { policy: { is: 'policy', scores: ['mismatched'] } } : {}),
  }),
  scope: ({ loss }) => (loss === 'kto' ? 'step' : 'row'),
  lossAtReference: ({ desirableWeight, undesirableWeight }) => (desirableWeight === undesirableWeight ? desirableWeight / 2 : undefined),
  sequences(row, text, { loss }, among) {
    const other = loss === 'kto' ? mismatched(among) : undefined;
    const completion = text.respond(row.prompt, row.completion);
    return other === undefined ? { completion } : { completion, mismatched: text.respond(row.prompt, other.completion, other.prompt) };
  },
  columnsOf: desirable,
  unfitTogether(rows, { loss }) {
    if (loss === 'kto' && rows.length > 0 && rows.every(({ prompt }) => samePrompt(prompt, rows[0]!.prompt))) {
      return 'kto sets completions under prompts of other rows, and all rows have the same prompt; ' +
        'add others, or use loss: apo-zero, which needs none';
    }
    return oneClass(rows, 'kto');
  },

  loss({ logp: { completion }, under, columns, present, rows }, { loss, beta, desirableWeight, undesirableWeight }) {
    const base = under['reference']!;
    const good = columns[DESIRABLE]!;
    const ratio = logRatio(completion, base.completion);
    const apart = (): Tensor => logRatio(under['policy']!.mismatched, base.mismatched);
    const zero = loss === 'kto' ? detach(relu(meanOf(apart(), present.mismatched))) : undefined;
    const gain = mul(zero === undefined ? ratio : sub(ratio, zero), beta);
    // 1 − σ(x) = σ(−x)
    const each = add(mul(mul(good, desirableWeight), sigmoid(mul(gain, -1))), mul(mul(sub(1, good), undesirableWeight), sigmoid(gain)));
    return {
      terms: [ofRows(each, rows)],
      metrics: {
        ...labelledMetrics(mul(ratio, beta), zero === undefined ? 0 : mul(zero, beta), good, completion.sum(), rows),
        ...(zero === undefined ? {} : { kl: { sum: mul(zero, rows), count: rows } }),
      },
    };
  },
});

function meanOf(x: Tensor, there: Tensor): Tensor {
  const count = sum(there);
  return div(sum(mul(x, there)), where(greater(count, 0.5), count, 1));
}
