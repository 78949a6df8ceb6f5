/** What hinders methods that learn from judged answers, seen in the rows alone. */
import type { JudgedRow } from '../data/rows.js';
import { quotedPlaces } from '../text/quotes.js';

/** Of which rows a share is missed. Below it, the rest is too little to go by. */
const [FEW_SATISFACTORY, FEW_QUOTING] = [0.05, 0.5];

/** Words that say how many of some are such. */
const some = (few: number, all: number): string => (few === 0 ? `None of the ${all}` : `Only ${few} of ${all}`);

/**
 * Where next to no response is satisfactory, the model learns what to avoid, and from nothing what to do instead. A rule that asks for
 * what the model never does (another language, a refusal) is not learnt so.
 */
export function tooFewSatisfactory(rows: readonly Pick<JudgedRow, 'satisfied'>[]): string[] {
  const satisfactory = rows.filter(({ satisfied }) => satisfied).length;
  if (rows.length === 0 || satisfactory >= FEW_SATISFACTORY * rows.length) return [];
  return [`${some(satisfactory, rows.length)} responses ${satisfactory === 1 ? 'is' : 'are'} satisfactory: the model learns what to avoid, `
    + 'and hardly what to do instead. Add responses as they should be, with the judgment null.'];
}

/** Where judgments quote nothing, the model itself must find the words that they speak of, which a small one hardly does. */
export function tooFewQuotes(rows: readonly Pick<JudgedRow, 'satisfied' | 'judgment' | 'completion'>[]): string[] {
  const judged = rows.filter(({ satisfied }) => !satisfied);
  const quoting = judged.filter(({ judgment, completion }) => quotedPlaces(judgment ?? '', completion).length > 0).length;
  if (judged.length === 0 || quoting >= FEW_QUOTING * judged.length) return [];
  return [`${some(quoting, judged.length)} judgments ${quoting === 1 ? 'quotes' : 'quote'} words of the response: the ratio q/p alone must `
    + 'find what is wrong, and a small model hardly flags it. Quote the words at fault, as in: "the best" is hype.'];
}
