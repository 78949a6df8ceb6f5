/** Which sentence goes on: Zellers et al. 2019, arXiv 1905.07830. */
import { needs } from '../../data/columns.js';
import { defineRow } from '../../data/row.js';
import { type Context, common, nameOf, value } from '../../data/row-cells.js';
import { RowFault } from '../../data/row-fault.js';
import { parseSpelt } from '../../data/spelt.js';
import { requireTexts, requiredText } from './cells.js';
import { accuracies } from './choice-metrics.js';
import { ChoiceItem } from './multiple-choice.js';
import { choiceOptions } from './options.js';
import { capitalize, strip } from './python-text.js';
import type { ChoiceTask } from './task.js';

/** Takes out what the texts from WikiHow have left. The order matters. */
export const clean = (text: string): string =>
  strip(text).replaceAll(' [title]', '. ').replaceAll(/\[.*?\]/g, '').replaceAll('  ', ' ');

/** A cell of text, which may be empty. */
function textOf(row: Context, column: string): string {
  const given = value(row, column);
  if (typeof given !== 'string') throw new RowFault(nameOf(row, column), 'is no text', given);
  return given;
}

/** The index of the right ending, which the hub writes as text. */
function labelOf(row: Context, endings: number): number {
  const given = value(row, 'label');
  const text = typeof given === 'number' || typeof given === 'string' ? String(given).trim() : '';
  if (text === '') throw new RowFault(nameOf(row, 'label'), 'names no ending: a test split has none; take the validation split', given);
  if (!/^\d+$/.test(text) || Number(text) >= endings) {
    throw new RowFault(nameOf(row, 'label'), `names none of the endings; expected a number from 0 to ${endings - 1}`, given);
  }
  return Number(text);
}

/** Endings of a description, with the columns of the hub. Source: lm_eval/tasks/hellaswag. */
export const hellaswag: ChoiceTask<ChoiceItem> = {
  kind: 'choice',
  name: 'hellaswag',
  options: choiceOptions('hellaswag'),
  row: defineRow<ChoiceItem>({
    kind: 'hellaswag',
    columns: ['activity_label', 'ctx_a', 'ctx_b', 'endings', 'label'],
    onlyRead: true,
    schema: ChoiceItem,
    needs: () => needs('activity_label, ctx_a, ctx_b, endings and label', ['activity_label'], ['ctx_a'], ['ctx_b'], ['endings'], ['label']),
    read(row) {
      const cell = value(row, 'endings');
      const endings = typeof cell === 'string' ? parseSpelt(cell) : cell;
      requireTexts(nameOf(row, 'endings'), endings, 2);
      const right = labelOf(row, endings.length);
      const choices = endings.map(clean);
      const question = clean(`${requiredText(row, 'activity_label')}: ${textOf(row, 'ctx_a')} ${capitalize(textOf(row, 'ctx_b'))}`);
      return { ...common(row), question, choices, right, answer: choices[right]! };
    },
    prompt: ({ question }) => [{ role: 'user', content: question }],
    responses: ({ choices }) => choices,
  }),
  measure: ({ right, choices }, logLikelihoods) => accuracies(right, choices, logLikelihoods),
};
