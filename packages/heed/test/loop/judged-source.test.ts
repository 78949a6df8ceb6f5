import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AnyRow, PromptRow } from '../../src/data/rows.js';
import type { Answer } from '../../src/loop/answer-log.js';
import { makerOf } from '../../src/loop/rows-of.js';
import { AlignRowsOptions } from '../../src/loop/rows-recipe.js';
import { judgedSource } from '../../src/loop/sources/judged.js';
import type { Lesson } from '../../src/loop/source.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { combineRewards } from '../../src/reward/combined.js';
import { type RewardFunction, createFunctionReward } from '../../src/reward/function.js';
import type { Reward } from '../../src/reward/reward.js';
import type { Hooks } from '../../src/run/job.js';
import { ConstraintOptions, openConstraints } from '../../src/loop/constraints.js';
import { openWatch } from '../../src/loop/watch.js';
import { fakeRespond } from '../support/respond.js';
import { scratchFolder } from '../support/scratch.js';

// What the loop makes of answers, with answers and a reward that are written here.
const { folder } = scratchFolder();
let runs = 0;

const PROMPTS: readonly PromptRow[] = ['One', 'Two', 'Three'].map((word, i) => ({
  source: { file: 'prompts.jsonl', line: i + 1 }, id: word, prompt: [{ role: 'user', content: `${word}?` }], extra: {},
}));
/** Good answers have a "+", and are worth as much as they have. */
const pluses: RewardFunction = ({ completions }) => completions.map((text) => text.split('+').length - 1);

interface Given {
  readonly method: MethodOptions;
  /** The answers to each prompt; one that ends with "…" was cut off. */
  readonly answers: readonly (readonly string[])[];
  readonly reward?: RewardFunction | Reward;
  readonly allowedFailures?: number;
  readonly prompts?: readonly PromptRow[];
  /** `rows:` of a recipe. */
  readonly rows?: object;
  readonly seed?: number;
  /** The number of the round. */
  readonly k?: number;
  /** What an answer costs; its mean is to be 0. */
  readonly cost?: RewardFunction;
}

async function lesson(
  { method, answers, reward = pluses, allowedFailures = 0, prompts = PROMPTS, rows, seed = 0, k = 1, cost }: Given,
): Promise<{ lesson: Lesson; said: string[]; report: object; dir: string }> {
  const said: string[] = [];
  const dir = join(folder, `run-${runs++}`);
  const hooks: Hooks = { say: (line) => said.push(line) };
  const run = { path: (...parts: string[]) => join(dir, ...parts) };
  const rated = typeof reward === 'function' ? createFunctionReward('pluses', reward, 1) : reward;
  const bound = methodOf(method);
  const limited = cost === undefined ? [] : [{
    options: ConstraintOptions.parse({ name: 'cost', cost: './c.ts#c', limit: 0 }), rated: createFunctionReward('cost', cost),
  }];
  const source = judgedSource({
    rounds: k, length: { batch: 8, dropLast: true }, prompts, samples: answers[0]!.length, sampling: { maxNewTokens: 8, temperature: 1 },
    reward: rated, allowedFailures, method: bound, text: () => fakeRespond(), limits: { maxTokens: 512, onLong: 'error' }, seed,
    rowsOf: makerOf(bound.row, rows && AlignRowsOptions.parse(rows))!,
    maker: undefined, run, watch: openWatch({ stop: false }, rated, run, hooks), constraints: openConstraints(limited, 0, run, hooks),
    hooks,
    answerer: {
      answer: async () => answers.flatMap((own, row) => own.map((text, sample): Answer => ({
        round: 1, row, sample, ids: [1], logprobs: [-1], text, finish: text.endsWith('…') ? 'length' : 'stop',
      }))),
      answering: () => { throw new Error('Nothing is to be generated here.'); },
      rest: async () => undefined,
      release: async () => undefined,
    },
  });
  const made = await source.lesson({ k, policy: undefined, read: () => { throw new Error('Nothing is to be read here.'); } });
  return { lesson: made, said, dir, report: source.learnt!(k, { steps: made.items.length === 0 ? 0 : 1, loss: 0, tokens: 0, seconds: 0 }) };
}

const ANSWERS = [['yes+', 'no'], ['bad', 'good++'], ['worse', 'fine+']];

describe.each(['kto', 'bco', 'unlikelihood'])('votes for %s', (name) => {
  it('are good for good answers and bad for bad ones', async () => {
    const { lesson: { rows, items } } = await lesson({ method: { name }, answers: ANSWERS });
    const labels = rows.map((row) => ['completion', 'label'].map((key) => (row as unknown as Record<string, unknown>)[key]));
    expect(labels).toEqual([['yes+', true], ['no', false], ['bad', false], ['good++', true], ['worse', false], ['fine+', true]]);
    // And so does what the loss sees.
    const column = name === 'unlikelihood' ? 'bad' : 'desirable';
    const good = items.map(({ columns }) => (name === 'unlikelihood' ? 1 - (columns[column] as number) : columns[column]));
    expect(good).toEqual([1, 0, 0, 1, 0, 1]);
  });
});

