/** What a set has come to: agreement of people, who won, and rows. */
import type { LabelSet } from '../../feedback/annotation.js';
import { type AnnotatedItem, annotatedParts, annotationRows } from '../../feedback/annotation-rows.js';
import type { AnnotationStore } from '../../feedback/annotations.js';
import { FEEDBACK_KINDS, type FeedbackKind } from '../../feedback/kinds.js';
import type { FeedbackRows } from '../../feedback/rows.js';
import { binomialTest } from '../../label/statistics.js';
import { alphaInterval, kappaOfTable } from '../../run/agreement.js';
import { countedInterval } from '../../run/statistics.js';
import type { AgreementShown, LabelCounting, LabelResults, LabelSetLine } from '../api.js';
import { COUNTS, type Counted, type Rating, type Thing, thingsOf } from './counted.js';
import { tallyOf } from './tally.js';

type Counts = readonly (readonly [Counted, number])[];
type Named = Counted[0];
/** The counts of one name, with what follows it. */
type Told<N extends Named> = Extract<Counted, readonly [N, ...unknown[]]> extends readonly [N, ...infer Rest] ? Rest : never;

/** A set of 100,000 labels takes no longer to look at. */
const RESAMPLES = 1000;

const named = <N extends Named>(counts: Counts, name: N): (readonly [Told<N>, number])[] =>
  counts.flatMap(([[own, ...told], n]) => (own === name ? [[told as unknown as Told<N>, n] as const] : []));
const sumOf = (counts: readonly (readonly [unknown, number])[]): number => counts.reduce((sum, [, n]) => sum + n, 0);

/**
 * @param reveal Whether to say whose answers won, which ends blindness.
 * @param patience Milliseconds after which it says how far counting has come. Default: until it is done.
 */
export async function resultsOf(
  store: AnnotationStore, set: LabelSetLine, { reveal, patience }: { readonly reveal: boolean; readonly patience?: number },
): Promise<LabelResults | LabelCounting> {
  const tally = await tallyOf(store, set, patience);
  if ('done' in tally) return { set, counting: tally };
  const counts = tally.all();
  const said = named(counts, 'said');
  return {
    set,
    agreement: thingsOf(set).map((thing) => agreementIn(thing, counts, set.seed)),
    ...(set.task === 'pairs' && { place: placeOf(counts) }),
    counts: Object.keys(COUNTS[set.task]).map((name) => ({ name, n: sumOf(said.filter(([[own]]) => own === name)) })),
    scores: set.principles.flatMap((principle) => {
      const values = named(counts, 'score').filter(([[own]]) => own === principle).map(([[, score], n]) => [score, n] as const);
      if (values.length === 0) return [];
      return [{ name: principle, value: countedInterval(values, { seed: set.seed, bounds: [1, set.scale], resamples: RESAMPLES }) }];
    }),
    ...(reveal && set.task === 'pairs' && outcomeOf(counts, set)),
    rows: FEEDBACK_KINDS.map((kind) => ({
      kind, rows: sumOf(named(counts, 'row').filter(([[own]]) => own === kind)),
      leftOut: Object.fromEntries(named(counts, 'no row').filter(([[own]]) => own === kind).map(([[, reason], n]) => [reason, n])),
    })),
  };
}

function agreementIn({ what, distance }: Thing, counts: Counts, seed: number): AgreementShown {
  const patterns = named(counts, 'ratings').filter(([[own]]) => own === what).map(([[, ratings], n]) => [ratings, n] as const);
  const alpha = alphaInterval(patterns, distance, { seed, resamples: RESAMPLES });
  const tables = new Map<string, { a: string; b: string; cells: (readonly [Rating, Rating, number])[] }>();
  for (const [[own, a, b, ofA, ofB], n] of named(counts, 'two')) {
    if (own !== what) continue;
    const key = JSON.stringify([a, b]);
    const table = tables.get(key) ?? { a, b, cells: [] };
    table.cells.push([ofA, ofB, n]);
    tables.set(key, table);
  }
  const pairs = [...tables.values()].map(({ a, b, cells }) => {
    const kinds = [...new Set(cells.flatMap(([x, y]) => [x, y]))];
    const kappa = kappaOfTable(kinds.map((row) => kinds.map((column) => cells.find(([x, y]) => x === row && y === column)?.[2] ?? 0)));
    const of = (is: (x: Rating, y: Rating) => boolean): number => cells.reduce((sum, [x, y, n]) => sum + (is(x, y) ? n : 0), 0);
    return { a, b, n: of(() => true), kappa, same: of((x, y) => x === y) };
  });
  return { what, both: sumOf(patterns), pairs, ...(alpha && { alpha }) };
}

function placeOf(counts: Counts): LabelResults['place'] {
  const sides = named(counts, 'side');
  const [first, n] = [sumOf(sides.filter(([[side]]) => side === 'first')), sumOf(sides)];
  return { first, n, p: binomialTest(first, n) };
}

/** Who won, where the items say who gave which answer. */
function outcomeOf(counts: Counts, { seed }: LabelSet): Pick<LabelResults, 'outcome'> {
  const shares = named(counts, 'share');
  const models = shares[0]?.[0][0];
  if (models === undefined || shares.some(([[own]]) => own.join('\n') !== models.join('\n'))) return {};
  const votes = (model: string | null): number => sumOf(named(counts, 'vote').filter(([[own]]) => own === model));
  // An item counts once, however many people judged it: their votes are not independent.
  const where = (is: (share: number) => boolean): number => sumOf(shares.filter(([[, share]]) => is(share)));
  const [more, less] = [where((share) => share > 0.5), where((share) => share < 0.5)];
  const rate = countedInterval(shares.map(([[, share], n]) => [share, n] as const), { seed, bounds: [0, 1], resamples: RESAMPLES });
  const wins = [votes(models[0]), votes(models[1])] as const;
  return { outcome: { models, wins, ties: votes(null), rate, p: binomialTest(more, more + less) } };
}

/** Rows of a kind of a set. */
export async function rowsOfSet(store: AnnotationStore, set: LabelSetLine, kind: FeedbackKind): Promise<FeedbackRows> {
  const all: AnnotatedItem[] = [];
  for await (const { items } of annotatedParts(store, set)) all.push(...items);
  return annotationRows(all, kind);
}
