/** Cells of benchmarks: choices, and which of them is right. */
import { type Context, listOf, nameOf, value } from '../../data/row-cells.js';
import { typeName } from '../../data/problem.js';
import { RowFault } from '../../data/row-fault.js';
import { parseSpelt } from '../../data/spelt.js';
import { isObject } from '../../data/turn.js';

/** The columns of a question with choices, by the names that files give them. */
export const CHOICE_COLUMNS = ['question', 'choices', 'choice_labels', 'answer', 'answer_key', 'answerKey'] as const;
const ANSWERS = ['answer', 'answer_key', 'answerKey'] as const;
/** What a file must have. */
export const CHOICE_NEEDS = [['question'], ['choices'], ANSWERS] as const;

/** A text that must be there and hold more than blanks. */
export function requiredText(row: Context, column: string): string {
  const given = value(row, column);
  if (typeof given !== 'string') throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not text`, given);
  if (given.trim() === '') throw new RowFault(nameOf(row, column), 'is empty', given);
  return given;
}

/** Choices and their labels, as a list each or as the hub writes them: { text: […], label: […] }. */
export interface Choices { readonly texts: readonly string[]; readonly labels: readonly string[] | undefined }

/** @throws RowFault where there are fewer than two choices, or one is no text */
export function choicesOf(row: Context, column: string = 'choices'): Choices {
  const name = nameOf(row, column);
  const cell = value(row, column);
  const given = typeof cell === 'string' ? (parseSpelt(cell) ?? cell) : cell;
  const inOne = isObject(given) && !ArrayBuffer.isView(given);
  const texts = inOne ? given['text'] : given;
  const labels = inOne ? given['label'] : listOf(row, 'choice_labels');
  requireTexts(name, texts, 2);
  if (labels === undefined) return { texts, labels };
  const asText = Array.isArray(labels) ? labels.map(String) : labels;
  requireTexts(inOne ? name : nameOf(row, 'choice_labels'), asText, 2);
  if (asText.length !== texts.length) throw new RowFault(name, `has ${texts.length} choices and ${asText.length} labels`, given);
  if (new Set(asText).size < asText.length) throw new RowFault(name, 'has a label twice', asText);
  return { texts, labels: asText };
}

/** @throws RowFault where a value is no list of at least so many texts, all with words in them */
export function requireTexts(name: string, given: unknown, least: number): asserts given is readonly string[] {
  if (!Array.isArray(given)) throw new RowFault(name, `is ${typeName(given)}, not a list of texts`, given);
  const wrong = given.findIndex((text) => typeof text !== 'string' || text.trim() === '');
  if (wrong >= 0) throw new RowFault(name, `has an item ${wrong + 1} that is no text, or empty`, given);
  if (given.length < least) throw new RowFault(name, `has ${given.length} items; expected ${least} or more`, given);
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `A`, `B`, …, one for each choice. */
export const letters = (n: number): string[] => [...LETTERS].slice(0, n);

/**
 * The index of the right choice. A cell names it by its label; where there are no labels, by a number from 0, a letter or the choice's own
 * text.
 *
 * @throws RowFault where the cell names none, or two
 */
export function rightChoice(row: Context, { texts, labels }: Choices): number {
  const column = ANSWERS.find((name) => row.layout.names.has(name))!;
  const given = value(row, column);
  const said = typeof given === 'number' ? String(given) : given;
  if (typeof said !== 'string') throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not the right choice`, given);
  const indices = texts.map((_, i) => String(i));
  const plain = typeof given === 'number' ? [indices] : [indices, letters(texts.length), texts];
  const found = (labels === undefined ? plain : [labels, texts]).map((names) => names.indexOf(said)).filter((at) => at >= 0);
  if (labels === undefined && new Set(found).size > 1) {
    const both = found.map((at) => JSON.stringify(texts[at])).join(' and ');
    throw new RowFault(nameOf(row, column), `may mean ${both}; give the letter, or the index as a number`, given);
  }
  if (found.length > 0) return found[0]!;
  const wanted = labels === undefined ? `a number from 0 to ${texts.length - 1}, a letter or a choice` : labels.join(', ');
  throw new RowFault(nameOf(row, column), `names none of the choices; expected ${wanted}`, given);
}