describe('a round of answers', () => {
  const texts = (rows: readonly AnyRow[]): unknown[] => rows.map((row) => (row as unknown as { completion: string }).completion);

  it('never mixes prompts', async () => {
    const { lesson: { rows } } = await lesson({ method: { name: 'dpo' }, answers: ANSWERS });
    expect(rows).toMatchObject([
      { id: 'One', chosen: 'yes+', rejected: 'no', prompt: PROMPTS[0]!.prompt },
      { id: 'Two', chosen: 'good++', rejected: 'bad', prompt: PROMPTS[1]!.prompt },
      { id: 'Three', chosen: 'fine+', rejected: 'worse', prompt: PROMPTS[2]!.prompt },
    ]);
  });

  it('has the reward rest when all is rated', async () => {
    const events: string[] = [];
    const plain = createFunctionReward('pluses', pluses, 1);
    const rate: Reward['rate'] = async (...given) => {
      events.push('rates');
      return plain.rate(...given);
    };
    await lesson({ method: { name: 'kto' }, answers: ANSWERS, reward: { ...plain, rate, rest: async () => { events.push('rests'); } } });
    expect(events).toEqual(['rates', 'rests']);
  });

  it('keeps equal prompts of the file apart', async () => {
    const twins = [...PROMPTS.slice(0, 2), { ...PROMPTS[0]!, id: 'One again' }];
    const { lesson: { rows } } = await lesson({ method: { name: 'dpo' }, answers: ANSWERS, prompts: twins });
    expect(rows.map(({ id }) => id)).toEqual(['One', 'Two', 'One again']);
  });

  it('learns nothing from answers that were cut off or are empty, and says how many those are', async () => {
    const answers = [['yes+', 'no…'], [' ', 'good++'], ['worse', 'fine+…']];
    const { lesson: { rows }, said, report } = await lesson({ method: { name: 'kto' }, answers });
    expect(texts(rows)).toEqual(['yes+', 'good++', 'worse']);
    expect(said.slice(0, 2)).toEqual([
      'round 1: of 6 answers 1 empty.', 'round 1: 2 of 3 answers satisfy the reward, 3 were cut off or empty.',
    ]);
    expect(report).toMatchObject({ answers: 3, satisfied: 2, unfinished: 3, empty: 1, repetitive: 0, unrated: {}, trainedOn: 3 });
  });

  it('learns nothing from an answer without a rating, which counts as neither good nor bad', async () => {
    const reward: RewardFunction = (input) => input.completions.map((text) => (text === 'bad' ? null : text.split('+').length - 1));
    const { lesson: { rows }, report } = await lesson({ method: { name: 'kto' }, answers: ANSWERS, reward, allowedFailures: 0.2 });
    expect(texts(rows)).toEqual(['yes+', 'no', 'good++', 'worse', 'fine+']);
    expect(report).toMatchObject({
      answers: 5, satisfied: 3, reward: 4 / 5, unfinished: 0, unrated: { 'not-applicable': 1 }, trainedOn: 5,
    });
    await expect(lesson({ method: { name: 'kto' }, answers: ANSWERS, reward, allowedFailures: 0.1 }))
      .rejects.toThrow(/1 of 6 answers got no rating .*allowedFailures is 10.0 %.*not-applicable 1/);
  });
});

it('a round under a constraint is learnt from less its costs, and reported and watched as it was rated', async () => {
  const reward = createFunctionReward('pluses', pluses);
  const cost: RewardFunction = ({ completions }) => completions.map((text) => 3 * (text.split('+').length - 1));
  const { lesson: { rows, metrics }, said, report, dir } = await lesson({ method: { name: 'dpo' }, answers: ANSWERS, reward, cost });
  // A plus pays 1 and costs 3, with λ = exp(0.1 · 2) after the mean cost of 2.
  expect(metrics!['lambda/cost']).toBeCloseTo(Math.exp(0.2), 12);
  expect(rows).toMatchObject([['no', 'yes+'], ['bad', 'good++'], ['worse', 'fine+']].map(([chosen, rejected]) => ({ chosen, rejected })));
  expect(report).toMatchObject({ reward: 4 / 6 });
  expect(said).toContainEqual(expect.stringMatching(/^round 1: 6 answers with a mean reward of 0\.667/));
  const signs = JSON.parse(readFileSync(join(dir, 'work', 'round-1', 'signs.json'), 'utf8')) as { reward: { mean: number } };
  expect(signs.reward.mean).toBeCloseTo(4 / 6, 12);
});

