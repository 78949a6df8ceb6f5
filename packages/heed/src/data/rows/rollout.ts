import { z } from 'zod';
import { needs } from '../columns.js';
import { defineRow, shape } from '../row.js';
import { common, listOf, nameOf, PROMPT_COLUMNS, promptOf } from '../row-cells.js';
import { histogram, summary } from '../table.js';
import { RowFault } from '../turns.js';

/** A number for each token of a completion. */
const ofTokens = z.array(z.number());

/** One answer that the policy sampled, token by token. */
export const RolloutCompletion = z.object({
  completion: z.string(),
  /** The tokens as they were sampled, the end of turn included. */
  ids: z.array(z.int().nonnegative()).min(1),
  /** Most tokens that the answer might have had. */
  maxTokens: z.int().min(1),
  /** Null: no reward could be given, so the advantages are 0. */
  reward: z.number().nullable(),
  /** Â_t of each token: how much better than expected the answer turned out after it. */
  advantages: ofTokens,
  /** log μ of each token under the sampling distribution, as the generator computed it. */
  sampled: ofTokens.optional(),
  /** The tokens that each token was drawn from, where a filter (top-k, top-p, min-p) cut the others off; itself among them. */
  kept: z.array(z.array(z.int().nonnegative()).min(1)).optional(),
  /** log π_ref of each token: under the model without the adapter. */
  reference: ofTokens.optional(),
  /** What the value head should have said before each token. */
  returns: ofTokens.optional(),
  /** What the value head said before each token when the answer was sampled. */
  values: ofTokens.optional(),
}).superRefine((one, context) => {
  for (const name of ['advantages', 'sampled', 'kept', 'reference', 'returns', 'values'] as const) {
    const found = one[name]?.length ?? one.ids.length;
    if (found === one.ids.length) continue;
    const what = name === 'kept' ? 'lists' : 'numbers';
    context.addIssue({ code: 'custom', path: [name], input: found, message: `has ${found} ${what} for ${one.ids.length} tokens` });
  }
  const outside = one.kept?.findIndex((kept, t) => !kept.includes(one.ids[t]!)) ?? -1;
  if (outside < 0) return;
  const input = one.ids[outside];
  context.addIssue({ code: 'custom', path: ['kept', outside], input, message: `leaves out token ${input} itself` });
});
export type RolloutCompletion = z.infer<typeof RolloutCompletion>;

/** A prompt with the group of answers that the policy sampled to it, each with its reward and its advantages. */
export const RolloutRow = z.object({ ...shape.base, prompt: shape.prompt, completions: z.array(RolloutCompletion).min(1) });
export type RolloutRow = z.infer<typeof RolloutRow>;

export const rollout = defineRow({
  kind: 'rollout',
  columns: [...PROMPT_COLUMNS, 'completions'],
  schema: RolloutRow,
  needs: () => needs('prompt and completions', ['prompt'], ['completions']),
  read(row) {
    const name = nameOf(row, 'completions');
    const list = listOf(row, 'completions');
    if (list === undefined || list.length === 0) throw new RowFault(name, list === undefined ? 'is missing' : 'is an empty list', list);
    const completions = list.map((given, i) => {
      const { data, error } = RolloutCompletion.safeParse(given);
      if (data !== undefined) return data;
      const [issue] = error.issues;
      throw new RowFault(name, `has an item ${i + 1} whose ${issue!.path.join('.') || 'shape'} is wrong: ${issue!.message}`, given);
    });
    return { ...common(row), prompt: promptOf(row), completions };
  },
  prompt: (row) => row.prompt,
  responses: (row) => row.completions.map(({ completion }) => completion),
  view(rows) {
    const rewards = rows.flatMap(({ completions }) => completions.flatMap(({ reward }) => (reward === null ? [] : [reward])));
    const flat = rows.filter(({ completions }) => completions.every(({ advantages }) => advantages.every((a) => a === 0)));
    return {
      tables: rewards.length === 0 ? [] : [histogram(`reward: ${summary(rewards)}`, rewards)],
      remarks: [{ name: 'nothing to learn', rows: flat, advice: 'every advantage of the group is 0: its rewards are equal' }],
    };
  },
});
