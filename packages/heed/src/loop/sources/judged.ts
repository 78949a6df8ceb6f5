import type { PromptRow } from '../../data/rows.js';
import { type Failure, failed, reasonsOf } from '../../judge/respondent.js';
import type { Rated, Reward } from '../../reward/reward.js';
import { createRandom } from '../../run/random.js';
import type { Answer } from '../answer-log.js';
import { type AnswersRounds, answerRound, countDegenerate, isWhole, sayTrained } from '../answered-round.js';
import type { Constraints } from '../constraints.js';
import type { Degenerate } from '../../evaluate/degenerate.js';
import { counted, rateAnswers } from '../ratings.js';
import { readyItems } from '../ready.js';
import type { RowMaker } from '../row-maker.js';
import type { Maker, Sample } from '../rows-of.js';
import { rowsOfRound } from '../rows-of-round.js';
import type { Source } from '../source.js';
import type { Watch } from '../watch.js';

export interface JudgedSetup extends AnswersRounds {
  readonly reward: Reward;
  /** The share of a round's answers that may get no rating. */
  readonly allowedFailures: number;
  /** How the method's rows are made of the answers to a prompt. */
  readonly rowsOf: Maker;
  /** Writes what the rows lack: refinements, positives. */
  readonly maker: RowMaker | undefined;
  /** Costs that are taken off the rewards. */
  readonly constraints: Constraints;
  /** Looks for signs that the reward is earned by something else than better answers. */
  readonly watch: Watch;
}

/** What a round did, for `summary.json`. */
export interface JudgedRound extends Degenerate {
  /** Answers with a rating. */
  readonly answers: number;
  readonly satisfied: number;
  /** Mean value of the rated answers; null where there are none. */
  readonly reward: number | null;
  /** Answers that were empty or cut off at maxNewTokens: a response is learnt with its end of turn, and these have none. */
  readonly unfinished: number;
  /** Answers without a rating, by reason. */
  readonly unrated: Readonly<Record<string, number>>;
  /** Prompts whose answers became no row, by reason (`tie`, `close`, `single`, `duplicate`): of pairs and of best-of-n. */
  readonly unused?: Readonly<Record<string, number>>;
  /** Rows that were learnt from: 0 where a round after the first taught nothing. */
  readonly trainedOn: number;
  /** What the answers look like, by the names of `alarms.ts`. */
  readonly [sign: string]: unknown;
}

/**
 * The online loop (CUT: Xu et al. 2024, section 5.2): the policy answers the prompts, a reward rates the answers, and the rated answers
 * become rows of the kind that the method learns from. Answers and ratings are kept in `work/round-<k>/`.
 *
 * A round whose answers teach the method nothing (all are good, say) has an empty lesson. In the first round that is an error: it would
 * recur, and a run would end with the adapter that it began with.
 */
