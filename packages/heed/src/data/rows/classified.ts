import { z } from 'zod';
import { type Layout, needs, wayOf } from '../columns.js';
import { excerpt, typeName } from '../problem.js';
import { type BaseRow, defineRow, type Remark, shape } from '../row.js';
import { common, type Context, nameOf, PROMPT_COLUMNS, promptOf, textOf, value } from '../row-cells.js';
import { tallied } from '../table.js';
import { RowFault } from '../turns.js';

/** A text and the name of its class; with a prompt, the text is the response to it. */
export const ClassifiedRow = z.object({ ...shape.base, prompt: shape.prompt.optional(), text: z.string(), label: z.string().min(1) });
export type ClassifiedRow = z.infer<typeof ClassifiedRow>;

/** The column of the text: `text`, where the file has it, goes before `completion`. */
const textColumn = (layout: Layout): string | undefined => wayOf([['text'], ['completion']], layout)?.[0];

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

/** All rows, where all have one label: there is nothing to tell apart. */
export function oneClass(rows: readonly (BaseRow & { readonly label: string | boolean })[], advice: string): Remark {
  const classes = new Set(rows.map(({ label }) => label));
  return { name: 'one class only', rows: classes.size === 1 ? rows : [], advice: `every row is ${excerpt([...classes][0])}; ${advice}` };
}

/** Labels that differ in capitals, spaces or hyphens alone. */
function alikeLabels(rows: readonly ClassifiedRow[]): Remark {
  const spellings = new Map<string, Set<string>>();
  for (const { label } of rows) {
    const key = label.toLowerCase().replace(/[\s_-]+/g, ' ');
    spellings.set(key, (spellings.get(key) ?? new Set()).add(label));
  }
  const alike = [...spellings.values()].filter((names) => names.size > 1);
  const names = new Set(alike.flatMap((group) => [...group]));
  const words = alike.map((group) => [...group].map(excerpt).join(' and ')).join('; ');
  return {
    name: 'labels that look alike',
    rows: rows.filter(({ label }) => names.has(label)),
    advice: `${words} count as different classes; write them the same way if they are one`,
  };
}

export const classified = defineRow({
  kind: 'classified',
  onlyRead: true,
  columns: [...PROMPT_COLUMNS, 'text', 'completion', 'label'],
  schema: ClassifiedRow,
  needs(layout) {
    const column = textColumn(layout);
    if (column === 'text') return needs('text and label', ['text'], ['label']);
    const columns = [['text', 'completion'], ...(column === undefined ? [] : [['prompt']]), ['label']];
    return needs('text and label, or prompt, completion and label', ...columns);
  },
  read(row) {
    const label = labelOf(row);
    const column = textColumn(row.layout) ?? 'text';
    const text = textOf(row, column);
    return { ...common(row), ...(row.layout.names.has('prompt') ? { prompt: promptOf(row) } : {}), text, label };
  },
  prompt: (row) => row.prompt ?? [],
  responses: (row) => [row.text],
  verdict: ({ label }) => ({ says: label }),
  view: (rows) => ({
    tables: [tallied('label', rows.map(({ label }) => excerpt(label)))],
    remarks: [oneClass(rows, 'a classifier of one class learns to say it always'), alikeLabels(rows)],
  }),
});
