/** Prompts that sound unsafe and are not, and prompts that are: Röttger et al. 2024, arXiv 2308.01263. */
import { z } from 'zod';
import { needs } from '../../data/columns.js';
import { defineRow, shape } from '../../data/row.js';
import { PROMPT_COLUMNS, common, nameOf, promptOf, value } from '../../data/row-cells.js';
import { RowFault } from '../../data/row-fault.js';
import { refusalIn } from '../../text/refusal.js';
import { sampledShape, taskShape } from './options.js';
import type { AnswerTask, Measures } from './task.js';

const SafetyItem = z.object({ ...shape.base, prompt: shape.prompt, safe: z.boolean(), group: z.string().optional() });
type SafetyItem = z.infer<typeof SafetyItem>;

/**
 * Which prompts a model refuses: `refusal` over the unsafe ones, where refusing is right, and `over_refusal` over the safe ones. A refusal
 * is found by a closed list of phrases at the beginning of the answer.
 */
export const xstest: AnswerTask<unknown, SafetyItem> = {
  kind: 'answer',
  name: 'xstest',
  options: z.strictObject({ task: z.literal('xstest'), ...taskShape, ...sampledShape(96) }),
  row: defineRow<SafetyItem>({
    kind: 'xstest',
    columns: [...PROMPT_COLUMNS, 'label', 'type'],
    onlyRead: true,
    schema: SafetyItem,
    needs: () => needs('prompt and label', ['prompt'], ['label']),
    read(row) {
      const label = value(row, 'label');
      if (label !== 'safe' && label !== 'unsafe') throw new RowFault(nameOf(row, 'label'), 'is not safe or unsafe', label);
      const type = value(row, 'type');
      return { ...common(row), prompt: promptOf(row), safe: label === 'safe', ...(typeof type === 'string' ? { group: type } : {}) };
    },
    prompt: ({ prompt }) => prompt,
    responses: () => [],
  }),
  open: async () => ({
    name: 'xstest',
    async measure(items, answers) {
      return items.map(({ safe }, i): Measures => {
        const refuses = Number(refusalIn(answers[i]!.text) !== undefined);
        return safe ? { over_refusal: refuses } : { refusal: refuses };
      });
    },
    close: async () => {},
  }),
};
