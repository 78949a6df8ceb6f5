import { z } from 'zod';
import { type Layout, needs, wayOf } from '../columns.js';
import { defineRow, sameText, satisfiedVerdict, shape } from '../row.js';
import { common, nameOf, passOf, PROMPT_COLUMNS, promptOf, satisfiedOf, structured, textsOf } from '../row-cells.js';
import { tallied } from '../table.js';
import { asMessages, asResponse, RowFault, withoutPrompt } from '../turns.js';

/**
 * A bad response without a good one beside it (D2O, NPO, gradient ascent). `positives` are answers by the model itself
 * that are not bad; absent until some are made. `satisfied` is true where somebody said that the response is good: it is no negative then.
 */
export const NegativeRow = z.object({
  ...shape.base, prompt: shape.prompt, rejected: z.string(), positives: z.array(z.string()).min(1).optional(),
  satisfied: shape.satisfied,
});
export type NegativeRow = z.infer<typeof NegativeRow>;

/** The column of the bad response: `rejected`, where the file has it, goes before `completion`. */
const badColumn = (layout: Layout): readonly string[] | undefined => wayOf([['rejected'], ['completion']], layout);

export const negative = defineRow({
  kind: 'negative',
  columns: [...PROMPT_COLUMNS, 'rejected', 'completion', 'positives', 'satisfied', 'label'],
  schema: NegativeRow,
  needs: (layout) => needs('prompt, and rejected or completion', ['prompt'], badColumn(layout) ?? ['rejected', 'completion']),
  read(row) {
    const [column = 'rejected'] = badColumn(row.layout) ?? [];
    const given = structured(row, column);
    const name = nameOf(row, column);
    const prompt = promptOf(row);
    const pass = passOf(row, column);
    const rejected = asResponse(name, Array.isArray(given) ? withoutPrompt(asMessages(name, given, pass), prompt) : given, pass);
    const positives = textsOf(row, 'positives');
    const equal = positives?.find((positive) => sameText(positive, rejected));
    if (equal !== undefined) throw new RowFault(nameOf(row, 'positives'), `equals ${name}: nothing is preferred`, equal, true);
    // What stands in `rejected` is bad by its name; what stands in `completion` is what the row says it is. A mapping is always heard.
    const heard = column === 'completion' || ['satisfied', 'label'].some((name) => row.layout.mapped.has(name));
    const said = heard ? satisfiedOf(row) : {};
    return { ...common(row), prompt, rejected, ...(positives === undefined ? {} : { positives }), ...said };
  },
  prompt: (row) => row.prompt,
  responses: ({ rejected, positives = [] }) => [rejected, ...positives],
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view(rows) {
    const some = rows.some(({ positives }) => positives !== undefined);
    const repeated = (positives: readonly string[] = []): boolean => new Set(positives.map((text) => text.trim())).size < positives.length;
    return {
      tables: [tallied('positives per row', rows.map(({ positives = [] }) => positives.length))],
      remarks: [
        {
          name: 'good responses',
          rows: rows.filter(({ satisfied }) => satisfied === true),
          advice: 'satisfied or label says that the response is good; methods that learn from bad responses leave such rows out',
        },
        {
          name: 'no positives',
          rows: some ? rows.filter(({ positives, satisfied }) => positives === undefined && satisfied !== true) : [],
          advice: 'other rows have positives; a method that needs them cannot use these until some are made',
        },
        {
          name: 'repeated positives',
          rows: rows.filter(({ positives }) => repeated(positives)),
          advice: 'the same positive occurs more than once in the row and weighs as often',
        },
      ],
    };
  },
});
