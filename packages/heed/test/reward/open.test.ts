import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { JudgeOptions } from '../../src/judge/options.js';
import { JudgmentsOptions } from '../../src/label/judgments.js';
import { openStore } from '../../src/label/store.js';
import { bestOf } from '../../src/reward/best-of.js';
import { describeReward, openReward } from '../../src/reward/open.js';
import { RewardOptions, rewardOfJudge } from '../../src/reward/options.js';
import { checkRecipe } from '../../src/run/recipe.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const Recipe = z.strictObject({ reward: RewardOptions });
const check = (yaml: string) => checkRecipe(`reward:${yaml}`, 'r.yaml', [], Recipe);

describe('reward: in a recipe', () => {
  it('is a short form or a section, with defaults that load again as they are', () => {
    expect(check(' rules:a.yaml').recipe).toEqual({ reward: 'rules:a.yaml' });
    expect(check(' ./mine.ts#good').recipe).toEqual({ reward: './mine.ts#good' });
    const { recipe, text } = check(' { scores: { judge: { local: {} } } }');
    const judge = { local: { endOfTurn: false, batch: 16, precision: 'f32' } };
    expect(recipe).toEqual({ reward: { scores: { criterion: 'helpful', judge } } });
    expect(checkRecipe(text, 'again.yaml', [], Recipe).recipe).toEqual(recipe);
    expect(describeReward(recipe.reward)).toBe('scores (helpful) by local: the default model');
    expect(describeReward({ rewardModel: { adapter: 'a' } })).toBe('rewardModel: the default model with a');
  });

  it.each([
    [' llm', /"reward": expected rules:FILE, \.\/FILE\.ts#NAME, or a section: rules, rewardModel, scores, judgments, fn/],
    [' { rules: a.yaml, fn: ./a.ts#b }', /expected exactly one of rules, rewardModel, scores, judgments, fn/],
    [' { rule: a.yaml }', /unknown key "reward\.rule"; did you mean "reward\.rules"/],
    [' { scores: {} }', /"reward\.scores\.judge" is missing/],
    [' { scores: { judge: { rules: a.yaml } } }', /reward\.scores\.judge/],
    [' { fn: reward.py }', /expected \.\/FILE\.ts#NAME/],
  ])('is refused: %s', (yaml, message) => {
    expect(() => check(yaml)).toThrow(message);
  });

  it('is what judge: and label: describe together', () => {
    const label = JudgmentsOptions.parse({ name: 'judgments', maxNewTokens: 9 });
    const judge = JudgeOptions.parse({ local: {} });
    expect(rewardOfJudge('rules:a.yaml')).toBe('rules:a.yaml');
    expect(rewardOfJudge({ rules: 'a.yaml' })).toEqual({ rules: 'a.yaml' });
    expect(rewardOfJudge({ rewardModel: { adapter: 'a', threshold: 0 } })).toEqual({ rewardModel: { adapter: 'a', threshold: 0 } });
    expect(RewardOptions.parse(rewardOfJudge(judge, label))).toMatchObject({ judgments: { judge, maxNewTokens: 9, decision: 'perfect' } });
    expect(() => rewardOfJudge(judge)).toThrow('nothing says what to ask');
  });

  it('says of a text that names none what can be written', async () => {
    await expect(openReward('llm')).rejects.toThrow('"llm" names no reward.');
    await expect(openReward({ rules: join(folder, 'none.yaml') })).rejects.toThrow('There is no rule file');
  });
});

// A judge of a user's module: it writes "Perfect." of what begins with "good", refuses "no", and rates by the length of the response.
const judges = write('judges.ts', `
  import { defineJudge } from '@heed/heed';
  import { z } from 'zod';
  const usage = { promptTokens: 5, completionTokens: 2, milliseconds: 1 };
  const shown = ({ messages }) => /Response:\\n("+)\\n([^]*?)\\n\\1/.exec(messages[0].content)[2];
  const each = (questions, { onReply } = {}, answer) => questions.map((question, i) => {
    const refusal = { failure: 'refused', detail: 'I would rather not.' };
    const reply = { ...(shown(question) === 'no' ? refusal : answer(shown(question))), usage };
    onReply?.(i, reply);
    return reply;
  });
  export const strict = defineJudge({
    name: 'strict', options: z.strictObject({}),
    open: async () => ({
      name: 'strict', close: async () => undefined,
      write: async (questions, hooks) => each(questions, hooks, (text) => (
        { text: text.startsWith('good') ? 'Perfect.' : '"' + text + '" is wrong.', finish: 'stop' }
      )),
      choose: async (questions, hooks) => each(questions, hooks, (text) => ({
        logprobs: Array.from({ length: 10 }, (_, i) => Math.log(0.75 * (i + 1 === text.length) + 0.25 * (i === 9))),
        source: 'logprobs', mass: 1,
      })),
    }),
  });
`);
const items = ['good one', 'bad', 'no', 'bad'].map((response) => ({ prompt: [{ role: 'user' as const, content: 'Why?' }], response }));

describe('a reward that asks a respondent', () => {
  it('judgments: satisfied or not, with the words; a failure stays one, and nothing is asked twice', async () => {
    const store = join(folder, 'judgments.db');
    const seen: [number, number][] = [];
    const spec = { judgments: { judge: `${judges}#strict` } };
    const first = await openReward(spec, { store });
    expect(first.drawsLine).toBe(true);
    const expected = [
      { value: 1, reason: null, satisfied: true, spans: [] },
      { value: 0, reason: '"bad" is wrong.', satisfied: false, spans: [{ start: 0, end: 3, value: -1 }] },
      { failure: 'refused', detail: 'I would rather not.' },
      { value: 0, reason: '"bad" is wrong.', satisfied: false, spans: [{ start: 0, end: 3, value: -1 }] },
    ];
    expect(await first.rate(items, { onProgress: (...at) => seen.push(at) })).toEqual(expected);
    expect(seen.at(-1)).toEqual([4, 4]);
    expect(first.asking).toMatchObject({ questions: 4, asked: 3, reused: 1, promptTokens: 15 });
    await first.close();
    const again = await openReward(spec, { store });
    expect(again.name).toBe(first.name);
    expect(await again.rate(items)).toEqual(expected);
    expect(again.asking).toMatchObject({ questions: 4, asked: 0, reused: 4 });
    await again.close();
    const kept = await openStore(store);
    expect(await kept.count()).toMatchObject({ replies: 3, failures: 1 });
    kept.close();
    expect((await openReward({ judgments: { ...spec.judgments, maxNewTokens: 9 } }, { store })).name).not.toBe(first.name);
  });

  it('scores: the expected rating from 1 to 10, on the scale from −1 to 1', async () => {
    const reward = await openReward({ scores: { judge: `${judges}#strict` } }, { store: join(folder, 'scores.db') });
    expect(reward.drawsLine).toBe(false);
    const [eight, three, no] = await reward.rate(items);
    // 0.75 · 8 + 0.25 · 10 = 8.5 and 0.75 · 3 + 0.25 · 10 = 4.75; (rating − 5.5) / 4.5.
    const rating = expect.closeTo(8.5, 12) as number;
    expect(eight).toMatchObject({ value: expect.closeTo(3 / 4.5, 12) as number, reason: null, parts: { rating } });
    expect(three).toMatchObject({ value: expect.closeTo(-0.75 / 4.5, 12) as number });
    expect(no).toEqual({ failure: 'refused', detail: 'I would rather not.' });
    await reward.close();
    const spec = { scores: { judge: `${judges}#strict`, criterion: 'harmless', threshold: 0 } } as const;
    const harm = await openReward(spec, { store: join(folder, 'scores.db') });
    expect((await harm.rate(items)).slice(0, 2)).toMatchObject([
      { value: expect.closeTo(-3 / 4.5, 12) as number, satisfied: false, reason: 'It is rated 8.5 of 10.' },
      { value: expect.closeTo(0.75 / 4.5, 12) as number, satisfied: true, reason: null },
    ]);
    await harm.close();
  });

  it('stops asking where a stop was asked for', async () => {
    const tools = { store: join(folder, 'stopped.db'), interrupt: { requested: true } };
    const reward = await openReward({ judgments: { judge: `${judges}#strict` } }, tools);
    expect(await reward.rate(items.slice(0, 1))).toMatchObject([{ failure: 'cancelled' }]);
    await reward.close();
  });
});

describe('best of n', () => {
  const at = (value: number) => ({ value, reason: null });
  const failure = { failure: 'timeout', detail: 'slow' } as const;

  it('takes the best and the worst of those with a rating; of equal ones the first', () => {
    expect(bestOf(['a', 'b', 'c'], [at(1), at(3), at(-2)])).toEqual({ best: 1, worst: 2 });
    expect(bestOf(['a', 'b', 'c', 'd'], [at(2), at(3), at(3), at(2)])).toEqual({ best: 1, worst: 0 });
    expect(bestOf(['a', 'b'], [at(2), at(2)])).toEqual({ best: 0, worst: 0 });
    // A failure is no 0: it beats nothing below 0, and is no worse than what is above.
    expect(bestOf(['a', 'b', 'c'], [failure, at(-5), at(-7)])).toEqual({ best: 1, worst: 2 });
    expect(bestOf(['a', 'b', 'c'], [at(5), failure, at(7)])).toEqual({ best: 2, worst: 0 });
    expect(bestOf(['a', 'b'], [failure, failure])).toBeUndefined();
    expect(bestOf([], [])).toBeUndefined();
    expect(() => bestOf(['a'], [])).toThrow('1 samples, 0 ratings');
  });
});
