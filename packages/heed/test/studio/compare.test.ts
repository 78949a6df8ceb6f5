import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { createStudio } from '../../src/studio/app.js';
import type { ComparedAnswers, Comparison } from '../../src/studio/api.js';
import { openContext } from '../../src/studio/context.js';
import { studioFor } from './support.js';

const studio = studioFor();

interface Said { readonly id: string; readonly before: boolean; readonly after: boolean | number; readonly text?: string }

/** A run whose held-out answers have these verdicts. */
function makeRun(name: string, lambda: number, said: readonly Said[]): void {
  const dir = join(studio.folder, 'runs', name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'recipe.yaml'), `model: m\nmethod: { name: cut, lambda: ${lambda} }\nloop: {}\nrun: { dir: runs/${name} }\n`);
  writeFileSync(join(dir, 'metrics.jsonl'), [3, 2, 1].map((loss, i) => `{"step":${i + 1},"loss":${loss * lambda}}\n`).join(''));
  const lines = said.flatMap(({ id, before, after, text = 'The lamp is warm.' }) => [
    { kind: 'answer', when: 'before', id, prompt: `Ask ${id}`, response: 'Our lamp is warm.', verdict: before },
    {
      kind: 'answer', when: 'after', id, prompt: `Ask ${id}`, response: text, verdict: after,
      reason: after === true ? null : 'It says "our".',
    },
  ]);
  writeFileSync(join(dir, 'samples.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const share = (key: 'before' | 'after'): object =>
    ({ satisfied: { mean: said.filter((one) => one[key] === true).length / said.length, low: 0, high: 1 } });
  const summary = { job: 'align', metric: 'share', before: share('before'), after: share('after') };
  writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary));
}

const ids = ['a', 'b', 'c', 'd'];
beforeAll(() => {
  makeRun('one', 1, ids.map((id) => ({ id, before: false, after: id === 'a' || id === 'd' })));
  makeRun('two', 2, ids.map((id) => ({ id, before: false, after: id !== 'd', text: id === 'b' ? 'The lamp is bright.' : undefined })));
  makeRun('rewards', 1, [{ id: 'a', before: false, after: 0.25 }]);
});

async function ask<T>(path: string): Promise<T> {
  const context = await openContext(studio.folder, { signal: new AbortController().signal });
  const answer = await createStudio(context).request(`http://127.0.0.1/api/${path}`, { headers: { host: '127.0.0.1' } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

describe('a comparison', () => {
  it('pairs the verdicts prompt by prompt', async () => {
    const { rows, recipe, prompts, notes } = await ask<Comparison>('compare?side=runs/one&side=runs/two&side=before:runs/one');
    expect(rows.map(({ name }) => name)).toEqual(['satisfied']);
    const [one, two, before] = rows[0]!.cells;
    expect([one, two, before].map((cell) => cell?.value?.mean)).toEqual([0.5, 0.75, 0]);
    // By hand: a 1 → 1, b 0 → 1, c 0 → 1, d 1 → 0. Against the model before: −1, 0, 0, −1.
    expect(two!.against).toMatchObject({ mean: 0.25, n: 4 });
    expect(two!.against!.low!).toBeLessThan(0);
    expect(two!.against!.high!).toBeGreaterThan(0);
    expect(before!.against).toMatchObject({ mean: -0.5, n: 4 });
    expect(one!.against).toBeUndefined();
    expect(recipe).toEqual([{ key: 'method.lambda', values: ['1', '2', '1'] }]);
    expect(prompts).toBe(4);
    expect(notes).toEqual([]);
  });

  it('says where prompts are missing, and pairs those that are there', async () => {
    const { rows, notes } = await ask<Comparison>('compare?side=runs/one&side=runs/rewards');
    expect(notes).toEqual(['1 of 4 prompts were answered on every side.']);
    expect(rows.find(({ name }) => name === 'value')!.cells[1]!.against).toMatchObject({ mean: -0.75, n: 1 });
  });

  it('shows losses first, then wins, then answers that differ', async () => {
    const sides = 'side=runs/one&side=runs/two';
    const { items, counts } = await ask<ComparedAnswers>(`compare/answers?${sides}`);
    expect(items.map(({ id }) => id)).toEqual(['d', 'b', 'c', 'a']);
    expect(items[0]!.answers.map(({ outcome }) => outcome)).toEqual(['same', 'worse']);
    expect(counts).toEqual({ all: 4, different: 1, wins: 2, losses: 1 });
    const wins = await ask<ComparedAnswers>(`compare/answers?${sides}&show=wins&limit=1&offset=1`);
    expect(wins).toMatchObject({ total: 2, items: [{ id: 'c' }] });
  });
});

describe('the page of comparisons', () => {
  it('compares runs that are marked in the list, with another baseline, and reads their answers by keys', async () => {
    const { page, trouble } = await studio.visit();
    for (const name of ['one', 'two']) await page.getByLabel(`Mark runs/${name} for a comparison`).check();
    await page.keyboard.press('c');
    const row = page.getByRole('row', { name: /good enough answers/ });
    await row.getByText('+25 points').waitFor();
    expect(await row.innerText()).toMatch(/50 %[\s\S]*75 %[\s\S]*≈ \+25 points[\s\S]*may be chance, n 4/);
    await page.getByRole('button', { name: 'Make baseline: two' }).click();
    await row.getByText('-25 points').waitFor();
    await page.getByRole('button', { name: 'Make baseline: one' }).click();
    await page.keyboard.press('2');
    await page.locator('article').first().waitFor();
    expect(await page.locator('article').first().innerText()).toMatch(/d\s+Ask d[\s\S]*two ▼ worse[\s\S]*not satisfied[\s\S]*It says "our"/);
    await page.keyboard.press('f');
    await expect.poll(() => page.locator('article').count()).toBe(1);
    expect(await page.locator('ins').allInnerTexts()).toEqual(['bright']);
    await page.keyboard.press('d');
    expect(await page.locator('ins').count()).toBe(0);
    await page.keyboard.press('3');
    await page.locator('.uplot canvas').first().waitFor();
    await page.getByText('Numbers', { exact: true }).last().click();
    await page.locator('.chart tbody tr').first().waitFor();
    expect(await page.locator('.chart tbody tr').allInnerTexts()).toEqual(['1\t3\t6', '2\t2\t4', '3\t1\t2']);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
