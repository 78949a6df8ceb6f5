/** Measures of labels: what they agree with, what they favour, and whether their probabilities mean what they say. */
import { sampleRankCorrelation } from 'simple-statistics';

import { type Estimate, proportionInterval } from '../run/statistics.js';

/** Labels compared with people's labels. Where either side has a tie, the row counts as neither right nor wrong. */
export interface Agreement extends Estimate {
  readonly ties: number;
}

/** Share of rows where both probabilities lie on the same side of ½, with Wilson's 95 % interval; undefined where none can be compared. */
export function agreement(pairs: readonly { readonly label: number; readonly human: number }[]): Agreement | undefined {
  const decided = pairs.filter(({ label, human }) => label !== 0.5 && human !== 0.5);
  if (decided.length === 0) return undefined;
  const right = decided.filter(({ label, human }) => label > 0.5 === human > 0.5).length;
  return { ...proportionInterval(right, decided.length), ties: pairs.length - decided.length };
}

/** Yes or no against people's yes or no. */
export interface Verdicts {
  readonly accuracy: Estimate;
  /** Mean of both classes' accuracies: ½ for a judge that always says the same. Of one class alone where people said nothing else. */
  readonly balanced: Estimate;
  /** Share of the commoner class: the accuracy of always saying that. */
  readonly majority: number;
  /** Where people said yes, and where they said no: rows, and how often the judge said yes. */
  readonly yes: { readonly n: number; readonly saidYes: number };
  readonly no: { readonly n: number; readonly saidYes: number };
}

/**
 * Verdicts against people's; undefined without rows. The interval of the balanced accuracy joins Wilson's intervals of the two classes as
 * the square root of the sum of their squared distances (MOVER; Zou & Donner, Statistics in Medicine 27, 2008), so that it has a width
 * where a class is all right or all wrong.
 */
export function verdictsAgainst(compared: readonly { readonly said: boolean; readonly human: boolean }[]): Verdicts | undefined {
  if (compared.length === 0) return undefined;
  const among = (human: boolean): { n: number; saidYes: number } => {
    const rows = compared.filter((one) => one.human === human);
    return { n: rows.length, saidYes: rows.filter(({ said }) => said).length };
  };
  const [yes, no] = [among(true), among(false)];
  const right = yes.saidYes + no.n - no.saidYes;
  const classes = [[yes.saidYes, yes.n], [no.n - no.saidYes, no.n]].filter(([, n]) => n! > 0).map(([k, n]) => proportionInterval(k!, n!));
  const mean = classes.reduce((sum, one) => sum + one.mean, 0) / classes.length;
  const reach = (distance: (one: Estimate) => number): number => Math.hypot(...classes.map(distance)) / classes.length;
  const [below, above] = [reach((one) => one.mean - one.low), reach((one) => one.high - one.mean)];
  const balanced = { mean, low: mean - below, high: mean + above, n: compared.length };
  return { accuracy: proportionInterval(right, compared.length), balanced, majority: Math.max(yes.n, no.n) / compared.length, yes, no };
}

/** Whether a judge prefers the place: what it says of both orders of showing the same two responses. */
export interface PositionBias {
  readonly pairs: number;
  /** Pairs for which both orders name the same place, so that the verdict flips with the order. */
  readonly same: Estimate;
  /** Of these, those that name the first place. */
  readonly first: number;
  /** Two-sided binomial test of `first` against ½: how likely so uneven a division is without a bias. 1 where no pair names a place. */
  readonly p: number;
}

/**
 * RLAIF's "% same position preferred".
 *
 * @param shown For each pair, the probability that the judge gave to the *first place* in either order. ½ names no place.
 */
export function positionBias(shown: readonly (readonly [number, number])[]): PositionBias | undefined {
  if (shown.length === 0) return undefined;
  const first = shown.filter(([a, b]) => a > 0.5 && b > 0.5).length;
  const second = shown.filter(([a, b]) => a < 0.5 && b < 0.5).length;
  return { pairs: shown.length, same: proportionInterval(first + second, shown.length), first, p: binomialTest(first, first + second) };
}

