/** Which of two answers a judge prefers, asked in both orders. */
import type { PromptRow } from '../data/rows.js';
import { openRespondent } from '../judge/open.js';
import type { JudgeTools } from '../judge/define.js';
import type { JudgeOptions } from '../judge/options.js';
import type { Respondent } from '../judge/respondent.js';
import { cached } from '../label/cached.js';
import { withLeastMass } from '../label/least-mass.js';
import { asTrl } from '../label/material.js';
import { type PreferencesOptions, labelPreferences } from '../label/preferences.js';
import { openStore } from '../label/store.js';
import { serverLines } from '../label/usage.js';
import type { Outcome } from './duel.js';

/** Who says which of two answers is better, and how the question is put: the sections of a recipe of `heed label` for preferences. */
export interface PreferringJudge {
  readonly judge: JudgeOptions;
  readonly label: PreferencesOptions;
  /** Where its replies are kept. */
  readonly store: string;
  /** The least probability that it must give to both answers together. Default: any. */
  readonly leastMass?: number;
}

/** What a judge said of a pair of answers. */
export interface Preferred {
  /** `tie` too where the judge names the same place in both orders. */
  readonly outcome: Outcome;
  /** The probability that the own answer is the better one: the mean of both orders. Absent where the judge was not asked, or failed. */
  readonly probability?: number;
  /** Whether the judge named the same place in both orders. */
  readonly followedPlace: boolean;
  /** Why there is no verdict. */
  readonly failure?: string;
}

/**
 * Asks which of two answers to each prompt is better, each pair in both orders. The own answer wins or loses where both orders say so.
 * Equal answers are a tie, without asking the judge.
 *
 * @param own The answers that win or lose; `other[i]` answers the same prompt as `own[i]`.
 */
export async function preferredOf(
  rows: readonly PromptRow[], other: readonly string[], own: readonly string[], judge: Respondent, options: PreferencesOptions,
): Promise<Preferred[]> {
  const asked = rows.flatMap(({ source, prompt }, i) =>
    (own[i] === other[i] ? [] : [{ source, id: String(i), prompt, responses: [own[i]!, other[i]!] as const }]));
  const { rows: labelled, failures } = await labelPreferences(asked, judge, { ...options, orders: 'both', ties: 'keep' });
  const byPrompt = new Map(labelled.map((row) => [row['id'], row]));
  const whyNot = new Map(failures.map((failure) => [failure.id, `${failure.failure}: ${failure.detail}`]));
  return rows.map(({ prompt }, i): Preferred => {
    const row = byPrompt.get(String(i));
    if (own[i] === other[i]) return { outcome: 'tie', followedPlace: false };
    if (row === undefined) return { outcome: 'unrated', followedPlace: false, failure: whyNot.get(String(i)) };
    const isChosen = JSON.stringify(row['chosen']) === JSON.stringify(asTrl(prompt).response(own[i]!));
    const [one, two] = (row['orders'] as [number, number]).map((p) => (isChosen ? p : 1 - p)) as [number, number];
    const agree = (one > 0.5 && two > 0.5) || (one < 0.5 && two < 0.5);
    const outcome = one > 0.5 ? 'win' : 'loss';
    return { outcome: agree ? outcome : 'tie', probability: (one + two) / 2, followedPlace: !agree && one !== 0.5 && two !== 0.5 };
  });
}

/** A judge that is open. */
export interface Preferring {
  /** As `preferredOf`. */
  of(rows: readonly PromptRow[], other: readonly string[], own: readonly string[]): Promise<Preferred[]>;
  close(): Promise<void>;
}

/** Opens the judge behind its store of replies. Close it after the last question. */
export async function openPreferring(
  { judge, label, store: where, leastMass }: PreferringJudge, tools: JudgeTools,
): Promise<Preferring> {
  const store = await openStore(where);
  try {
    const respondent = await openRespondent(judge, tools);
    const kept = cached(respondent, store);
    const asked = leastMass === undefined ? kept : withLeastMass(kept, leastMass);
    return {
      of: (rows, other, own) => preferredOf(rows, other, own, asked, label),
      async close() {
        for (const line of serverLines(kept.usage)) tools.log?.(line);
        store.close();
        await respondent.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}
