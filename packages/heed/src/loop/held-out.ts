import type { Engine, View } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import { type AnswerReport, evaluateAnswers } from '../evaluate/answers.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import { createScorer } from '../model/scorer.js';
import type { Reward } from '../reward/reward.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { percent } from '../run/numbers.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { logAnswer } from './answer-sample.js';
import type { Answerer } from './answerer.js';

/** When held-out prompts are answered: before the first round and after the last. */
export type When = 'before' | 'after';

/** Prompts that training never sees, and the reward that rates the answers to them. */
export interface HeldOut {
  readonly engine: Engine;
  readonly model: Model;
  readonly answerer: Answerer;
  readonly rows: readonly PromptRow[];
  readonly reward: Reward;
  readonly sampling: SamplingOptions;
  readonly run: RunFolder;
  readonly hooks: Hooks;
}

/**
 * Has the held-out prompts answered, and the answers rated and measured.
 *
 * @param policy The adapter's parameters in the engine. Undefined: the model without an adapter, whose answers are kept for a resume.
 */
export async function assess(
  { engine, model, answerer, rows, reward, sampling, run, hooks }: HeldOut,
  when: When,
  policy: View | undefined,
): Promise<AnswerReport> {
  const { progress = silentProgress, interrupt, say } = hooks;
  progress.start(`answering the held-out prompts, ${when} training`, rows.length, { unit: 'answers' });
  const generator = answerer.answering(policy);
  const scorer = policy && (await createScorer(engine, model));
  const report = await evaluateAnswers({
    model, generator, scorer, reward, rows, sampling, keptIn: policy === undefined ? run.path('work', 'before.json') : undefined,
    onStage: (doing, total) => progress.start(doing, total, { unit: 'answers' }),
    onProgress(n) {
      if (interrupt?.requested === true)
        throw new Interrupted('Stopped while answering the held-out prompts; --resume answers them again.');
      progress.update(n);
    },
  });
  await scorer?.release();
  await answerer.rest();
  progress.stop();
  say?.(describe(when, report));
  for (const line of silentParts(reward, report)) say?.(`${when}: ${line}`);
  return report;
}

/** Rewards of a sum that rated none of the answers: the value is that of the others alone. */
function silentParts({ weights = {} }: Pick<Reward, 'weights'>, { answers }: AnswerReport): string[] {
  const rated = answers.flatMap((one) => ('failure' in one.rated ? [] : [one.rated]));
  const silent = Object.keys(weights).filter((name) => rated.every(({ parts = {} }) => parts[name] === undefined));
  return rated.length === 0 ? [] : silent.map((name) =>
    `the reward ${name} applies to none of the held-out answers, so that their value is that of the other rewards alone.`);
}

const describe = (when: When, { satisfied, value, findings, fluency }: AnswerReport): string => {
  const interval = ({ low, high }: Estimate, write: (x: number) => string): string => `[${write(low)}, ${write(high)}]`;
  const digits = (x: number): string => x.toPrecision(3);
  const share = satisfied === undefined
    ? `a mean reward of ${digits(value.mean)} over ${value.n} held-out answers ${interval(value, digits)}`
    : `${percent(satisfied.mean)} of ${satisfied.n} held-out answers satisfy the reward ${interval(satisfied, percent)}`;
  const faults = findings === undefined ? '' : `, ${findings.mean.toFixed(2)} findings an answer`;
  return `${when}: ${share}${faults}, ${fluency.medianWords} words.`;
};

/** Writes the answers to the run's samples. */
export function logAnswers(run: RunFolder, when: When, { answers }: AnswerReport, step: number): void {
  for (const { row, response, rated } of answers) {
    const verdict = 'failure' in rated ? rated.failure : (rated.satisfied ?? rated.value);
    const reason = 'failure' in rated ? rated.detail : rated.reason;
    logAnswer(run, { when, step, id: row.id ?? String(row.source.line), prompt: row.prompt, response, verdict, reason });
  }
}
