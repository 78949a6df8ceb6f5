import type { PromptRow } from '../../data/rows.js';
import { failed } from '../../judge/respondent.js';
import { klOfAnswer } from '../../method/advantages.js';
import type { Rollout } from '../../method/rollout.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import type { Answer } from '../answer-log.js';
import { type AnswersRounds, answerRound, countDegenerate } from '../answered-round.js';
import type { Constraints } from '../constraints.js';
import { type CreditOptions, type Unplaced, bringAttention, placeReward, reportCredit } from '../credit.js';
import type { Degenerate } from '../../evaluate/degenerate.js';
import { prepare } from '../items.js';
import { type RatedAnswer, openRolloutLog } from '../rollout-log.js';
import { describeRollouts, meanReward, rolloutMetrics } from '../rollout-metrics.js';
import { readRollouts } from '../rollout-readings.js';
import { rolloutRow } from '../rollout-row.js';
import { minibatches } from '../rollout-order.js';
import { type RatesRounds, rateRound } from '../round-rating.js';
import type { Lesson, Round, Source } from '../source.js';
import type { WatchedAnswer } from '../alarms.js';
import type { Watch } from '../watch.js';

/** The answers to a prompt (`samples`) are its group. */
export interface RolloutSetup extends AnswersRounds, RatesRounds {
  readonly each: number;
  /** Prompts in an optimizer step, and how often a round's answers are learnt from. */
  readonly batch: number;
  readonly epochs: number;
  /** Which tokens of an answer get its reward. */
  readonly credit: CreditOptions;
  readonly tokenizer: Tokenizer;
  /** Costs that are taken off the rewards. */
  readonly constraints: Constraints;
  /** Looks for signs that the reward is earned by something else than better answers. */
  readonly watch: Watch;
}

/** What a round did, for `summary.json`. */
export interface RolloutRound extends Degenerate {
  readonly answers: number;
  /** Mean reward of the answers that got one. */
  readonly reward: number;
  /** Groups that were learnt from: 0 where all rewards of every group were equal. */
  readonly trainedOn: number;
  /** Optimizer steps that were not taken, because all rewards of each of their groups were equal. */
  readonly skippedSteps: number;
  /** What the answers look like, by the names of `alarms.ts`. */
  readonly [sign: string]: unknown;
}

/**
 * Policy gradient: in each round the policy answers a few prompts, several times each, a reward or a critic rates the answers, and the
 * method turns the rewards into advantages by token. Answers, rewards and what was read of the policy are kept in `work/round-<k>/`; a
 * resume finds them there. A finished round's answers are in `rollouts.jsonl`.
 */
