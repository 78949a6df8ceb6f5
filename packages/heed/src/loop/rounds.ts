import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PromptRow } from '../data/rows.js';
import type { GenerationRequest } from '../generate/request.js';
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import { readSafetensors } from '../model/checkpoint/safetensors.js';
import { writeSafetensors } from '../model/checkpoint/safetensors-write.js';
import type { Template } from '../text/template.js';
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

/** Parameters at the end of an iteration. */
export async function saveParameters(file: string, parameters: Float32Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeSafetensors(file, [{ name: 'parameters', dtype: 'float32', shape: [parameters.length], data: parameters }]);
}

export function loadParameters(file: string): Float32Array | undefined {
  return existsSync(file) ? readSafetensors(file).tensors.get('parameters')?.data : undefined;
}
