import { type Engine, startEngine } from '@heed/tensor';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withEngine } from '../../src/judge/define.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { openRespondent, describeJudge } from '../../src/judge/open.js';
import { JudgeOptions } from '../../src/judge/options.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { saveAdapter } from '../../src/model/peft.js';
import { checkRecipe } from '../../src/run/recipe.js';
import { createRandom } from '../../src/run/random.js';
import { tinyChat } from '../cli/support.js';
import { scratch } from '../model/support.js';

const Recipe = z.strictObject({ judge: JudgeOptions });

it('an engine of a judge\'s own closes although closing the judge fails', async () => {
  let engine: Engine | undefined;
  const made = await withEngine({}, async (own) => {
    engine = own;
    return { close: () => Promise.reject(new Error('The judge does not close.')) };
  });
  await engine!.allocate('float32', 1);
  await expect(made.close()).rejects.toThrow('The judge does not close.');
  await expect(engine!.allocate('float32', 1)).rejects.toThrow();
});
const check = (yaml: string) => checkRecipe(`judge:${yaml}`, 'r.yaml', [], Recipe);

describe('judge: in a recipe', () => {
  it('is a name or a section, with defaults that load again as they are', () => {
    expect(check(' rules:a.yaml').recipe).toEqual({ judge: 'rules:a.yaml' });
    const { recipe, text } = check('\n  endpoint:\n    url: http://127.0.0.1:8000/v1\n    model: m\n    keyFrom: MY_KEY\n');
    expect(recipe).toMatchObject({ judge: { endpoint: { api: 'chat', begun: 'ask', samples: 8, concurrency: 8, retries: 5 } } });
    expect(checkRecipe(text, 'again.yaml', [], Recipe).recipe).toEqual(recipe);
    expect(check(' { local: {} }').recipe).toEqual({ judge: { local: { endOfTurn: false, batch: 16, precision: 'f32' } } });
    expect(describeJudge(recipe.judge)).toBe('endpoint: m at http://127.0.0.1:8000/v1');
    const pool = check(' { endpoint: { url: "http://a/v1", replicas: ["http://b/v1", { url: "http://c/v1" }], model: m } }');
    expect(pool.recipe).toMatchObject({ judge: { endpoint: { replicas: ['http://b/v1', { url: 'http://c/v1', weight: 1 }] } } });
    expect(checkRecipe(pool.text, 'again.yaml', [], Recipe).recipe).toEqual(pool.recipe);
    expect(describeJudge(pool.recipe.judge)).toBe('endpoint: m at http://a/v1 and 2 more');
  });

  it.each([
    [' llm', /judge/],
    [' { local: {}, human: { questions: q.jsonl } }', /expected exactly one of rules, rewardModel, local, endpoint, human/],
    [' { locl: {} }', /judge\.locl.*local/],
    [' { local: { adaptr: x } }', /judge\.local\.adaptr.*adapter/],
    [' { endpoint: { url: "http://h/v1" } }', /judge\.endpoint\.model/],
    [' { endpoint: { url: h, model: m } }', /expected the address of a server/],
    [' { endpoint: { url: "https://me:secret@h/v1", model: m } }', /expected an address without a name and password/],
    [' { endpoint: { url: "https://h/v1?key=secret", model: m } }', /expected an address without \? and #/],
    [' { endpoint: { url: "https://h/v1/chat/completions", model: m } }', /expected the address before \/chat\/completions/],
    [' { endpoint: { url: "http://h/v1", model: m, keyFrom: sk-123 } }', /expected the name of an environment variable, not a key/],
    [' { endpoint: { url: "http://h/v1", model: m, key: sk-123 } }', /judge\.endpoint\.key/],
    [' { endpoint: { url: "http://h/v1", model: m, budget: { money: 1 } } }', /a budget in money needs the prices of tokens/],
    [' { endpoint: { url: "http://h/v1", model: m, extra: { temperature: 1 } } }', /these fields are filled in by Heed/],
    [' { endpoint: { url: "http://h/v1", model: m, api: completions, begun: continue } }', /begun says nothing there/],
    [' { endpoint: { url: "http://h/v1", model: m, topLogprobs: 0, samples: 0 } }', /at least 1 is needed/],
    [' { endpoint: { replicas: ["http://h/v1"], model: m } }', /"judge\.endpoint\.url" is missing/],
    [' { endpoint: { url: "http://h/v1", model: m, replicas: [] } }', /"judge\.endpoint\.replicas" is \[\]; expected at least 1 entries/],
    [
      ' { endpoint: { url: "http://h/v1", model: m, replicas: ["http://i/v1", "http://H:80/v1/"] } }',
      /"judge\.endpoint\.replicas\.1": http:\/\/h\/v1 is named twice; name each server once/,
    ],
    [
      ' { endpoint: { url: "http://h/v1", model: m, replicas: [{ url: "http://i/v1", weight: 0 }] } }',
      /"judge\.endpoint\.replicas\.0\.weight": 0 would send it nothing; expected more than 0, or leave the server out/,
    ],
    [
      ' { endpoint: { url: "http://h/v1", model: m, replicas: [{ url: "http://i/v1", model: n }] } }',
      /"judge\.endpoint\.replicas\.0\.model": is one for all servers of an endpoint: write it beside `replicas`; another model is a judge/,
    ],
    [' { endpoint: { url: "http://h/v1", model: m, replicas: [{ url: "http://i/v1", wieght: 2 }] } }', /replicas\.0\.wieght.*weight/],
    [' { endpoint: { url: "http://h/v1", model: m, replicas: ["http://i/v1/completions"] } }', /replicas\.0": expected the address before/],
    [' { endpoint: { url: "http://h/v1", model: m, replicas: ["http://i/v1?key=secret"] } }', /replicas\.0": expected an address without/],
    [
      ' { endpoint: { url: "https://me:secret@h/v1", model: m, replicas: ["https://me:secret@h/v1"] } }',
      /expected an address without a name and password/,
    ],
    [' { rewardModel: {} }', /judge\.rewardModel\.adapter/],
    [' { rewardModel: { adapter: a, only: [Humble] } }', /judge\.rewardModel\.only.*`principles`, the file that holds them, is missing/],
  ])('is refused: %s', (yaml, message) => {
    let said = '';
    try { check(yaml); } catch (error) { said = (error as Error).message; }
    expect(said).toMatch(message);
    // What an address holds may be a key.
    if (/secret/.test(yaml)) expect(said).not.toMatch(/me:secret|key=secret/);
  });
});

describe('opening', () => {
  let engine: Engine;
  let model: Model;
  let folder: string;
  let reward: string;
  beforeAll(async () => {
    folder = scratch();
    const made = await tinyChat(folder, { context: 1024 });
    engine = await startEngine();
    model = await loadModel(made.model);
    const plan = planAdapter(
      model.checkpoint.tensors.values(),
      { rank: 2, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false },
      { score: { size: 1, at: 'last' } },
    );
    const parameters = initialParameters(plan, 1);
    const random = createRandom('head');
    for (let i = plan.heads[0]!.offset; i < plan.size; i++) parameters[i] = random.normal();
    reward = join(folder, 'reward');
    await saveAdapter(reward, { plan, parameters, checkpoint: model.checkpoint });
  });
  afterAll(() => engine.close());

  it('gives a local model as one who can be asked, on an engine of its own too', async () => {
    const options = { model: model.checkpoint.id, endOfTurn: false, batch: 4, precision: 'f32' as const };
    const question = { messages: [{ role: 'user' as const, content: 'Hi' }], answers: ['a', 'b'] };
    const [shared, own] = [await openRespondent({ local: options }, { engine }), await openRespondent({ local: options })];
    const replies = [await shared.choose([question]), await own.choose([question])].map(([reply]) => ({ ...reply, usage: undefined }));
    expect(replies[0]).toEqual(replies[1]);
    await shared.close();
    await own.close();
    await expect(openRespondent({ local: { adapter: reward, model: model.checkpoint.id } }, { engine })).rejects.toThrow(
      'it scores texts and does not write them',
    );
  });

  it('refuses one of the other kind, and says which is needed', async () => {
    await expect(openRespondent('llm')).rejects.toThrow('"llm" names no judge.');
    await expect(openRespondent({ local: { batch: 0 } })).rejects.toThrow('judge: "local.batch" is 0; expected at least 1');
    await expect(openRespondent({})).rejects.toThrow('expected exactly one of rules, rewardModel, local, endpoint, human');
    await expect(openRespondent('rules:x.yaml')).rejects.toThrow('judge.rules judges whole responses and answers no questions');
    const endpoint = EndpointOptions.parse({ url: 'http://127.0.0.1:1/v1', model: 'm', keyFrom: 'NO_SUCH_KEY' });
    await expect(openRespondent({ endpoint })).rejects.toThrow(
      'The environment variable NO_SUCH_KEY, which holds the key of http://127.0.0.1:1/v1, is not set.',
    );
  });
  it('takes a judge that a user\'s module defines, with the defaults of its options', async () => {
    const file = join(folder, 'judges.ts');
    writeFileSync(file, `
      import { defineJudge, openRespondent } from '@heed/heed';
      import { z } from 'zod';
      const usage = { promptTokens: 0, completionTokens: 0, milliseconds: 0 };
      export const shouts = defineJudge({
        name: 'shouts', options: z.strictObject({ word: z.string().default('yes') }),
        open: async ({ word }) => ({
          name: 'shouts', choose: async () => [], close: async () => undefined,
          write: async (questions) => questions.map(() => ({ text: word.toUpperCase(), finish: 'stop', usage })),
        }),
      });
      export const needy = defineJudge({ name: 'needy', options: z.strictObject({ word: z.string() }), open: () => openRespondent('x') });
      export const plain = 3;
    `);
    const judge = await openRespondent(`${file}#shouts`);
    const question = { messages: [], maxNewTokens: 1, temperature: 0, seed: 0 };
    expect(await judge.write([question])).toMatchObject([{ text: 'YES' }]);
    await expect(openRespondent(`${file}#needy`)).rejects.toThrow(`${file}#needy: "word" is missing`);
    await expect(openRespondent(`${file}#plain`)).rejects.toThrow(`${file}#plain is no judge.`);
    expect(check(` ${file}#shouts`).recipe).toEqual({ judge: `${file}#shouts` });
  });
});