/** From this share on, a judge names one place in nearly all pairs. */
const NEARLY_ALL = 0.9;
/** Fewer pairs, each shown in one order, say nothing about a place. */
const FEW = 10;

/**
 * Why labels carry no information where the judge names one place in nearly all pairs; undefined where it does not.
 *
 * @param bias Of pairs that were shown in both orders.
 * @param one How many of the pairs shown in one order only named the first place.
 * @param pairs What was compared, for people: "pairs".
 */
export function placeWarning(bias: PositionBias | undefined, one: Named | undefined, pairs = 'pairs'): string | undefined {
  if (bias !== undefined) {
    const both = Math.round(bias.same.mean * bias.pairs);
    if (bias.pairs < 2 || bias.same.mean < NEARLY_ALL) return undefined;
    const places = bias.first === 0 || bias.first === both
      ? `the ${bias.first === 0 ? 'second' : 'first'} place` : `one place (the first in ${bias.first} of them)`;
    const found = `in ${both} of ${bias.pairs} ${pairs} the judge names ${places}`;
    return `These labels carry no information: ${found}, whichever response stands there.`;
  }
  if (one === undefined || one.n < FEW) return undefined;
  const most = Math.max(one.first, one.n - one.first);
  if (most / one.n < NEARLY_ALL) return undefined;
  const place = most === one.first ? 'first' : 'second';
  return `These labels carry no information, unless the data put the better response ${place}: the judge names the ${place} place in `
    + `${most} of ${one.n} ${pairs}, each shown in one order. label.orders: both tells.`;
}

/** How many of n pairs, each shown in one order, named the first place. */
export interface Named {
  readonly first: number;
  readonly n: number;
}

/** Two-sided exact binomial test of k successes in n against ½. */
export function binomialTest(k: number, n: number): number {
  if (n === 0) return 1;
  const few = Math.min(k, n - k);
  // log C(n, i) − n log 2, summed from i = 0.
  let term = -n * Math.LN2;
  let tail = Math.exp(term);
  for (let i = 1; i <= few; i++) {
    term += Math.log((n - i + 1) / i);
    tail += Math.exp(term);
  }
  return Math.min(1, 2 * tail);
}

/** The rows whose probability lies in `[from, to)`: how many, their mean probability, and what people said of them on average. */
interface Bin { readonly from: number; readonly to: number; readonly n: number; readonly said: number; readonly seen: number }

/** A reliability diagram and what sums it up. */
export interface Calibration {
  readonly bins: readonly Bin[];
  /** Mean distance of said from seen, weighted by the rows of a bin. */
  readonly ece: number;
  /** Mean squared distance of a probability from what people said; 0.25 for one that always says ½. */
  readonly brier: number;
}

/** Probabilities against outcomes in [0, 1], in ten bins; undefined without rows. */
export function calibration(pairs: readonly { readonly label: number; readonly human: number }[], count = 10): Calibration | undefined {
  if (pairs.length === 0) return undefined;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const groups = Array.from({ length: count }, (): { label: number; human: number }[] => []);
  for (const pair of pairs) groups[Math.min(count - 1, Math.floor(pair.label * count))]!.push(pair);
  const bins = groups.flatMap((group, i): Bin[] => {
    if (group.length === 0) return [];
    const [said, seen] = [mean(group.map(({ label }) => label)), mean(group.map(({ human }) => human))];
    return [{ from: i / count, to: (i + 1) / count, n: group.length, said, seen }];
  });
  return {
    bins,
    ece: bins.reduce((sum, { n, said, seen }) => sum + n * Math.abs(said - seen), 0) / pairs.length,
    brier: mean(pairs.map(({ label, human }) => (label - human) ** 2)),
  };
}

/** Spearman's rank correlation; undefined for fewer than 3 rows or where one side never varies. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < 3 || new Set(a).size < 2 || new Set(b).size < 2) return undefined;
  return sampleRankCorrelation(a.slice(), b.slice());
}
