import type { RowDefinition } from '../data/row.js';
import {
  type AnyRow, type ConversationRow, type JudgedRow, type LabelledRow, type NegativeRow, type PreferenceRow, type PromptRow,
  type RefinedRow, type RowKind, type ScoredRow, rowDefinition,
} from '../data/rows.js';
import { UserError } from '../errors.js';
import type { Rated } from '../reward/reward.js';

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
  /** Samples of one prompt that a row is made of: at least so many. */
  readonly samples: number;
  /** The rows tell good answers from bad ones, so that the reward must draw a line. */
  readonly needsLine?: true;
  /** Rows lack a part that the model has to write (`rows:` of a recipe), under this name. */
  readonly lacks?: 'refine' | 'self-correct';
  /** Of the samples of one prompt. */
  readonly rows: (samples: readonly Sample[]) => AnyRow[];
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

/** The satisfactory answers as conversations to imitate. */
export const conversation = (samples: readonly Sample[]): ConversationRow[] =>
  samples.filter(satisfied).map((one) => ({ ...base(one), messages: [...one.prompt.prompt, { role: 'assistant', content: one.text }] }));

/** A vote for each answer: good where the reward is satisfied. */
export const labelled = (samples: readonly Sample[]): LabelledRow[] => samples.map((one) => ({ ...answered(one), label: satisfied(one) }));

/** The reward's number for each answer. */
export const scored = (samples: readonly Sample[]): ScoredRow[] => samples.map((one) => ({ ...answered(one), score: one.rated.value }));

/** The best answer against the worst; of equal ones the first. None where all are equally good. */
export function preference(samples: readonly Sample[]): PreferenceRow[] {
  const better = (a: Sample, b: Sample): Sample => (b.rated.value > a.rated.value ? b : a);
  const worse = (a: Sample, b: Sample): Sample => (b.rated.value < a.rated.value ? b : a);
  const [best, worst] = [samples.reduce(better), samples.reduce(worse)];
  if (best.rated.value === worst.rated.value) return [];
  const { source, id, prompt } = best.prompt;
  return [{ source, id, prompt, chosen: best.text, rejected: worst.text }];
}

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
  preference: { samples: 2, rows: preference },
  negative: { samples: 1, needsLine: true, rows: negative },
  refined: { samples: 1, needsLine: true, lacks: 'refine', rows: refined },
};

/** How samples become rows of this kind; undefined where they cannot. Rows of a user's own kind cannot, whatever the kind is called. */
export const makerOf = (kind: RowKind | RowDefinition): Maker | undefined =>
  Object.entries(ROWS_OF).find(([known]) => rowDefinition(known as RowKind) === rowDefinition(kind))?.[1];
