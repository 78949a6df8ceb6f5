import { type OnLong, fitAll } from '../data/limit.js';
import { type Problem, problemsError } from '../data/problem.js';
import type { AnyRow } from '../data/rows.js';
import { at } from '../data/source.js';
import type { BoundMethod, Respond, Sequence } from '../method/method.js';
import type { Item } from './micro-batch.js';

/** Rows made ready, and what became of those that were too long. */
export interface Prepared {
  readonly items: readonly Item[];
  readonly skipped: readonly Problem[];
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

  const parts = whole.flatMap(({ row, index, sequences }) => sequences.map(([name, s]) => ({ source: row.source, index, name, tokens: s })));
  const fitted = fitAll(parts, limits.maxTokens, limits.onLong);
  const kept = new Map<string, Sequence>();
  for (const part of fitted.kept) {
    const before = part.tokens;
    const { supervised } = whole[part.index]!.sequences.find(([name]) => name === part.name)![1];
    kept.set(`${part.index}:${part.name}`, { ...before, ...(supervised === undefined ? {} : { supervised }) });
  }
  const items = whole.flatMap(({ row, index, sequences }): Item[] => {
    // A row goes as a whole: a method's sequences only mean something together.
    if (sequences.some(([name]) => !kept.has(`${index}:${name}`))) return [];
    return [{
      index,
      where: at(row.source),
      sequences: Object.fromEntries(sequences.map(([name]) => [name, kept.get(`${index}:${name}`)!])),
      columns: method.columnsOf(row),
    }];
  });
  return { items, skipped: fitted.skipped, truncated: fitted.truncated.length };
}

function entries(sequences: Partial<Record<string, Sequence>>): [string, Sequence][] {
  return Object.entries(sequences).flatMap(([name, s]): [string, Sequence][] => (s === undefined ? [] : [[name, s]]));
}

/** Tokens of an item's sequences, prompts included: what it costs at most (shared prompts cost less). */
export const tokensOf = (item: Item): number => Object.values(item.sequences).reduce((n, s) => n + s!.prompt.length + s!.response.length, 0);
