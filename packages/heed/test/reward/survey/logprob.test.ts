import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/model/fingerprint.js';
import { type Model, loadModel } from '../../../src/model/load.js';
import { createScorer } from '../../../src/model/scorer.js';
import { classifyByLogprobs } from '../../../src/reward/logprob/classifier.js';
import { logprobFeatures } from '../../../src/reward/logprob/features.js';
import { fitLogprobClassifier, fitOnFeatures } from '../../../src/reward/logprob/fit.js';
import { openLogprobReader } from '../../../src/reward/logprob/reader.js';
import { openReward } from '../../../src/reward/open.js';
import { createRandom } from '../../../src/run/random.js';
import { tinyChat } from '../../cli/support.js';
import { scratchFolder } from '../../support/scratch.js';
import { item, rate } from './rate.js';

const { folder, write } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  const made = await tinyChat(folder, { context: 256 });
  engine = await startEngine();
  model = await loadModel(made.model);
});
afterAll(() => engine.close());

const user = (content: string) => [{ role: 'user' as const, content }];

it('the four numbers', () => {
  const found = logprobFeatures({ logprobs: [-1, -3, -0.5], entropies: [2, 1, 3], bare: [-2, -3, -1] });
  expect(found).toEqual({ mean: -1.5, least: -3, entropy: 2, gain: 0.5 });
  expect(() => logprobFeatures({ logprobs: [], entropies: [], bare: [] })).toThrow('0, 0 and 0 tokens');
});

describe('what is read of a text', () => {
  it('are the scorer’s log-probabilities, and the entropies that all tokens of the vocabulary give', async () => {
    const reader = await openLogprobReader(engine, model);
    const text = { prompt: user('Why?'), response: 'So it is.' };
    const [found, empty, long] = await reader.read([text, { ...text, response: '' }, { ...text, response: 'so '.repeat(200) }]);
    await reader.close();
    expect(empty).toMatchObject({ failure: 'not-applicable' });
    expect(long).toMatchObject({ failure: 'too-long' });
    if (found === undefined || 'failure' in found) throw new Error('unread');

    const scorer = await createScorer(engine, model);
    const ids = model.template.response(text.response).slice(0, -1);
    const before = model.template.prompt(text.prompt);
    const [own, bare] = await scorer.logProbs([before, model.template.prompt(user(''))].map((prompt) => ({ prompt, response: ids })));
    found.logprobs.forEach((p, t) => expect(p).toBeCloseTo(own![t]!, 4));
    found.bare.forEach((p, t) => expect(p).toBeCloseTo(bare![t]!, 4));
    // −Σ p log p by brute force: every token of the vocabulary in the place of the first one.
    const { vocabulary } = model.architecture;
    const all = await scorer.logProbs(Array.from({ length: vocabulary }, (_, id) => ({ prompt: before, response: [id] })));
    await scorer.release();
    const entropy = -all.reduce((sum, [p]) => sum + Math.exp(p!) * p!, 0);
    expect(found.entropies[0]).toBeCloseTo(entropy, 3);
  });
});

