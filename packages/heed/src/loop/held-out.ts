import type { Engine, View } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import { type AnswerReport, evaluateAnswers } from '../evaluate/answers.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import { createScorer } from '../model/scorer.js';
import type { Reward } from '../reward/reward.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks, Measured } from '../run/job.js';
import { percent } from '../run/numbers.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import type { Answerer } from './answerer.js';

/** When held-out prompts are answered: before the first round and after the last. */
export type When = 'before' | 'after';

/** Prompts that training never sees, and how the answers to them are rated. */
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
 * @param policy The adapter's parameters where they lie; undefined: the model as it is, whose answers are kept for a resume.
 */
export async function assess({ engine, model, answerer, rows, reward, sampling, run, hooks }: HeldOut, when: When, policy: View | undefined): Promise<AnswerReport> {
  const { progress = silentProgress, interrupt, say } = hooks;
  progress.start(`answering held-out prompts, ${when}`, rows.length);
  const generator = await answerer.generator(policy);
  const scorer = policy && (await createScorer(engine, model));
  const report = await evaluateAnswers({
    model, generator, scorer, reward, rows, sampling, keptIn: policy === undefined ? run.path('work', 'before.json') : undefined,
    onProgress(n) {
      if (interrupt?.requested === true) throw new Interrupted('Stopped while answering the held-out prompts; --resume answers them again.');
      progress.update(n);
    },
  });
  await scorer?.release();
  await answerer.rest();
  progress.stop();
  say?.(describe(when, report));
  return report;
}

const describe = (when: When, { satisfied, value, findings, fluency }: AnswerReport): string => {
  const share = satisfied === undefined
    ? `a mean reward of ${value.mean.toPrecision(3)} over ${value.n} held-out answers [${value.low.toPrecision(3)}, ${value.high.toPrecision(3)}]`
    : `${percent(satisfied.mean)} of ${satisfied.n} held-out answers satisfy the reward [${percent(satisfied.low)}, ${percent(satisfied.high)}]`;
  const faults = findings === undefined ? '' : `, ${findings.mean.toFixed(2)} findings an answer`;
  return `${when}: ${share}${faults}, ${fluency.medianWords} words.`;
};

/** A report's measurements by name, for `summary.json`. */
export const measurements = ({ satisfied, value, findings, fluency }: AnswerReport): Record<string, Measured> =>
  ({ ...Object.fromEntries(Object.entries({ satisfied, value, findings }).filter(([, measured]) => measured !== undefined)), ...fluency });

/** Writes the answers to the run's samples. */
export function logAnswers(run: RunFolder, when: When, { answers }: AnswerReport, step: number): void {
  for (const { row, response, rated } of answers) {
    const verdict = 'failure' in rated ? rated.failure : rated.satisfied ?? rated.value;
    run.samples.append({ kind: 'answer', when, step, id: row.id ?? String(row.source.line), prompt: row.prompt.at(-1)!.content, response, verdict, reason: 'failure' in rated ? rated.detail : rated.reason });
  }
}
