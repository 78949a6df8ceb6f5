/** What labelers read: prompts with one response, or with two, and what people said of them. */
import { z } from 'zod';

import { ColumnMap, findColumns, ValueMap } from '../data/columns.js';
import { hashOrder, hashUnit, promptKey } from '../data/hash.js';
import { type Parsed, parseRows } from '../data/parse.js';
import { Paths } from '../data/paths.js';
import { problemsError } from '../data/problem.js';
import { readRows } from '../data/read.js';
import type { Message, PromptRow } from '../data/rows.js';
import type { RawRow, Source } from '../data/source.js';

/** `data:` of a label recipe. */
export const LabelData = z.strictObject({
  /** JSONL, JSON, CSV, TSV or Parquet; several files are read as one. */
  path: Paths,
  columns: ColumnMap.optional(),
  /** What the file writes for true and false in `satisfied` or `label`: { up: true, down: false }. */
  values: ValueMap.optional(),
  /** Columns of the file to pass over. */
  ignore: z.array(z.string().min(1)).min(1).optional(),
  transcript: z.enum(['plain', 'human-assistant']).default('plain'),
  /** Rows without anything to label (empty, or two equal responses): an error, or left out and counted. */
  junk: z.enum(['error', 'skip']).default('error'),
  /** Take rows in an order drawn from the seed, so that `limit` takes a fair sample. */
  shuffle: z.boolean().default(false),
  limit: z.int().min(1).optional(),
  seed: z.int().min(0).default(0),
});
export type LabelData = z.infer<typeof LabelData>;

/** A prompt to be answered first. */
export interface Prompt { readonly source: Source; readonly id?: string; readonly prompt: readonly Message[] }

/** Two responses. `human`: the probability, as people judged, that the first is the better one. */
export interface Pair extends Prompt {
  readonly responses: readonly [string, string];
  readonly human?: number;
}

/** One response, and what people said of it: a judgment, whether it satisfies, how good it is. */
export interface Single extends Prompt {
  readonly completion: string;
  readonly human?: { readonly judgment?: string | null; readonly satisfied?: boolean; readonly score?: number };
}

export interface Material<T> {
  readonly rows: readonly T[];
  readonly skipped: number;
  /** Columns that nothing read, and keys of turns that nothing uses. */
  readonly unused: readonly string[];
}

/** The kind of rows that the files hold, by their columns: those of pairs, of single responses, or of prompts that are to be answered. */
export function labelKind(
  records: readonly RawRow[], data: LabelData, what: 'pairs' | 'singles' | 'prompts',
): 'preference' | 'prompt' | 'judged' | 'scored' | 'labelled' | 'completion' {
  const has = (column: keyof ColumnMap): boolean => holds(records, data, column);
  if (what === 'prompts') return 'prompt';
  // `principled` rows without principles: these are what is to be found out.
  if (what === 'pairs') return has('responses') ? 'prompt' : 'preference';
  if (has('judgment') || has('satisfied')) return 'judged';
  if (has('score')) return 'scored';
  return has('label') ? 'labelled' : 'completion';
}

/**
 * Pairs from `chosen` and `rejected`, or from a list `responses` of two, where `soft_label` is the probability that the first is better.
 * `chosen` and `rejected` are put in an order drawn from their words, so that no order of showing knows which is which.
 */
