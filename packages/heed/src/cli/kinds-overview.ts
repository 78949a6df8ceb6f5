/** How many rows there are of each kind, and what learns from them. */
import type { RowKind } from '../data/rows.js';

/** The methods to try first on each kind. */
const METHODS: Readonly<Partial<Record<RowKind, string>>> = {
  judged: 'cut, hindsight', refined: 'ilf, ilf-dpo', preference: 'dpo, reward-model', labelled: 'kto, bco', scored: 'hindsight-reward',
  conversation: 'sft', prompt: 'heed align', choice: 'choice',
};

/** A table for people. `rows`: how many, or why that is not known. */
export function kindsOverview(counts: readonly { readonly kind: RowKind; readonly rows: number | string }[]): string[] {
  const line = ({ kind, rows }: { kind: RowKind; rows: number | string }): string =>
    `  ${kind.padEnd(13)} ${String(rows).padStart(6)}  ${METHODS[kind] ?? ''}`.trimEnd();
  return ['  kind            rows  methods to try first', ...counts.map(line)];
}