describe('a classifier by log-probabilities', () => {
  // Features of two labels: the mean log-probability differs by 1.5 of its deviations, and nothing else does.
  const random = createRandom('logprobs');
  const measured = Array.from({ length: 600 }, (_, i) => ({
    row: { prompt: user(`${i}?`), response: 'So.', label: i % 2 === 0 ? 'true' : 'false' },
    features: { mean: (i % 2 === 0 ? 1.5 : 0) + random.normal(), least: random.normal(), entropy: random.normal(), gain: 0 },
  }));

  it('reaches the area that two normal distributions allow, with calibrated probabilities', () => {
    const { report, classifier } = fitOnFeatures(measured, { fingerprint: 'x' });
    // Φ(1.5 / √2) = .8556.
    expect(report.auc.logprobs).toBeGreaterThan(0.82);
    expect(report.auc.logprobs).toBeLessThan(0.89);
    expect(report.auc.mean).toBeCloseTo(report.auc.logprobs, 2);
    expect(report.auc.length).toBe(0.5);
    expect(report.base).toBe(0.25);
    expect(report.brier).toBeLessThan(0.19);
    expect(report.ece).toBeLessThan(0.08);
    // P(true | mean) = σ(1.5 mean − 1.5²/2) where the rest tells nothing.
    for (const mean of [-1, 0.75, 2]) {
      const p = classifyByLogprobs(classifier, { mean, least: 0, entropy: 0, gain: 0 })['true']!;
      expect(Math.abs(p - 1 / (1 + Math.exp(-(1.5 * mean - 1.125))))).toBeLessThan(0.06);
    }
  });

  it('wants two labels', () => {
    expect(() => fitOnFeatures(measured.slice(0, 1), { fingerprint: 'x' })).toThrow('1 labels (true)');
  });

  it('is a detector, and says how sure claims are when they are made', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => ({
      prompt: user(`Where is it, ${i}?`),
      ...(i % 2 === 0 ? { response: 'At home.', label: 'true' } : { response: `Gate ${'xyzw'[i % 4]} of hall ${i}.`, label: 'false' }),
    }));
    const named = { model: model.checkpoint.id, engine };
    const { classifier, report } = await fitLogprobClassifier([...rows, { ...rows[0]!, response: '' }], named);
    expect(report).toMatchObject({ rows: 12, unread: [{ row: 12 }] });
    expect(classifier.model).toBe(fingerprint(model));
    const file = write('truth.json', JSON.stringify(classifier));
    const detector = await openReward({ detector: { want: 'true', file, model: model.checkpoint.id } }, { engine });
    const reader = await openLogprobReader(engine, model);
    const [readings] = await reader.read([rows[1]!]);
    await reader.close();
    const [rated, empty] = await detector.rate([item(rows[1]!.prompt, rows[1]!.response), item('Hi', '')]);
    await detector.close();
    const p = classifyByLogprobs(classifier, logprobFeatures(readings as never))['true'];
    expect(rated).toMatchObject({ value: expect.closeTo(p!, 5) as number });
    expect(empty).toMatchObject({ failure: 'not-applicable' });

    const claim = 'The tower was built in 1889.';
    const chat = [...user('How old is it?'), { role: 'assistant' as const, content: claim }, ...user('No.')];
    const beliefs = await openReward({ beliefs: { confidence: file, model: model.checkpoint.id } }, { engine });
    const [held] = await beliefs.rate([item(chat, claim)]);
    await beliefs.close();
    const own = await openReward({ detector: { want: 'true', file, model: model.checkpoint.id } }, { engine });
    const [start] = await own.rate([item('How old is it?', claim)]);
    await own.close();
    const q = (start as { value: number }).value;
    // A bare denial divides the odds by 1.5.
    expect(held).toMatchObject({ parts: { confidence: expect.closeTo(q / (q + 1.5 * (1 - q)), 5) as number } });
  });

  it('refuses another model, and a file of another kind', async () => {
    const { classifier } = fitOnFeatures(measured, { fingerprint: 'another' });
    const file = write('other.json', JSON.stringify(classifier));
    const spec = { want: 'true', file, model: model.checkpoint.id };
    await expect(openReward({ detector: spec }, { engine })).rejects.toThrow(/other\.json was trained with another model/);
    await expect(openReward({ detector: { ...spec, want: 'right' } }, { engine })).rejects.toThrow(/no label "right"/);
    const labels = write('labels.json', JSON.stringify({ ...classifier, labels: ['bad', 'good'] }));
    await expect(rate({ beliefs: { confidence: labels } }, [])).rejects.toThrow(/knows the labels bad and good/);
    const none = write('none.json', '{"kind": "dialogue-critic"}');
    await expect(rate({ beliefs: { confidence: none } }, [])).rejects.toThrow(/none\.json/);
  });
});
