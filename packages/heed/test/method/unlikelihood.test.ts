import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledRow } from '../../src/data/rows.js';
import { bind } from '../../src/method/bind.js';
import { cut } from '../../src/method/cut.js';
import { unlikelihood } from '../../src/method/unlikelihood.js';
import { lossOf } from '../support/loss.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const row = (label: boolean): LabelledRow => ({
  source: { file: 'a', line: 1 },
  prompt: [{ role: 'user', content: 'q' }],
  completion: 'a',
  label,
});
// −log(1 − p) at p = 0.9, 0.5, 0.1.
const P = [0.9, 0.5, 0.1];
const GOLDEN = [2.302585093, 0.6931471806, 0.1053605157];

describe('unlikelihood', () => {
  it('is −log(1 − p) of each token of a bad response', async () => {
    const value = await lossOf(engine, bind(unlikelihood), { response: [P.map(Math.log)] }, { bad: [1] });
    expect(value.loss).toBeCloseTo(1.0336975964, 5);
    expect(value.metrics['unlikelihood']).toBeCloseTo(1.0336975964, 5);
    // d/d log p of −log(1 − p) is p/(1 − p).
    value.gradient['response']![0]!.forEach((d, t) => expect(d).toBeCloseTo(P[t]! / (1 - P[t]!) / 3, 5));
    for (const [t, p] of P.entries()) {
      expect((await lossOf(engine, bind(unlikelihood), { response: [[Math.log(p)]] }, { bad: [1] })).loss).toBeCloseTo(GOLDEN[t]!, 5);
    }
  });

  it('imitates good responses; all tokens weigh the same, bad ones α', async () => {
    const given = { response: [P.map(Math.log), [-0.3, -0.7]] };
    const value = await lossOf(engine, bind(unlikelihood, { alpha: 0.5 }), given, { bad: [1, 0] });
    expect(value.loss).toBeCloseTo((0.5 * GOLDEN.reduce((a, b) => a + b) + 1) / 5, 5);
    expect(value.gradient['response']![1]).toEqual([expect.closeTo(-1 / 5, 6), expect.closeTo(-1 / 5, 6)]);
    expect(value.metrics).toMatchObject({
      nll_good: expect.closeTo(0.5, 6) as number,
      nll_bad: expect.closeTo(-Math.log(0.045) / 3, 5) as number,
    });
  });

  it('of one bad row is CUT without detection and without all that reads the judgment', async () => {
    const [ours, theirs] = [bind(unlikelihood, { alpha: 0.7 }), bind(cut, { without: ['detection', 'l2-judged'], gamma: 0, alpha: 0.7 })];
    const [a, b] = [
      await lossOf(engine, ours, { response: [[-0.2, -1]] }, { bad: [1] }),
      await lossOf(engine, theirs, { plain: [[-0.2, -1]], judged: [null] }, { unsatisfied: [1] }),
    ];
    expect(a.loss).toBeCloseTo(b.loss, 6);
    a.gradient['response']![0]!.forEach((d, t) => expect(d).toBeCloseTo(b.gradient['plain']![0]![t]!, 6));
  });

  it('stays finite where the model is certain of a bad token', async () => {
    const value = await lossOf(engine, bind(unlikelihood), { response: [[0, -1e-9]] }, { bad: [1] });
    expect(Number.isFinite(value.loss)).toBe(true);
    expect(value.gradient['response']![0]!.every(Number.isFinite)).toBe(true);
  });

  it('needs a bad row', () => {
    const method = bind(unlikelihood);
    expect(method.unfitTogether([row(true), row(true)])).toMatch(/every row is labelled good.*method: sft/);
    expect(method.unfitTogether([row(true), row(false)])).toBeUndefined();
    expect(method.unfitTogether([row(false)])).toBeUndefined();
    expect(method.columnsOf(row(false))).toEqual({ bad: 1 });
  });
});
