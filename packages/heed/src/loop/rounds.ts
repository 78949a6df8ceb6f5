import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JudgedRow, PromptRow } from '../data/rows.js';
import { UserError } from '../errors.js';
import type { GenerationRequest } from '../generate/request.js';
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Judge } from '../judge/types.js';
import { readSafetensors } from '../model/checkpoint/safetensors.js';
import { writeSafetensors } from '../model/checkpoint/safetensors-write.js';
import type { Template } from '../text/template.js';
import { atomicWrite } from '../run/files.js';
import { type LogRow, openLog } from '../run/metrics.js';
import { Interrupted } from '../run/signals.js';

/** Prompts answered before the answers are written down: fixed by the order of the rows, so a resumed run works on the same ones. */
const GENERATION_BATCH = 96;

export interface AnsweredRow extends LogRow {
  /** The generation batch, from 1. */
  readonly step: number;
  readonly row: number;
  readonly sample: number;
  readonly response: string;
  /** `length`: cut off at maxNewTokens. */
  readonly finish: 'stop' | 'length';
}

/**
 * Answers every prompt, writing each batch of answers to `file` as soon as it is there. What the file already holds is not asked
 * again: batches are whole and in order, so a run that was killed goes on with the batch it was in.
 */
export async function answerPrompts(
  file: string, rows: readonly PromptRow[], template: Template, generator: Generator, samples: number, sampling: SamplingOptions,
  hooks: { onProgress?(done: number): void; readonly interrupt?: { readonly requested: boolean } },
): Promise<AnsweredRow[]> {
  await mkdir(dirname(file), { recursive: true });
  const log = openLog<AnsweredRow>(file);
  const sizeOf = (batch: number): number => Math.min(GENERATION_BATCH, rows.length - (batch - 1) * GENERATION_BATCH) * samples;
  const written = await log.rows();
  let done = 0;
  while (done * GENERATION_BATCH < rows.length && written.filter((a) => a.step === done + 1).length === sizeOf(done + 1)) done++;
  await log.truncateAfter(done);
  const answers = await log.rows();
  try {
    for (let from = done * GENERATION_BATCH; from < rows.length; from += GENERATION_BATCH) {
      if (hooks.interrupt?.requested === true) throw new Interrupted('Stopped while answering prompts; go on with --resume.');
      const batch = rows.slice(from, from + GENERATION_BATCH);
      const requests = batch.map((row, i): GenerationRequest => ({ prompt: template.prompt(row.prompt), row: from + i, samples }));
      const completions = await generator.generate(requests, sampling, { onProgress: ({ finished }) => hooks.onProgress?.(from + finished / samples) });
      for (const { row, sample, text, finish } of completions) {
        const answer = { step: from / GENERATION_BATCH + 1, row, sample, response: text, finish };
        answers.push(answer);
        log.append(answer);
      }
    }
  } finally {
    log.close();
  }
  return answers;
}

/**
 * Has answers judged, as rows to learn from. Left out are empty answers, and those that were cut off at maxNewTokens: a response is learnt
 * with its end of turn, and these have none.
 */
export async function judgeAnswers(answers: readonly AnsweredRow[], rows: readonly PromptRow[], judge: Judge): Promise<JudgedRow[]> {
  const given = answers.filter((a) => a.finish === 'stop' && a.response.trim() !== '');
  const verdicts = await judge.judge(given.map((a) => ({ prompt: rows[a.row]!.prompt, response: a.response })));
  return given.map((answer, i): JudgedRow => {
    const { source, prompt, id } = rows[answer.row]!;
    const { satisfied, judgment } = verdicts[i]!;
    return { source, prompt, completion: answer.response, judgment, satisfied, ...(id === undefined ? {} : { id: `${id}#${answer.sample}` }) };
  });
}

/**
 * Keeps a fingerprint of what a run works on in `file`, for a resume to hold against: answers on disk belong to the prompts that they
 * answer, and a trained adapter to the judgments that it learned from.
 *
 * @throws UserError when they are not the same any more; `what` begins its sentence: "The prompts are".
 */
export async function sameAsBefore(file: string, value: unknown, what: string): Promise<void> {
  const now = createHash('sha256').update(JSON.stringify(value)).digest('hex');
  if (!existsSync(file)) await atomicWrite(file, JSON.stringify(now));
  else if (JSON.parse(await readFile(file, 'utf8')) !== now) {
    throw new UserError(`${what} not those that this run began with, so it cannot go on as if nothing had happened.`, ['Restore the data and the judge, or start again with --overwrite.']);
  }
}

/** Parameters at the end of an iteration. */
export async function saveParameters(file: string, parameters: Float32Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeSafetensors(file, [{ name: 'parameters', dtype: 'float32', shape: [parameters.length], data: parameters }]);
}

export function loadParameters(file: string): Float32Array | undefined {
  return existsSync(file) ? readSafetensors(file).tensors.get('parameters')?.data : undefined;
}
