/** Measuring Massive Multitask Language Understanding: Hendrycks et al. 2021, arXiv 2009.03300. */
import { needs } from '../../data/columns.js';
import { defineRow } from '../../data/row.js';
import { CHOICE_COLUMNS, CHOICE_NEEDS, letters, requiredText } from './cells.js';
import { accuracy } from './choice-metrics.js';
import { SUBJECT_FIELDS } from './mmlu-subjects.js';
import { type ChoiceItem, choiceRow, lettered } from './multiple-choice.js';
import { choiceOptions } from './options.js';
import { strip } from './python-text.js';
import type { ChoiceTask } from './task.js';

const row = choiceRow('mmlu', (question, texts) => ({
  question: `${strip(question)}\n${lettered(texts)}Answer:`, choices: letters(texts.length),
}));

/** The letter of a choice continues; a description names the subject. Source: lm_eval/tasks/mmlu/default. */
export const mmlu: ChoiceTask<ChoiceItem> = {
  kind: 'choice',
  name: 'mmlu',
  options: choiceOptions('mmlu'),
  fields: SUBJECT_FIELDS,
  row: defineRow<ChoiceItem>({
    ...row,
    columns: [...CHOICE_COLUMNS, 'subject'],
    needs: () => needs('question, choices, answer and subject', ...CHOICE_NEEDS, ['subject']),
    read(record) {
      const subject = requiredText(record, 'subject');
      const description = `The following are multiple choice questions (with answers) about ${subject.replaceAll('_', ' ')}.\n\n`;
      return { ...row.read(record), description, group: subject };
    },
  }),
  measure: ({ right }, logLikelihoods) => accuracy(right, logLikelihoods),
};
