import fs from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAdapter } from '../../src/model/adapter.js';
import { CheckpointError } from '../../src/model/checkpoint/error.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { exportMerged } from '../../src/model/export.js';
import { mergedTensors } from '../../src/model/merge-host.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { json, scratch } from './support.js';
import { type Scored, distance, modelFixture, openTiny, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const temporary = scratch();
let folders = 0;
const fresh = (): string => path.join(temporary, `${folders++}`);

/** An adapter that tools/oracles/model_fixtures.py made with PEFT, changed. */
async function changed(
  name: string,
  config: object,
  change?: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void,
): Promise<string> {
  const folder = fresh(),
    from = modelFixture(`peft/${name}`);
  await fs.mkdir(folder);
  await fs.writeFile(
    path.join(folder, 'adapter_config.json'),
    JSON.stringify({ ...json<object>(path.join(from, 'adapter_config.json')), ...config }),
  );
  const { tensors } = readSafetensors(path.join(from, 'adapter_model.safetensors'));
  change?.(tensors);
  await writeSafetensors(
    path.join(folder, 'adapter_model.safetensors'),
    [...tensors].map(([key, { shape, data }]) => ({ name: key, dtype: 'float32', shape, data })),
  );
  return folder;
}

/** The adapter of tools/oracles/peft_roundtrip.py. */
async function written() {
  const checkpoint = await openTiny('llama3');
  const plan = planAdapter(checkpoint.tensors.values(), { rank: 3, alpha: 5, targets: ['k_proj', 'up_proj'], dropout: 0.05, rslora: true });
  return {
    checkpoint,
    plan,
    parameters: Float32Array.from({ length: plan.size }, (_, i) => (((i * 7919) % 101) - 50) / 64),
    modelId: 'llama3',
  };
}

describe('adapters that PEFT wrote', () => {
  const expected = json<Record<string, { sequences: Scored[] }>>(modelFixture('peft.json'));
  it.each([
    ['list', { rank: 4, alpha: 6, rslora: false, dropout: 0 }, 14],
    [
      'all-linear',
      {
        rank: 2,
        alpha: 4,
        rslora: true,
        dropout: 0.1,
        targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
      },
      14,
    ],
    ['regex', { rank: 2, alpha: 8 }, 3],
    ['one-layer', { rank: 1, alpha: 2, targets: ['down_proj', 'v_proj'], layers: [0] }, 2],
    ['patterns', { rank: 2, alpha: 4 }, 14],
    ['patterns-rslora', { rank: 2, alpha: 4, rslora: true, rankPattern: { o_proj: 4 } }, 4],
  ])(
    'give the log-probabilities that PEFT computes: %s',
    async (name, { targets, ...options }: { targets?: string[]; [key: string]: unknown }, modules) => {
      const checkpoint = await openTiny('llama3');
      const adapter = await loadAdapter(modelFixture(`peft/${name}`), checkpoint);
      expect(adapter.plan.options).toMatchObject(options);
      if (targets) expect([...adapter.plan.options.targets].sort()).toEqual(targets.sort());
      expect(adapter.plan.modules.size).toBe(modules);
      const { sequences } = expected[name]!;
      const model = await scorer(engine(), checkpoint, adapter);
      expect(
        distance(
          await model.score(sequences),
          sequences.map((s) => s.logprobs),
        ),
      ).toBeLessThan(1e-4);
      await model.release();
    },
  );

  it('are the same after Heed saved and loaded them', async () => {
    const checkpoint = await openTiny('llama3');
    for (const name of Object.keys(expected)) {
      const first = await loadAdapter(modelFixture(`peft/${name}`), checkpoint), folder = fresh();
      await saveAdapter(folder, { ...first, checkpoint });
      expect(await loadAdapter(folder, checkpoint)).toEqual(first);
    }
  });
});

describe('rank_pattern and alpha_pattern', () => {
  it('are taken as PEFT takes them, module by module: the first in the file that fits the whole end of a name', async () => {
    const patterns = { '_proj': 7, 'layers.0.self_attn.v_proj': 3, '.*v_proj': 9, 'mlp\\.\\w+': 5 };
    const { plan } = await loadAdapter(await changed('one-layer', { alpha_pattern: patterns }), await openTiny('llama3'));
    expect([...plan.modules.values()].map(({ name, scale }) => [name, scale])).toEqual([
      ['model.layers.0.self_attn.v_proj', 3], ['model.layers.0.mlp.down_proj', 5],
    ]);
  });

  it('merge into the weights: the log-probabilities that PEFT computes, without an adapter', async () => {
    const checkpoint = await openTiny('llama3'), folder = fresh();
    const adapter = await loadAdapter(modelFixture('peft/patterns'), checkpoint);
    await exportMerged(checkpoint, mergedTensors(checkpoint, adapter), folder);
    const merged = await scorer(engine(), await openCheckpoint(folder));
    const { sequences } = json<Record<string, { sequences: Scored[] }>>(modelFixture('peft.json'))['patterns']!;
    expect(distance(await merged.score(sequences), sequences.map((s) => s.logprobs))).toBeLessThan(1e-4);
  });

  it('that fit nothing change nothing', async () => {
    const checkpoint = await openTiny('llama3'), none = { rank_pattern: { nothing: 9 }, alpha_pattern: { embed_tokens: 3 } };
    const plain = await loadAdapter(modelFixture('peft/one-layer'), checkpoint);
    const same = await loadAdapter(await changed('one-layer', none), checkpoint);
    expect([same.plan.modules, same.parameters]).toEqual([plain.plan.modules, plain.parameters]);
  });
});

describe('saving', () => {
  it('writes the bytes that PEFT was seen to load', async () => {
    const folder = fresh();
    await saveAdapter(folder, await written());
    for (const file of ['adapter_config.json', 'adapter_model.safetensors']) {
      expect((await fs.readFile(path.join(folder, file))).equals(await fs.readFile(modelFixture(`written/${file}`)))).toBe(true);
    }
    expect(await fs.readdir(folder)).toHaveLength(2);
  });

  it('replaces an adapter, also one of another configuration, and leaves nothing else behind', async () => {
    const parent = fresh(), folder = path.join(parent, 'run', 'adapter');
    const adapter = await written(), { checkpoint } = adapter;
    await saveAdapter(folder, adapter);
    const twice = { ...adapter, parameters: adapter.parameters.map((x) => 2 * x) };
    await saveAdapter(folder, twice);
    expect((await loadAdapter(folder, checkpoint)).parameters).toEqual(twice.parameters);
    const other = await loadAdapter(modelFixture('peft/regex'), checkpoint);
    await saveAdapter(folder, { ...other, checkpoint });
    expect(await loadAdapter(folder, checkpoint)).toEqual(other);
    expect(await fs.readdir(folder)).toHaveLength(2);
    expect(await fs.readdir(path.dirname(folder))).toEqual(['adapter']);
  });

  it('says where it could not write', async () => {
    const file = fresh();
    await fs.writeFile(file, '');
    await expect(saveAdapter(path.join(file, 'adapter'), await written())).rejects.toThrow(/could not be written/);
  });
});

describe('an adapter for another base', () => {
  it('is known by its fingerprint', async () => {
    const copy = fresh();
    await fs.cp(modelFixture('llama3'), copy, { recursive: true });
    const weights = path.join(copy, 'model.safetensors'), bytes = await fs.readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await fs.writeFile(weights, bytes);
    const { openCheckpoint } = await import('../../src/model/checkpoint/open.js');
    await expect(loadAdapter(modelFixture('written'), await openCheckpoint(copy))).rejects.toThrow(
      /was trained on another base \(llama3\) than/,
    );
    await loadAdapter(modelFixture('written'), await openTiny('llama3'));
  });

  it('is known by its shapes', async () => {
    await expect(loadAdapter(modelFixture('peft/list'), await openTiny('plain'))).rejects.toThrow(
      /lora_A\.weight has the shape \[4, 32\] where rank 4 on .*plain needs \[4, 16\]: the adapter is for another base/,
    );
  });

  it('is known by its names', async () => {
    const folder = await changed('one-layer', {}, (tensors) => {
      for (const [name, tensor] of [...tensors]) tensors.set(name.replace('layers.0', 'layers.7'), tensor);
    });
    await expect(loadAdapter(folder, await openTiny('llama3'))).rejects.toThrow(
      /adapts model\.layers\.7\.mlp\.down_proj, which .*llama3 does not have/,
    );
  });
});

describe('an adapter of some layers', () => {
  it('is written as PEFT writes layers_to_transform, and read again to the last bit', async () => {
    const { checkpoint } = await written();
    const plan = planAdapter(checkpoint.tensors.values(), {
      rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'], layers: [1], dropout: 0, rslora: false,
    });
    expect([...plan.modules.keys()]).toEqual(['model.layers.1.self_attn.q_proj', 'model.layers.1.mlp.down_proj']);
    const parameters = Float32Array.from({ length: plan.size }, (_, i) => Math.sin(i));
    const folder = fresh();
    await saveAdapter(folder, { plan, parameters, checkpoint });
    const config = json(path.join(folder, 'adapter_config.json'));
    expect(config).toMatchObject({ layers_to_transform: [1], target_modules: ['q_proj', 'down_proj'] });
    expect(await loadAdapter(folder, checkpoint)).toEqual({ plan, parameters });
  });

  it('is incomplete where a layer that it names is missing from its file', async () => {
    const folder = await changed('one-layer', { layers_to_transform: [0, 1] });
    await expect(loadAdapter(folder, await openTiny('llama3'))).rejects.toThrow(/has nothing for model\.layers\.1\..*the adapter is incomplete/);
  });

  it('needs layers that the model has', async () => {
    const { checkpoint } = await written();
    const options = { rank: 1, alpha: 1, targets: ['q_proj'], layers: [0, 2], dropout: 0, rslora: false };
    expect(() => planAdapter(checkpoint.tensors.values(), options)).toThrow('the model has no layer 2; its layers are 0 to 1.');
  });
});

describe('what cannot be used is refused by name', () => {
  it.each([
    [{ use_dora: true }, /use_dora is true, which cannot be used \(DoRA/],
    [{ rank_pattern: { v_proj: 8 } }, /lora_A\.weight has the shape \[1, 32\] where rank 8 on .*llama3 needs \[8, 32\]/],
    [{ rank_pattern: { v_proj: 0 } }, /rank_pattern\.v_proj: /],
    [{ rank_pattern: { '(v_proj': 2 } }, /rank_pattern\.\(v_proj: /],
    [{ alpha_pattern: { v_proj: 'much' } }, /alpha_pattern\.v_proj: /],
    [{ bias: 'lora_only' }, /bias is "lora_only"/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save is \["lm_head"\]/],
    [{ init_lora_weights: 'pissa' }, /init_lora_weights is "pissa"/],
    [{ of_the_future: { x: 1 } }, /of_the_future is \{"x":1\}.*merge_and_unload/],
    [{ peft_type: 'IA3' }, /not the configuration of a LoRA adapter: peft_type/],
    [{ r: 0 }, /r: /],
  ])('%j', async (config, message) => {
    await expect(loadAdapter(await changed('one-layer', config), await openTiny('llama3'))).rejects.toThrow(message);
  });

  it('modules outside the layers, and other kinds of factors', async () => {
    const rename = (from: RegExp, to: string) => changed('one-layer', {}, (tensors) => {
      for (const [name, tensor] of [...tensors]) if (from.test(name)) { tensors.delete(name); tensors.set(name.replace(from, to), tensor); }
    });
    const checkpoint = await openTiny('llama3');
    await expect(loadAdapter(await rename(/model\.layers\.0\.mlp\.down_proj/, 'lm_head'), checkpoint)).rejects.toThrow(
      /adapts lm_head; only linear modules/,
    );
    await expect(loadAdapter(await rename(/lora_B/, 'lora_embedding_B'), checkpoint)).rejects.toThrow(
      /lora_embedding_B\.weight is not a factor of a LoRA adapter/,
    );
  });
});

describe('a damaged adapter is refused', () => {
  const load = async (folder: string) => loadAdapter(folder, await openTiny('llama3'));
  it('without its config, with one that is not JSON, without weights', async () => {
    await expect(load(fresh())).rejects.toThrow(/adapter_config\.json: could not be read/);
    const folder = fresh();
    await fs.mkdir(folder);
    await fs.writeFile(path.join(folder, 'adapter_config.json'), '{');
    await expect(load(folder)).rejects.toThrow(/is not JSON/);
    await fs.copyFile(modelFixture('written/adapter_config.json'), path.join(folder, 'adapter_config.json'));
    await expect(load(folder)).rejects.toThrow(/the adapter is incomplete/);
    await fs.writeFile(path.join(folder, 'adapter_model.bin'), '');
    await expect(load(folder)).rejects.toThrow(/safe_serialization=True/);
  });

  it('with tensors that are missing, or not finite', async () => {
    const without = (pattern: RegExp) =>
      changed('list', {}, (tensors) => {
        for (const name of [...tensors.keys()]) if (pattern.test(name)) tensors.delete(name);
      });
    await expect(load(await without(/layers\.1\..*v_proj\.lora_B/))).rejects.toThrow(/has no tensor .*layers\.1\..*v_proj\.lora_B\.weight/);
    await expect(load(await without(/layers\.1\..*v_proj/))).rejects.toThrow(
      /has nothing for model\.layers\.1\.self_attn\.v_proj, which target_modules names/,
    );
    await expect(load(await without(/./))).rejects.toThrow(/has no tensors/);
    await expect(
      load(
        await changed('list', {}, (tensors) => {
          tensors.values().next().value!.data[3] = NaN;
        }),
      ),
    ).rejects.toThrow(/not finite/);
  });

  it('whatever its config says: with a CheckpointError, if at all', async () => {
    const keys = Object.keys(json<object>(modelFixture('peft/one-layer/adapter_config.json')));
    const checkpoint = await openTiny('llama3'),
      folder = await changed('one-layer', {}),
      base = json<object>(modelFixture('peft/one-layer/adapter_config.json'));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 }),
        async (config) => {
          await fs.writeFile(path.join(folder, 'adapter_config.json'), JSON.stringify({ ...base, ...config }));
          await loadAdapter(folder, checkpoint).catch((error: unknown) => {
            expect(error).toBeInstanceOf(CheckpointError);
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});
