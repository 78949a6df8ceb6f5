/** What a dialogue speaks about, turn by turn: names, numbers and the words for things. */
import { namesIn } from '../../text/names.js';
import { numbersIn } from '../../text/numbers.js';
import type { Span } from '../../text/sentences.js';
import { contentWords, stem } from '../../text/words.js';

/** The entities of a text: its names, its numbers, and the stems of its content words. */
export function entitiesOf(text: string): Set<string> {
  return new Set([
    ...namesIn(text).map((span) => span.text.toLowerCase()), ...numbersIn(text).map(({ value }) => String(value)),
    ...contentWords(text).map(stem),
  ]);
}

/** |E_t ∩ E_<t| / |E_t|: how much of what a turn speaks about was spoken about before. 0 for a turn about nothing. */
export function entityContinuity(turn: string, before: readonly string[]): number {
  const now = entitiesOf(turn);
  const known = new Set(before.flatMap((text) => [...entitiesOf(text)]));
  return now.size === 0 ? 0 : [...now].filter((one) => known.has(one)).length / now.size;
}

const TRANSITIONS = ['++', '+-', '-+', '--'] as const;

/**
 * The entity grid's transitions (Barzilay & Lapata, Computational Linguistics 34, 2008): of all steps from a turn to the next, over all
 * entities, the share in which an entity stays, goes, comes or is absent.
 *
 * @param grid A row for each entity, with whether each turn has it.
 */
export function transitions(grid: readonly (readonly boolean[])[]): Readonly<Record<(typeof TRANSITIONS)[number], number>> {
  const found = { '++': 0, '+-': 0, '-+': 0, '--': 0 };
  let total = 0;
  for (const row of grid) {
    for (let i = 1; i < row.length; i++) {
      found[`${row[i - 1] === true ? '+' : '-'}${row[i] === true ? '+' : '-'}`]++;
      total++;
    }
  }
  for (const key of TRANSITIONS) found[key] /= Math.max(1, total);
  return found;
}

const THIRD = /\b(?:he|she|him|her|his|they|them|their)\b/gi;
const PEOPLE = new RegExp('\\b(?:he|she|him|her|they|them|who|man|woman|boy|girl|mother|father|mom|mum|dad|sister|brother|son'
  + '|daughter|wife|husband|friend|boss|doctor|teacher|neighbou?r|people|children|child|kids?|parents?|students?|guests?|cat|dog'
  + '|(?!this|does)\\w{3,}s)\\b', 'i');

/** Pronouns of the third person ("he", "their") with nobody before them in the text or in the three turns before. */
export function danglingPronouns(turn: string, before: readonly string[]): Span[] {
  const context = before.slice(-3).join('\n');
  if (PEOPLE.test(context) || namesIn(context).length > 0) return [];
  return [...turn.matchAll(THIRD)]
    .map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }))
    .filter(({ start }) => !PEOPLE.test(turn.slice(0, start)) && namesIn(turn.slice(0, start)).length === 0);
}
