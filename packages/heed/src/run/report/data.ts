/** What a report is made from: the files of a run folder, read and narrowed. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { UserError } from '../../errors.js';
import { isHeld } from '../lock.js';
import { readLog } from '../metrics.js';
import type { LogRow } from '../metrics.js';
import { isSection } from './measurements.js';
import { RolloutLine } from './rollouts.js';

const id = z.union([z.string(), z.number()]).transform(String);

/** One answer, before or after training: a line of `samples.jsonl`. */
export const AnswerSample = z.object({
  kind: z.literal('answer'),
  when: z.enum(['before', 'after']),
  id,
  prompt: z.string(),
  response: z.string(),
  /** What the judge found: true or "satisfied" is good; any other word is shown as it is. A number is a reward, and higher is better. */
  verdict: z.union([z.string(), z.boolean(), z.number()]).nullish(),
  reason: z.string().nullish(),
});
export type AnswerSample = z.infer<typeof AnswerSample>;

/** One response with log q/p of each token: a line of `samples.jsonl`. A value that is not finite is null there. */
export const HeatmapSample = z
  .object({
    kind: z.literal('heatmap'),
    id,
    step: z.number().nullish(),
    prompt: z.string(),
    judgment: z.string().nullish(),
    tokens: z.array(z.string()),
    logRatio: z.array(z.number().nullable()),
    flagged: z.array(z.boolean()),
  })
  .refine(
    ({ tokens, logRatio, flagged }) => tokens.length === logRatio.length && tokens.length === flagged.length,
    'tokens, logRatio and flagged differ in length',
  );
export type HeatmapSample = z.infer<typeof HeatmapSample>;

/** Everything in a report. */
export interface ReportData {
  readonly name: string;
  readonly recipeText: string;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly metrics: readonly LogRow[];
  readonly answers: readonly AnswerSample[];
  readonly heatmaps: readonly HeatmapSample[];
  /** The answers that a policy gradient learnt from. */
  readonly rollouts: readonly RolloutLine[];
  /** Lines of `samples.jsonl` and `rollouts.jsonl` of a kind that the report shows, whose form is wrong; each with the reason. */
  readonly unreadable: readonly string[];
  /** Whether a process works on the run now. */
  readonly live: boolean;
  /** Absent until the run has ended. */
  readonly summary: Readonly<Record<string, unknown>> | undefined;
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

const section = (value: unknown): Record<string, unknown> => (isSection(value) ? value : {});

/** Why a line of a log was not read. */
function problem(file: string, line: number, { issues }: z.ZodError): string {
  return `${file}:${line}: ${issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ')}`;
}

/** What a run folder holds of answers, marked tokens and rollouts. */
export type Samples = Pick<ReportData, 'answers' | 'heatmaps' | 'rollouts' | 'unreadable'>;

/** Reads `samples.jsonl` and `rollouts.jsonl` of a run folder. @throws UserError where a line is not JSON */
export async function readSamples(dir: string): Promise<Samples> {
  const answers: AnswerSample[] = [];
  const heatmaps: HeatmapSample[] = [];
  const unreadable: string[] = [];
  for (const [index, row] of (await readLog(join(dir, 'samples.jsonl'))).entries()) {
    const kind = row['kind'];
    if (kind !== 'answer' && kind !== 'heatmap') continue; // other kinds are for other readers
    const read = kind === 'answer' ? AnswerSample.safeParse(row) : HeatmapSample.safeParse(row);
    if (!read.success) unreadable.push(problem('samples.jsonl', index + 1, read.error));
    else if (read.data.kind === 'answer') answers.push(read.data);
    else heatmaps.push(read.data);
  }
  const rollouts = (await readLog(join(dir, 'rollouts.jsonl'))).flatMap((row, index) => {
    const read = RolloutLine.safeParse(row);
    if (!read.success) unreadable.push(problem('rollouts.jsonl', index + 1, read.error));
    return read.success ? [read.data] : [];
  });
  return { answers, heatmaps, rollouts, unreadable };
}

/**
 * Reads a run folder.
 *
 * @throws UserError when the folder is not a run's.
 */
export async function readRun(folder: string): Promise<ReportData> {
  const dir = resolve(folder);
  const recipeText = await text(join(dir, 'recipe.yaml'));
  if (recipeText === undefined) {
    throw new UserError(`${folder} is not a run folder: it has no recipe.yaml`, [
      'Name the folder given as run.dir, such as runs/quickstart.',
    ]);
  }
  const summaryText = await text(join(dir, 'summary.json'));
  const samples = await readSamples(dir);
  let summary: Record<string, unknown> | undefined;
  try {
    summary = summaryText === undefined ? undefined : section(JSON.parse(summaryText));
  } catch {
    throw new UserError(`${join(dir, 'summary.json')} is not JSON`);
  }
  return {
    name: basename(dir),
    recipeText,
    recipe: section(parse(recipeText, { maxAliasCount: 0 })),
    metrics: await readLog(join(dir, 'metrics.jsonl')),
    ...samples,
    live: await isHeld(join(dir, 'run.lock')),
    summary,
  };
}
