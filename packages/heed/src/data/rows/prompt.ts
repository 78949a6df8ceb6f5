import { z } from 'zod';
import { needs } from '../columns.js';
import { defineRow, shape } from '../row.js';
import { common, PROMPT_COLUMNS, promptOf } from '../row-cells.js';

/** A prompt to respond to. `extra` holds the file's other columns, for rewards that need them. */
export const PromptRow = z.object({ ...shape.base, prompt: shape.prompt, extra: z.record(z.string(), z.unknown()) });
export type PromptRow = z.infer<typeof PromptRow>;

export const prompt = defineRow({
  kind: 'prompt',
  columns: [...PROMPT_COLUMNS],
  keepsOthers: true,
  schema: PromptRow,
  needs: () => needs('prompt', ['prompt']),
  read(row) {
    const { names } = row.layout;
    const used = new Set([names.get('prompt'), names.get('input'), names.get('id')]);
    const extra = Object.fromEntries(Object.entries(row.record.fields).filter(([name]) => !used.has(name)));
    return { ...common(row), prompt: promptOf(row), extra };
  },
  prompt: (row) => row.prompt,
  responses: () => [],
});
