import type { PromptRow } from '../data/rows.js';
import { type AnswerReport, evaluateAnswers } from '../evaluate/answers.js';
import type { SamplingOptions } from '../generate/options.js';
import { createScorer } from '../model/scorer.js';
import type { Failure } from '../judge/respondent.js';
import type { Rated, Reward } from '../reward/reward.js';
import type { RunFolder } from '../run/folder.js';
import { percent } from '../run/numbers.js';
import { Interrupted } from '../run/signals.js';
import { type AlignSetup, openAnswerer } from './setup.js';

/** When held-out prompts are answered: before the first iteration and after the last. */
export type When = 'before' | 'after';

/** Prompts that training never sees, and who judges the answers to them. */
export interface HeldOut {
  readonly rows: readonly PromptRow[];
  readonly reward: Reward;
  readonly sampling: SamplingOptions;
}

/** Answers the held-out prompts with these adapter parameters and has the answers judged and measured. Without an adapter the answers are kept: a resume reads them. */
export async function assess(setup: AlignSetup, { rows, reward, sampling }: HeldOut, when: When, parameters?: Float32Array): Promise<AnswerReport> {
  const { run, engine, model, progress, interrupt, say } = setup;
  progress.start(`answering held-out prompts, ${when}`, rows.length);
  const generator = await openAnswerer(setup, parameters);
  const scorer = parameters && (await createScorer(engine, model));
  const report = await evaluateAnswers({
    model, generator, ...(scorer === undefined ? { keptIn: run.path('work', 'before.json') } : { scorer }), reward, rows, sampling,
    onProgress(n) {
      if (interrupt.requested) throw new Interrupted('Stopped while answering the held-out prompts; --resume answers them again.');
      progress.update(n);
    },
  });
  await generator.release();
  await scorer?.release();
  progress.stop();
  say(describe(when, report));
  return report;
}

const describe = (when: When, { satisfied, findings, fluency }: AnswerReport): string =>
  `${when}: ${percent(satisfied!.mean)} of ${satisfied!.n} held-out answers satisfy the judge [${percent(satisfied!.low)}, ${percent(satisfied!.high)}], ` +
  `${(findings?.mean ?? 0).toFixed(2)} findings an answer, ${fluency.medianWords} words.`;

/** Writes the answers to the run's samples. */
export function logAnswers(run: RunFolder, when: When, { answers }: AnswerReport, step: number): void {
  for (const { row, response, rated } of answers) {
    run.samples.append({ kind: 'answer', when, step, id: row.id ?? String(row.source.line), prompt: lastTurn(row), response, ...verdictOf(rated) });
  }
}

const verdictOf = (rated: Rated | Failure): { verdict?: boolean; reason: string | null } =>
  ('failure' in rated ? { reason: rated.detail } : { verdict: rated.satisfied, reason: rated.reason });

const lastTurn = (row: PromptRow): string => row.prompt.at(-1)!.content;
