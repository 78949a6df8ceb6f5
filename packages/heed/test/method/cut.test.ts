import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JudgedRow } from '../../src/data/rows.js';
import { cut } from '../../src/method/cut.js';
import { hindsight } from '../../src/method/hindsight.js';
import { bind } from '../../src/method/bind.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond } from '../support/respond.js';

// Golden numbers worked out in float64 from the formulas of arXiv 2312.14591 (Eq. 5-7): vocabulary 3, four response tokens.
const y = [0, 1, 2, 0];
const judgedLogits = [[2, 0, 0], [0, 1, 0], [0.5, 0, 1], [3, -1, 0]];
const plainLogits = [[0, 1, 0], [0, 1, 0], [0, 0, 1.2], [2.5, 0, 0]];
const softmax = (z: readonly number[]): number[] => {
  const e = z.map(Math.exp);
  const total = e.reduce((a, b) => a + b);
  return e.map((x) => x / total);
};
const logp = (logits: readonly number[][]): number[] => logits.map((z, t) => Math.log(softmax(z)[y[t]!]!));
const rows = { plain: [logp(plainLogits)], judged: [logp(judgedLogits)] };
const bad = { unsatisfied: [1] };
const L2 = 0.38428576;

const row = (satisfied: boolean): JudgedRow => ({
  source: { file: 'a', line: 1 },
  prompt: [{ role: 'user', content: 'q' }],
  completion: 'a',
  judgment: satisfied ? null : 'wrong',
  satisfied,
});
const words = fakeRespond();

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

