import { type Failure, failed, reasonsOf } from '../../judge/respondent.js';
import type { Rated, Reward } from '../../reward/reward.js';
import {
  type AnsweredPrompts, type AnswersRounds, answerRound, countDegenerate, drawnTokens, isWhole, sayTrained,
} from '../answered-round.js';
import type { Constraints } from '../constraints.js';
import type { Degenerate } from '../../evaluate/degenerate.js';
import { adviceFor, countSatisfied, describeJudged, meanValue } from '../judged-words.js';
import { rateAnswers } from '../ratings.js';
import { readyItems, selectRows } from '../ready.js';
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
      const answered = await answerRound(k, policy, setup);
      const { answers } = answered;
      const whole = answers.filter(isWhole);
      const unfinished = answers.length - whole.length;
      const { samples: all, failures, given, metrics } = await rate(k, { ...answered, answers: whole });
      // As they were rated: costs are weighed anew in every round, so that the sums of two rounds are not alike.
      const seen = await setup.watch.look(k, given.flatMap((one, i) =>
        (failed(one) ? [] : [{ text: whole[i]!.text, value: one.value, parts: one.parts }])));
      const own = rowsOfRound(setup.rowsOf, method.row, all, [seed, k]);
      const watched = countDegenerate(k, answers, setup.hooks);
      const report = {
        answers: all.length,
        satisfied: countSatisfied(all),
        unfinished,
        unrated: reasonsOf(failures),
        reward: meanValue(given),
        ...watched, ...seen.report, ...(own.unused && { unused: own.unused }), ...own.measures,
      };
      if (seen.stop) {
        await answerer.rest();
        done.set(k, { ...report, trainedOn: 0 });
        return { items: [], rows: [], seed: seed + k, last: true, goBack: true };
      }
      const made = selectRows(own.rows, { method, seed, k, say });
      const rows = maker === undefined ? made : await maker.make(`round-${k}`, made, policy);
      await answerer.rest();
      const items = readyItems(rows, {
        method, text: text(drawnTokens(answered)), limits, k, answers: answers.length, unfinished, advice: adviceFor(own.unused), say,
        words: describeJudged({ samples: all, failures, answers: answers.length, unfinished, reward: report.reward, unused: own.unused }),
      });
      done.set(k, { ...report, trainedOn: items.length });
      return { items, rows, seed: seed + k, metrics: { ...metrics, ...own.measures } };
    },
    learnt(k, { steps }) {
      const round = done.get(k)!;
      sayTrained(k, round.trainedOn, steps, setup);
      return { ...round };
    },
  };

  /** Rates answers, and takes the costs off their ratings. `given`: the ratings before that. */
  async function rate(k: number, { chosen, answers }: AnsweredPrompts) {
    const items = answers.map(({ row, text: response, ids }) => ({ prompt: chosen[row]!.prompt, response, ids, row: chosen[row]! }));
    const given = await rateAnswers(run.path('work', `round-${k}`, 'ratings.json'), items, reward, setup.allowedFailures, setup.hooks);
    const lined = setup.rowsOf.needsLine === true ? given.map(withLine) : given;
    const { results, metrics } = await setup.constraints.apply(k, items, lined);
    const samples = answers.flatMap(({ row, sample, text: said }, i): Sample[] => {
      const rated = results[i]!;
      return failed(rated) ? [] : [{ prompt: chosen[row]!, sample, text: said, rated }];
    });
    return { samples, failures: results.filter(failed), given, metrics };
  }
}

/** Rows that tell good answers from bad ones are made only of answers about which the reward says which they are. */
const withLine = (result: Rated | Failure): Rated | Failure => {
  if (failed(result) || result.satisfied !== undefined) return result;
  return { failure: 'not-applicable', detail: 'no reward that draws a line applies to this response' };
};
