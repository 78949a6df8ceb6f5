import { z } from 'zod';
import { needs, wayOf } from '../columns.js';
import { excerpt, typeName } from '../problem.js';
import { defineRow, shape } from '../row.js';
import { common, type Context, listOf, nameOf, PROMPT_COLUMNS, promptOf, textsOf, value } from '../row-cells.js';
import { histogram, summary, type Table, tallied } from '../table.js';
import { RowFault } from '../turns.js';

/** How far the sum of `targets` may be from 1. */
const TARGET_SLACK = 1e-3;

/** Up to this many different choices are counted by name: a judge's answers ("A", "B"; "1" … "10") are few and the same in every row. */
const FEW = 20;

/** Answers to choose from, and the probability that each should have: [1, 0] or, from a judge that was unsure, [0.7, 0.3]. */
export const ChoiceRow = z
  .object({ ...shape.base, prompt: shape.prompt, choices: z.array(z.string()).min(2), targets: z.array(z.number().min(0).max(1)).min(2) })
  .refine(({ choices }) => new Set(choices).size === choices.length, 'choices must differ from each other')
  .refine(({ choices, targets }) => choices.length === targets.length, 'there must be as many targets as choices')
  .refine(({ targets }) => Math.abs(targets.reduce((a, b) => a + b, 0) - 1) <= TARGET_SLACK, 'targets must sum to 1');
export type ChoiceRow = z.infer<typeof ChoiceRow>;

function targetsOf(row: Context, length: number): number[] | undefined {
  const name = nameOf(row, 'targets');
  const list = listOf(row, 'targets');
  if (list === undefined) return undefined;
  if (list.length !== length) throw new RowFault(name, `has ${list.length} items for ${length} choices`, list);
  const targets = list.map((target, index) => {
    if (typeof target === 'number' && target >= 0 && target <= 1) return target;
    throw new RowFault(name, `has an item ${index + 1} that is not a probability from 0 to 1`, list);
  });
  const sum = targets.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > TARGET_SLACK) throw new RowFault(name, `sum to ${Number(sum.toPrecision(6))}, not 1`, list);
  return targets;
}

/**
 * Which choice `label` means: a number is its place from 0, text is its text. A cell of CSV may be either; where both readings are
 * possible and differ, neither is taken.
 */
function labelIndex(row: Context, choices: readonly string[]): number {
  const name = nameOf(row, 'label');
  const given = value(row, 'label');
  if (given === undefined || given === null) {
    throw new RowFault(row.layout.names.has('label') ? name : nameOf(row, 'targets'), 'is missing', given);
  }
  if (typeof given !== 'string' && typeof given !== 'number') {
    throw new RowFault(name, `is ${typeName(given)}, neither the place of a choice nor its text`, given);
  }
  const text = choices.indexOf(String(given));
  const number = typeof given === 'number' || (row.record.untyped === true && /^\d+$/.test(given)) ? Number(given) : NaN;
  const place = Number.isInteger(number) && number >= 0 && number < choices.length ? number : -1;
  if (typeof given === 'string') {
    if (text === -1 && place === -1) throw new RowFault(name, `is none of the ${choices.length} choices`, given);
    if (text !== -1 && place !== -1 && text !== place) {
      const both = `is the text of choice ${text + 1} and, counted from 0, the place of choice ${place + 1}`;
      throw new RowFault(name, `${both}; give targets instead`, given);
    }
    return text === -1 ? place : text;
  }
  if (place === -1) {
    // The answers of a judge may be "1" … "10": a number that was meant as text runs out of places there.
    const meant = text === -1 ? '' : `; choice ${text + 1} has this text: write the label as text`;
    throw new RowFault(name, `is no place from 0 to ${choices.length - 1}${meant}`, given);
  }
  return place;
}

/** `targets` where the row has them, else 1 for the choice that `label` means. Unless one is mapped, rows may have either. */
function read(row: Context): ChoiceRow {
  const name = nameOf(row, 'choices');
  const choices = textsOf(row, 'choices');
  if (choices === undefined) throw new RowFault(name, 'is missing', value(row, 'choices'));
  const given = row.layout.mapped.has('label') ? undefined : targetsOf(row, choices.length);
  const oneHot = (index: number): number[] => choices.map((_, i) => (i === index ? 1 : 0));
  const targets = given ?? oneHot(labelIndex(row, choices));
  if (choices.length < 2) throw new RowFault(name, 'has a single item: there is nothing to choose', choices, true);
  if (new Set(choices).size < choices.length) throw new RowFault(name, 'has the same choice twice', choices, true);
  return { ...common(row), prompt: promptOf(row), choices, targets };
}

const probabilities = (best: readonly number[]): Table =>
  histogram(`probability of the most probable choice: ${summary(best)}`, best, { from: 0, to: 1 });

export const choice = defineRow({
  kind: 'choice',
  columns: [...PROMPT_COLUMNS, 'choices', 'targets', 'label'],
  schema: ChoiceRow,
  needs(layout) {
    const way = wayOf([['targets'], ['label']], layout) ?? ['targets', 'label'];
    return needs('prompt, choices, and targets or label', ['prompt'], ['choices'], way);
  },
  read,
  prompt: (row) => row.prompt,
  responses: (row) => row.choices,
  view(rows) {
    const best = rows.map(({ targets }) => Math.max(...targets));
    const places = rows.map(({ targets }) => targets.indexOf(Math.max(...targets)));
    const tie = ({ targets }: ChoiceRow): boolean => targets.every((target) => target === targets[0]);
    const always = rows.length > 1 && new Set(places).size === 1;
    const kinds = new Set(rows.flatMap(({ choices }) => choices));
    const few = kinds.size <= FEW && rows.length > kinds.size;
    return {
      tables: [
        tallied('choices per row', rows.map(({ choices }) => choices.length)),
        tallied('most probable choice, by place', places.map((place) => place + 1)),
        ...(few ? [tallied('most probable choice', rows.map(({ choices }, i) => excerpt(choices[places[i] ?? 0])))] : []),
        ...(best.every((p) => p === 1) ? [] : [probabilities(best)]),
      ],
      remarks: [
        {
          name: 'answer always in one place',
          rows: always ? rows : [],
          advice: `the most probable choice is number ${(places[0] ?? 0) + 1} in every row, so place alone answers all; shuffle the ` +
            'choices',
        },
        { name: 'targets prefer nothing', rows: rows.filter(tie), advice: 'all targets of the row are equal; it teaches indifference' },
      ],
    };
  },
});
