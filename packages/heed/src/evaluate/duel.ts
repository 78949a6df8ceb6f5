/** Two sets of answers to the same prompts: who wins how often, and by how much. */
import { type Failure, failed } from '../judge/respondent.js';
import type { Rated } from '../reward/reward.js';
import { type Estimate, type McNemar, bootstrapInterval, mcnemar } from '../run/statistics.js';
import { type LengthControlled, lengthControlled } from './length-controlled.js';
import { changeOfStandings, changeOverRuns, meanStandings, standingsOf } from './standing.js';

/** `win`: the answer has a greater reward, or is preferred in both orders. `unrated`: one has no rating, or the judge gave no verdict. */
export type Outcome = 'win' | 'loss' | 'tie' | 'unrated';

/** How one fared against another. */
export interface Duel {
  readonly name: string;
  readonly against: string;
  /** Prompts with the same answer to the last character. */
  readonly same: number;
  /** Counts of prompts; absent where nothing rates the answers. */
  readonly outcomes?: Readonly<Record<Outcome, number>>;
  /** (wins + ½ ties) / prompts with an outcome, with a 95 % bootstrap interval over prompts. */
  readonly winRate?: Estimate;
  /** The win rate that is left when both answers are as long as each other; absent where fewer than five prompts have an outcome. */
  readonly lengthControlled?: LengthControlled;
  /** `name` less `against` of `value`, `satisfied` and `findings`, with a paired 95 % bootstrap interval over prompts. */
  readonly change: Readonly<Record<string, Estimate>>;
  /** The same over the runs of a contender that has several, by Student's t; absent where neither has, or the two have not as many. */
  readonly changeOverSeeds?: Readonly<Record<string, Estimate>>;
  /** Prompts of which the judge preferred the same place in both orders. They are ties. Absent where no judge compared the answers. */
  readonly followedPlace?: number;
  /** Of the verdicts; absent where the reward draws no line, and of several runs, whose verdicts are shares. */
  readonly mcnemar?: McNemar;
}

type Ratings = readonly (Rated | Failure)[];

/** How each of `own` fared against `other` at its place. */
export const outcomesOf = (other: Ratings, own: Ratings): Outcome[] => own.map((mine, i): Outcome => {
  const theirs = other[i]!;
  if (failed(mine) || failed(theirs)) return 'unrated';
  if (mine.value === theirs.value) return 'tie';
  return mine.value > theirs.value ? 'win' : 'loss';
});

interface Answers {
  readonly completions: readonly { readonly text: string }[];
  readonly rated?: Ratings;
}

/** A contender's answers. Where it has several runs, `rated` holds the means over them. */
interface Fighter extends Answers {
  readonly name: string;
  readonly runs?: readonly Answers[];
}

const textsOf = (one: Fighter, i: number): string[] => (one.runs ?? [one]).map(({ completions }) => completions[i]!.text);

/** What a judge of pairs said. */
interface Verdict { readonly outcome: Outcome; readonly followedPlace: boolean }

const POINTS = { win: 1, tie: 0.5, loss: 0 } as const;

/** How often each outcome came about, and what it makes. */
function score(all: readonly Outcome[], other: Fighter, own: Fighter): Pick<Duel, 'outcomes' | 'winRate' | 'lengthControlled'> {
  const count = (which: Outcome): number => all.filter((one) => one === which).length;
  const pairs = all.flatMap((one, i) => (one === 'unrated' ? [] : [
    { preference: POINTS[one], model: textsOf(own, i), baseline: textsOf(other, i) },
  ]));
  const outcomes = { win: count('win'), loss: count('loss'), tie: count('tie'), unrated: count('unrated') };
  if (pairs.length === 0) return { outcomes };
  const controlled = lengthControlled(pairs);
  return {
    outcomes, winRate: bootstrapInterval(pairs.map(({ preference }) => preference), { seed: 0, bounds: [0, 1] }),
    lengthControlled: controlled,
  };
}

/** How `own` fared against `other`: by a judge's preferences where there are some, else by the ratings. */
export function duelOf(other: Fighter, own: Fighter, preferred?: readonly Verdict[]): Duel {
  const same = own.completions.filter((_, i) => new Set([...textsOf(own, i), ...textsOf(other, i)]).size === 1).length;
  const plain = { name: own.name, against: other.name, same };
  if (preferred !== undefined) {
    const followedPlace = preferred.filter((one) => one.followedPlace).length;
    return { ...plain, ...score(preferred.map(({ outcome }) => outcome), other, own), change: {}, followedPlace };
  }
  const [theirs, mine] = [other.rated, own.rated];
  if (theirs === undefined || mine === undefined) return { ...plain, change: {} };
  const [before, after] = [other, own].map((one) => (one.runs ?? [one]).map(({ rated }) => standingsOf(rated!)));
  const changeOverSeeds = changeOverRuns(before!, after!);
  const areVerdicts = [other, own].every(({ runs }) => runs === undefined);
  const verdicts = !areVerdicts ? [] : theirs.flatMap((one, i): [boolean, boolean][] => {
    const two = mine[i]!;
    return failed(one) || failed(two) || one.satisfied === undefined || two.satisfied === undefined ? [] : [[one.satisfied, two.satisfied]];
  });
  return {
    ...plain, ...score(outcomesOf(theirs, mine), other, own),
    change: changeOfStandings(meanStandings(before!), meanStandings(after!), 0), ...(changeOverSeeds && { changeOverSeeds }),
    ...(verdicts.length === 0 ? {} : { mcnemar: mcnemar(verdicts.map(([one]) => one), verdicts.map(([, two]) => two)) }),
  };
}
