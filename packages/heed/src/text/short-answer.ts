/** Short answers compared: the same words, some words, a number. */
import { numbersIn, sameNumber } from './numbers.js';
import { plainWords } from './words.js';

/** An answer without case, signs and articles (Rajpurkar et al., EMNLP 2016, §6.1): "The Eiffel Tower." → "eiffel tower". */
export const normalAnswer = (text: string): string => plainWords(text).filter((word) => !/^(?:a|an|the)$/.test(word)).join(' ');

/** How a response has to match a known answer. */
export const MATCHES = ['exact', 'substring', 'number'] as const;
export type Match = (typeof MATCHES)[number];

/**
 * Whether a text gives a known answer.
 *
 * @param match `exact`: the same words; `substring`: the known answer's words one after another in the text, as whole words, so that "no"
 * is not found in "unknown"; `number`: the last number of the text is the last of the known answer.
 */
export function matchesAnswer(text: string, known: string, match: Match): boolean {
  if (match === 'number') {
    const [said, wanted] = [numbersIn(text).at(-1), numbersIn(known).at(-1)];
    return said !== undefined && wanted !== undefined && sameNumber(said.value, wanted.value);
  }
  const [said, wanted] = [normalAnswer(text), normalAnswer(known)];
  if (wanted === '') return false;
  return match === 'exact' ? said === wanted : ` ${said} `.includes(` ${wanted} `);
}
