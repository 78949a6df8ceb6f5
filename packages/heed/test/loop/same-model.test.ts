import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sameModel } from '../../src/loop/same-model.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

// A killed run whose model's folder was changed before it goes on would train on a mixture of two models.
const { folder } = scratchFolder();
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder));
});

let runs = 0;
/** A run that began with the model, and the model after a file was changed. */
async function begun(file: string, change: (content: Buffer) => Buffer | string) {
  const [dir, copy] = [join(folder, `run-${runs}`), join(folder, `model-${runs++}`)];
  cpSync(model, copy, { recursive: true });
  const run = { path: (...parts: string[]) => join(dir, ...parts) };
  await sameModel(run, await loadModel(copy));
  writeFileSync(join(copy, file), change(readFileSync(join(copy, file))));
  return async () => sameModel(run, await loadModel(copy));
}

describe('the model of a run that goes on', () => {
  it.each([
    ['weights', 'model.safetensors', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])])],
    ['configuration', 'config.json', (bytes: Buffer) => JSON.stringify({ ...JSON.parse(bytes.toString()) as object, rope_theta: 777 })],
    ['template', 'tokenizer_config.json', (bytes: Buffer) => bytes.toString().replace('m.content', "m.content ~ ' '")],
    ['tokenizer', 'tokenizer.json', (bytes: Buffer) => `${bytes.toString()}\n`],
  ])('must have the %s that it began with', async (_, file, change) => {
    const resume = await begun(file, change);
    await expect(resume()).rejects.toThrow(/The model .*model-\d is not the one that this run began with, so the run cannot go on: .* → /);
  });

  it('may be described otherwise', async () => {
    const described = (bytes: Buffer): string => JSON.stringify({ ...JSON.parse(bytes.toString()) as object, transformers_version: '9' });
    const resume = await begun('config.json', described);
    await expect(resume()).resolves.toBeUndefined();
  });
});
