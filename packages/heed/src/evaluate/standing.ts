/** What an answer came to in numbers, and what several answers to one prompt came to on average. */
import { type Failure, failed } from '../judge/respondent.js';
import type { Rated } from '../reward/reward.js';
import type { Estimate } from '../run/statistics.js';
import { bootstrapInterval, pairedDifference } from '../run/statistics.js';
import { meanOfFew } from '../run/student.js';

/** The numbers of a rating. Of several answers their means, so that a verdict is a share. */
export interface Standing {
  readonly value: number;
  readonly satisfied?: number;
  readonly findings?: number;
}

/** One value for each prompt; undefined where an answer has no rating. */
export type Standings = readonly (Standing | undefined)[];
type Name = keyof Standing;
const NAMES: readonly Name[] = ['satisfied', 'value', 'findings'];
/** The least and the greatest number there can be: of verdicts alone. */
const boundsOf = (name: Name, least: number): { readonly bounds?: readonly [number, number] } =>
  (name === 'satisfied' ? { bounds: [least, 1] } : {});

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export const standingsOf = (rated: readonly (Rated | Failure)[]): Standings => rated.map((one) => (failed(one) ? undefined : {
  value: one.value,
  ...(one.satisfied === undefined ? {} : { satisfied: Number(one.satisfied) }),
  ...(one.findings === undefined ? {} : { findings: one.findings.length }),
}));

/** The mean of each prompt over runs. A prompt of which one run has no rating has none: its mean would be over other runs than the rest. */
export function meanStandings(runs: readonly Standings[]): Standings {
  if (runs.length === 1) return runs[0]!;
  return runs[0]!.map((_, i) => {
    const all = runs.flatMap((run) => run[i] ?? []);
    if (all.length < runs.length) return undefined;
    const means = NAMES.flatMap((name) => {
      const values = all.flatMap((one) => one[name] ?? []);
      return values.length < all.length ? [] : [[name, meanOf(values)] as const];
    });
    return Object.fromEntries(means) as unknown as Standing;
  });
}

/** The means over prompts, with 95 % bootstrap intervals. */
export const intervalsOf = (standings: Standings): Record<string, Estimate> => Object.fromEntries(NAMES.flatMap((name) => {
  const values = standings.flatMap((one) => one?.[name] ?? []);
  return values.length === 0 ? [] : [[name, bootstrapInterval(values, { seed: 0, ...boundsOf(name, 0) })] as const];
}));

/** The numbers of the prompts that have one both times. */
const pairsOf = (before: Standings, after: Standings, name: Name): (readonly [number, number])[] => before.flatMap((one, i) => {
  const [from, to] = [one?.[name], after[i]?.[name]];
  return from === undefined || to === undefined ? [] : [[from, to] as const];
});

/**
 * What changed, prompt by prompt, with a 95 % bootstrap interval; where no verdict changed, an exact one. Prompts of which an answer has no
 * rating are left out, and numbers that the reward does not give.
 */
export const changeOfStandings = (before: Standings, after: Standings, seed: number): Record<string, Estimate> =>
  Object.fromEntries(NAMES.flatMap((name) => {
    const pairs = pairsOf(before, after, name);
    if (pairs.length === 0) return [];
    return [[name, pairedDifference(pairs.map(([from]) => from), pairs.map(([, to]) => to), { seed, ...boundsOf(name, -1) })] as const];
  }));

/**
 * The mean change of each run with its interval over the runs. Runs of both sides are taken in their order: any order that is not chosen by
 * the numbers gives an interval that holds.
 *
 * @returns undefined where both sides are one run, or both are several and not as many
 */
export function changeOverRuns(before: readonly Standings[], after: readonly Standings[]): Record<string, Estimate> | undefined {
  const n = Math.max(before.length, after.length);
  const of = (runs: readonly Standings[], k: number): Standings => (runs.length === 1 ? runs[0]! : runs[k]!);
  if (n === 1 || [before, after].some(({ length }) => length !== 1 && length !== n)) return undefined;
  return Object.fromEntries(NAMES.flatMap((name) => {
    const changes = Array.from({ length: n }, (_, k) => pairsOf(of(before, k), of(after, k), name).map(([from, to]) => to - from));
    if (changes.some(({ length }) => length === 0)) return [];
    return [[name, meanOfFew(changes.map(meanOf), boundsOf(name, -1).bounds)] as const];
  }));
}
