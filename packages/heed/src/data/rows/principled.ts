import { z } from 'zod';
import { agreedScore, ordersAgree } from '../agreed-score.js';
import { needs } from '../columns.js';
import { excerpt, typeName } from '../problem.js';
import { defineRow, sameText, shape } from '../row.js';
import { common, type Context, listOf, nameOf, PROMPT_COLUMNS, promptOf, value } from '../row-cells.js';
import { histogram, summary, tallied } from '../table.js';
import { asResponse, RowFault } from '../turns.js';

/**
 * What a judge said of two responses by one principle (SALMON). `score` is log p(first is better) − log p(second is better), averaged
 * over both orders of showing them, or 0 where the orders disagree: above 0 the first response is better. `scores`, where kept, are the
 * two it comes from, [shown first then second, shown second then first]; in both too, above 0 says that the first of `responses` is
 * better, wherever it was shown.
 */
export const ScoredPrinciple = z.object({
  name: z.string().min(1),
  text: z.string().min(1),
  /** The principle turned into its opposite, as a sentence of its own. */
  negation: z.string().min(1),
  score: z.number(),
  scores: z.tuple([z.number(), z.number()]).optional(),
});
export type ScoredPrinciple = z.infer<typeof ScoredPrinciple>;

/** Two responses to one prompt, compared by each of several principles. */
export const PrincipledRow = z.object({
  ...shape.base, prompt: shape.prompt, responses: z.tuple([z.string(), z.string()]), principles: z.array(ScoredPrinciple).min(1),
});
export type PrincipledRow = z.infer<typeof PrincipledRow>;

function principlesOf(row: Context): ScoredPrinciple[] {
  const name = nameOf(row, 'principles');
  const list = listOf(row, 'principles');
  if (list === undefined) throw new RowFault(name, 'is missing', value(row, 'principles'));
  if (list.length === 0) throw new RowFault(name, 'is an empty list', list, true);
  const principles = list.map((item, index) => principleOf(name, index + 1, item));
  const names = principles.map((principle) => principle.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) throw new RowFault(name, `names ${twice} twice`, list);
  return principles;
}

function principleOf(column: string, place: number, item: unknown): ScoredPrinciple {
  const fault = (reason: string): RowFault => new RowFault(column, `item ${place} ${reason}`, item);
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw fault(`is ${typeName(item)}, not an object`);
  const given = item as Record<string, unknown>;
  const word = (key: 'name' | 'text' | 'negation'): string => {
    const text = given[key];
    if (typeof text === 'string' && text.trim() !== '') return text;
    throw fault(`has a ${key} that is ${typeof text === 'string' ? 'empty' : typeName(text)}`);
  };
  const words = { name: word('name'), text: word('text'), negation: word('negation') };
  if (sameText(words.text, words.negation)) throw fault('has a negation that equals its text');
  const { score = null } = given;
  const scores = (given['scores'] ?? null) === null ? undefined : bothOrders(column, place, given['scores']);
  if (score !== null && (typeof score !== 'number' || !Number.isFinite(score))) {
    throw fault(`has a score that is ${typeName(score)}, not a finite number`);
  }
  if (scores === undefined) {
    if (score === null) throw fault('has neither score nor scores');
    return { ...words, score };
  }
  return { ...words, score: score ?? agreedScore(scores), scores };
}

function bothOrders(column: string, place: number, scores: unknown): [number, number] {
  if (!Array.isArray(scores) || scores.length !== 2 || !scores.every((one) => Number.isFinite(one))) {
    throw new RowFault(column, `item ${place} has scores that are not two finite numbers`, scores);
  }
  return [scores[0] as number, scores[1] as number];
}

function preferred(score: number): string {
  if (score === 0) return 'neither';
  return score > 0 ? 'first' : 'second';
}

export const principled = defineRow({
  kind: 'principled',
  columns: [...PROMPT_COLUMNS, 'responses', 'principles'],
  schema: PrincipledRow,
  needs: () => needs('prompt, responses and principles', ['prompt'], ['responses'], ['principles']),
  read(row): PrincipledRow {
    const principles = principlesOf(row);
    const name = nameOf(row, 'responses');
    const responses = listOf(row, 'responses');
    if (responses === undefined) throw new RowFault(name, 'is missing', value(row, 'responses'));
    if (responses.length !== 2) throw new RowFault(name, `has ${responses.length} items; two responses are compared`, responses);
    const [first, second] = responses.map((response) => asResponse(name, response)) as [string, string];
    if (sameText(first, second)) throw new RowFault(name, 'are equal: nothing is preferred', responses, true);
    return { ...common(row), prompt: promptOf(row), responses: [first, second], principles };
  },
  prompt: (row) => row.prompt,
  responses: (row) => row.responses,
  view(rows) {
    const all = rows.flatMap(({ principles }) => principles);
    const disagree = ({ scores }: ScoredPrinciple): boolean => scores !== undefined && !ordersAgree(scores);
    const scores = all.map(({ score }) => score);
    return {
      tables: [
        tallied('principles per row', rows.map(({ principles }) => principles.length)),
        tallied('which response a principle prefers', all.map(({ name, score }) => `${excerpt(name)} ${preferred(score)}`)),
        histogram(`score: ${summary(scores)}`, scores),
      ],
      remarks: [
        {
          name: 'no principle decides',
          rows: rows.filter(({ principles }) => principles.every(({ score }) => score === 0)),
          advice: 'every score is 0, so no sampled principle can choose a response',
        },
        {
          name: 'orders disagree',
          rows: rows.filter(({ principles }) => principles.some(disagree)),
          advice: 'by some principle the judge prefers the place, not the response; SALMON counts such a score as 0',
        },
      ],
    };
  },
});
