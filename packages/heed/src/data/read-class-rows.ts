import { type Layout, wayOf } from './columns.js';
import { typeName } from './problem.js';
import { common, type Context, has, listOf, nameOf, promptOf, structured, textsOf, value } from './row-cells.js';
import { TARGET_SLACK, type ChoiceRow, type ClassifiedRow } from './rows.js';
import { asResponse, RowFault } from './turns.js';

/** Answers and how probable each should be: `targets` where the row has them, else one-hot from `label`. */
export function readChoice(row: Context): ChoiceRow {
  const name = nameOf(row, 'choices');
  const choices = textsOf(row, 'choices');
  if (choices === undefined) throw new RowFault(name, 'is missing', value(row, 'choices'));
  // Without a mapping some rows may have one of the columns and some the other.
  const byLabel = row.layout.mapped.has('label');
  const targets = (byLabel ? undefined : targetsOf(row, choices.length)) ?? oneHot(labelIndex(row, choices), choices.length);
  if (choices.length < 2) throw new RowFault(name, 'has a single item: there is nothing to choose', choices, true);
  const twice = choices.find((choice, index) => choices.indexOf(choice) !== index);
  if (twice !== undefined) throw new RowFault(name, 'has the same choice twice', choices, true);
  return { ...common(row), prompt: promptOf(row), choices, targets };
}

function targetsOf(row: Context, length: number): number[] | undefined {
  const name = nameOf(row, 'targets');
  const list = listOf(row, 'targets');
  if (list === undefined) return undefined;
  if (list.length !== length) throw new RowFault(name, `has ${list.length} items for ${length} choices`, list);
  const targets = list.map((target, index) => {
    if (typeof target !== 'number' || !(target >= 0 && target <= 1)) throw new RowFault(name, `has an item ${index + 1} that is not a probability from 0 to 1`, list);
    return target;
  });
  const sum = targets.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > TARGET_SLACK) throw new RowFault(name, `sum to ${Number(sum.toPrecision(6))}, not 1`, list);
  return targets;
}

/**
 * Which choice `label` means: a number is its place from 0, text is its text. A cell of CSV may be either; where both
 * readings are possible and differ, neither is taken.
 */
function labelIndex(row: Context, choices: readonly string[]): number {
  const name = nameOf(row, 'label');
  const given = value(row, 'label');
  if (given === undefined || given === null) throw new RowFault(has(row.layout, 'label') ? name : nameOf(row, 'targets'), 'is missing', given);
  if (typeof given !== 'string' && typeof given !== 'number') throw new RowFault(name, `is ${typeName(given)}, neither the place of a choice nor its text`, given);
  const text = choices.indexOf(String(given));
  const number = typeof given === 'number' || (row.record.untyped === true && /^\d+$/.test(given)) ? Number(given) : NaN;
  const place = Number.isInteger(number) && number >= 0 && number < choices.length ? number : -1;
  if (typeof given === 'string') {
    if (text === -1 && place === -1) throw new RowFault(name, `is none of the ${choices.length} choices`, given);
    if (text !== -1 && place !== -1 && text !== place) {
      throw new RowFault(name, `is the text of choice ${text + 1} and, counted from 0, the place of choice ${place + 1}; give targets instead`, given);
    }
    return text === -1 ? place : text;
  }
  if (place === -1) {
    // The answers of a judge may be "1" … "10": a number that was meant as text runs out of places there.
    throw new RowFault(name, `is no place from 0 to ${choices.length - 1}${text === -1 ? '' : `; choice ${text + 1} has this text: write the label as text`}`, given);
  }
  return place;
}

function oneHot(index: number, length: number): number[] {
  return Array.from({ length }, (_, i) => (i === index ? 1 : 0));
}

/** The column of the text: `text`, where the file has it, goes before `completion`. */
export const classifiedText = (layout: Layout): 'text' | 'completion' | undefined => wayOf([['text'], ['completion']], layout)?.[0] as 'text' | 'completion' | undefined;

/** A text and its class. */
export function readClassified(row: Context): ClassifiedRow {
  const label = labelOf(row);
  const column = classifiedText(row.layout) ?? 'text';
  const text = asResponse(nameOf(row, column), structured(row, column));
  return { ...common(row), ...(has(row.layout, 'prompt') ? { prompt: promptOf(row) } : {}), text, label };
}

/** A class by name; true, false and whole numbers are names too. */
function labelOf(row: Context): string {
  const name = nameOf(row, 'label');
  const given = value(row, 'label');
  if (given === undefined || given === null) throw new RowFault(name, 'is missing', given);
  if (typeof given === 'string') {
    if (given.trim() === '') throw new RowFault(name, 'is empty', given, true);
    return given.trim();
  }
  if (typeof given === 'boolean' || (typeof given === 'number' && Number.isInteger(given))) return String(given);
  throw new RowFault(name, typeof given === 'number' ? 'is not a whole number' : `is ${typeName(given)}, not the name of a class`, given);
}
