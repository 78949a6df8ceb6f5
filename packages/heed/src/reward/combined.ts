import { type Failure, failed } from '../judge/respondent.js';
import { UserError } from '../errors.js';
import { addTotals } from '../label/usage.js';
import { closeAll } from './ask-through.js';
import type { Rated, Reward } from './reward.js';

/** One of several rewards that are summed. */
export interface RewardPart {
  readonly name: string;
  readonly reward: Reward;
  /** Any finite number: a negative one punishes; with 0 the reward is only logged. */
  readonly weight: number;
  /** What is taken off the reward's value before it is weighted; default 0. So a reward that does not apply counts as a middling one. */
  readonly centre?: number;
}

/**
 * Several rewards as one. For a response:
 *
 * - `value` is Σ weight · (value − centre) of the rewards that apply. A reward that does not apply (`not-applicable`) is left out of the
 *   sum, as TRL leaves out None (GRPOTrainer, `nansum`). Where none applies, the response fails as `not-applicable`.
 * - `parts` has the value of each reward that applies, without its weight, by name. Parts of the rewards themselves are not kept.
 * - `satisfied` says whether every reward that applies and draws a line is satisfied. It is absent where no such reward applies.
 * - `reason` has a line for each reward that gives a reason, after the reward's name. `findings` has the findings of all, and `spans` the
 *   spans of all, each with its reward's weight. `attention` is that of the one reward that gives it.
 * - Any other failure of a reward is the failure of the whole, and names the reward.
 *
 * The rewards rate one after another, in the order of `parts`.
 *
 * @throws RangeError where there is no part, two have one name, or a weight or centre is not finite
 */
export function combineRewards(parts: readonly RewardPart[]): Reward {
  if (parts.length === 0) throw new RangeError('combineRewards: no rewards');
  const names = parts.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RangeError(`combineRewards: two rewards are called "${twice}"`);
  const odd = parts.find(({ weight, centre = 0 }) => !Number.isFinite(weight - centre));
  if (odd !== undefined) {
    throw new RangeError(`combineRewards: the weight of "${odd.name}" is ${odd.weight}, its centre ${odd.centre ?? 0}`);
  }

  return {
    name: parts.map(nameOf).join(' + '),
    drawsLine: parts.some(({ reward }) => reward.drawsLine),
    weights: Object.fromEntries(parts.map(({ name, weight }) => [name, weight])),
    get asking() {
      const asked = parts.flatMap(({ reward }) => reward.asking ?? []);
      return asked.length === 0 ? undefined : asked.reduce(addTotals);
    },
    async rate(items, { onProgress, signal } = {}) {
      const results: (readonly (Rated | Failure)[])[] = [];
      for (const [k, { name, reward }] of parts.entries()) {
        const own = await reward.rate(items, {
          signal,
          // A response is rated when the last reward has rated it; until then the count grows with the share of the work.
          onProgress: (done, total) => onProgress?.(Math.floor((k * total + done) / parts.length), total),
        });
        if (own.length !== items.length) throw new Error(`The reward "${name}" gave ${own.length} results for ${items.length} responses.`);
        results.push(own);
      }
      return items.map((_, i) => combine(parts, results.map((own) => own[i]!)));
    },
    async rest() {
      for (const { reward } of parts) await reward.rest?.();
    },
    close: () => closeAll(parts.map(({ reward }) => reward)),
  };
}

const nameOf = ({ name, weight, centre, reward }: RewardPart): string =>
  `${weight} × ${centre === undefined ? name : `(${name} − ${centre})`} (${reward.name})`;

function combine(parts: readonly RewardPart[], results: readonly (Rated | Failure)[]): Rated | Failure {
  const found: (RewardPart & { readonly rated: Rated })[] = [];
  const silent: string[] = [];
  for (const [k, part] of parts.entries()) {
    const result = results[k]!;
    if (!failed(result)) found.push({ ...part, rated: result });
    else if (result.failure === 'not-applicable') silent.push(`${part.name}: ${result.detail}`);
    else return { ...result, detail: `${part.name}: ${result.detail}` };
  }
  if (found.length === 0) return { failure: 'not-applicable', detail: silent.join('; ') };

  const lines = found.flatMap(({ rated: { satisfied } }) => satisfied ?? []);
  const reasons = found.flatMap(({ name, rated: { reason } }) => (reason === null ? [] : `${name}: ${reason}`));
  const findings = found.flatMap(({ rated }) => rated.findings ?? []);
  const attending = found.filter(({ rated }) => rated.attention !== undefined);
  if (attending.length > 1) {
    throw new UserError(`${attending.map(({ name }) => name).join(' and ')} both give their attention on an answer.`, [
      'Leave `attention` out of all reward models but one.',
    ]);
  }
  const spans = found.flatMap(({ weight, rated }) => (rated.spans ?? []).map((span) => ({ ...span, value: weight * span.value })));
  return {
    value: found.reduce((sum, { weight, centre = 0, rated }) => sum + weight * (rated.value - centre), 0),
    reason: reasons.length === 0 ? null : reasons.join('\n'),
    parts: Object.fromEntries(found.map(({ name, rated }) => [name, rated.value])),
    satisfied: lines.length === 0 ? undefined : lines.every(Boolean),
    // Absent where no reward looks for places: "no findings" would then be a measurement that was never made.
    findings: found.some(({ rated }) => rated.findings !== undefined) ? findings : undefined,
    spans: found.some(({ rated }) => rated.spans !== undefined) ? spans : undefined,
    attention: attending[0]?.rated.attention,
  };
}
