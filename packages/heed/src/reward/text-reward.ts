import { createHash } from 'node:crypto';
import type { PromptRow } from '../data/rows.js';
import type { Failure } from '../judge/respondent.js';
import { words } from '../text/words.js';
import type { Finding, Rated, Reward, RewardItem } from './reward.js';

/**
 * A reward that is computed from texts alone: it asks no judge and keeps nothing open.
 *
 * @param kind Its key in a recipe. The name is that with a digest of `changes`: options, contents of files, whatever changes results.
 * @param rate All items of a round at once, so that the samples of one prompt can be looked at together.
 */
export function textReward(
  kind: string, changes: unknown, drawsLine: boolean, rate: (items: readonly RewardItem[]) => readonly (Rated | Failure)[],
): Reward {
  return {
    name: `${kind} ${digest(changes)}`,
    drawsLine,
    async rate(items, { onProgress } = {}) {
      const results = rate(items);
      onProgress?.(items.length, items.length);
      return results;
    },
    async close() { /* Nothing is held. */ },
  };
}

/** Twelve hexadecimal digits that change with any part of a value. */
export const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value) ?? '').digest('hex').slice(0, 12);

/** A number with the words for a low one, held against a recipe's `threshold`; without one no line is drawn. */
export const against = (threshold: number | undefined, rated: Rated): Rated =>
  (threshold === undefined ? rated : { ...rated, satisfied: rated.value >= threshold });

/** The sentences about what is wrong, as one reason; null where there are none. */
export const reasonOf = (sentences: readonly string[]): string | null => (sentences.length === 0 ? null : sentences.join(' '));

/**
 * What a response is worth that has no letter and no digit: it breaks no rule, and would else earn as much as an answer. A policy finds out
 * soon that nothing is cheaper.
 */
export const ofNothing = (response: string, value: number, parts: Rated['parts']): Rated | undefined =>
  (words(response).length > 0 ? undefined : { value, reason: 'It says nothing.', parts });

/** A text in at most 80 characters. */
export const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

/** A finding at a span. */
export const findingAt = (rule: string, { text, start, end }: { text: string; start: number; end: number }): Finding =>
  ({ rule, quote: text, start, end });

/** Where a row stands, for people. */
const placeOf = (row: PromptRow | undefined): string =>
  (row === undefined ? 'The response has no data row' : `${row.source.file}:${row.source.line}`);

/** That a row lacks what a reward needs: the response then has no reward. */
export const lacking = (row: PromptRow | undefined, column: string, what: string): Failure => ({
  failure: 'not-applicable',
  detail: row === undefined
    ? `${placeOf(row)}, whose column "${column}" would hold ${what}`
    : `${placeOf(row)} has no ${what} in a column "${column}"`,
});

/** A row's column as texts: of a text or a number one, of a list each; undefined where there is none, or something else in it. */
export function textsOf(row: PromptRow | undefined, column: string): readonly string[] | undefined {
  const value = row?.extra[column];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one) => (typeof one === 'string' && one.trim() !== '') || typeof one === 'number').map(String);
  return texts.length > 0 && texts.length === list.length ? texts : undefined;
}
