import fs from 'node:fs';
import path from 'node:path';
import { startEngine } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { openGenerator } from '../../src/generate/open.js';
import { exportMerged } from '../../src/model/export.js';
import { loadModel } from '../../src/model/load.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyChat } from '../cli/support.js';
import { fixture } from './support.js';

const { folder } = scratchFolder();
const copies = (async () => (await tinyChat(folder)).model)();

/** A copy of the tiny model, whose template ends its turns with </s>, token 2, with these files. */
async function withFiles(name: string, files: Record<string, object>): Promise<string> {
  const to = path.join(folder, name);
  fs.cpSync(await copies, to, { recursive: true });
  for (const [file, value] of Object.entries(files)) {
    const at = path.join(to, file);
    const old = fs.existsSync(at) ? (JSON.parse(fs.readFileSync(at, 'utf8')) as object) : {};
    fs.writeFileSync(at, JSON.stringify({ ...old, ...value }));
  }
  return to;
}

describe('the tokens that end an answer', () => {
  it.each([
    ['generation_config.json, a list', { 'generation_config.json': { eos_token_id: [7, 9] } }, [2, 7, 9]],
    ['generation_config.json, one', { 'generation_config.json': { eos_token_id: 11 } }, [2, 11]],
    ['config.json, a list', { 'config.json': { eos_token_id: [2, 13] } }, [2, 13]],
    ['both', { 'generation_config.json': { eos_token_id: [7] }, 'config.json': { eos_token_id: 5 } }, [2, 7, 5]],
    ['neither', { 'generation_config.json': { temperature: 0.6 }, 'config.json': { eos_token_id: null } }, [2]],
  ])('%s', async (name, files, ids) => {
    const model = await withFiles(name, files);
    for (const template of ['chat', 'alpaca'] as const) expect((await loadModel(model, { template })).template.stopIds).toEqual(ids);
  });

  it("of a GGUF are its end of text and its end of turn; an export keeps them", async () => {
    const bytes = fs.readFileSync(fixture('tiny-llama.gguf')), at = bytes.indexOf('tokenizer.ggml.bos_token_id');
    bytes.write('tokenizer.ggml.eot_token_id', at);
    const file = path.join(folder, 'turns.gguf');
    fs.writeFileSync(file, bytes);
    const model = await loadModel(file, { cacheDir: path.join(folder, 'cache') });
    expect([...model.template.stopIds].sort()).toEqual([1, 2]);
    const exported = path.join(folder, 'exported');
    await exportMerged(model.checkpoint, [], exported);
    expect([...(await loadModel(exported)).template.stopIds].sort()).toEqual([1, 2]);
  });

  it('one that the model has no token for is said and left out; a file that says something else is refused', async () => {
    const lines: string[] = [];
    const model = await withFiles('far', { 'generation_config.json': { eos_token_id: [2, 99_999] } });
    expect((await loadModel(model, { log: (line) => lines.push(line) })).template.stopIds).toEqual([2]);
    expect(lines.join()).toContain('eos_token_id names 99999');
    await expect(loadModel(await withFiles('words', { 'generation_config.json': { eos_token_id: '</s>' } }))).rejects.toThrow(
      "generation_config.json: eos_token_id is no token's number",
    );
  });

  it('end a generated answer: the first of them that comes is its last token', async () => {
    const engine = await startEngine({ threads: 1 });
    try {
      const plain = await loadModel(await copies);
      const prompt = plain.template.prompt([{ role: 'user', content: 'hi' }]);
      const options = { maxNewTokens: 24, temperature: 0, seed: 1 };
      const [free] = await (await openGenerator(engine, plain)).generate([{ prompt, row: 0 }], options);
      const end = free!.ids[5]!, at = free!.ids.indexOf(end);
      const model = await loadModel(await withFiles('ending', { 'generation_config.json': { eos_token_id: [2, end] } }));
      const [answer] = await (await openGenerator(engine, model)).generate([{ prompt, row: 0 }], options);
      expect(answer).toMatchObject({ ids: free!.ids.slice(0, at + 1), finish: 'stop' });
      expect(answer!.text).toBe(plain.tokenizer.decode(free!.ids.slice(0, at), { skipSpecial: true }));
    } finally {
      await engine.close();
    }
  });
});
