import type { RowDefinition } from '../data/row.js';
import {
  type AnyRow, type ConversationRow, type JudgedRow, type LabelledRow, type NegativeRow, type PreferenceRow, type PromptRow,
  type RefinedRow, type RowKind, type ScoredRow, rowDefinition,
} from '../data/rows.js';
import { UserError } from '../errors.js';
import type { Rated } from '../reward/reward.js';
import type { Random } from '../run/random.js';
import { type AlignRowsOptions, areWritten } from './rows-recipe.js';

/** An answer of the policy to a prompt, with what a reward said of it. */
export interface Sample {
  readonly prompt: PromptRow;
  /** Which of the prompt's answers, from 0. */
  readonly sample: number;
  readonly text: string;
  readonly rated: Rated;
}

/** How rows of a kind are made from samples. */
export interface Maker {
  /** The least number of samples of one prompt that make a row. */
  readonly samples: number;
  /** The rows tell good answers from bad ones, so that the reward must draw a line. */
  readonly needsLine?: true;
  /** Rows lack a part that the model has to write (`rows:` of a recipe), under this name. */
  readonly lacks?: 'refine' | 'self-correct';
  /** The rows of one prompt's samples. `random` decides between equal ones. */
  readonly rows: (samples: readonly Sample[], random: Pick<Random, 'int'>) => AnyRow[];
  /** Why the samples of a prompt became no row, in a word for the round's report. */
  readonly without?: (samples: readonly Sample[]) => string;
  /** Numbers of the samples of a prompt that became a row, by name: report and log of the round have their means over prompts. */
  readonly measures?: (samples: readonly Sample[]) => Readonly<Record<string, number>>;
  /** Of rows with the same prompt and the same words only the first is kept. */
  readonly unique?: true;
}

const base = ({ prompt: { source, id }, sample }: Sample): { source: PromptRow['source']; id?: string } =>
  id === undefined ? { source } : { source, id: `${id}#${sample}` };
const answered = (one: Sample): { source: PromptRow['source']; id?: string; prompt: PromptRow['prompt']; completion: string } => ({
  ...base(one),
  prompt: one.prompt.prompt,
  completion: one.text,
});
const satisfied = ({ rated }: Sample): boolean => rated.satisfied === true;

/**
 * A judged row for each answer: the reward's reason is the judgment.
 *
 * @throws UserError where an answer is bad without a reason: such a row says nothing to learn from
 */
export const judged = (samples: readonly Sample[]): JudgedRow[] =>
  samples.map((one) => {
    const { reason } = one.rated;
    if (!satisfied(one) && (reason ?? '').trim() === '') {
      const { file, line } = one.prompt.source;
      throw new UserError(
        `${file}:${line}: the reward gives no reason why this answer is bad, and the method learns from reasons: `
        + `${JSON.stringify(one.text)}.`,
        ['Let the reward give a reason (docs/rewards.md), or take a method that learns from good and bad answers alone, such as kto.'],
      );
    }
    return { ...answered(one), judgment: reason, satisfied: satisfied(one) };
  });

const asConversation = (one: Sample): ConversationRow =>
  ({ ...base(one), messages: [...one.prompt.prompt, { role: 'assistant', content: one.text }] });

/** The satisfactory answers as conversations to imitate. */
export const conversation = (samples: readonly Sample[]): ConversationRow[] => samples.filter(satisfied).map(asConversation);

/** A vote for each answer: good where the reward is satisfied. */
export const labelled = (samples: readonly Sample[]): LabelledRow[] => samples.map((one) => ({ ...answered(one), label: satisfied(one) }));

/** The reward's number for each answer. */
export const scored = (samples: readonly Sample[]): ScoredRow[] => samples.map((one) => ({ ...answered(one), score: one.rated.value }));

/** The best and the worst of samples, of equal ones the first, and the difference of their rewards. */
function extremes(samples: readonly Sample[]): { readonly best: Sample; readonly worst: Sample; readonly gap: number } {
  const better = (a: Sample, b: Sample): Sample => (b.rated.value > a.rated.value ? b : a);
  const worse = (a: Sample, b: Sample): Sample => (b.rated.value < a.rated.value ? b : a);
  const [best, worst] = [samples.reduce(better), samples.reduce(worse)];
  return { best, worst, gap: best.rated.value - worst.rated.value };
}

/** Why the answers to a prompt cannot be told apart. */
const alike = (samples: readonly Sample[]): string => (samples.length < 2 ? 'single' : 'tie');

/** Differences of rewards such as 0.7 − 0.6 are below 0.1 by rounding alone. */
const ROUNDING = 1e-9;
const apart = (gap: number, minGap: number): boolean => gap > 0 && gap >= minGap - ROUNDING;

