import fs from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { createRewardScorer } from '../../src/model/reward-scorer.js';
import { json, scratch } from './support.js';
import { distance, modelFixture, openTiny, useEngine } from './tiny.js';

const engine = useEngine();
const temporary = scratch();
let folders = 0;
const fresh = (): string => path.join(temporary, `${folders++}`);

interface Rewarded { readonly prompt: readonly number[]; readonly response: readonly number[]; readonly scores: readonly number[] }
const fixtures = json<Record<string, { size: number; sequences: Rewarded[] }>>(modelFixture('rewards.json'));
const HEAD = 'base_model.model.score.weight';

/** The adapter of tools/oracles/reward_head.py. */
async function written() {
  const checkpoint = await openTiny('llama3');
  const plan = planAdapter(
    checkpoint.tensors.values(),
    { rank: 2, alpha: 3, targets: ['v_proj', 'down_proj'], dropout: 0, rslora: false },
    { score: { size: 1, at: 'last' } },
  );
  return {
    checkpoint,
    plan,
    parameters: Float32Array.from({ length: plan.size }, (_, i) => (((i * 7919) % 101) - 50) / 64),
    modelId: 'llama3',
  };
}

/** The reward adapter that PEFT saved, changed. */
async function changed(
  config: object,
  change: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void = () => undefined,
): Promise<string> {
  const folder = fresh(),
    from = modelFixture('peft/reward');
  await fs.mkdir(folder);
  await fs.writeFile(
    path.join(folder, 'adapter_config.json'),
    JSON.stringify({ ...json<object>(path.join(from, 'adapter_config.json')), ...config }),
  );
  const { tensors } = readSafetensors(path.join(from, 'adapter_model.safetensors'));
  change(tensors);
  await writeSafetensors(
    path.join(folder, 'adapter_model.safetensors'),
    [...tensors].map(([name, { shape, data }]) => ({ name, dtype: 'float32', shape, data })),
  );
  return folder;
}

describe('adapters with a head that PEFT saved', () => {
  it.each(Object.entries(fixtures))(
    'give what AutoModelForSequenceClassification gives under PEFT: %s',
    async (name, { size, sequences }) => {
      const checkpoint = await openTiny('llama3');
      const adapter = await loadAdapter(modelFixture(`peft/${name}`), checkpoint);
      expect(adapter.plan.heads).toMatchObject([{ name: 'score', at: 'last', size, width: 32 }]);
      const scorer = await createRewardScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) }, adapter);
      expect(scorer.size).toBe(size);
      const scores = await scorer.scores(sequences);
      expect(
        distance(
          scores,
          sequences.map((s) => s.scores),
        ),
      ).toBeLessThan(1e-4);
      if (size === 1) expect(await scorer.rewards(sequences)).toEqual(scores.flat());
      else await expect(scorer.rewards(sequences)).rejects.toThrow(/gives 3 numbers, so it is a classifier/);
      await expect(scorer.scores([{ prompt: [3], response: [] }])).rejects.toThrow(/empty response/);
      await scorer.release();

      const folder = fresh();
      await saveAdapter(folder, { ...adapter, checkpoint });
      expect(await loadAdapter(folder, checkpoint)).toEqual(adapter);
      expect(json<object>(path.join(folder, 'adapter_config.json'))).toMatchObject({ task_type: 'SEQ_CLS', modules_to_save: ['score'] });
    },
  );

  it('are refused where head and configuration do not belong together', async () => {
    const load = async (folder: Promise<string>) => loadAdapter(await folder, await openTiny('llama3'));
    await expect(load(changed({}, (t) => t.delete(HEAD)))).rejects.toThrow(
      /has no tensor base_model\.model\.score\.weight, which modules_to_save names/,
    );
    await expect(load(changed({ modules_to_save: null }))).rejects.toThrow(
      /score\.weight that modules_to_save of adapter_config\.json does not name/,
    );
    await expect(load(changed({ modules_to_save: ['score', 'lm_head'] }))).rejects.toThrow(
      /modules_to_save is \["score","lm_head"\], which cannot be used \(.*only a head named score/,
    );
    await expect(load(changed({}, (t) => t.set(HEAD, { shape: [1, 16], data: new Float32Array(16) })))).rejects.toThrow(
      /score\.weight has the shape \[1, 16\].*needs \[1, 32\]/,
    );
    await expect(load(changed({}, (t) => t.set(HEAD, { shape: [32], data: new Float32Array(32) })))).rejects.toThrow(/a head is a matrix/);
    await expect(
      load(
        changed({}, (t) => {
          t.get(HEAD)!.data[3] = Infinity;
        }),
      ),
    ).rejects.toThrow(/score\.weight has values that are not finite/);
    await expect(load(changed({}, (t) => t.set('base_model.model.score.bias', { shape: [1], data: new Float32Array(1) })))).rejects.toThrow(
      /score\.bias is not a factor/,
    );
  });
});

describe('an adapter with a head that Heed saved', () => {
  it('is in the bytes that PEFT was seen to load, with the same rewards', async () => {
    const folder = fresh();
    await saveAdapter(folder, await written());
    for (const file of ['adapter_config.json', 'adapter_model.safetensors']) {
      expect((await fs.readFile(path.join(folder, file))).equals(await fs.readFile(modelFixture(`written-reward/${file}`)))).toBe(true);
    }
  });
});

describe('rewards', () => {
  it('do not depend on what is scored together', async () => {
    const adapter = await written(), { checkpoint } = adapter;
    const scorer = await createRewardScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) }, adapter);
    const sequences = fixtures['reward']!.sequences;
    const alone: number[] = [];
    for (const s of sequences) alone.push(...(await scorer.rewards([s])));
    const long = Array.from({ length: 60 }, (_, i) => sequences[i % sequences.length]!);
    const together = await scorer.rewards(long);
    together.forEach((r, i) => expect(Math.abs(r - alone[i % sequences.length]!)).toBeLessThan(1e-4));
    await scorer.release();
  });

  it('need a head', async () => {
    const checkpoint = await openTiny('llama3');
    const adapter = await loadAdapter(modelFixture('peft/list'), checkpoint);
    await expect(createRewardScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) }, adapter)).rejects.toThrow(
      /has no head/,
    );
  });
});
