import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { d2o } from '../../src/method/d2o.js';
import { dpo } from '../../src/method/dpo.js';
import { bind } from '../../src/method/bind.js';
import type { BoundMethod } from '../../src/method/method.js';
import { slic } from '../../src/method/slic.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Adapter, loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { checkAtReference, startsAtReferences } from '../../src/train/first-loss-check.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

describe('the first loss', () => {
  const dpoAt = bind(dpo, { beta: 0.5 });

  it('is an error where it is not what policy and equal references give', () => {
    expect(() => checkAtReference(dpoAt, 0.7)).toThrow(
      'dpo: the policy still equals its reference, so the loss must be 0.6931, but it is 0.7000.',
    );
    expect(() => checkAtReference(bind(dpo, { loss: 'ipo-sum', beta: 0.1 }), 24.9)).toThrow(/must be 25.0000, but it is 24.9000/);
    expect(() => checkAtReference(dpoAt, Number.NaN)).toThrow(/but it is NaN/);
  });

  it('may be off by rounding, and is anything where no value is known', () => {
    expect(() => checkAtReference(dpoAt, Math.LN2 + 5e-4)).not.toThrow();
    expect(() => checkAtReference(bind(slic), 7)).not.toThrow();
  });
});

describe('where the first loss is known', () => {
  const { folder } = scratchFolder();
  let model: Model;
  let path: string;
  let saved: Adapter;
  let other: string;
  beforeAll(async () => {
    const tiny = await tinyChat(folder);
    model = await loadModel(tiny.model);
    path = tiny.adapter;
    saved = await loadAdapter(path, model.checkpoint);
    other = join(folder, 'other');
    await saveAdapter(other, {
      ...saved,
      parameters: saved.parameters.map((x, i) => (i === 0 ? x + 0.5 : x)),
      checkpoint: model.checkpoint,
    });
  });

  const starts = (method: BoundMethod, { plan, parameters }: Adapter = saved): Promise<boolean> =>
    startsAtReferences({ model, method, plan, parameters: () => Promise.resolve(parameters) });
  const moving = { every: 1, rate: 0.5 };

  it('for a fresh adapter, whose base and averages are one; not beside a saved one', async () => {
    const fresh = { plan: saved.plan, parameters: initialParameters(saved.plan, 1) };
    expect(await starts(bind(dpo), fresh)).toBe(true);
    expect(await starts(bind(d2o, { rPlus: moving }), fresh)).toBe(true);
    expect(await starts(bind(dpo, { reference: path }), fresh)).toBe(false);
  });

  it('for one to go on from, where every reference is an average or has its numbers', async () => {
    expect(await starts(bind(d2o, { rPlus: moving, rMinus: moving }))).toBe(true);
    expect(await starts(bind(dpo, { reference: path }))).toBe(true);
    expect(await starts(bind(d2o, { rPlus: path, rMinus: moving }))).toBe(true);
    expect(await starts(bind(dpo))).toBe(false);
    expect(await starts(bind(dpo, { reference: other }))).toBe(false);
    expect(await starts(bind(d2o, { rPlus: moving }))).toBe(false); // r- is the base
  });

  it('not with dropout, nor of a method without a known loss', async () => {
    const tensors = [...model.checkpoint.tensors.values()];
    const plan = planAdapter(tensors, { ...saved.plan.options, dropout: 0.1 });
    expect(await starts(bind(dpo), { plan, parameters: initialParameters(plan, 1) })).toBe(false);
    expect(await starts(bind(slic))).toBe(false);
  });
});
