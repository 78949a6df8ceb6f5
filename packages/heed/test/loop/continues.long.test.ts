import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runLoop } from '../../src/loop/loop.js';
import type { Lesson } from '../../src/loop/source.js';
import type { MethodOptions } from '../../src/method/index.js';
import { openRun } from '../../src/run/folder.js';
import { TrainOptions } from '../../src/run/recipe-schemas.js';
import type { Item } from '../../src/train/item.js';
import { type Step, type Trainer, type TrainerState, createTrainer } from '../../src/train/trainer.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { rowsFor } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { type Bench, bench } from '../train/support.js';

// What goes on from round to round: the optimizer, its schedule, moving averages, a method's memory. And what `loop.fresh` starts anew.
const { folder } = scratchFolder();
const engine = useEngine();
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
});

const [B1, B2, EPSILON, RATE] = [0.8, 0.95, 1e-6, 1e-2];
const OPTIONS = TrainOptions.parse({
  batch: 2, learningRate: RATE, betas: [B1, B2], epsilon: EPSILON, clip: 0, schedule: 'cosine', warmup: 2, seed: 3, checkpointEvery: 0,
});
const MOVING = { name: 'd2o', k: 2, rPlus: { every: 1, rate: 0.5 }, rMinus: { every: 3, rate: 0.25 } };

const opened = async (method: MethodOptions, dropout = 0): Promise<Bench> => bench(model, method, rowsFor(method), { dropout });
const trainerOf = ({ model: base, method, plan }: Bench, parameters: Float32Array, options = OPTIONS): Promise<Trainer> =>
  createTrainer({ engine: engine(), model: base, method, plan, parameters, options, moreRounds: true });
/** A round of these items: two steps of two where there are four. */
const roundOf = (items: readonly Item[], seed = 3): Lesson => ({
  items, rows: [], seed, order: items.flatMap((_, i) => (i % 2 === 0 ? [[i, i + 1]] : [])),
});

interface Looped {
  /** As each round began, and at the end. */
  readonly states: readonly TrainerState[];
  readonly steps: readonly Step[];
}

let runs = 0;
async function loop(b: Bench, lessons: readonly Lesson[], fresh: boolean, options = OPTIONS): Promise<Looped> {
  const trainer = await trainerOf(b, b.parameters, options);
  const run = await openRun(join(folder, `run-${runs++}`), { recipe: 'method: none\n', resume: false });
  const states: TrainerState[] = [];
  const steps: Step[] = [];
  try {
    await runLoop({
      trainer, run, options, fresh, untouched: false, hooks: {},
      source: {
        rounds: lessons.length,
        async lesson({ k }) {
          states.push(await trainer.save());
          return lessons[k - 1]!;
        },
      },
      onStep: (step) => steps.push(step),
    });
    return { states: [...states, await trainer.save()], steps };
  } finally {
    await run.close();
    await trainer.release();
  }
}

/** What one training over the same steps does. */
async function train(b: Bench, parameters: Float32Array, lesson: Lesson): Promise<{ state: TrainerState; steps: readonly Step[] }> {
  const trainer = await trainerOf(b, parameters);
  const steps: Step[] = [];
  await trainer.learn(lesson.items, { ...lesson, onStep: (step) => void steps.push(step) });
  const state = await trainer.save();
  await trainer.release();
  return { state, steps };
}

const numbers = (steps: readonly Step[]): object[] =>
  steps.map(({ loss, metrics, gradientNorm, learningRate }) => ({ loss, metrics, gradientNorm, learningRate }));

describe('rounds that go on', () => {
  it.each([
    ['cut', { name: 'cut', ratio: null }, 0.1],
    ['the moving averages of d2o', MOVING, 0],
  ] as const)('are one training over the same steps, to the last bit: %s', async (_, method, dropout) => {
    const b = await opened(method, dropout);
    const looped = await loop(b, [roundOf(b.items.slice(0, 4)), roundOf(b.items.slice(4))], false);
    const once = await train(b, b.parameters, roundOf(b.items));
    expect(numbers(looped.steps)).toEqual(numbers(once.steps));
    expect(looped.states.at(-1)).toEqual(once.state);
    expect(looped.states.map(({ step, t }) => [step, t])).toEqual([[0, 0], [2, 2], [4, 4]]);
    // The warm-up was the first round's alone, and the cosine ends where the last round does: 0, ½, 1 and ½ of the rate.
    const rates = [0, 0.5, 1, 0.5].map((x) => expect.closeTo(x, 12) as number);
    expect(looped.steps.map(({ learningRate }) => learningRate / RATE)).toEqual(rates);
  });

  it('remember what bco has seen: δ is the mean reward of all rows of all rounds', async () => {
    const b = await opened({ name: 'bco', beta: 0.7 });
    for (const fresh of [false, true]) {
      const { states, steps } = await loop(b, [roundOf(b.items.slice(0, 4)), roundOf(b.items.slice(4))], fresh);
      // Every other row is good, so that a step of two has one of each.
      const rewards = steps.flatMap(({ metrics }) => [metrics['rewards_chosen']!, metrics['rewards_rejected']!]);
      const mean = rewards.reduce((a, c) => a + c) / 8;
      expect(states.map(({ memory }) => memory['count'])).toEqual([0, 4, 8]);
      expect(Math.abs(mean)).toBeGreaterThan(1e-3);
      expect(states.at(-1)!.memory['delta']).toBeCloseTo(mean, 5);
    }
  });
});

