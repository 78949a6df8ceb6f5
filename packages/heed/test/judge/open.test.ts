import { type Engine, startEngine } from '@heed/tensor';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openJudge, openRespondent, describeJudge } from '../../src/judge/open.js';
import { EndpointOptions, JudgeOptions } from '../../src/judge/options.js';
import { createRewardJudge } from '../../src/judge/reward-model.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { createRewardScorer } from '../../src/model/reward-scorer.js';
import { checkRecipe } from '../../src/run/recipe.js';
import { createRandom } from '../../src/run/random.js';
import { tinyChat } from '../cli/support.js';
import { scratch } from '../model/support.js';

const Recipe = z.strictObject({ judge: JudgeOptions });
const check = (yaml: string) => checkRecipe(`judge:${yaml}`, 'r.yaml', [], Recipe);

describe('judge: in a recipe', () => {
  it('is a name or a section, with defaults that load again as they are', () => {
    expect(check(' rules:a.yaml').recipe).toEqual({ judge: 'rules:a.yaml' });
    const { recipe, text } = check('\n  endpoint:\n    url: http://127.0.0.1:8000/v1\n    model: m\n    keyFrom: MY_KEY\n');
    expect(recipe).toMatchObject({ judge: { endpoint: { api: 'chat', begun: 'ask', samples: 8, concurrency: 8, retries: 5 } } });
    expect(checkRecipe(text, 'again.yaml', [], Recipe).recipe).toEqual(recipe);
    expect(check(' { local: {} }').recipe).toEqual({ judge: { local: { endOfTurn: false, batch: 16, precision: 'f32' } } });
    expect(describeJudge(recipe.judge)).toBe('endpoint: m at http://127.0.0.1:8000/v1');
  });

  it.each([
    [' llm', /judge/],
    [' { local: {}, human: { questions: q.jsonl } }', /expected exactly one of rules, local, endpoint, rewardModel, human/],
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
    [' { rewardModel: {} }', /judge\.rewardModel\.adapter/],
    [' { rewardModel: { adapter: a, only: [Humble] } }', /judge\.rewardModel\.only.*principles, the file that they are in, is missing/],
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
    const plan = planAdapter(model.checkpoint.tensors.values(), { rank: 2, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false }, { size: 1 });
    const parameters = initialParameters(plan, 1);
    const random = createRandom('head');
    for (let i = plan.head!.offset; i < plan.size; i++) parameters[i] = random.normal();
    reward = join(folder, 'reward');
    await saveAdapter(reward, { plan, parameters, checkpoint: model.checkpoint });
  });
  afterAll(() => engine.close());

  it('gives a reward model as a judge, with the rewards of its scorer', async () => {
    const judge = await openJudge({ rewardModel: { model: model.checkpoint.id, adapter: reward, threshold: 0.25 } }, { engine });
    const items = ['one', 'another', 'a third'].map((response) => ({ prompt: [{ role: 'user' as const, content: 'Hi' }], response }));
    const adapter = await loadAdapter(reward, model.checkpoint);
    const scorer = await createRewardScorer(engine, model, adapter);
    const rewards = await scorer.rewards(items.map(({ prompt, response }) => ({ prompt: model.template.prompt(prompt), response: model.template.response(response) })));
    const verdicts = await judge.judge(items);
    verdicts.forEach(({ satisfied, judgment, score }, i) => {
      expect(score).toBeCloseTo(1 / (1 + Math.exp(0.25 - rewards[i]!)), 5);
      expect(satisfied).toBe(rewards[i]! >= 0.25);
      expect(judgment === null).toBe(satisfied);
    });
    const direct = await createRewardJudge(engine, model, adapter);
    const [fits, long] = await direct.rewards([items[0]!, { prompt: items[0]!.prompt, response: 'x'.repeat(4000) }]);
    expect(fits).toBeCloseTo(rewards[0]!, 5);
    expect(long).toMatchObject({ failure: 'too-long' });
    await expect(direct.judge([{ prompt: items[0]!.prompt, response: 'x'.repeat(4000) }])).rejects.toThrow(/Item 0 cannot be judged: prompt and response have/);
    await scorer.release();
    await direct.close();
    await judge.close!();
  });

  it('holds responses to the principles that the recipe names, in the prompt that the method trains on', async () => {
    const file = join(folder, 'principles.yaml');
    writeFileSync(file, '- { name: Short, text: It is short., negation: It is long. }\n- { name: Kind, text: It is kind., negation: It is rude. }\n');
    const spec = { model: model.checkpoint.id, adapter: reward, threshold: 0.25, principles: file };
    const adapter = await loadAdapter(reward, model.checkpoint);
    const scorer = await createRewardScorer(engine, model, adapter);
    const prompt = [{ role: 'user' as const, content: 'Hi' }];
    const items = ['one', 'another'].map((response) => ({ prompt, response }));
    // As docs/methods/principle-reward-model.md says it: the response, the request, the rules; then nothing but the end of turn.
    const asTrained = (response: string, rules: string) => ({
      prompt: model.template.prompt([{
        role: 'user',
        content: `Rate the answer below.\n\nAnswer:\n${response}\n\nIt was written for this request:\nHi\n\nHold it to these rules and to nothing else; the more of them it keeps, the better it is.\n${rules}`,
      }]),
      response: model.template.response(''),
    });
    const expected = async (rules: string) => scorer.rewards(items.map(({ response }) => asTrained(response, rules)));
    const [both, kind, long] = [await expected('- Short: It is short.\n- Kind: It is kind.'), await expected('- Kind: It is kind.'), await expected('- Short: It is long.')];
    expect(new Set([...both, ...kind, ...long].map((r) => r.toFixed(4))).size).toBe(6);

    for (const [only, rewards, said] of [[undefined, both, 'held to Short, Kind'], [['Kind'], kind, 'held to Kind']] as const) {
      const judge = await openJudge({ rewardModel: { ...spec, ...(only === undefined ? {} : { only: [...only] }) } }, { engine });
      expect(judge.name.endsWith(said)).toBe(true);
      (await judge.judge(items)).forEach(({ score, judgment }, i) => {
        expect(score).toBeCloseTo(1 / (1 + Math.exp(0.25 - rewards[i]!)), 4);
        expect(judgment).toBe(rewards[i]! >= 0.25 ? null : `The reward model gives this answer ${rewards[i]!.toFixed(2)}, ${said}, below 0.25.`);
      });
      await judge.close!();
    }
    const negated = await createRewardJudge(engine, model, adapter, { principles: [{ name: 'Short', text: 'It is long.' }] });
    (await negated.rewards(items)).forEach((r, i) => expect(r).toBeCloseTo(long[i]!, 4));
    await negated.close();
    await scorer.release();

    await expect(openJudge({ rewardModel: { ...spec, only: ['Wise'] } }, { engine })).rejects.toThrow(/has no principle "Wise"/);
    await expect(openJudge({ rewardModel: { ...spec, principles: join(folder, 'none.yaml') } }, { engine })).rejects.toThrow(/There is no file of principles/);
    await expect(createRewardJudge(engine, model, adapter, { principles: [] })).rejects.toThrow(/The list of principles is empty/);
  });

  it('gives a local model as one who can be asked, on an engine of its own too', async () => {
    const options = { model: model.checkpoint.id, endOfTurn: false, batch: 4, precision: 'f32' as const };
    const question = { messages: [{ role: 'user' as const, content: 'Hi' }], answers: ['a', 'b'] };
    const [shared, own] = [await openRespondent({ local: options }, { engine }), await openRespondent({ local: options })];
    const replies = [await shared.choose([question]), await own.choose([question])].map(([reply]) => ({ ...reply, usage: undefined }));
    expect(replies[0]).toEqual(replies[1]);
    await shared.close();
    await own.close();
    await expect(openRespondent({ local: { adapter: reward, model: model.checkpoint.id } }, { engine })).rejects.toThrow('it scores texts and does not write them');
  });

  it('refuses one of the other kind, and says which is needed', async () => {
    await expect(openJudge('llm')).rejects.toThrow('"llm" names no judge.');
    await expect(openRespondent({ local: { batch: 0 } })).rejects.toThrow('judge: "local.batch" is 0; expected at least 1');
    await expect(openRespondent({})).rejects.toThrow('expected exactly one of rules, local, endpoint, rewardModel, human');
    await expect(openJudge({ human: { questions: 'q.jsonl' } })).rejects.toThrow('judge.human answers questions; a judge that says of whole responses');
    await expect(openRespondent('rules:x.yaml')).rejects.toThrow('judge.rules judges whole responses and answers no questions');
    const endpoint = EndpointOptions.parse({ url: 'http://127.0.0.1:1/v1', model: 'm', keyFrom: 'NO_SUCH_KEY' });
    await expect(openRespondent({ endpoint })).rejects.toThrow('The environment variable NO_SUCH_KEY, which holds the key of http://127.0.0.1:1/v1, is not set.');
  });
});
