import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClassifiedRow } from '../../src/data/rows.js';
import { classifier } from '../../src/method/classifier.js';
import { bind } from '../../src/method/bind.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const labels = ['billing', 'delivery', 'other'];
const run = (text: readonly (readonly number[])[], label: readonly number[], of = labels) =>
  lossOf(engine, bind(classifier, { labels: of }), {}, { label }, { scores: { text } });
const softmax = (z: readonly number[]): number[] => {
  const e = z.map(Math.exp);
  return e.map((x) => x / e.reduce((a, b) => a + b));
};
const row = (label: string, prompt?: ClassifiedRow['prompt']): ClassifiedRow => ({
  source: { file: 'mails.jsonl', line: 1 },
  text: 'My parcel is late',
  label,
  ...(prompt && { prompt }),
});

describe('classifier', () => {
  it('is the cross-entropy of the softmax, with derivative softmax − one-hot', async () => {
    const z = [[1, -0.5, 2], [0.2, 0.1, 0], [-3, 4, 1], [0, 0, 0]], label = [2, 0, 0, 1];
    const value = await run(z, label);
    const p = z.map(softmax);
    expect(value.loss).toBeCloseTo(p.reduce((sum, q, i) => sum - Math.log(q[label[i]!]!), 0) / 4, 6);
    p.forEach((q, i) =>
      q.forEach((x, c) => expect(value.scoreGradient['text']![3 * i + c]).toBeCloseTo((x - (c === label[i] ? 1 : 0)) / 4, 6)),
    );
    expect(value.metrics['accuracy']).toBeCloseTo((1 + 1 + 0 + 1 / 3) / 4, 6);
    expect([0, 1, 2].map((c) => value.metrics[`recall_${labels[c]!}`])).toEqual([0.5, expect.closeTo(1 / 3, 6), 1]);
  });

  it('with two classes is logistic regression on their difference', async () => {
    const value = await run([[1.5, 0.25], [-1, 2]], [0, 0], ['safe', 'unsafe']);
    const nll = (x: number) => Math.log1p(Math.exp(-x));
    expect(value.loss).toBeCloseTo((nll(1.25) + nll(-3)) / 2, 6);
  });

  it('starts at ln of the number of classes, and does not mind what is added to all', async () => {
    expect((await run([[0, 0, 0]], [1])).loss).toBeCloseTo(Math.log(3), 6);
    const [a, b] = [await run([[1, 2, 3]], [1]), await run([[11, 12, 13]], [1])];
    expect(a.loss).toBeCloseTo(b.loss, 5);
  });

  it('reads a text alone as what a user says, with a prompt as the response to it', () => {
    const method = bind(classifier, { labels });
    expect(method.heads).toEqual({ score: { size: 3, at: 'last' } });
    const alone = method.sequences(row('other'), fakeRespond())['text']![0]!;
    expect([textOf(alone.prompt), textOf(alone.response)]).toEqual(['user: My parcel is late', '.']);
    const answered = method.sequences(row('other', [{ role: 'user', content: 'What is wrong?' }]), fakeRespond())['text']![0]!;
    expect([textOf(answered.prompt), textOf(answered.response)]).toEqual(['user: What is wrong?', 'My parcel is late.']);
    expect(method.columnsOf(row('delivery'))).toEqual({ label: 1 });
  });

  it('refuses labels that it was not given, one class alone, and lists that are none', () => {
    const method = bind(classifier, { labels });
    expect(method.unfit(row('returns'))).toBe('its label is "returns"; method.labels has "billing", "delivery", "other"');
    expect(method.unfit(row('other'))).toBeUndefined();
    expect(method.unfitTogether([row('other'), row('other')])).toMatch(/all 2 rows have the label "other"/);
    expect(method.unfitTogether([row('other'), row('billing')])).toBeUndefined();
    expect(() => bind(classifier, {} as { labels: string[] })).toThrow();
    expect(() => bind(classifier, { labels: ['one'] })).toThrow();
    expect(() => bind(classifier, { labels: ['one', 'one'] })).toThrow(/differ/);
  });
});
