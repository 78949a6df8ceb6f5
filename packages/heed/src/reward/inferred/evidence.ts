/** What people did, as rows of files: evidence of what they value. */
import { z } from 'zod';
import { needs } from '../../data/columns.js';
import { promptKey } from '../../data/hash.js';
import { parseRows } from '../../data/parse.js';
import type { PromptRow } from '../../data/rows.js';
import { type Problem, problemsError } from '../../data/problem.js';
import { readRows } from '../../data/read.js';
import { defineRow, sameText, shape } from '../../data/row.js';
import { ANSWER_COLUMNS, answerOf, common, nameOf, textsOf } from '../../data/row-cells.js';
import type { RawRow, Source } from '../../data/source.js';
import { RowFault } from '../../data/turns.js';
import type { Message } from '../../text/template.js';
import { UserError } from '../../errors.js';
import type { RewardItem } from '../reward.js';

/** A response that a person wrote, or an answer of the model as a person corrected it, and answers of the model to the same prompt. */
const demonstration = defineRow({
  kind: 'demonstration',
  columns: [...ANSWER_COLUMNS, 'samples'],
  schema: z.object({ ...shape.base, prompt: shape.prompt, completion: z.string(), samples: z.array(z.string()).min(1) }),
  needs: () => needs('prompt, completion and samples', ['prompt'], ['completion'], ['samples']),
  read(row) {
    const { prompt, completion } = answerOf(row);
    const samples = (textsOf(row, 'samples') ?? []).filter((sample) => !sameText(sample, completion));
    if (samples.length === 0) throw new RowFault(nameOf(row, 'samples'), 'holds no other text than the completion', undefined, true);
    return { ...common(row), prompt, completion, samples };
  },
  prompt: (row) => row.prompt,
  responses: ({ completion, samples }) => [completion, ...samples],
});

/** What one row says. `responses`: that of the row first. */
export type Evidence = {
  readonly source: Source;
  readonly prompt: readonly Message[];
  readonly responses: readonly string[];
  /** The row's other columns, for rewards and features that need them. */
  readonly extra: PromptRow['extra'];
} & (
  /** The first was preferred to the second, with this probability. */
  | { readonly kind: 'comparison'; readonly certainty: number }
  /** The first was written by a person; the others are answers of the model. */
  | { readonly kind: 'demonstration' }
  /** The only one was called good, or bad. */
  | { readonly kind: 'vote'; readonly good: boolean }
);

/** The responses of a row as rewards and features take them. */
export const itemsOf = ({ source, prompt, responses, extra }: Evidence): RewardItem[] =>
  responses.map((response) => ({ prompt, response, row: { source, prompt: [...prompt], extra } }));

/** Rows with nothing to learn from are left out, and come with their reasons. */
export interface ReadEvidence {
  readonly rows: readonly Evidence[];
  readonly skipped: readonly Problem[];
}

/** Columns that evidence is read from: whatever else a row has is kept as it is. */
const OWN = new Set([
  ...ANSWER_COLUMNS, 'instruction', 'output', 'id', 'chosen', 'rejected', 'soft_label', 'margin', 'samples', 'label',
]);

/**
 * Reads evidence. A row is a comparison where it has `chosen`, a demonstration where it has `samples`, a vote where it has `label`. One
 * file may hold all three.
 *
 * @throws UserError where a row is of another kind, or cannot be read
 */
export async function readEvidence(paths: readonly string[]): Promise<ReadEvidence> {
  const records = await readRows(paths);
  const has = (column: string) => ({ fields }: RawRow): boolean => fields[column] !== undefined && fields[column] !== null;
  const [comparisons, more] = partition(records, has('chosen'));
  const [demonstrations, rest] = partition(more, has('samples'));
  const [votes, others] = partition(rest, has('label'));
  if (others.length > 0) {
    const problems = others.map(({ source }) => ({ source, reason: 'has neither chosen, samples nor label' }));
    throw problemsError(`${others.length} of ${records.length} rows say nothing about what people value`, problems, [
      'A comparison has prompt, chosen and rejected; a demonstration prompt, completion and samples; a vote prompt, completion and label.',
    ]);
  }
  const skipped: Problem[] = [];
  const parsed = <Row>(own: readonly RawRow[], parse: () => { rows: Row[]; skipped: readonly Problem[] }): Row[] => {
    if (own.length === 0) return [];
    const read = parse();
    skipped.push(...read.skipped);
    return read.rows;
  };
  const options = { junk: 'skip' } as const;
  const fields = new Map(records.map((record) => [record.source, record.fields]));
  const extraOf = (source: Source): PromptRow['extra'] =>
    Object.fromEntries(Object.entries(fields.get(source) ?? {}).filter(([name]) => !OWN.has(name)));
  const compared = parsed(comparisons, () => parseRows('preference', comparisons, options));
  const shown = parsed(demonstrations, () => parseRows(demonstration, demonstrations, options));
  const votedFor = parsed(votes, () => parseRows('labelled', votes, options));
  return {
    rows: [
      ...compared.map(({ source, prompt, chosen, rejected, soft_label = 1 }): Evidence => (
        { kind: 'comparison', source, prompt, responses: [chosen, rejected], certainty: soft_label, extra: extraOf(source) }
      )),
      ...shown.map(({ source, prompt, completion, samples }): Evidence => (
        { kind: 'demonstration', source, prompt, responses: [completion, ...samples], extra: extraOf(source) }
      )),
      ...votedFor.map(({ source, prompt, completion, label }): Evidence => (
        { kind: 'vote', source, prompt, responses: [completion], good: label, extra: extraOf(source) }
      )),
    ],
    skipped,
  };
}

function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

/** Two responses to one prompt that a person could compare. */
export interface Candidate {
  readonly prompt: readonly Message[];
  readonly responses: readonly [string, string];
}

/**
 * Every pair of different responses to one prompt: of a column `responses` with lists, or of rows with one `completion` each.
 *
 * @throws UserError where no prompt has two different responses
 */
export async function readCandidates(path: string): Promise<Candidate[]> {
  const records = await readRows(path);
  const byPrompt = new Map<string, { readonly prompt: readonly Message[]; readonly responses: Set<string> }>();
  const add = (prompt: readonly Message[], responses: readonly string[]): void => {
    const key = promptKey(prompt);
    const known = byPrompt.get(key) ?? { prompt, responses: new Set() };
    for (const response of responses) if (response.trim() !== '') known.responses.add(response.trim());
    byPrompt.set(key, known);
  };
  if (records.some(({ fields }) => 'responses' in fields)) {
    for (const { source, prompt, extra } of parseRows('prompt', records).rows) {
      const parsed = z.array(z.string()).safeParse(extra['responses']);
      if (!parsed.success) throw problemsError(`${path} holds rows that are no candidates`, [
        { source, column: 'responses', reason: 'is no list of texts', value: extra['responses'] },
      ]);
      add(prompt, parsed.data);
    }
  } else {
    for (const { prompt, completion } of parseRows('completion', records, { junk: 'skip' }).rows) add(prompt, [completion]);
  }
  const pairs = [...byPrompt.values()].flatMap(({ prompt, responses }) => {
    const all = [...responses];
    return all.flatMap((a, i) => all.slice(i + 1).map((b): Candidate => ({ prompt, responses: [a, b] })));
  });
  if (pairs.length > 0) return pairs;
  throw new UserError(`${path} has no prompt with two different responses, so there is nothing to compare.`, [
    'Give rows with a list "responses", or several rows with one prompt and different completions.',
  ]);
}
