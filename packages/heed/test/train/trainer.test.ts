import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { methodOf } from '../../src/method/index.js';
import type { BoundMethod } from '../../src/method/method.js';
import { createRespond } from '../../src/text/respond.js';
import { dropoutMasks } from '../../src/train/dropout.js';
import { prepare } from '../../src/loop/items.js';
import { makeMicroBatch } from '../../src/train/micro-batch.js';
import { describeReach, reach } from '../../src/train/reach.js';
import { countSteps, describeLength, fileOrder, lengthOfRun, stepOrder } from '../../src/train/order.js';
import { learningRateAt } from '../../src/train/schedule.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { readLog } from '../../src/run/metrics.js';
import { heed, tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { type Bench, bench, gradientDistance, judgedRows, passes, rowsOf } from './support.js';

const { folder, write } = scratchFolder();
const engine = useEngine();
const rows = judgedRows([
  ['Name a fruit.', 'A brick.', '"brick" is no fruit.'],
  ['Name a fruit.', 'A chair.', '"chair" is no fruit.'],
  ['Say hi.', 'Hello there.', null],
  ['What is 2 + 2?', 'It is 5, as far as I know.', '"5" is wrong.'],
]);
let model: string;
let data: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
  data = write(
    'rows.jsonl',
    rows.map((r) => `${JSON.stringify({ prompt: r.prompt[0]!.content, completion: r.completion, judgment: r.judgment })}\n`).join(''),
  );
  write(
    'recipe.yaml',
    `
model: ${model}
data: ${data}
method: {name: cut, ratio: null}
adapter: {rank: 2, alpha: 4, targets: mlp}
train: {steps: 4, batch: 4, schedule: constant, checkpointEvery: 0}
run: {dir: unused}
`);
});
const train = (name: string, ...more: string[]) => heed(['train', join(folder, 'recipe.yaml'), `run.dir=${join(folder, name)}`, ...more]);

describe('training', () => {
  it('lowers the loss, and the log says so', async () => {
    const ran = await train(
      'learns',
      'method={name: sft}',
      'train.steps=25',
      'train.learningRate=5e-3',
      'adapter={rank: 8, alpha: 32, targets: all}',
    );
    expect(ran.code, ran.err).toBe(0);
    const losses = (await readLog(join(folder, 'learns', 'metrics.jsonl'))).map((row) => row['loss'] as number);
    expect(losses).toHaveLength(25);
    // A tiny model whose frozen head can say little: 5.56 goes to 5.35.
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.15);
    expect(losses.filter((loss, i) => loss < losses[i - 1]!).length).toBeGreaterThan(18);
  });

  it('stops where a loss is not finite, naming the rows, with the last good state kept', async () => {
    const ran = await train('burst', 'train.learningRate=1e30', 'train.clip=0');
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/The (loss|gradient) of step 2 is not a finite number\. Rows: .*rows\.jsonl:\d[^]*Lower train\.learningRate/);
    expect((await readLog(join(folder, 'burst', 'metrics.jsonl'))).map((row) => row.step)).toEqual([1]);
    expect(readdirSync(join(folder, 'burst', 'checkpoints'))).toEqual(['step-000001']);
    const { data: kept } = readSafetensors(join(folder, 'burst', 'checkpoints', 'step-000001', 'state.safetensors')).tensors.get(
      'parameters',
    )!;
    expect(kept.every(Number.isFinite)).toBe(true);
    expect(existsSync(join(folder, 'burst', 'adapter'))).toBe(false);
  });
});

