/** Answers to prompts, rated by any reward: rules, a classifier, a reward model, a judge, a function. */
import { z } from 'zod';
import type { PromptRow } from '../../data/rows.js';
import { rowDefinition } from '../../data/rows.js';
import { failed } from '../../judge/respondent.js';
import { openReward } from '../../reward/open.js';
import { RewardOptions } from '../../reward/options.js';
import { sampledShape, taskShape } from './options.js';
import type { AnswerTask, Measures } from './task.js';

const options = z.strictObject({
  task: z.literal('reward'), ...taskShape, ...sampledShape(96),
  /** What rates the answers, written as `reward:` of a recipe. */
  reward: RewardOptions,
});

/** `satisfied` where the reward draws a line, `value`, and `findings` where it names places. */
export const rated: AnswerTask<z.infer<typeof options>, PromptRow> = {
  kind: 'answer',
  name: 'reward',
  options,
  row: rowDefinition('prompt'),
  async open({ reward: spec }, tools) {
    const reward = await openReward(spec, tools);
    return {
      name: reward.name,
      async measure(items, answers, { onProgress, signal }) {
        const asked = items.map((row, i) => ({ prompt: row.prompt, response: answers[i]!.text, ids: answers[i]!.ids, row }));
        const all = await reward.rate(asked, { signal, onProgress });
        return all.map((one) => {
          if (failed(one)) return one;
          const { satisfied, value, findings } = one;
          const measures: Record<string, number> = { ...(satisfied === undefined ? {} : { satisfied: Number(satisfied) }), value };
          if (findings !== undefined) measures['findings'] = findings.length;
          return measures satisfies Measures;
        });
      },
      close: () => reward.close(),
    };
  },
};
