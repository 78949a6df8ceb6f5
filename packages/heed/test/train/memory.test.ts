import { beforeAll, describe, expect, it } from 'vitest';
import { bind } from '../../src/method/bind.js';
import { sft } from '../../src/method/sft.js';
import { planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { TrainOptions } from '../../src/run/recipe-schemas.js';
import { renderMemory, requireMemory } from '../../src/loop/dry-run.js';
import { loadModel } from '../../src/model/load.js';
import { asIfRounded, quantize } from '../../src/model/quantize.js';
import { type MemorySetup, checkMemory, predictTraining } from '../../src/train/memory.js';
import type { Item } from '../../src/train/item.js';
import { twins } from '../model/packed-model.js';
import { openTiny } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';

const item = (prompt: number, response: number, index: number): Item => ({
  index, where: `row ${index}`, columns: {},
  sequences: { turns: [{ prompt: Array<number>(prompt).fill(index + 1), response: Array<number>(response).fill(2) }] },
});
const options = (given: object): MemorySetup['options'] =>
  TrainOptions.parse({ steps: 3, batch: 4, microBatch: 4, checkpointing: 'none', ...given });

const { folder } = scratchFolder();
let setup: MemorySetup;
beforeAll(async () => {
  const checkpoint = await openTiny('llama3');
  const plan = planAdapter(checkpoint.tensors.values(), { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false });
  // Only the weights and the dimensions are read.
  const model = { checkpoint, architecture: architectureOf(checkpoint) } as MemorySetup['model'];
  setup = { model, method: bind(sft), plan, items: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => item(60, 60, i)), options: options({}) };
});

describe('predictTraining', () => {
  const activations = (given: object, items = setup.items): number =>
    predictTraining({ ...setup, items, options: options(given) }).parts.activations;

  it('grows with what is kept and with the rows of a pass', () => {
    const none = activations({});
    for (const checkpointing of ['selective', 'full']) expect(activations({ checkpointing })).toBeLessThan(none);
    expect(activations({ microBatch: 1 })).toBeLessThan(none / 2);
  });

  it('takes the largest pass of the run, wherever it lies', () => {
    const items = [...setup.items, item(20, 200, 8)];
    const whole = predictTraining({ ...setup, items, options: options({ steps: 9, microBatch: 1 }) });
    expect(whole.largest).toEqual({ rows: 1, tokens: 220 });
  });

  it('is the sum of its parts, held-out rows among them', () => {
    const { total, parts } = predictTraining({ ...setup, held: [item(30, 30, 9)] });
    expect(parts.evaluation).toBeGreaterThan(0);
    expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(total);
  });

  it('counts dropout masks among the feeds', () => {
    const plan = { ...setup.plan, options: { ...setup.plan.options, dropout: 0.1 } };
    expect(predictTraining({ ...setup, plan }).parts.feeds).toBeGreaterThan(predictTraining(setup).parts.feeds);
  });
});

describe('checkMemory', () => {
  it('says what would make it fit, the mildest change of each kind', () => {
    const { total } = predictTraining(setup);
    const check = checkMemory(setup, total - 1);
    expect(check.fits).toBe(false);
    expect(check.ways.map(({ settings }) => settings)).toEqual(['train.checkpointing=selective', 'train.microBatch=2']);
    for (const way of check.ways) expect(way.total).toBeLessThan(total);
    expect(renderMemory(check).join('\n')).toMatch(/does not fit[^]*train\.checkpointing=selective would need about \d+ MB/);
  });

  it('combines changes when none alone is enough, and admits when nothing is', () => {
    const long = { ...setup, items: [0, 1, 2, 3].map((i) => item(500, 500, i)) };
    const both = predictTraining({ ...long, options: options({ checkpointing: 'full', microBatch: 1 }) }).total;
    const check = checkMemory(long, both);
    expect(check.ways.map(({ settings }) => settings)).toEqual(['train.checkpointing=full train.microBatch=1']);
    expect(renderMemory(checkMemory(long, both - 1)).at(-1)).toMatch(/no setting makes it fit/);
  });

  it('tells apart what is mapped, and refuses only what the machine cannot hold without it', () => {
    const { total, parts } = predictTraining(setup);
    const check = checkMemory(setup, total - 1, total - parts.weights);
    expect(check).toMatchObject({ resident: total - parts.weights, fits: false });
    const lines: string[] = [];
    requireMemory(check, (line) => lines.push(line));
    expect(lines.join('\n')).toMatch(/resident, .* mapped from files[^]*weights that find no room are read from the disk again/);
    expect(() => { requireMemory(checkMemory(setup, total - 1, total - parts.weights - 1), () => undefined); }).toThrow(
      /needs about .* of memory beside its weights, and the machine has/,
    );
  });

  it('rounds the base where nothing else is enough, and foresees what that takes', async () => {
    const { widened } = await twins(folder);
    const { checkpoint, architecture } = await loadModel(widened);
    const plan = planAdapter(checkpoint.tensors.values(), { rank: 4, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false });
    const large = { ...setup, model: { checkpoint, architecture } as MemorySetup['model'], plan };
    const least = predictTraining({ ...large, options: options({ checkpointing: 'full', microBatch: 1 }) }).total;
    const rounded = await quantize(checkpoint, 'int4', { cacheDir: folder });
    const foreseen = predictTraining({ ...large, model: { ...large.model, checkpoint: rounded } });
    const { ways } = checkMemory(large, least - 1);
    expect(ways).toHaveLength(1);
    expect(ways[0]!.settings).toMatch(/^precision=int4/);
    expect(ways[0]!.total).toBeLessThan(least);
    const imagined = predictTraining({ ...large, model: { ...large.model, checkpoint: asIfRounded(checkpoint, 'int4')! } });
    expect(imagined.parts.weights).toBe(foreseen.parts.weights);
    expect(imagined.parts.activations).toBe(foreseen.parts.activations);
    expect(asIfRounded(rounded, 'int8')).toBeUndefined();
  });

  it('suggests nothing where there is room', () => {
    expect(checkMemory(setup, 1e12)).toMatchObject({ fits: true, ways: [] });
  });
});