describe('rounds of which each starts the optimizer anew', () => {
  it('are as many trainings, each from the parameters of the one before, to the last bit', async () => {
    const b = await opened({ name: 'cut', ratio: null }, 0.1);
    const [first, second] = [roundOf(b.items.slice(0, 4), 5), roundOf(b.items.slice(4), 6)];
    const { states, steps } = await loop(b, [first, second], true);
    const one = await train(b, b.parameters, first);
    const two = await train(b, one.state.arrays.parameters, second);
    expect(numbers(steps)).toEqual(numbers([...one.steps, ...two.steps]));
    expect(states[1]).toEqual(one.state);
    expect(states[2]!.arrays).toEqual(two.state.arrays);
    // Steps are counted over the run; those of the optimizer and of the schedule begin again.
    expect(states.map(({ step, t }) => [step, t])).toEqual([[0, 0], [2, 2], [4, 2]]);
    expect(steps.map(({ step, learningRate }) => [step, learningRate / RATE])).toEqual([[1, 0], [2, 0.5], [3, 0], [4, 0.5]]);
  });

  it('keep their moving averages: those of the second round begin where those of the first ended', async () => {
    const b = await opened(MOVING);
    const constant: TrainOptions = { ...OPTIONS, schedule: 'constant', warmup: 0 };
    const { states: [, middle, end] } = await loop(b, [roundOf(b.items.slice(0, 4)), roundOf(b.items.slice(4, 6))], true, constant);
    const [was, is, policy] = [middle!.arrays.copies, end!.arrays.copies, end!.arrays.parameters];
    expect(was['rPlus']).not.toEqual(middle!.arrays.parameters);
    // The third step of the run, a round's first: both averages follow, (1 − rate) · average + rate · policy.
    for (const [name, rate] of [['rPlus', 0.5], ['rMinus', 0.25]] as const) {
      is[name]!.forEach((x, i) => expect(x).toBeCloseTo((1 - rate) * was[name]![i]! + rate * policy[i]!, 6));
    }
  });
});

describe('the second round\'s first update', () => {
  it('is AdamW\'s second where the optimizer goes on, and its first where it starts anew', async () => {
    const b = await opened({ name: 'cut', ratio: null });
    const constant: TrainOptions = { ...OPTIONS, schedule: 'constant', warmup: 0 };
    const lessons = [roundOf(b.items.slice(0, 2)), roundOf(b.items.slice(2, 4))];
    const [on, anew] = [await loop(b, lessons, false, constant), await loop(b, lessons, true, constant)];
    const { parameters: from, m: m1, v: v1 } = on.states[1]!.arrays;
    expect(anew.states[1]).toEqual(on.states[1]);

    // The gradient is the same in both: that of the second rows at the same parameters.
    const gradient = anew.states[2]!.arrays.m.map((x) => x / (1 - B1));
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(1e-3);
    /** p − rate · m̂ / (√v̂ + ε) at step t of the optimizer. */
    const updated = (i: number, m: number, v: number, t: number): number =>
      from[i]! - (RATE * m) / (1 - B1 ** t) / (Math.sqrt(v / (1 - B2 ** t)) + EPSILON);
    const furthest = (actual: Float32Array, expected: (i: number, g: number) => number): number =>
      gradient.reduce((worst, g, i) => Math.max(worst, Math.abs(actual[i]! - expected(i, g))), 0);
    const goingOn = (i: number, g: number): number => updated(i, B1 * m1[i]! + (1 - B1) * g, B2 * v1[i]! + (1 - B2) * g * g, 2);
    const first = (i: number, g: number): number => updated(i, (1 - B1) * g, (1 - B2) * g * g, 1);
    expect(furthest(on.states[2]!.arrays.parameters, goingOn)).toBeLessThan(1e-6);
    expect(furthest(anew.states[2]!.arrays.parameters, first)).toBeLessThan(1e-6);
    expect(furthest(on.states[2]!.arrays.parameters, first)).toBeGreaterThan(1e-3);
  });
});

describe('a round that a new trainer is put back to', () => {
  it('compares with the same numbers of its reference, whatever the reference scored in rounds before', async () => {
    const b = await opened({ name: 'dpo' });
    // Items that come back, as rows do of which nothing new was made.
    const [all, some] = [roundOf(b.items), roundOf(b.items.slice(2, 4))];
    const { states, steps } = await loop(b, [all, some], false);
    const trainer = await trainerOf(b, b.parameters);
    await trainer.restore(states[1]!);
    const again: Step[] = [];
    await trainer.learn(some.items, { ...some, schedule: { round: 2, rounds: 2 }, onStep: (step) => void again.push(step) });
    expect(numbers(again)).toEqual(numbers(steps.slice(4)));
    expect(await trainer.save()).toEqual(states[2]);
    await trainer.release();
  });
});
