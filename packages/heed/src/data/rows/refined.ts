import { z } from 'zod';
import { defineRow, satisfiedVerdict } from '../row.js';
import { nameOf, structured } from '../row-cells.js';
import { tallied } from '../table.js';
import { asResponse } from '../turns.js';
import { doubtfulJudgments, JUDGED_COLUMNS, JudgedRow, needsOfJudged, readJudged } from './judged.js';

/** A judged response, and the better one that was written from the judgment (ILF). Absent until it is made. */
export const RefinedRow = JudgedRow.safeExtend({ refinement: z.string().optional() });
export type RefinedRow = z.infer<typeof RefinedRow>;

const word = ({ satisfied, refinement }: RefinedRow): string =>
  `${satisfied ? 'satisfied' : 'unsatisfied'}, ${refinement === undefined ? 'no refinement' : 'refined'}`;

export const refined = defineRow({
  kind: 'refined',
  columns: [...JUDGED_COLUMNS, 'refinement'],
  schema: RefinedRow,
  needs: (layout) => needsOfJudged(layout, '; refinement where there is one'),
  read(row): RefinedRow {
    const given = structured(row, 'refinement');
    return (given ?? null) === null ? readJudged(row) : { ...readJudged(row), refinement: asResponse(nameOf(row, 'refinement'), given) };
  },
  prompt: (row) => row.prompt,
  responses: (row) => [row.completion],
  notes: ({ judgment, refinement }) => [judgment ?? [], refinement ?? []].flat(),
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view(rows) {
    const some = rows.some(({ refinement }) => refinement !== undefined);
    return {
      tables: [tallied('refinements', rows.map(word))],
      remarks: [
        ...doubtfulJudgments(rows),
        {
          name: 'unsatisfied without refinement',
          rows: some ? rows.filter(({ satisfied, refinement }) => !satisfied && refinement === undefined) : [],
          advice: 'other rows are refined; nothing better than these responses is known',
        },
        {
          name: 'refinement equals completion',
          rows: rows.filter(({ refinement, completion }) => refinement?.trim() === completion.trim()),
          advice: 'the judgment changed nothing; as a pair the row would prefer nothing',
        },
      ],
    };
  },
});