export function judgedSource(setup: JudgedSetup): Source {
  const { rounds, reward, method, text, limits, seed, answerer, run, maker, hooks: { say = () => undefined } } = setup;
  const done = new Map<number, JudgedRound>();

  return {
    rounds,
    goesBack: setup.watch.mayStop(false),
    async lesson({ k, policy }) {
      const path = (name: string): string => run.path('work', `round-${k}`, name);
      const { chosen, answers } = await answerRound(k, policy, setup);
      const whole = answers.filter(isWhole);
      const rated = await rate(k, chosen, whole, path('ratings.json'));
      const { samples: all, failures } = rated;
      const seen = await setup.watch.look(k, all.map(({ text: said, rated: { value, parts } }) => ({ text: said, value, parts })));
      const own = rowsOfRound(setup.rowsOf, method.row, all, [seed, k]);
      const watched = countDegenerate(k, answers, setup.hooks);
      const report = {
        answers: all.length,
        satisfied: countSatisfied(all),
        unfinished: answers.length - whole.length,
        unrated: reasonsOf(failures),
        reward: meanValue(rated.given),
        ...watched, ...seen.report, ...(own.unused && { unused: own.unused }), ...own.measures,
      };
      if (seen.stop) {
        await answerer.rest();
        done.set(k, { ...report, trainedOn: 0 });
        return { items: [], rows: [], seed: seed + k, last: true, goBack: true };
      }
      const made = method.select(own.rows, createRandom('select', seed, k));
      const rows = maker === undefined ? made : await maker.make(`round-${k}`, made, policy);
      await answerer.rest();
      const words = [describe({ ...rated, answers: answers.length }), ...describeUnused(own.unused)].join(', ');
      const { unfinished } = report;
      const advice = (own.unused?.['close'] ?? 0) > 0 ? CLOSE : ADVICE;
      const items = readyItems(rows, { method, text, limits, k, words, answers: answers.length, unfinished, advice, say });
      done.set(k, { ...report, trainedOn: items.length });
      return { items, rows, seed: seed + k, metrics: { ...rated.metrics, ...own.measures } };
    },
    learnt(k, { steps }) {
      const round = done.get(k)!;
      sayTrained(k, round.trainedOn, steps, setup);
      return { ...round };
    },
  };

  async function rate(k: number, asked: readonly PromptRow[], answers: readonly Answer[], file: string) {
    const items = answers.map(({ row, text: response, ids }) => ({ prompt: asked[row]!.prompt, response, ids, row: asked[row]! }));
    const given = await rateAnswers(file, items, reward, setup.allowedFailures, setup.hooks);
    const lined = setup.rowsOf.needsLine === true ? given.map(withLine) : given;
    const { results, metrics } = await setup.constraints.apply(k, items, lined);
    const found = answers.flatMap(({ row, sample, text: said }, i): Sample[] => {
      const result = results[i]!;
      return failed(result) ? [] : [{ prompt: asked[row]!, sample, text: said, rated: result }];
    });
    return { samples: found, failures: results.filter(failed), given, metrics, whole: answers.length };
  }
}

const ADVICE = 'Where the reward is the same for all answers, it cannot tell them apart: '
  + 'look at its reasons, teach its judge (docs/labels.md), or draw more answers (generate.samples).';

const CLOSE = 'The best and the worst answer to a prompt are closer than rows.minGap: lower it, or draw more answers (generate.samples).';

/** Rows that tell good answers from bad ones are made only of answers about which the reward says which they are. */
const withLine = (result: Rated | Failure): Rated | Failure => {
  if (failed(result) || result.satisfied !== undefined) return result;
  return { failure: 'not-applicable', detail: 'no reward that draws a line applies to this response' };
};

/** Why a prompt's answers became no row, in words. */
const WITHOUT: Readonly<Record<string, string>> = {
  tie: 'equal rewards', close: 'rewards closer than rows.minGap', single: 'one answer alone', duplicate: 'the row of another prompt',
};

function describeUnused(unused: Readonly<Record<string, number>> = {}): string[] {
  const total = Object.values(unused).reduce((sum, n) => sum + n, 0);
  const reasons = Object.entries(unused).map(([reason, n]) => `${n} with ${WITHOUT[reason] ?? reason}`).join(', ');
  return total === 0 ? [] : [`${total} ${total === 1 ? 'prompt' : 'prompts'} without a row (${reasons})`];
}

/** Mean value of the rated answers, before costs are taken off. */
function meanValue(given: readonly (Rated | Failure)[]): number | null {
  const values = given.flatMap((one) => (failed(one) ? [] : [one.value]));
  return values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
}

const countSatisfied = (samples: readonly Sample[]): number => samples.filter(({ rated }) => rated.satisfied === true).length;

interface RatedRound {
  readonly samples: readonly Sample[];
  readonly failures: Parameters<typeof counted>[0];
  /** Answers that are whole: neither cut off nor empty. */
  readonly whole: number;
  readonly answers: number;
}

function describe({ samples, failures, whole, answers }: RatedRound): string {
  const line = samples.some(({ rated }) => rated.satisfied !== undefined);
  const mean = samples.reduce((sum, { rated }) => sum + rated.value, 0) / samples.length;
  const marked = line
    ? `${countSatisfied(samples)} of ${samples.length} answers satisfy the reward`
    : `${samples.length} answers with a mean reward of ${mean.toPrecision(3)}`;
  return [
    samples.length === 0 ? `none of ${answers} answers can be learnt from` : marked,
    ...(whole < answers ? [`${answers - whole} were cut off or empty`] : []),
    ...(failures.length > 0 ? [`${failures.length} got no rating (${counted(failures)})`] : []),
  ].join(', ');
}