describe('cut', () => {
  it.each([
    { lambda: 1.1, alpha: 1, gamma: 0, l1: 0.35328285, flagged: 1 },
    { lambda: 1.1, alpha: 0.5, gamma: 0, l1: 0.32350997, flagged: 1 },
    { lambda: 1.2, alpha: 0.5, gamma: 0, l1: 0.32350997, flagged: 1 },
    { lambda: 1.1, alpha: 0.5, gamma: 1, l1: 0.31716793, flagged: 1 },
    { lambda: 1.05, alpha: 0.25, gamma: 2, l1: 0.37226918, flagged: 2 },
  ])('is L1 + L2 at λ $lambda, α $alpha, γ $gamma', async ({ l1, flagged, ...options }) => {
    const value = await lossOf(engine, bind(cut, options), rows, bad);
    expect(value.metrics['l1']).toBeCloseTo(l1, 6);
    expect(value.metrics['nll_judged']).toBeCloseTo(L2, 6);
    expect(value.loss).toBeCloseTo(l1 + L2, 6);
    expect(value.metrics['inappropriate']).toBeCloseTo(flagged / 4, 7);
  });

  it.each([[1, 0.36878431], [0.5, 0.35389787]])('is (L1 + L2)/2 with the loss of the authors code, α %d', async (alpha, expected) => {
    const value = await lossOf(engine, bind(cut, { loss: 'v1', lambda: 1.1, alpha }), rows, bad);
    expect(value.loss).toBeCloseTo(expected, 6);
  });

  it('has the gradient by the logits of the plain sequence that the formulas give', async () => {
    const value = await lossOf(engine, bind(cut, { lambda: 1.1, alpha: 0.5, gamma: 1 }), rows, bad);
    const byLogits = value.gradient['plain']![0]!.map((d, t) => softmax(plainLogits[t]!).map((p, i) => d * ((i === y[t] ? 1 : 0) - p)));
    const expected = [
      [0.02084938, -0.01524212, -0.00560726],
      [0.05298539, -0.10597078, 0.05298539],
      [0.04699145, 0.04699145, -0.0939829],
      [-0.03525473, 0.01762737, 0.01762737],
    ];
    byLogits.forEach((row, t) => row.forEach((x, i) => expect(x).toBeCloseTo(expected[t]![i]!, 6)));
    // q is not differentiated in the weight: the judged sequence gets −1/N from L2 and nothing else.
    value.gradient['judged']![0]!.forEach((d) => expect(d).toBeCloseTo(-1 / 4, 6));
  });

  it('flags the one word of the paper’s figure 2, and its end-of-turn token only below λ = 1.047', async () => {
    const [q, p] = [[0.82, 0.94, 0.76, 0.99, 0.02, 0.89], [0.03, 0.94, 0.93, 0.99, 0.03, 0.85]];
    const given = { plain: [p.map(Math.log)], judged: [q.map(Math.log)] };
    const share = async (lambda: number) => (await lossOf(engine, bind(cut, { lambda }), given, bad)).metrics['inappropriate'];
    expect(await share(1.1)).toBeCloseTo(1 / 6, 6);
    expect(await share(1.04)).toBeCloseTo(2 / 6, 6);
  });

  it('never flags the end of turn where it is kept or ignored', async () => {
    const given = { plain: [[-3, -0.5, -3], [-3, -3]], judged: [[-1, -1, -1], [-1, -1]] };
    const under = (endOfTurn: 'judge' | 'keep' | 'ignore') =>
      lossOf(engine, bind(cut, { endOfTurn, gamma: 0 }), given, { unsatisfied: [1, 1] });
    const [judge, keep, ignore] = [await under('judge'), await under('keep'), await under('ignore')];
    expect([judge, keep, ignore].map((v) => v.metrics['inappropriate']!.toFixed(4))).toEqual(['0.8000', '0.4000', '0.4000']);
    // −log p = 3 of the two ends, over 3 and 2 tokens, is what `keep` imitates and `ignore` leaves out; half of it, since the loss is a
    // mean of two rows.
    expect(keep.loss - ignore.loss).toBeCloseTo((3 / 3 + 3 / 2) / 2, 5);
    expect(ignore.gradient['plain']!.map((row) => row.at(-1))).toEqual([0, 0]);
  });

  it('takes what the judgment quotes for inappropriate too, where that is asked for', async () => {
    const [p, q] = [rows.plain[0]!, rows.judged[0]!].map((row) => row.map(Math.exp)) as [number[], number[]];
    const quoted = [false, true, false, true];
    const inU = p.map((x, t) => q[t]! > 1.1 * x || quoted[t]!);
    const l1 = -p.reduce((sum, x, t) => sum + (inU[t]! ? 0.5 * q[t]! * Math.log(1 - x) : Math.log(x)), 0) / 4;
    const value = await lossOf(engine, bind(cut, { alpha: 0.5, quoted: 'flag' }), rows, bad, { marked: { plain: [quoted] } });
    expect(value.metrics['l1']).toBeCloseTo(l1, 6);
    expect(value.metrics['inappropriate']).toBeCloseTo(inU.filter((x) => x).length / 4, 7);
    // Nothing is quoted: the paper's loss.
    const none = await lossOf(engine, bind(cut, { alpha: 0.5, quoted: 'flag' }), rows, bad);
    expect(none.loss).toBe((await lossOf(engine, bind(cut, { alpha: 0.5 }), rows, bad)).loss);
  });

  it('marks the tokens of every place that is quoted', () => {
    const judged = { ...row(false), completion: 'And so on and on.', judgment: 'It says "and".' };
    const { plain } = bind(cut, { quoted: 'flag' }).sequences(judged, words);
    expect(plain![0]!.marked!.map(Number).join('')).toBe('111000000011100000');
    expect(bind(cut).sequences(judged, words)['plain']![0]!.marked).toBeUndefined();
  });

  describe('without a part', () => {
    const both = { plain: [rows.plain[0]!, [-0.3, -0.7]], judged: [rows.judged[0]!, null] };
    const columns = { unsatisfied: [1, 0] };
    const p = rows.plain[0]!.map(Math.exp);
    const q = rows.judged[0]!.map(Math.exp);
    const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b) / x.length;

    it('L1, is hindsight, and does not score an unsatisfactory response unasked', async () => {
      const method = bind(cut, { without: ['l1'] });
      const value = await lossOf(engine, method, { ...both, plain: [null, [-0.3, -0.7]] }, columns);
      const other = await lossOf(engine, bind(hindsight), { ...both, plain: [null, [-0.3, -0.7]] }, columns);
      expect(value.loss).toBeCloseTo((L2 + 0.5) / 2, 6);
      expect(value.loss).toBe(other.loss);
      expect(value.gradient).toEqual(other.gradient);
      expect(Object.keys(method.sequences(row(false), words))).toEqual(['judged']);
      expect(Object.keys(value.metrics).sort()).toEqual(['nll_judged', 'nll_satisfied']);
    });

    it('the second half of L2, keeps L1 and the satisfactory rows, and learns nothing under the judgment', async () => {
      const value = await lossOf(engine, bind(cut, { without: ['l2-judged'], alpha: 0.5, gamma: 1 }), both, columns);
      expect(value.loss).toBeCloseTo((0.31716793 + 0.5) / 2, 6);
      expect((value.gradient['judged'] ?? []).flat().every((d) => d === 0)).toBe(true);
    });

    it('the first half of L2, leaves the satisfactory rows out', () => {
      const method = bind(cut, { without: ['l2-satisfied'] });
      expect([row(true), row(false)].map((one) => method.uses(one))).toEqual([false, true]);
      expect(method.unfitTogether([row(true), row(true)])).toMatch(/every row is satisfactory/);
      expect(method.unfitTogether([row(true), row(false)])).toBeUndefined();
      expect(bind(cut).uses(row(true))).toBe(true);
    });

    it('the detection, pushes every token down, weighted by q', async () => {
      const l1 = (gamma: number): number => -mean(p.map((x, t) => q[t]! ** gamma * Math.log(1 - x)));
      for (const gamma of [0, 2]) {
        const value = await lossOf(engine, bind(cut, { without: ['detection'], gamma }), rows, bad);
        expect(value.loss).toBeCloseTo(l1(gamma) + L2, 5);
        expect(value.metrics['inappropriate']).toBe(1);
        value.gradient['plain']![0]!.forEach((d, t) => expect(d).toBeCloseTo((q[t]! ** gamma * p[t]!) / (1 - p[t]!) / 4, 5));
      }
      const kept = await lossOf(engine, bind(cut, { without: ['detection'], endOfTurn: 'keep' }), rows, bad);
      expect(kept.metrics['inappropriate']).toBeCloseTo(3 / 4, 6);
    });

    it('all that reads q, does not score the response under its judgment', async () => {
      const method = bind(cut, { without: ['detection', 'l2-judged'], gamma: 0 });
      expect(Object.keys(method.sequences(row(false), words))).toEqual(['plain']);
      const value = await lossOf(engine, method, { plain: rows.plain, judged: [null] }, bad);
      expect(value.loss).toBeCloseTo(-mean(p.map((x) => Math.log(1 - x))), 5);
    });

    it('the dynamic weight, is γ = 0', async () => {
      expect((await lossOf(engine, bind(cut, { gamma: 0 }), rows, bad)).metrics['l1']).toBeCloseTo(0.35328285, 6);
    });

    it.each([
      [{ without: ['l1'], lambda: 1.1 }, 'is ignored without l1'],
      [{ without: ['l1'], endOfTurn: 'keep' }, 'is ignored without l1'],
      [{ without: ['detection'], lambda: 1.1 }, 'is ignored without detection'],
      [{ without: ['l1'], quoted: 'flag' }, 'is ignored without l1'],
      [{ without: ['l2-satisfied'], ratio: 0.25 }, 'is ignored without l2-satisfied'],
      [{ without: ['l1', 'detection'] }, 'there is no detection to leave out'],
      [{ without: ['l1', 'l2-judged'] }, 'use method: sft'],
      [{ without: ['detection', 'detection'] }, 'twice'],
      [{ without: ['detection'], alpha: 0 }, 'L1 is 0'],
      [{ without: ['detection', 'l2-judged'], alpha: 0, endOfTurn: 'ignore' }, 'L1 is 0'],
      [{ without: ['detection', 'l2-judged'], gamma: 0, judgment: '{instruction} {judgment}' }, 'its wording is ignored'],
      [{ without: ['detection', 'l2-judged'], loss: 'v1', judgment: '{instruction} {judgment}' }, 'its wording is ignored'],
      [{ without: ['l3'] }, 'Invalid option'],
    ])('refuses %j', (options, message) => {
      expect(() => bind(cut, options as object)).toThrow(message);
    });

    it('the detection and the pushing down, still imitates an end of turn that is kept', async () => {
      const value = await lossOf(
        engine,
        bind(cut, { without: ['detection', 'l2-judged'], alpha: 0, endOfTurn: 'keep' }),
        { plain: rows.plain, judged: [null] },
        bad,
      );
      expect(value.loss).toBeCloseTo(-rows.plain[0]!.at(-1)! / 4, 6);
    });

    it('the detection alone, takes a wording of the judgment, under which the response is scored', () => {
      expect(() => bind(cut, { without: ['detection'], judgment: '{instruction} {judgment}' })).not.toThrow();
      expect(() => bind(cut, { without: ['detection', 'l2-judged'], judgment: '{instruction} {judgment}' })).not.toThrow(); // γ is 1
    });
  });

  it('learns a satisfactory row by plain likelihood, at full weight, beside an unsatisfactory one', async () => {
    const good = [-0.3, -0.7];
    const both = { plain: [rows.plain[0]!, good], judged: [rows.judged[0]!, null] };
    const paper = await lossOf(engine, bind(cut, { lambda: 1.1, alpha: 1, gamma: 0 }), both, { unsatisfied: [1, 0] });
    expect(paper.loss).toBeCloseTo((0.35328285 + L2 + 0.5) / 2, 6);
    const code = await lossOf(engine, bind(cut, { loss: 'v1', lambda: 1.1, alpha: 1 }), both, { unsatisfied: [1, 0] });
    expect(code.loss).toBeCloseTo((0.36878431 + 0.5) / 2, 6);
  });

  it('stays finite where the model is certain of an inappropriate token', async () => {
    const value = await lossOf(engine, bind(cut, { lambda: 1, alpha: 1, gamma: 0 }), { plain: [[-1e-9, -2]], judged: [[0, -1]] }, bad);
    expect(Number.isFinite(value.loss)).toBe(true);
    expect(value.gradient['plain']![0]!.every(Number.isFinite)).toBe(true);
  });

  it('refuses an option that its variant ignores', () => {
    expect(() => bind(cut, { loss: 'v1', gamma: 1 })).toThrow(/no gamma/);
  });
});

describe('hindsight', () => {
  it('is CUT without L1', async () => {
    const value = await lossOf(engine, bind(hindsight), { plain: [null], judged: rows.judged }, bad);
    expect(value.loss).toBeCloseTo(L2, 6);
  });
});
