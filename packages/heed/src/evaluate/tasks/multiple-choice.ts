/** Questions with choices of any subject, in the two forms of ARC and of CommonsenseQA. */
import { z } from 'zod';
import { needs } from '../../data/columns.js';
import { defineRow, shape } from '../../data/row.js';
import { common } from '../../data/row-cells.js';
import { CHOICE_COLUMNS, CHOICE_NEEDS, choicesOf, letters, requiredText, rightChoice } from './cells.js';
import { accuracies, accuracy } from './choice-metrics.js';
import { choiceOptions } from './options.js';
import { strip } from './python-text.js';
import type { ChoiceTask } from './task.js';

/** A question as it is asked, what may continue it, and the index of the right continuation. */
export const ChoiceItem = z.object({
  ...shape.base,
  question: z.string(), answer: z.string(), description: z.string().optional(), group: z.string().optional(),
  choices: z.array(z.string()).min(2).readonly(), right: z.int().min(0),
});
export type ChoiceItem = z.infer<typeof ChoiceItem>;

/** A row of a benchmark with choices; `of` makes an item of its question, its choices and the right one. */
export const choiceRow = (
  kind: string,
  of: (question: string, texts: readonly string[], right: number) => Pick<ChoiceItem, 'question' | 'choices'>,
) => defineRow<ChoiceItem>({
  kind,
  columns: [...CHOICE_COLUMNS],
  onlyRead: true,
  schema: ChoiceItem,
  needs: () => needs('question, choices and answer', ...CHOICE_NEEDS),
  read(row) {
    const choices = choicesOf(row);
    const right = rightChoice(row, choices);
    const asked = of(requiredText(row, 'question'), choices.texts, right);
    return { ...common(row), ...asked, answer: asked.choices[right]!, right };
  },
  prompt: ({ question }) => [{ role: 'user', content: question }],
  responses: ({ choices }) => choices,
});

/** The choices in lines, each behind its letter. */
export const lettered = (texts: readonly string[]): string => texts.map((text, i) => `${letters(texts.length)[i]}. ${text}\n`).join('');

/** `Question: …\nAnswer:`, continued by the text of a choice. Source: lm_eval/tasks/arc. */
export const arc: ChoiceTask<ChoiceItem> = {
  kind: 'choice',
  name: 'arc',
  options: choiceOptions('arc'),
  row: choiceRow('arc', (question, choices) => ({ question: `Question: ${question}\nAnswer:`, choices })),
  measure: ({ right, choices }, logLikelihoods) => accuracies(right, choices, logLikelihoods),
};

/** The choices are listed, and the letter of one continues. Source: lm_eval/tasks/commonsense_qa. */
export const commonsenseqa: ChoiceTask<ChoiceItem> = {
  kind: 'choice',
  name: 'commonsenseqa',
  options: choiceOptions('commonsenseqa'),
  row: choiceRow('commonsenseqa', (question, texts) => ({
    question: `Question: ${strip(question)}\n${lettered(texts)}Answer:`, choices: letters(texts.length),
  })),
  measure: ({ right }, logLikelihoods) => accuracy(right, logLikelihoods),
};
