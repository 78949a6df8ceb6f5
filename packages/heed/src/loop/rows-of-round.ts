import { promptKey } from '../data/hash.js';
import { type AnyRow, type PromptRow, type RowKind, rowDefinition } from '../data/rows.js';
import type { RowDefinition } from '../data/row.js';
import { createRandom } from '../run/random.js';
import type { Maker, Sample } from './rows-of.js';

/** What became of a round's samples. */
export interface RowsOfRound {
  readonly rows: readonly AnyRow[];
  /** Prompts whose answers became no row, by reason; absent where the maker gives none. */
  readonly unused?: Readonly<Record<string, number>>;
  /** Means of the maker's measures over the prompts whose answers became a row. */
  readonly measures: Readonly<Record<string, number>>;
}

/**
 * Makes rows of the samples of each prompt together.
 *
 * @param stream Names the random numbers that decide between equal samples.
 */
export function rowsOfRound(
  maker: Maker, kind: RowKind | RowDefinition, all: readonly Sample[], stream: readonly (string | number)[],
): RowsOfRound {
  const byPrompt = new Map<PromptRow, Sample[]>();
  for (const one of all) byPrompt.set(one.prompt, [...(byPrompt.get(one.prompt) ?? []), one]);
  const rows: AnyRow[] = [];
  const unused: Record<string, number> = {};
  const measured: Readonly<Record<string, number>>[] = [];
  const seen = new Set<string>();
  const { prompt, responses } = rowDefinition(kind);
  const repeated = (row: AnyRow): boolean => {
    if (maker.unique !== true) return false;
    const key = JSON.stringify([promptKey(prompt(row)), responses(row).map((text) => text.trim())]);
    return seen.size === seen.add(key).size;
  };

  [...byPrompt.values()].forEach((own, i) => {
    const made = maker.rows(own, createRandom('rows of samples', ...stream, i));
    const fresh = made.filter((row) => !repeated(row));
    rows.push(...fresh);
    if (fresh.length > 0) {
      if (maker.measures !== undefined) measured.push(maker.measures(own));
    } else if (maker.without !== undefined) {
      const reason = made.length > 0 ? 'duplicate' : maker.without(own);
      unused[reason] = (unused[reason] ?? 0) + 1;
    }
  });
  return { rows, ...(maker.without !== undefined && { unused }), measures: means(measured) };
}

function means(measured: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(measured[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, measured.reduce((sum, one) => sum + one[name]!, 0) / measured.length]));
}