/** The best answer against the worst; of equal ones the first. None where all are equally good, or closer than `minGap`. */
export function preference(samples: readonly Sample[], minGap = 0): PreferenceRow[] {
  const { best, worst, gap } = extremes(samples);
  if (!apart(gap, minGap)) return [];
  const { source, id, prompt } = best.prompt;
  return [{ source, id, prompt, chosen: best.text, rejected: worst.text }];
}

/**
 * Pairs of the best and the worst answer (online DPO). `objective/scores_margin`, as TRL calls it: by how much the chosen answer's reward
 * is the larger one.
 */
const pairs = (minGap: number): Maker => ({
  samples: 2,
  rows: (samples) => preference(samples, minGap),
  without: (samples) => (extremes(samples).gap === 0 ? alike(samples) : 'close'),
  measures: (samples) => ({ 'objective/scores_margin': extremes(samples).gap }),
});

/**
 * The best answer as a conversation to imitate (best-of-n, rejection sampling); `random` draws one of equally good ones. Only an answer
 * that is better than the mean of all is worth it, which the best one is unless all are equal.
 */
export function bestOfN(samples: readonly Sample[], random: Pick<Random, 'int'>): ConversationRow[] {
  const { best: { rated: { value } }, gap } = extremes(samples);
  if (gap === 0) return [];
  const equal = samples.filter(({ rated }) => rated.value === value);
  return [asConversation(equal[random.int(equal.length)]!)];
}

/** `gain`: by how much the best answer is better than the mean of all. */
const best: Maker = {
  samples: 2, unique: true, rows: bestOfN, without: alike,
  measures: (samples) => {
    const mean = samples.reduce((sum, { rated }) => sum + rated.value, 0) / samples.length;
    return { gain: extremes(samples).best.rated.value - mean };
  },
};

/** Each unsatisfactory answer as a bad one; the prompt's satisfactory answers are its positives. */
export function negative(samples: readonly Sample[]): NegativeRow[] {
  const good = samples.filter(satisfied).map(({ text }) => text);
  const positives = good.length === 0 ? {} : { positives: [...new Set(good)] };
  return samples
    .filter((one) => !satisfied(one))
    .map((one) => ({ ...base(one), prompt: one.prompt.prompt, rejected: one.text, ...positives }));
}

/** Judged rows, for which the model then writes refinements. */
export const refined = (samples: readonly Sample[]): RefinedRow[] => judged(samples);

/** How samples become rows, by the kind of row that a method learns from. Kinds that are not here cannot be made from answers. */
export const ROWS_OF: Readonly<Partial<Record<RowKind, Maker>>> = {
  judged: { samples: 1, needsLine: true, rows: judged },
  conversation: { samples: 1, needsLine: true, rows: conversation },
  labelled: { samples: 1, needsLine: true, rows: labelled },
  scored: { samples: 1, rows: scored },
  preference: pairs(0),
  negative: { samples: 1, needsLine: true, rows: negative },
  refined: { samples: 1, needsLine: true, lacks: 'refine', rows: refined },
};

type RatedRows = Extract<AlignRowsOptions, { readonly make: 'pairs' | 'best-of-n' }>;

/** The kind of rows that a recipe's `rows:` makes of rated answers, and how. */
function asked(rows: RatedRows): { readonly kind: RowKind; readonly maker: Maker } {
  return rows.make === 'pairs' ? { kind: 'preference', maker: pairs(rows.minGap) } : { kind: 'conversation', maker: best };
}

/**
 * How samples become rows of this kind; undefined where they cannot. Rows of a user's own kind cannot, whatever the kind is called.
 *
 * @param rows `rows:` of the recipe.
 * @throws UserError where `rows` makes rows of another kind
 */
export function makerOf(kind: RowKind | RowDefinition, rows?: AlignRowsOptions | null): Maker | undefined {
  if (rows && !areWritten(rows) && rows.make !== 'self-play') {
    const { kind: makes, maker } = asked(rows);
    if (rowDefinition(makes) === rowDefinition(kind)) return maker;
    throw anotherKind(rows.make, makes, kind);
  }
  return Object.entries(ROWS_OF).find(([known]) => rowDefinition(known as RowKind) === rowDefinition(kind))?.[1];
}

/** `rows.make` names rows that the method does not learn from. */
export const anotherKind = (make: string, makes: RowKind, wanted: RowKind | RowDefinition): UserError => new UserError(
  `rows.make: ${make} makes rows of the kind "${makes}", but the method learns from "${rowDefinition(wanted).kind}" rows.`,
  ['Take another method, or leave `rows` out.'],
);
