/** A few answers from before and after training, side by side in the report: numbers alone do not show what a model learnt to say. */
import { type Engine, view } from '@heed/tensor';
import { z } from 'zod';
import { type AnyRow, type Message, rowDefinition } from '../data/rows.js';
import { type BoundMethod, scoresTexts } from '../method/method.js';
import type { RunFolder } from '../run/folder.js';
import { logAnswer } from './answer-sample.js';
import type { Answerer } from './answerer.js';
import type { When } from './held-out.js';

/** `samples:` of a training recipe. */
export const ShownAnswers = z.strictObject({
  /** Prompts to answer before and after training, the first of the held-out rows, or else of the rows trained on. 0: none. */
  prompts: z.int().min(0).max(60).default(4),
  maxNewTokens: z.int().positive().default(64),
});
export type ShownAnswers = z.infer<typeof ShownAnswers>;

interface Showing {
  readonly engine: Engine;
  readonly answerer: Answerer;
  readonly run: RunFolder;
  readonly options: ShownAnswers;
  readonly prompts: readonly AskedPrompt[];
  /** The run's last step. */
  readonly step: number;
  /** The adapter's parameters by when they answer; undefined: the model without an adapter. */
  readonly policies: Readonly<Record<When, Float32Array | undefined>>;
}

interface AskedPrompt {
  readonly id: string;
  readonly prompt: Message[];
}

/** The first different prompts that a model can answer. A method that trains no language model (a reward model, a classifier) has none. */
export function promptsToShow(method: BoundMethod, rows: readonly AnyRow[], { prompts: most }: ShownAnswers): readonly AskedPrompt[] {
  if (most === 0 || scoresTexts(method)) return [];
  const asked = new Map<string, AskedPrompt>();
  for (const row of rows) {
    if (asked.size === most) break;
    const prompt = [...rowDefinition(method.row).prompt(row)];
    const role = prompt.at(-1)?.role;
    const key = JSON.stringify(prompt);
    if ((role === 'user' || role === 'tool') && !asked.has(key)) asked.set(key, { id: String(row.id ?? row.source.line), prompt });
  }
  return [...asked.values()];
}

/**
 * Has the prompts answered greedily by the model as it was and as it is, and writes both to the run's samples.
 *
 * @throws Interrupted where a stop was asked for; the answers so far are kept in the run's folder
 */
export async function showAnswers({ engine, answerer, run, options, prompts, step, policies }: Showing): Promise<void> {
  if (prompts.length === 0) return;
  // Behind the last step, so that a resume drops the answers and writes them again.
  await run.samples.truncateAfter(step);
  for (const when of ['before', 'after'] as const) {
    const arrays = policies[when];
    const held = arrays && (await engine.upload(arrays));
    const answers = await answerer.answer({
      file: run.path('work', 'shown.jsonl'), round: when, rows: prompts, samples: 1, policy: held && view(held),
      sampling: { maxNewTokens: options.maxNewTokens, temperature: 0, seed: 0 }, doing: `answering for the report, ${when} training`,
    });
    for (const { row, text, finish } of answers) {
      const reason = finish === 'length' ? `cut off at ${options.maxNewTokens} tokens` : undefined;
      logAnswer(run, { when, step: step + 1, ...prompts[row]!, response: text, reason });
    }
    if (held) await engine.free(held);
  }
  await answerer.release();
}
