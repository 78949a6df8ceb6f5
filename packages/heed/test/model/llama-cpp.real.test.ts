import { readFileSync } from 'node:fs';
import { startEngine, view } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { createGenerator } from '../../src/generate/generator.js';
import { initialParameters, type LoraOptions, planAdapter } from '../../src/model/adapter.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { createRandom } from '../../src/run/random.js';
import { loadTokenizer } from '../../src/text/tokenizer.js';

// tools/oracles/llama_cpp.py asked llama.cpp: it read the GGUF files that Heed had written of the default model and of an adapter.
type Continuations = Readonly<Record<'base' | 'merged' | 'lora' | 'q8_0', readonly (readonly number[])[]>>;
interface Asked {
  readonly adapter: { readonly options: LoraOptions; readonly spread: number };
  readonly prompts: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly continuations: Continuations;
}
const asked = JSON.parse(readFileSync(new URL('../fixtures/generate/llama_cpp.json', import.meta.url), 'utf8')) as Asked;

describe('what Heed writes for llama.cpp', () => {
  it('is the same model there: equal tokens and greedy continuations, merged or with the adapter beside it', async () => {
    const checkpoint = await openCheckpoint(undefined);
    const tokenizer = await loadTokenizer(checkpoint.home);
    expect(asked.prompts.map((prompt) => tokenizer.encode(prompt, { special: true }))).toEqual(asked.ids);

    const plan = planAdapter(checkpoint.tensors.values(), asked.adapter.options), parameters = initialParameters(plan, 1);
    const random = createRandom('llama.cpp', 0), { spread } = asked.adapter;
    for (const { b } of plan.modules.values()) {
      for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = spread * random.normal();
    }
    const engine = await startEngine({ threads: 2 });
    try {
      const generator = await createGenerator(engine, checkpoint, { decode: () => '', stopIds: [2], batch: 3, plan });
      const continued = async (): Promise<number[][]> => {
        const requests = asked.ids.map((prompt, row) => ({ prompt: [...prompt], row }));
        return (await generator.generate(requests, { maxNewTokens: 16, temperature: 0, seed: 0 })).map(({ ids }) => [...ids]);
      };
      expect(await continued()).toEqual(asked.continuations.base);
      await generator.setAdapter(view(await engine.upload(parameters)));
      const adapted = await continued();
      expect(adapted).toEqual(asked.continuations.merged);
      expect(adapted).toEqual(asked.continuations.lora);
      expect(adapted).not.toEqual(asked.continuations.base);
    } finally {
      await engine.close();
    }
  });
});