export function rolloutSource(setup: RolloutSetup): Source {
  const { rounds, prompts, samples, method, text, limits, seed, answerer, run, hooks } = setup;
  const { say = () => undefined } = hooks;
  const asks = Math.min(setup.each, prompts.length);
  const log = openRolloutLog(run.path('rollouts.jsonl'), asks * samples, say);
  const steps = minibatches(asks, { ...setup, seed }).length;
  say(`${asks} prompts × ${samples} samples: ${asks * samples} completions a round; optimizer steps a round: ${steps}.`);
  const measuresKl = method.reads.reference || setup.watch.wantsKl;
  // A reference that is read for the watch alone is none of the method's business.
  const asRow = { maxTokens: setup.sampling.maxNewTokens, reference: method.reads.reference };
  const finished = new Map<number, { readonly report: RolloutRound; readonly rated: readonly RatedAnswer[] }>();

  async function lesson({ k, policy, read }: Round): Promise<Lesson> {
    const path = (name: string): string => run.path('work', `round-${k}`, name);
    await log.check(k);
    const { chosen, answers } = await answerRound(k, policy, setup);
    await answerer.rest();
    const asked = answers.map((answer) => itemOf(chosen, answer));
    const rating = await rateRound(k, asked, setup);
    const { results } = rating;
    const constrained = await setup.constraints.apply(k, asked, results);
    const bare = answers.map((answer, i): Rollout => {
      const result = constrained.results[i]!;
      const rated = failed(result) ? undefined : result;
      const { row: group, ids: { length: tokens }, logprobs, sampled: logp = logprobs } = answer;
      return { group, reward: rated?.value ?? null, parts: rated?.parts, partWeights: rating.weights, tokens, logp };
    });
    const { items } = prepare(chosen.map((prompt, row) => rolloutRow(prompt, groupOf(answers, row), asRow)), method, text(), limits);
    const request = { ...method.reads, reference: measuresKl, attention: setup.credit.by === 'attention' && !bringAttention(results) };
    const found = await readRollouts(path('readings.json'), bare, request, {
      name: method.names[0]!, untouched: policy === undefined, read: (wanted) => read(items, wanted),
    });
    const unplaced = answers.map(({ text: written, ids }, i): Unplaced =>
      ({ rollout: found.rollouts[i]!, result: constrained.results[i]!, text: written, ids, attention: found.attention?.[i] }));
    const rollouts = unplaced.map((one) => placeReward(one, setup.credit, setup.tokenizer));
    const placing = reportCredit(unplaced, rollouts, setup.credit);
    const credits = method.credit!(rollouts);
    const rated = answers.map((answer, i): RatedAnswer => ({
      answer, prompt: chosen[answer.row]!, promptTokens: items[answer.row]!.sequences['completions']![0]!.prompt.length,
      result: results[i]!, costs: constrained.costs[i], rollout: rollouts[i]!, credit: credits[i]!,
    }));
    const rows = chosen.map((prompt, row) => rolloutRow(prompt, groupOf(answers, row), asRow, groupOf(rated, row)));
    const before = run.path('work', `round-${k - 1}`, 'totals.json');
    const metrics = {
      ...(await rolloutMetrics(rated, path('totals.json'), before)), ...constrained.metrics, ...placing.metrics, ...rating.metrics,
    };
    say(`round ${k}: ${describeRollouts(rated)}.`);
    for (const remark of placing.remarks) say(`round ${k}: ${remark}.`);
    const counted = countDegenerate(k, answers, hooks);
    const seen = await setup.watch.look(k, watchedOf(rated), rating.alarm);
    const planned = seen.stop ? [] : minibatches(asks, { batch: setup.batch, epochs: setup.epochs, seed: seed + k });
    const teaches = (row: number): boolean => groupOf(credits, row).some(({ advantages }) => advantages.some((a) => a !== 0));
    // From a step without a gradient the optimizer would still go on, by its momentum.
    const order = planned.filter((step) => step.some(teaches));
    const skippedSteps = planned.length - order.length;
    if (order.length > 0 && skippedSteps > 0)
      say(`round ${k}: ${skippedSteps} of ${planned.length} steps are skipped, since all rewards of each of their groups are equal.`);
    // The tokens are those that were read; the advantages are new.
    const learnt = order.length > 0 ? items.map((item, row) => ({ ...item, columns: method.columnsOf(rows[row]!) })) : [];
    const report = {
      ...seen.report, ...rating.metrics, ...counted, answers: answers.length, reward: meanReward(rated),
      trainedOn: new Set(order.flat()).size, skippedSteps,
    };
    finished.set(k, { report, rated });
    return {
      items: learnt, rows, seed: seed + k, metrics, ...(seen.stop ? { last: true, goBack: true } : {}), order, steps: planned.length,
    };
  }

  return {
    rounds,
    shortRounds: true,
    goesBack: setup.watch.mayStop(measuresKl),
    lesson,
    async learnt(k) {
      const { report, rated } = finished.get(k)!;
      finished.delete(k);
      await log.append(k, rated);
      return { ...report };
    },
  };

  /** What belongs to the answers to prompt `row`, of a list in the order of the answers. */
  function groupOf<T>(all: readonly T[], row: number): readonly T[] {
    return all.slice(row * samples, (row + 1) * samples);
  }
}

/** The answers that got a reward, as the watch sees them. */
const watchedOf = (rated: readonly RatedAnswer[]): WatchedAnswer[] =>
  rated.flatMap(({ answer: { text }, result, rollout: { logp, reference } }) => (failed(result) ? [] : [{
    text, value: result.value, parts: result.parts,
    kl: logp && reference && klOfAnswer(logp, reference),
  }]));

const itemOf = (prompts: readonly PromptRow[], { row, text: response, ids }: Answer) =>
  ({ prompt: prompts[row]!.prompt, response, ids, row: prompts[row]! });
