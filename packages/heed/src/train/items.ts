import { type Fit, type OnLong, fit, fitAll } from '../data/limit.js';
import { type Problem, problemsError } from '../data/problem.js';
import type { AnyRow } from '../data/rows.js';
import { at } from '../data/source.js';
import type { BoundMethod, Respond, Sequence } from '../method/method.js';
import type { Item } from './micro-batch.js';

/** Rows made ready, and what became of those that were too long. */
export interface Prepared {
  readonly items: readonly Item[];
  readonly skipped: readonly Problem[];
  /** Rows of which a prompt was cut. */
  readonly truncated: number;
}

/**
 * Turns rows into tokens by a method and fits them into `maxTokens`. A row that supervises no token is an error: it would teach nothing
 * and hide a mistake.
 */
export function prepare(rows: readonly AnyRow[], method: BoundMethod, text: Respond, limits: { readonly maxTokens: number; readonly onLong: OnLong }): Prepared {
  const problems: Problem[] = [];
  const whole = rows.flatMap((row, index) => {
    const sequences = entries(method.sequences(row, text));
    const supervised = sequences.reduce((n, [, s]) => n + (s.supervised?.filter(Boolean).length ?? s.response.length), 0);
    if (supervised === 0) problems.push({ source: row.source, reason: 'supervises no token: nothing could be learned from it' });
    return [{ row, index, sequences }];
  });
  if (problems.length > 0) throw problemsError(`${problems.length} of ${rows.length} rows teach nothing`, problems);

  // A row goes as a whole: a method's sequences only mean something together. The longest that does not fit speaks for its row.
  const fits = (tokens: Sequence): Fit => fit(tokens, limits.maxTokens, limits.onLong);
  const speakers = whole.map(({ row, index, sequences }) => {
    const tooLong = sequences.filter(([, s]) => 'tooLong' in fits(s));
    const [, tokens] = (tooLong.length > 0 ? tooLong : sequences).reduce((a, b) => (lengthOf(b[1]) > lengthOf(a[1]) ? b : a));
    return { source: row.source, index, tokens };
  });
  const { kept, skipped } = fitAll(speakers, limits.maxTokens, limits.onLong);
  let truncated = 0;
  const items = kept.map(({ index }): Item => {
    const { row, sequences } = whole[index]!;
    const fitted = sequences.map(([name, s]) => ({ name, s, ...(fits(s) as Extract<Fit, { readonly cut: number }>) }));
    if (fitted.some(({ cut }) => cut > 0)) truncated++;
    return { index, where: at(row.source), sequences: Object.fromEntries(fitted.map(({ name, s, tokens }) => [name, { ...s, ...tokens }])), columns: method.columnsOf(row) };
  });
  return { items, skipped, truncated };
}

const lengthOf = (s: Sequence): number => s.prompt.length + s.response.length;

function entries(sequences: Partial<Record<string, Sequence>>): [string, Sequence][] {
  return Object.entries(sequences).flatMap(([name, s]): [string, Sequence][] => (s === undefined ? [] : [[name, s]]));
}

/** Tokens of an item's sequences, prompts included: what it costs at most (shared prompts cost less). */
export const tokensOf = (item: Item): number => Object.values(item.sequences).reduce((n, s) => n + lengthOf(s!), 0);
