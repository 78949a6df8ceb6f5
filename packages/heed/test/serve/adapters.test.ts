/** Adapters that come and go while the server runs, and answers by their tokens: what vLLM's clients ask of it. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { saveAdapter } from '../../src/model/peft.js';
import { scratchFolder } from '../support/scratch.js';
import { served } from './support.js';

const { folder } = scratchFolder();
const open = join(folder, 'open');
const elsewhere = join(folder, 'elsewhere');
mkdirSync(open);
mkdirSync(elsewhere);
const tiny = served({ adapters: open });
const fixed = served();

const post = async (path: string, body: object, server = tiny): Promise<{ readonly status: number; readonly text: string }> => {
  const response = await fetch(`${server().server.url}/v1${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};
const load = (name: string, path: string) => post('/load_lora_adapter', { lora_name: name, lora_path: path });
const unload = (name: string) => post('/unload_lora_adapter', { lora_name: name });
const prompt = [5, 6, 7];
const complete = (model: string, more: object = {}) => post('/completions', { model, prompt, temperature: 0, max_tokens: 6, ...more });
interface Choice {
  readonly text: string;
  readonly token_ids?: number[];
  readonly prompt_token_ids?: number[];
  readonly finish_reason: string;
  readonly logprobs: { readonly token_logprobs: number[] };
}
const choices = async (model: string, more: object = {}): Promise<Choice[]> =>
  (JSON.parse((await complete(model, more)).text) as { choices: Choice[] }).choices;
const models = async (): Promise<string[]> => (await tiny().client.models.list()).data.map(({ id }) => id);

beforeAll(async () => {
  const { model: { checkpoint }, adapter } = tiny();
  for (const at of [join(open, 'own'), join(elsewhere, 'other')]) await saveAdapter(at, { ...adapter, checkpoint });
  symlinkSync(join(elsewhere, 'other'), join(open, 'link'));
  symlinkSync(join(open, 'own'), join(elsewhere, 'back'));
  cpSync(join(open, 'own'), join(open, 'broken'), { recursive: true });
  writeFileSync(join(open, 'broken', 'adapter_config.json'), '{');
});

describe('an adapter', () => {
  it('is loaded, answers as one that was there from the start, and is unloaded', async () => {
    const before = await choices('tiny', { logprobs: 0 });
    const wanted = await choices('tuned', { logprobs: 0 });
    expect(wanted).not.toEqual(before);
    expect(await load('late', join(open, 'own'))).toEqual({ status: 200, text: "Success: LoRA adapter 'late' added successfully." });
    expect(await models()).toEqual(['tiny', 'tuned', 'late']);
    expect(await choices('late', { logprobs: 0 })).toEqual(wanted);
    const scored = { echo: true, max_tokens: 0, logprobs: 2 };
    expect(await choices('late', scored)).toEqual(await choices('tuned', scored));
    expect(await unload('late')).toEqual({ status: 200, text: "Success: LoRA adapter 'late' removed successfully." });
    expect(await models()).toEqual(['tiny', 'tuned']);
    expect(await complete('late')).toMatchObject({ status: 404, text: expect.stringContaining('"late\\" does not exist') as string });
    expect(await choices('tiny', { logprobs: 0 })).toEqual(before);
    // The name is free again; a path may be relative to the folder, or lead into it by a link.
    expect((await load('late', 'own')).status).toBe(200);
    expect((await unload('late')).status).toBe(200);
    expect((await load('late', join(elsewhere, 'back'))).status).toBe(200);
    expect((await unload('late')).status).toBe(200);
  });

  it('ends its requests before it goes', async () => {
    await load('busy', 'own');
    const stream = await tiny().client.completions.create(
      { model: 'busy', prompt, max_tokens: 40, temperature: 1, seed: 1, stream: true, stream_options: { include_usage: true } },
    );
    let going: ReturnType<typeof unload> | undefined;
    let tokens = 0;
    for await (const { usage } of stream) {
      going ??= unload('busy');
      tokens = usage?.completion_tokens ?? tokens;
    }
    expect((await going!).status).toBe(200);
    expect(tokens).toBeGreaterThan(1);
    expect(tiny().failures).toEqual([]);
  });

  it.each([
    ['that lies elsewhere', 'x', () => join(elsewhere, 'other'), 400, 'lora_path is outside of the folder'],
    ['that lies elsewhere, by ..', 'x', () => '../elsewhere/other', 400, 'lora_path is outside of the folder'],
    ['that lies elsewhere, by a link', 'x', () => 'link', 400, 'lora_path is outside of the folder'],
    ['that lies elsewhere and is not there', 'x', () => '/nowhere/at/all', 400, 'lora_path is outside of the folder'],
    ['that is not there', 'x', () => join(open, 'none'), 404, 'No adapter found for'],
    ['that is broken', 'x', () => 'broken', 400, 'adapter_config.json: is not JSON'],
    ['under the name of another', 'tuned', () => 'own', 400, "'tuned' has already been loaded"],
    ['under the name of the base', 'tiny', () => 'own', 400, "'tiny' has already been loaded"],
    ['without a name', '', () => 'own', 400, 'lora_name'],
  ])('%s is refused', async (_, name, path, status, words) => {
    const said = await load(name, path());
    expect(said.text).toContain(words);
    expect(said.status).toBe(status);
    expect(await models()).toEqual(['tiny', 'tuned']);
  });

  const THERE = 'was there when the server started';
  it.each([['none', "'none' cannot be found"], ['tuned', THERE], ['tiny', THERE]])(
    'that was not loaded is not unloaded: %s', async (name, words) => {
      expect(await unload(name)).toMatchObject({ status: 404, text: expect.stringContaining(words) as string });
      expect(await models()).toEqual(['tiny', 'tuned']);
    },
  );

  it('is neither loaded nor unloaded where the server was not told a folder', async () => {
    for (const path of ['/load_lora_adapter', '/unload_lora_adapter']) {
      expect(await post(path, { lora_name: 'x', lora_path: join(open, 'own') }, fixed))
        .toMatchObject({ status: 404, text: expect.stringContaining('--allow-adapters FOLDER') as string });
    }
  });
});

describe('tokens of a completion', () => {
  it('are given as they were sampled, with the prompt', async () => {
    const { voices } = tiny();
    const sampling = { maxNewTokens: 6, temperature: 1, seed: 9 };
    const wanted = await voices.all.get('tiny')!.generator.generate([{ prompt, row: 0, samples: 2, continues: true }], sampling);
    const got = await choices('tiny', { n: 2, seed: 9, temperature: 1, logprobs: 0, return_token_ids: true });
    expect(got.map(({ token_ids: ids }) => ids)).toEqual(wanted.map(({ ids }) => ids));
    expect(got.map(({ prompt_token_ids: ids }) => ids)).toEqual([prompt, prompt]);
    got.forEach(({ logprobs }, i) => logprobs.token_logprobs.forEach((p, at) => expect(p).toBeCloseTo(wanted[i]!.logprobs[at]!, 4)));
    expect((await choices('tiny'))[0]).not.toHaveProperty('token_ids');
  });

  it('end where the request says, with the token that ended them', async () => {
    const [whole] = await choices('tiny', { return_token_ids: true });
    const end = whole!.token_ids![2]!;
    const cut = whole!.token_ids!.indexOf(end) + 1;
    const [short] = await choices('tiny', { return_token_ids: true, stop_token_ids: [end] });
    expect(short).toMatchObject({ token_ids: whole!.token_ids!.slice(0, cut), finish_reason: 'stop' });
    expect(short!.text).toBe(tiny().model.tokenizer.decode(whole!.token_ids!.slice(0, cut - 1), { continues: true }));
  });

  it.each([
    [{ stop_token_ids: [99_999] }, 'stop_token_ids holds token 99999'],
    [{ return_token_ids: true, stream: true }, 'return_token_ids and stream'],
  ])('are refused: %o', async (more, words) => {
    expect(await complete('tiny', more)).toMatchObject({ status: 400, text: expect.stringContaining(words) as string });
  });
});
