import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGenerator } from '../../src/generate/open.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  model = await loadModel((await tinyChat(folder, { context: 512 })).model);
  engine = await startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** An engine that counts the tokens which the model computes: all at once for prompts, one for each sequence in a step. */
function counting(): { readonly engine: Engine; readonly tokens: { prompts: number; steps: number } } {
  const tokens = { prompts: 0, steps: 0 };
  const compile: Engine['compile'] = async (...given) => {
    const session = await engine.compile(...given);
    const run: typeof session.run = (feeds, ...more) => {
      const ids = feeds['ids'] as { readonly shape: readonly number[] } | undefined;
      if (ids !== undefined) tokens[ids.shape[1]! > 1 ? 'prompts' : 'steps'] += ids.shape[0]! * ids.shape[1]!;
      return session.run(feeds, ...more);
    };
    return withOwn(session, { run });
  };
  return { engine: withOwn(engine, { compile }), tokens };
}

/** An object with some methods of one's own. */
const withOwn = <T extends object>(object: T, own: Partial<T>): T => new Proxy(object, {
  get(target, key) {
    const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key);
    return typeof value === 'function' ? value.bind(target) as unknown : value;
  },
});

it('the samples of a prompt share its computation: eight cost it once, as one does', async () => {
  const prompt = model.template.prompt([{ role: 'user', content: 'Why is the sky blue, and why is it red in the evening?' }]);
  const maxNewTokens = 5;
  const cost = async (samples: number) => {
    const { engine: counted, tokens } = counting();
    const generator = await openGenerator(counted, model, { batch: 8 });
    const answers = await generator.generate([{ prompt, row: 0, samples }], { maxNewTokens, temperature: 1, seed: 3 });
    await generator.release();
    return { ...tokens, written: answers.reduce((sum, { ids }) => sum + ids.length, 0) };
  };
  const [one, eight] = [await cost(1), await cost(8)];
  // The prompt's last token belongs to each sample's first step.
  expect(one.prompts).toBe(prompt.length - 1);
  expect(eight.prompts).toBe(prompt.length - 1);
  expect(one.steps).toBe(one.written);
  expect(eight.steps).toBe(eight.written);
  expect(eight.written).toBeGreaterThan(8);
});
