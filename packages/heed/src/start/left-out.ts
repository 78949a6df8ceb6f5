/** Rows that teach nothing here, by reason, so that every row that is dropped is listed. */
import type { Source } from '../data/source.js';

/** Why rows are in neither file. */
export interface LeftOut {
  /** Read after a number: "answers that are empty". */
  readonly reason: string;
  readonly sources: readonly Source[];
}

/** Collects rows by reason, in the order in which reasons came up. */
export class Leaving {
  private readonly reasons = new Map<string, Source[]>();

  add(reason: string, sources: readonly Source[]): void {
    const there = this.reasons.get(reason);
    if (there === undefined) this.reasons.set(reason, [...sources]);
    else for (const source of sources) there.push(source);
  }

  all(): LeftOut[] {
    return [...this.reasons].map(([reason, sources]) => ({ reason, sources }));
  }
}

/** Why one record is left out: thrown while it is read. */
export class Unusable extends Error {}

/** The lines of a log, for messages: "lines 3, 8, 9 and 4 more". */
export function linesOf(sources: readonly Source[], shown = 6): string {
  const unit = sources[0]?.unit ?? 'line';
  const lines = sources.slice(0, shown).map(({ line }) => line).join(', ');
  const more = sources.length - shown;
  return `${unit}${sources.length > 1 ? 's' : ''} ${lines}${more > 0 ? ` and ${more} more` : ''}`;
}
