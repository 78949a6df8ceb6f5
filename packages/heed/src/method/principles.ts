import { z } from 'zod';
import { agreedScore } from '../data/agreed-score.js';
import { hashOrder, hashUnit, promptKey } from '../data/hash.js';
import { type PrincipledRow, type ScoredPrinciple, sameText } from '../data/rows.js';
import { at } from '../data/source.js';
import { UserError } from '../errors.js';
import type { HeldPrinciple } from '../text/principled.js';

/**
 * How principles are drawn for a pair, and how they decide it: SALMON, arXiv 2310.05910, and the official code ("the code") where the
 * paper does not say.
 */
export const principleOptions = {
  /** How many of a row's principles are drawn: a number, or `geometric`, k with P(k) ∝ 0.8^k (the code; the paper's example has 3). */
  principles: z.union([z.literal('geometric'), z.int().min(1)]).default('geometric'),
  /** The chance that a drawn principle is turned into its opposite. The paper: ½. */
  negation: z.number().min(0).max(1).default(0.5),
  /** `variance`: a principle's scores are divided by their variance over all rows, so that none decides by its scale alone (the code). */
  scale: z.enum(['none', 'variance']).default('none'),
  /** The chance that a decision is turned round. The code: 0.1; off by default. */
  labelNoise: z.number().min(0).lt(0.5).default(0),
  /** Names the draws: another seed, other draws. */
  seed: z.int().default(0),
};

type All = z.infer<z.ZodObject<typeof principleOptions>>;
/** The options as they are used: `scale` is absent where one principle is drawn. */
export type PrincipleOptions = Omit<All, 'scale'> & Partial<Pick<All, 'scale'>>;

/** Why `scale` means nothing beside the others: with one principle drawn there is no widest gap to choose. */
export const scalesNothing = ({ principles }: Pick<PrincipleOptions, 'principles'>): string | undefined =>
  principles === 1 ? 'with one principle drawn none is compared with another, so scale does nothing; leave it out or draw more' : undefined;

/** A principle as drawn: its text is the negation where it was negated, and `gap` > 0 says that the first response keeps it better. */
export interface Held extends HeldPrinciple {
  readonly gap: number;
}

/** Two responses decided: the principles that were held, and which response they prefer. */
export interface Decision {
  readonly held: readonly Held[];
  readonly better: string;
  readonly worse: string;
}

const mean = (p: ScoredPrinciple): number => (p.scores === undefined ? p.score : (p.scores[0] + p.scores[1]) / 2);
/** What a principle says of a pair: 0 where the orders of showing disagree. */
export const scoreOf = (p: ScoredPrinciple): number => (p.scores === undefined ? p.score : agreedScore(p.scores));

/** A principle, or its opposite, which turns the gap round. */
export const hold = (p: ScoredPrinciple, negated: boolean, factor = 1): Held =>
  ({ name: p.name, text: negated ? p.negation : p.text, gap: (negated ? -1 : 1) * scoreOf(p) * factor });

/** Which response (0 or 1) the principle with the widest gap prefers; of equally wide gaps the first. Undefined where all are 0. */
export function preferred(held: readonly Held[]): 0 | 1 | undefined {
  const widest = held.reduce((a, b) => (Math.abs(b.gap) > Math.abs(a.gap) ? b : a));
  if (widest.gap === 0) return undefined;
  return widest.gap > 0 ? 0 : 1;
}

/** k in 1 … `most` with P(k) ∝ 0.8^k, for a uniform u: geometric with p = 0.2, given that it is no more than `most`. */
export function geometric(u: number, most: number): number {
  const within = 1 - 0.8 ** most;
  return Math.min(most, 1 + Math.floor(Math.log1p(-u * within) / Math.log(0.8)));
}

/**
 * Draws principles for a row and decides by them; undefined where none that was drawn tells the responses apart.
 *
 * The draw is a hash of the seed, the row's own words, the number of the draw and the principle's name. So the draw is the same in a
 * resumed run, for held-out rows, wherever the row is in its file and whichever response the row names first.
 *
 * @param among All rows, for `scale: variance`.
 */
export function draw(row: PrincipledRow, options: PrincipleOptions, among: readonly PrincipledRow[], number: number): Decision | undefined {
  const { principles, negation, scale, labelNoise, seed } = options;
  const key = JSON.stringify([promptKey(row.prompt), [...row.responses].sort(), number]);
  const chance = (what: string): number => hashUnit(seed, `${key}\u0000${what}`);
  const count = principles === 'geometric' ? geometric(chance('count'), row.principles.length) : principles;
  const byName = row.principles.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const taken = hashOrder(byName, seed, ({ name }) => `${key}\u0000take\u0000${name}`).slice(0, count);
  const held = taken.map((p) => hold(p, chance(`negate\u0000${p.name}`) < negation, scale === 'variance' ? scaleOf(p, row, among) : 1));
  const first = preferred(held);
  if (first === undefined) return undefined;
  const better = chance('noise') < labelNoise ? 1 - first : first;
  return { held, better: row.responses[better]!, worse: row.responses[1 - better]! };
}

/** Why no draw of a row can be learnt from, else undefined. Scales do not matter: they make no gap 0. */
export function undecided(row: PrincipledRow, options: PrincipleOptions, draws: number): string | undefined {
  const { principles } = options;
  if (principles !== 'geometric' && principles > row.principles.length) {
    return `method.principles draws ${principles}, and it has only ${row.principles.length}`;
  }
  if (sameText(...row.responses)) return 'its responses are equal: nothing is preferred';
  if (row.principles.every((p) => scoreOf(p) === 0)) {
    return 'no principle tells its responses apart: every score is 0, or its orders of showing disagree';
  }
  for (let i = 0; i < draws; i++) if (draw(row, { ...options, scale: 'none' }, [], i) !== undefined) return undefined;
  return 'no principle that was drawn tells its responses apart; another method.seed may draw one that does';
}

const variances = new WeakMap<readonly PrincipledRow[], ReadonlyMap<string, number>>();

/** One over the variance of a principle's scores over all rows. */
function scaleOf(p: ScoredPrinciple, row: PrincipledRow, among: readonly PrincipledRow[]): number {
  let known = variances.get(among);
  if (known === undefined) variances.set(among, (known = variancesOf(among)));
  const variance = known.get(p.name) ?? 0;
  if (variance > 0) return 1 / variance;
  if (scoreOf(p) === 0) return 1;
  const same = `the principle ${JSON.stringify(p.name)} has the same score in all ${among.length} rows`;
  throw new UserError(`${at(row.source)}: ${same}, so its scores have no variance to divide by`, [
    'Set method.scale: none, or add rows that it scores otherwise.',
  ]);
}

function variancesOf(rows: readonly PrincipledRow[]): ReadonlyMap<string, number> {
  const scores = new Map<string, number[]>();
  for (const row of rows) for (const p of row.principles) scores.set(p.name, [...(scores.get(p.name) ?? []), mean(p)]);
  return new Map([...scores].map(([name, all]) => {
    const centre = all.reduce((a, b) => a + b, 0) / all.length;
    return [name, all.reduce((sum, x) => sum + (x - centre) ** 2, 0) / all.length];
  }));
}