describe('a round of answers that several rewards rate', () => {
  const reward = combineRewards([
    { name: 'good', weight: 1, reward: createFunctionReward('good', ({ completions }) => completions.map((text) => {
      if (text === 'bad') return null;
      return Number(text.includes('+'));
    }), 1) },
    { name: 'long', weight: 0.5, reward: createFunctionReward('long', ({ completions }) => completions.map((text) => text.length)) },
  ]);

  it('is learnt from by their sum', async () => {
    const { lesson: { rows } } = await lesson({
      method: { name: 'dpo' }, answers: [['yes+', 'no'], ['bad', 'good++'], ['much worse', 'f+']], reward,
    });
    expect(rows).toMatchObject([
      { chosen: 'yes+', rejected: 'no' }, { chosen: 'good++', rejected: 'bad' }, { chosen: 'much worse', rejected: 'f+' },
    ]);
  });

  it('makes no vote of an answer of which none that draws a line says anything', async () => {
    const { lesson: { rows }, report } = await lesson({ method: { name: 'kto' }, answers: ANSWERS, reward, allowedFailures: 0.2 });
    expect(rows.map((row) => (row as unknown as { completion: string }).completion)).not.toContain('bad');
    expect(report).toMatchObject({ answers: 5, satisfied: 3, unrated: { 'not-applicable': 1 } });
  });
});

describe('a round that a method cannot learn from', () => {
  const good = [['yes+', 'so+'], ['well+', 'good+'], ['oh+', 'fine+']];
  const bad = [['yes', 'so'], ['well', 'good'], ['oh', 'fine']];
  const nothing = /^Round 1 leaves nothing to train on: \d of 6 answers satisfy the reward.*; .*(takes none of these rows|label)/;

  const cases = [
    ['sft', 'bad'], ['npo', 'good'], ['dpo', 'good'], ['dpo', 'bad'],
    // Without the other class there is nothing to tell apart: the same refusal as for a file.
    ['kto', 'good'], ['kto', 'bad'], ['bco', 'good'], ['bco', 'bad'], ['unlikelihood', 'good'],
  ] as const;

  it.each(cases)('%s stops in the first round where all answers are %s, and names the way out', async (name, all) => {
    const stopped = lesson({ method: { name }, answers: all === 'good' ? good : bad });
    await expect(stopped).rejects.toThrow(nothing);
    const hints = [expect.stringContaining('generate.samples') as string];
    await expect(stopped).rejects.toMatchObject({ hints });
  });

  it.each(cases)('%s goes on in a later round where all answers are %s, and says that nothing is learnt', async (name, all) => {
    const { lesson: { items }, said, report } = await lesson({ method: { name }, answers: all === 'good' ? good : bad, k: 2 });
    expect(items).toEqual([]);
    expect(said.at(-1)).toMatch(/^round 2 teaches nothing, and the policy stays as it is: .*(takes none of these rows|label)/);
    expect(report).toMatchObject({ satisfied: all === 'good' ? 6 : 0, reward: all === 'good' ? 1 : 0, trainedOn: 0 });
  });

  it('keeps a ratio of good answers to bad ones, and goes on in a later round that has no bad ones', async () => {
    const method = { name: 'cut', ratio: 0.5 } as const;
    await expect(lesson({ method, answers: good })).rejects.toThrow('All 6 rows are satisfactory');
    const { lesson: { items }, said, report } = await lesson({ method, answers: good, k: 2 });
    expect(items).toEqual([]);
    expect(said.join()).toContain('round 2: All 6 rows are satisfactory');
    expect(report).toMatchObject({ satisfied: 6, trainedOn: 0 });
  });

  it('names rows.minGap where all pairs are closer, and length first where most answers were cut off', async () => {
    const close = lesson({ method: { name: 'dpo' }, answers: ANSWERS, rows: { make: 'pairs', minGap: 9 } });
    await expect(close).rejects.toThrow('3 prompts without a row (3 with rewards closer than rows.minGap)');
    await expect(close).rejects.toMatchObject({ hints: [expect.stringContaining('rows.minGap: lower it')] });
    const short = lesson({ method: { name: 'sft' }, answers: [['so…', ' '], ['…', '…'], ['+…', '…']] });
    await expect(short).rejects.toThrow('none of 6 answers can be learnt from, 6 were cut off or empty');
    await expect(short).rejects.toMatchObject({ hints: [expect.stringContaining('generate.maxNewTokens'), expect.anything()] });
  });

  it('goes on in a later round where all answers were cut off, and has no mean reward', async () => {
    const { lesson: { items }, report } = await lesson({ method: { name: 'sft' }, answers: [['so…', ' '], ['…', '…'], ['+…', '…']], k: 3 });
    expect(items).toEqual([]);
    expect(report).toMatchObject({ answers: 0, satisfied: 0, reward: null, unfinished: 6, unrated: {}, trainedOn: 0 });
  });

  it.each([
    ['sft', 'good'], ['npo', 'bad'], ['unlikelihood', 'bad'], ['cut', 'good'], ['cut', 'bad'],
  ] as const)('%s learns where all answers are %s', async (name, all) => {
    const made = await lesson({ method: name === 'cut' ? { name, ratio: null } : { name }, answers: all === 'good' ? good : bad });
    expect(made.lesson.items).toHaveLength(6);
  });
});
