import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChoiceRow } from '../../src/data/rows.js';
import { choice } from '../../src/method/choice.js';
import { bind } from '../../src/method/bind.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const run = (answers: readonly (readonly (readonly number[])[])[], target: readonly (readonly number[])[], options = {}) =>
  lossOf(engine, bind(choice, options), { answers }, { target });
const softmax = (z: readonly number[]): number[] => {
  const e = z.map((x) => Math.exp(x - Math.max(...z)));
  return e.map((x) => x / e.reduce((a, b) => a + b));
};
const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);

const answers = [[[-1, -0.1], [-0.5, -0.2]], [[-2, -0.1], [-1, -1, -0.3], [-3, -0.2]]];
const target = [[0.7, 0.3], [0, 1, 0]];

describe('choice', () => {
  it.each(['sum', 'mean'])('is the cross-entropy of the targets and the softmax of the answers, by %s', async (normalise) => {
    const value = await run(answers, target, { normalise });
    const weigh = (a: readonly number[]): number => sum(a) / (normalise === 'sum' ? 1 : a.length);
    const q = answers.map((row) => softmax(row.map(weigh)));
    expect(value.loss).toBeCloseTo(sum(q.flatMap((row, i) => row.map((p, k) => -target[i]![k]! * Math.log(p)))) / 2, 6);
    q.forEach((row, i) => {
      const expected = row.flatMap((p, k) =>
        answers[i]![k]!.map((_, __, all) => (p - target[i]![k]!) / 2 / (normalise === 'sum' ? 1 : all.length)),
      );
      value.gradient['answers']![i]!.forEach((d, t) => expect(d).toBeCloseTo(expected[t]!, 6));
    });
    expect(value.metrics['nll']).toBe(value.loss);
    expect(value.metrics['brier']).toBeCloseTo(sum(q.flatMap((row, i) => row.map((p, k) => (p - target[i]![k]!) ** 2))) / 2, 6);
    expect(value.metrics['confidence']).toBeCloseTo((Math.max(...q[0]!) + Math.max(...q[1]!)) / 2, 6);
    expect(value.metrics['answer_mass']).toBeCloseTo(sum(answers.flat().map((a) => Math.exp(sum(a)))) / 2, 6);
    expect(value.metrics['accuracy']).toBe(normalise === 'sum' ? 0 : 0.5);
  });

  it('leaves absent answers out: a row beside one with more answers is as alone', async () => {
    const [both, first, second] = [
      await run(answers, target),
      await run([answers[0]!], [target[0]!]),
      await run([answers[1]!], [target[1]!]),
    ];
    expect(both.loss).toBeCloseTo((first.loss + second.loss) / 2, 6);
    first.gradient['answers']![0]!.forEach((d, t) => expect(both.gradient['answers']![0]![t]).toBeCloseTo(d / 2, 6));
  });

  it('does not mind the order of the answers', async () => {
    const turned = await run([answers[0]!, [...answers[1]!].reverse()], [target[0]!, [...target[1]!].reverse()]);
    const value = await run(answers, target);
    expect(turned.loss).toBeCloseTo(value.loss, 6);
  });

  it('is least where the model has the targets, and ln K where it has no opinion', async () => {
    const logs = [0.7, 0.2, 0.1].map((p) => [Math.log(p / 2)]);
    const value = await run([logs], [[0.7, 0.2, 0.1]]);
    value.gradient['answers']![0]!.forEach((d) => expect(d).toBeCloseTo(0, 6));
    expect((await run([[[-1], [-1], [-1]]], [[1, 0, 0]])).loss).toBeCloseTo(Math.log(3), 6);
  });

  it('counts accuracy where one answer should be likeliest, and the model\'s tie as chance', async () => {
    const rows = [[[-1], [-2]], [[-1], [-2]], [[-1], [-1 - 1e-7]], [[-1], [-1 + 1e-7]]];
    const { metrics } = await run(rows, [[0.9, 0.1], [0.5, 0.5], [1, 0], [1, 0]]);
    expect(metrics['accuracy']).toBeCloseTo((1 + 0.5 + 0.5) / 3, 6);
  });

  const row = (choices: string[], targets: number[]): ChoiceRow => ({
    source: { file: 'scores.jsonl', line: 7 },
    prompt: [{ role: 'user', content: 'Score?' }],
    choices,
    targets,
  });
  it('takes whole answers, so that "1" and "10" are told apart by the end of turn', () => {
    const scores = row(['1', '2', '10'], [0.5, 0.25, 0.2499]);
    const whole = bind(choice).sequences(scores, fakeRespond())['answers']!;
    expect(whole.map((s) => textOf(s.response))).toEqual(['1.', '2.', '10.']);
    const [a, b, c] = bind(choice).columnsOf(scores)['target'] as number[];
    expect(a! + b! + c!).toBeCloseTo(1, 12);
    expect(() => bind(choice, { endOfTurn: false }).sequences(scores, fakeRespond())).toThrow(
      /^without its end of turn the answer "1" is the beginning of "10"/,
    );
    const letters = bind(choice, { endOfTurn: false }).sequences(row(['A', 'B'], [1, 0]), fakeRespond())['answers']!;
    expect(letters.map((s) => textOf(s.response))).toEqual(['A', 'B']);
  });
});
