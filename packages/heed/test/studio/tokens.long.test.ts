import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CreditPart, JudgedShown, Part, Scored, Speakers } from '../../src/studio/api.js';
import { createStudio } from '../../src/studio/app.js';
import { type StudioContext, openContext } from '../../src/studio/context.js';
import { readLog } from '../../src/run/metrics.js';
import { heed, tinyChat } from '../cli/support.js';
import { HOSTILE } from '../run/report-fixture.js';
import { expectAccessible, studioFor } from './support.js';

const rows = [
  { id: 'a', prompt: 'Hi', completion: 'I am here, you know.', judgment: '"here" is vague.' },
  { id: 'b', prompt: 'x', completion: `yes ${HOSTILE}`, judgment: 'Neither "yes" nor "no" is an answer.' },
  { id: 'c', prompt: 'x', completion: 'good', judgment: null },
];
const studio = studioFor();
let context: StudioContext;
let app: Hono;
let model: string;

beforeAll(async () => {
  mkdirSync(join(studio.folder, 'data'), { recursive: true });
  const path = (name: string): string => join(studio.folder, name);
  ({ model } = await tinyChat(studio.folder));
  writeFileSync(path('data/judged.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const data = path('data/judged.jsonl');
  writeFileSync(path('cut.yaml'), `model: ${model}\ndata: ${data}\nmethod: { name: cut, lambda: 1.5, ratio: null }\n`
    + `train: { batch: 3, learningRate: 0.01 }\nrun: { dir: ${path('runs/cut')} }\n`);
  const { code, err } = await heed(['train', path('cut.yaml'), 'train.steps=1']);
  expect(code, err).toBe(0);
  mkdirSync(path('runs/rloo'));
  writeFileSync(path('runs/rloo/recipe.yaml'), `model: ${model}\nloop: { rounds: 2 }\nmethod: { name: rloo }\n`);
  writeFileSync(path('runs/rloo/metrics.jsonl'), '');
  const answer = { row: 'q', sample: 0, prompt: 'Say hi', rewards: {}, reason: 'short', tokens: 3 };
  const ids = [...(await tokens('hi'))];
  writeFileSync(path('runs/rloo/rollouts.jsonl'), [
    { ...answer, round: 1, completion: 'old', reward: 0, advantage: 0 },
    { ...answer, round: 2, completion: 'bad', reward: -1, advantage: -2 },
    { ...answer, round: 2, completion: 'hi', reward: 1, advantage: 0.5, ids, advantages: ids.map((_, t) => (t === 0 ? 1 : 0)) },
  ].map((row) => `${JSON.stringify(row)}\n`).join(''));
  context = await openContext(studio.folder, { signal: new AbortController().signal });
  app = createStudio(context, { page: studio.folder });
});
afterAll(() => context?.models.close());

async function tokens(text: string): Promise<number[]> {
  const { loadModel } = await import('../../src/model/load.js');
  return (await loadModel(model)).template.response(text);
}

async function ask<T>(path: string, body?: object): Promise<T> {
  const answer = await app.request(`http://127.0.0.1:8322/api/${path}`, {
    headers: { host: '127.0.0.1:8322', 'content-type': 'application/json' }, ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as T;
}
const given = { prompt: [{ role: 'user', content: 'Hi' }], response: rows[0]!.completion, judgment: rows[0]!.judgment };

describe('tokens under a judgment', () => {
  it('have the ratios that the loss saw at its first step', async () => {
    const { tokens: scored, template } = await ask<Scored>('tokens/score', { speaker: 'base:runs/cut', ...given });
    const map = (await readLog(join(studio.folder, 'runs/cut/samples.jsonl'))).find(({ kind, id }) => kind === 'heatmap' && id === 'a')!;
    expect(template).toBe('chat');
    expect(scored.map(({ text }) => text)).toEqual(map['tokens']);
    scored.forEach(({ logp, logq }, t) => expect(logq - logp).toBeCloseTo((map['logRatio'] as number[])[t]!, 3));
    expect(scored.filter(({ quoted }) => quoted).map(({ text }) => text).join('')).toBe('here');
  });

  it('have others under the adapter, and the same again from the model that stayed open', async () => {
    const under = async (speaker: string): Promise<number[]> =>
      (await ask<Scored>('tokens/score', { speaker, ...given })).tokens.map(({ logp }) => logp);
    const [base, adapter] = [await under('base:runs/cut'), await under('run:runs/cut')];
    expect(adapter).not.toEqual(base);
    expect(await under('base:runs/cut')).toEqual(base);
    expect(context.models.doing()).toBeUndefined();
  });

  it('are refused in words', async () => {
    const refused = async (change: object): Promise<string> =>
      (await ask<{ error: { message: string } }>('tokens/score', { speaker: 'base:runs/cut', ...given, ...change })).error.message;
    expect(await refused({ response: 'x'.repeat(300) })).toMatch(/^Together these are \d+ tokens; tiny-256 reads at most 256\.$/);
    expect(await refused({ speaker: 'run:runs/rloo' })).toBe('There is no model run:runs/rloo here.');
    expect(await refused({ speaker: 'base:../x' })).toContain('not a path in the project folder');
    expect(await refused({ judgment: ' ' })).toBe('judgment: is empty');
  });

  it('come from models, files and rows of the project', async () => {
    const { speakers } = await ask<Speakers>('speakers');
    expect(speakers.map(({ id, lambda }) => [id, lambda])).toEqual([
      ['base:runs/cut', 1.5], ['run:runs/cut', 1.5], ['default', undefined],
    ]);
    const { files } = await ask<{ files: { file: string }[] }>('files');
    expect(files.map(({ file }) => file)).toContain('data/judged.jsonl');
    const { items } = await ask<Part<JudgedShown>>('tokens/rows?file=data/judged.jsonl');
    expect(items.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('credit', () => {
  it('is by token where tokens differ, the newest round and the best answer first', async () => {
    const part = await ask<CreditPart>('tokens/credit?run=runs/rloo');
    expect(part).toMatchObject({ total: 2, round: 2, rounds: [2, 1], largest: 2 });
    expect(part.items[0]!.texts.join('')).toMatch(/^hi/);
    expect(part.items[0]!.advantages[0]).toBe(1);
    expect(part.items[1]).toMatchObject({ texts: ['bad'], advantages: [-2] });
  });
});

describe('the page of tokens', () => {
  it('marks the tokens of a row of a file, and marks others as λ moves, by keys', async () => {
    const { page, trouble } = await studio.visit('#/tokens');
    await page.getByRole('button', { name: 'Pick a response' }).waitFor();
    await page.keyboard.press('p');
    await page.getByLabel('From').selectOption('data/judged.jsonl');
    await page.getByRole('button', { name: /"here" is vague/ }).click();
    await page.getByLabel('Model').selectOption('base:runs/cut');
    await page.getByRole('heading', { name: 'Tokens' }).click();
    await page.keyboard.press('s');
    const strip = page.getByRole('listbox', { name: 'Tokens of the response' });
    await strip.waitFor();
    const { tokens: scored } = await ask<Scored>('tokens/score', { speaker: 'base:runs/cut', ...given });
    const above = (lambda: number): number => scored.filter(({ logp, logq }) => logq - logp > Math.log(lambda)).length;
    expect(await strip.locator('.marked').count()).toBe(above(1.5));
    await page.getByLabel('λ as a number').fill('1');
    await page.keyboard.press('Enter');
    await page.getByText(`${above(1)} of ${scored.length} tokens are marked`).waitFor();
    expect(await strip.locator('.marked').count()).toBe(above(1));
    await page.getByRole('heading', { name: 'Tokens' }).click();
    await page.keyboard.press('j');
    expect(await page.locator('.token-facts').innerText()).toMatch(/token\s+I[\s\S]*p, without the judgment\s+[\d.]+/);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('shows what a run saw at once, and hostile text as text', async () => {
    const { page, trouble } = await studio.visit('#/tokens');
    await page.getByRole('button', { name: 'Pick a response' }).click();
    await page.getByLabel('From').selectOption('run runs/cut');
    await page.getByRole('button', { name: /Neither "yes"/ }).click();
    await page.getByText('as runs/cut saw it at step 1').waitFor();
    expect(await page.getByRole('listbox').innerText()).toContain('<img src=x');
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it.each(['judgment', 'credit'])('has nothing for axe to mend, in light and dark, and fits a phone: %s', async (part) => {
    const { page } = await studio.visit(`#/tokens?show=${part}`);
    if (part === 'judgment') {
      await page.getByRole('button', { name: 'Pick a response' }).click();
      await page.getByLabel('From').selectOption('run runs/cut');
      await page.getByRole('button', { name: /"here" is vague/ }).click();
      await page.keyboard.press('j');
    }
    await page.getByRole('listbox').first().waitFor();
    await expectAccessible(page);
    await page.context().close();
  });
});