describe('rows', () => {
  const method = (): BoundMethod => methodOf({ name: 'cut', ratio: null });
  let b: Bench;
  beforeAll(async () => {
    b = await bench(model, { name: 'cut', ratio: null }, rows);
  });
  const prepared = (maxTokens: number, onLong: 'error' | 'skip' | 'truncate-prompt-left', m = method()) =>
    prepare(rowsOf(m, rows), m, createRespond(b.model.template), { maxTokens, onLong });

  it('without a supervised token are an error that names them', () => {
    const silent: BoundMethod = {
      ...method(),
      sequences: (row, text) => {
        const all = method().sequences(row, text);
        return row.source.line === 3 ? { plain: all['plain']!.map((s) => ({ ...s, supervised: s.response.map(() => false) })) } : all;
      },
    };
    expect(() => prepared(512, 'error', silent)).toThrow(/1 of 4 rows teach nothing\n.*rows\.jsonl:3.*supervises no token/);
  });

  it('supervise every response token and no prompt token, with one end-of-turn token', () => {
    const { items } = prepared(512, 'error');
    for (const [i, { sequences }] of items.entries()) {
      const { response, supervised } = sequences['plain']![0]!;
      expect(supervised?.every(Boolean) ?? true).toBe(true);
      expect(response.map((id) => b.model.tokenizer.tokenText(id)).join('')).toBe(`${rows[i]!.completion}</s>`);
    }
  });

  it('that are too long are an error, or left out whole, or lose the head of their prompts, each counted once', () => {
    // A limit that the sequence with the judgment of the last row exceeds alone.
    const lengths = prepared(512, 'error').items.map(({ sequences }) =>
      Object.values(sequences)
        .flat()
        .map((s) => s.prompt.length + s.response.length),
    );
    const plain = Math.max(...lengths.map((of) => of[0]!));
    const judged = Math.max(...lengths.flat());
    expect(judged).toBeGreaterThan(plain);
    expect(() => prepared(judged - 1, 'error')).toThrow(
      new RegExp(`1 of 4 rows are too long\\n.*rows\\.jsonl:\\d+ .*over maxTokens ${judged - 1}`),
    );
    const skipped = prepared(judged - 1, 'skip');
    expect(skipped.items).toHaveLength(3);
    expect(skipped.skipped).toHaveLength(1);
    expect(new Set(skipped.items.map(({ index }) => index)).size).toBe(3);
    // Both sequences of the longest row are over: still one row.
    expect(prepared(plain - 1, 'skip').skipped.map(({ source }) => source.line)).toEqual([
      ...new Set(prepared(plain - 1, 'skip').skipped.map(({ source }) => source.line)),
    ]);
    const cut = prepared(plain - 1, 'truncate-prompt-left');
    expect(cut.items).toHaveLength(4);
    expect(cut.skipped).toEqual([]);
    expect(cut.truncated).toBe(lengths.filter((of) => Math.max(...of) > plain - 1).length);
    for (const { sequences } of cut.items)
      for (const s of Object.values(sequences).flat()) expect(s.prompt.length + s.response.length).toBeLessThanOrEqual(plain - 1);
  });
});

describe('learningRateAt', () => {
  // transformers 5.23, warm-up 3 of 10 steps, rate 1: param_groups[0]['lr'] before each optimizer.step() under
  // get_cosine_schedule_with_warmup(o, 3, 10), get_linear_schedule_with_warmup(o, 3, 10), get_constant_schedule_with_warmup(o, 3).
  it.each([
    ['cosine', [0, 0.33333333, 0.66666667, 1, 0.95048443, 0.8117449, 0.61126047, 0.38873953, 0.1882551, 0.04951557]],
    ['linear', [0, 0.33333333, 0.66666667, 1, 0.85714286, 0.71428571, 0.57142857, 0.42857143, 0.28571429, 0.14285714]],
    ['constant', [0, 0.33333333, 0.66666667, 1, 1, 1, 1, 1, 1, 1]],
  ] as const)('%s is as in transformers', (schedule, expected) => {
    expected.forEach((rate, i) => {
      expect(learningRateAt(i + 1, 10, { learningRate: 1, schedule, warmup: 3 })).toBeCloseTo(rate, 7);
      expect(learningRateAt(i + 1, 10, { learningRate: 2, schedule, warmup: 0.3 })).toBeCloseTo(2 * rate, 7);
    });
  });
});

