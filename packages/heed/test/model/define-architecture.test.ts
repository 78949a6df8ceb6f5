/** An architecture of a user's own: one definition, made of what the package exports. */
import fs from 'node:fs';
import path from 'node:path';
import { type Tensor, add, silu } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { createGenerator } from '../../src/generate/generator.js';
import {
  type ArchitectureDefinition, architectureOf, architectures, commonDimensions, createScorer, decoderParts, defineArchitecture,
  linearShapes, openCheckpoint,
} from '../../src/index.js';
import { json, scratch } from './support.js';
import { type Scored, distance, useEngine } from './tiny.js';

const engine = useEngine();
const folder = scratch();
const original = path.join(import.meta.dirname, '../fixtures/architectures/qwen3');
interface Expected {
  readonly sequences: readonly Scored[];
  readonly greedy: readonly { readonly prompt: readonly number[]; readonly ids: readonly number[] }[];
}
const expected = json<Expected>(`${original}.json`);

/** Qwen 3's fixture under another name, with a setting left to the definition's defaults. */
function renamed(type: string): string {
  const at = path.join(folder, type);
  fs.mkdirSync(at);
  fs.copyFileSync(path.join(original, 'model.safetensors'), path.join(at, 'model.safetensors'));
  const config = json<Record<string, unknown>>(path.join(original, 'config.json'));
  fs.writeFileSync(path.join(at, 'config.json'), JSON.stringify({ ...config, model_type: type, rope_parameters: undefined }));
  return at;
}

const { dropper, embed, gated, headNorm, norm, rotate, throughLayers } = decoderParts;

/** Qwen 3 written anew, from outside. */
const written = defineArchitecture({
  type: 'lab_normed_heads',
  defaults: { rope_theta: 1_000_000 },
  dimensions: commonDimensions,
  layerTensors(config) {
    const {
      hidden_size: width,
      intermediate_size: inner,
      num_attention_heads: heads,
      num_key_value_heads: keyHeads,
      head_dim: size,
    } = config;
    return {
      'input_layernorm.weight': [width],
      ...linearShapes('self_attn.q_proj', heads * size!, width),
      ...linearShapes('self_attn.k_proj', keyHeads * size!, width),
      ...linearShapes('self_attn.v_proj', keyHeads * size!, width),
      ...linearShapes('self_attn.o_proj', width, heads * size!),
      'self_attn.q_norm.weight': [size!],
      'self_attn.k_norm.weight': [size!],
      'post_attention_layernorm.weight': [width],
      ...linearShapes('mlp.gate_proj', inner, width),
      ...linearShapes('mlp.up_proj', inner, width),
      ...linearShapes('mlp.down_proj', width, inner),
    };
  },
  decoder(config, weights, rows, attend, keep) {
    const drop = dropper(keep);
    return throughLayers(config, keep, embed(weights, rows), (x, i) => {
      const linear = (module: string, y: Tensor): Tensor => weights.linear(`model.layers.${i}.${module}`, y);
      const turned = (y: Tensor, part: string, heads: number): Tensor => {
        const weight = weights.tensor(`model.layers.${i}.self_attn.${part}_norm.weight`);
        return rotate(headNorm(config, weight, linear(`self_attn.${part}_proj`, y), heads, drop), rows, rows, heads);
      };
      const a = drop(norm(config, weights, `model.layers.${i}.input_layernorm`, x));
      const attended = attend(i, turned(a, 'q', config.heads), turned(a, 'k', config.keyHeads), linear('self_attn.v_proj', a));
      const h = add(x, linear('self_attn.o_proj', attended));
      const m = drop(norm(config, weights, `model.layers.${i}.post_attention_layernorm`, h));
      return add(h, linear('mlp.down_proj', gated(silu, linear('mlp.gate_proj', m), linear('mlp.up_proj', m), drop)));
    });
  },
});
const reused = defineArchitecture({ ...architectures.qwen3, type: 'lab_qwen', defaults: { rope_theta: 1_000_000 } });

describe.each<[string, ArchitectureDefinition]>([
  ['written anew', written],
  ["one of Heed's under another name", reused],
])('%s', (_, definition) => {
  it("scores and writes with transformers' numbers", async () => {
    const checkpoint = await openCheckpoint(renamed(definition.type), { architectures: [definition] });
    const scorer = await createScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) });
    const scored = await scorer.logProbs(expected.sequences);
    expect(
      distance(
        scored.map((row) => row.map((x) => x!)),
        expected.sequences.map(({ logprobs }) => logprobs),
      ),
    ).toBeLessThan(1e-4);
    const generator = await createGenerator(engine(), checkpoint, { decode: (ids) => ids.join(' '), stopIds: [], batch: 4 });
    const { prompt, ids } = expected.greedy[0]!;
    const [greedy] = await generator.generate([{ prompt, row: 0 }], { maxNewTokens: ids.length, temperature: 0, seed: 0 });
    expect(greedy!.ids).toEqual(ids);
    await generator.release();
    await scorer.release();
  });
});

it('is refused by name where nobody defines it, with the list of what can be run', async () => {
  const wanted = /the architecture is "lab_unknown"; these can be run: llama, mistral, qwen2, qwen3, gemma3_text, phi3$/;
  await expect(openCheckpoint(renamed('lab_unknown'))).rejects.toThrow(wanted);
  await expect(openCheckpoint(path.join(folder, 'lab_unknown'), { architectures: [written] })).rejects.toThrow(
    'these can be run: lab_normed_heads, llama',
  );
});

it("goes before Heed's own of the same type", async () => {
  const dimensions = (): never => { throw new Error('mine'); };
  const checkpoint = await openCheckpoint(original, { architectures: [{ ...architectures.qwen3, dimensions }] });
  expect(() => architectureOf(checkpoint)).toThrow('mine');
});