export async function readPairs(data: LabelData): Promise<Material<Pair>> {
  return within(data, (records) => {
    if (labelKind(records, data, 'pairs') === 'preference') {
      const { rows, skipped, unused } = parseRows('preference', records, data);
      return {
        unused,
        skipped: skipped.length,
        rows: rows.map(({ source, id, prompt, chosen, rejected, soft_label = 1 }) => {
          const turned = hashUnit(0, JSON.stringify([promptKey(prompt), [chosen, rejected].sort()])) < 0.5 === chosen < rejected;
          const responses = turned ? [rejected, chosen] as const : [chosen, rejected] as const;
          return { source, id, prompt, responses, human: turned ? 1 - soft_label : soft_label };
        }),
      };
    }
    const { rows, skipped, unused } = parseRows('prompt', records, data);
    const column = data.columns?.responses ?? 'responses';
    const faults: { source: Source; column: string; reason: string; value: unknown }[] = [];
    const pairs = rows.flatMap((row): Pair[] => {
      const { source, id, prompt } = row;
      const fault = (name: string, reason: string, value: unknown): Pair[] => {
        faults.push({ source, column: name, reason, value });
        return [];
      };
      const responses = pairOf(row.extra[column]);
      if (responses === undefined) return fault(column, 'is not a list of two texts that differ', row.extra[column]);
      const human = row.extra[data.columns?.soft_label ?? 'soft_label'] ?? undefined;
      if (human === undefined) return [{ source, id, prompt, responses }];
      if (typeof human !== 'number' || !(human >= 0 && human <= 1)) return fault('soft_label', 'is not a probability from 0 to 1', human);
      return [{ source, id, prompt, responses, human }];
    });
    if (faults.length > 0 && data.junk === 'error') {
      const hint = 'Such rows can be left out: data.junk: skip';
      throw problemsError(`${faults.length} of ${rows.length} rows hold no pair to label`, faults, [hint]);
    }
    return { rows: pairs, skipped: skipped.length + faults.length, unused };
  });
}

function pairOf(given: unknown): [string, string] | undefined {
  if (!Array.isArray(given) || given.length !== 2) return undefined;
  const [a, b] = given as unknown[];
  return typeof a === 'string' && typeof b === 'string' && a.trim() !== '' && b.trim() !== '' && a.trim() !== b.trim() ? [a, b] : undefined;
}

/** Single responses from `prompt` and `completion`, with `satisfied`, `judgment`, `score` or `label` (a vote) where the file has them. */
export async function readSingles(data: LabelData): Promise<Material<Single>> {
  return within(data, (records) => {
    const kind = labelKind(records, data, 'singles');
    if (kind === 'judged') {
      return singlesOf(parseRows('judged', records, data), ({ judgment, satisfied }) => ({ judgment, satisfied }));
    }
    if (kind === 'scored') return singlesOf(parseRows('scored', records, data), ({ score }) => ({ score }));
    if (kind === 'labelled') {
      return singlesOf(parseRows('labelled', records, data), ({ label }) => ({ satisfied: label, score: Number(label) }));
    }
    return singlesOf(parseRows('completion', records, data), () => undefined);
  });
}

function singlesOf<Row extends Prompt & { readonly completion: string }>(
  { rows, skipped, unused }: Parsed<Row>, humanOf: (row: Row) => Single['human'],
): Material<Single> {
  const singles = rows.map((row): Single => {
    const { source, id, prompt, completion } = row;
    return { source, id, prompt, completion, human: humanOf(row) };
  });
  return { rows: singles, skipped: skipped.length, unused };
}

/** Prompts that have no response yet. */
export async function readPrompts(data: LabelData): Promise<Material<Prompt>> {
  return within(data, (records) => {
    const { rows, skipped, unused } = parseRows('prompt', records, data);
    return { unused, skipped: skipped.length, rows: rows.map(({ source, id, prompt }: PromptRow) => ({ source, id, prompt })) };
  });
}

function holds(records: readonly RawRow[], { columns }: LabelData, column: keyof ColumnMap): boolean {
  return findColumns(records, columns ?? {}, [column]).names.has(column);
}

async function within<T>(data: LabelData, parse: (records: RawRow[]) => Material<T>): Promise<Material<T>> {
  const { rows, skipped, unused } = parse(await readRows(data.path));
  const ordered = data.shuffle ? hashOrder(rows, data.seed, (_, index) => String(index)) : rows;
  return { rows: data.limit === undefined ? ordered : ordered.slice(0, data.limit), skipped, unused };
}

/** A prompt and a response in TRL's two forms: text where the prompt is one user turn, else turns. */
export function asTrl(
  prompt: readonly Message[],
): { readonly prompt: string | readonly Message[]; response(text: string): string | readonly Message[] } {
  const [only, ...more] = prompt;
  if (only?.role === 'user' && more.length === 0) return { prompt: only.content, response: (text) => text };
  return { prompt, response: (content) => [{ role: 'assistant', content }] };
}