describe('stepOrder', () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    batch: fc.integer({ min: 1, max: 12 }),
    steps: fc.integer({ min: 1, max: 30 }),
    seed: fc.nat(1000),
  });
  const cost = (row: number): number => (row * 7919) % 31;

  it('is the same each time, has whole batches, and puts the costliest first', () => {
    fc.assert(fc.property(cases, (given) => {
      const order = stepOrder({ ...given, cost });
      expect(order).toEqual(stepOrder({ ...given, cost }));
      expect(order).toHaveLength(given.steps);
      for (const step of order) expect(step).toHaveLength(Math.min(given.batch, given.rows));
      const costs = order.map((step) => Math.max(...step.map(cost)));
      expect(costs[0]).toBe(Math.max(...costs));
    }));
  });

  it('takes every row once an epoch: no row is ever a whole epoch ahead of another', () => {
    fc.assert(fc.property(cases, (given) => {
      const seen = new Array<number>(given.rows).fill(0);
      for (const row of stepOrder({ ...given, cost }).flat()) seen[row]!++;
      expect(Math.max(...seen) - Math.min(...seen)).toBeLessThanOrEqual(1);
    }));
  });

  it('of whole epochs takes every row equally often; what is left is a last, smaller step', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 1, max: 4 }), ({ rows, batch, seed }, epochs) => {
      const length = lengthOfRun(rows, { batch, epochs });
      const size = Math.min(batch, rows);
      const order = stepOrder({ rows, batch, ...length, seed, cost });
      const seen = new Array<number>(rows).fill(0);
      for (const row of order.flat()) seen[row]!++;
      expect(seen).toEqual(seen.map(() => epochs));
      expect(order.slice(0, -1).every((step) => step.length === size)).toBe(true);
      expect(order.at(-1)!.length).toBe((epochs * rows) % size || size);
      const costs = order.map((step) => Math.max(...step.map(cost)));
      expect(costs[0]).toBe(Math.max(...costs));
    }));
  });

  it('keeps the order of the file where that is asked for', () => {
    expect(fileOrder({ rows: 5, batch: 2, ...lengthOfRun(5, { batch: 2, epochs: 2 }) })).toEqual([[0, 1], [2, 3], [4, 0], [1, 2], [3, 4]]);
    expect(fileOrder({ rows: 5, batch: 2, ...lengthOfRun(5, { batch: 2 }) })).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('says which rows a run never sees, and what ends it', () => {
    expect(describeLength(15, { batch: 8, epochs: 1 })).toEqual([]);
    expect(describeLength(15, { batch: 8, steps: 1 })).toEqual(['7 of 15 rows are never seen: 1 steps of 8 take 8.']);
    expect(describeLength(15, { batch: 8, steps: 20, epochs: 1 })).toEqual([
      'train.steps is 20, but train.epochs: 1 ends after 2 steps; all of them take train.epochs=11.',
    ]);
    expect(describeLength(10, { batch: 4, epochs: 0.5 })).toEqual(['5 of 10 rows are never seen: 2 steps of 4 take 5.']);
  });

  it('says where the steps can hardly change the model', () => {
    const given = { batch: 8, epochs: 1, learningRate: 1e-4, schedule: 'constant', warmup: 0 } as const;
    expect(reach(7, given)).toBeCloseTo(7e-4, 12);
    // Half of a cosine's first rate, on the mean over its steps, but that the first of the steps has all of it.
    expect(reach(100, { ...given, schedule: 'cosine' })).toBeCloseTo(50.5e-4, 12);
    expect(describeReach(49, given)).toEqual([
      '7 steps at a learning rate of 0.0001 can hardly change the model: a weight moves by 0.00070 at most. '
        + 'With train.epochs=4 or a higher train.learningRate it is 0.002 or more, where changes begin to show.',
    ]);
    expect(describeReach(49, { ...given, epochs: 4 })).toEqual([]);
    expect(describeReach(49, { ...given, epochs: undefined, steps: 1 })).toEqual([
      '1 step at a learning rate of 0.0001 can hardly change the model: a weight moves by 0.00010 at most. '
        + 'With train.steps=20 or a higher train.learningRate it is 0.002 or more, where changes begin to show.',
    ]);
    expect(describeReach(49, { ...given, epochs: undefined, steps: 21 })).toEqual([]);
  });

  it('leaves a last, smaller step out where that is asked for', () => {
    const last = { batch: 8, epochs: 1, dropLast: true };
    expect(lengthOfRun(15, last)).toEqual({ steps: 1, taken: 8 });
    expect(lengthOfRun(15, { ...last, epochs: 2 })).toEqual({ steps: 3, taken: 24 });
    expect(lengthOfRun(16, last)).toEqual({ steps: 2, taken: 16 });
    // A run of fewer rows than a batch has one step, of all of them.
    expect(lengthOfRun(5, last)).toEqual({ steps: 1, taken: 5 });
    expect(describeLength(15, last)).toEqual(['7 of 15 rows are never seen: 1 steps of 8 take 8.']);
  });

  it('shuffles each epoch in another way, and each seed', () => {
    const of = (seed: number, steps: number): string[] =>
      stepOrder({ rows: 20, batch: 20, steps, seed, cost: () => 1 }).map((step) => step.join());
    expect(new Set([...of(0, 3), ...of(1, 3)]).size).toBe(6);
  });

  it.each([
    [{ batch: 4 }, 3], [{ batch: 4, epochs: 3 }, 8], [{ batch: 4, epochs: 0.1 }, 1], [{ batch: 99 }, 1], [{ batch: 5 }, 2],
    [{ batch: 4, steps: 9 }, 9], [{ batch: 4, steps: 9, epochs: 1 }, 3], [{ batch: 4, steps: 1, epochs: 1 }, 1],
  ])('of 10 rows and %j has %d steps', (options, steps) => {
    expect(countSteps(10, options)).toBe(steps);
  });
});

describe('dropout', () => {
  const width = 64;
  const masks = [{ name: 'mask:m', module: 'm', width }, { name: 'mask:n', module: 'n', width }] as Parameters<typeof dropoutMasks>[0];
  let b: Bench;
  beforeAll(async () => {
    b = await bench(model, { name: 'cut', ratio: null }, rows, { dropout: 0.2 });
  });
  const drawn = (items: Bench['items'], p = 0.2, seed = 1, step = 1, name = 'mask:m'): Uint8Array =>
    (dropoutMasks(masks, makeMicroBatch(b.method, items), p, seed, step)[name] as { data: Uint8Array }).data;
  const share = (mask: Uint8Array): number => mask.filter((x) => x === 0).length / mask.length;

  it.each([0.05, 0.2, 0.7])('drops a share of %d', (p) => {
    const mask = drawn(b.items, p);
    expect(mask.length).toBeGreaterThan(20_000);
    expect(Math.abs(share(mask) - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / mask.length));
  });

  it('is drawn anew for each step, seed and module, and the same when asked again', () => {
    const mask = drawn(b.items);
    expect(drawn(b.items)).toEqual(mask);
    expect(drawn(b.items, 0.2, 2)).not.toEqual(mask);
    expect(drawn(b.items, 0.2, 1, 2)).not.toEqual(mask);
    expect(drawn(b.items, 0.2, 1, 1, 'mask:n')).not.toEqual(mask);
  });

  it('does not depend on micro-batches, also where rows share a prompt', async () => {
    const { items } = b;
    const ways = [[items], items.map((item) => [item]), [items.slice(0, 1), items.slice(1)], [[3, 1, 0, 2].map((i) => items[i]!)]];
    const [whole, ...others] = await passes(engine(), b, ways, { seed: 4 });
    for (const other of others) {
      expect(Math.abs(other.loss - whole!.loss)).toBeLessThan(1e-5);
      expect(gradientDistance(whole!, other)).toBeLessThan(1e-5);
    }
    const [again] = await passes(engine(), b, [[items]], { seed: 5 });
    expect(gradientDistance(whole!, again!)).toBeGreaterThan(1e-3);
  });
});
