import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { createHumanRespondent } from '../../src/judge/human.js';
import { expectAccessible, studioFor } from './support.js';

const studio = studioFor();
const file = (name: string): string => join(studio.folder, name);
const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const rowsIn = (name: string): Record<string, unknown>[] =>
  readFileSync(file(name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

const FRUITS = ['apple', 'pear', 'plum', 'fig'];
const ANSWERS = FRUITS.map((fruit) => ({
  id: fruit, prompt: `What is a ${fruit}?`, completion: `A ${fruit} is a fruit. It grows on the moon.`,
}));
const HOSTILE = '<img src=x onerror="globalThis.hacked = 1"><b>bold</b>';

beforeAll(() => {
  mkdirSync(studio.folder, { recursive: true });
  writeFileSync(file('answers.jsonl'), jsonLines(ANSWERS));
  writeFileSync(file('other.jsonl'), jsonLines(ANSWERS.map((row) => ({ ...row, completion: `${HOSTILE} A ${row.id} is a tree.` }))));
});

/** Begins with a file, under a name. */
async function begin(page: Page, who: string, first: string, { second, task }: { second?: string; task?: RegExp } = {}): Promise<void> {
  await page.keyboard.press('f');
  await page.getByLabel(/^File/).selectOption(first);
  if (second !== undefined) await page.getByLabel(/^Compare with/).selectOption(second);
  await page.getByRole('radio').first().waitFor();
  if (task !== undefined) await page.getByRole('radio', { name: task }).check();
  await page.getByRole('button', { name: 'Begin' }).click();
  await name(page, who);
}

async function name(page: Page, who: string): Promise<void> {
  await page.getByLabel('Your name').fill(who);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Prompt' }).waitFor();
}

/** Waits until so many items are done. */
const done = (page: Page, text: string): Promise<void> => page.locator('header.set').getByText(text).waitFor();

describe('the page Label', () => {
  it('compares the answers of two models, blind and by keys, and says who won', async () => {
    const { page, trouble } = await studio.visit('#/label');
    await page.getByText('Here people say what they think').waitFor();
    await begin(page, 'ann', 'answers.jsonl', { second: 'other.jsonl' });
    expect(await page.locator('.answer').first().innerText()).not.toMatch(/answers\.jsonl|other\.jsonl/);
    // Ann likes what is no tree, wherever it stands; the last pair is a tie.
    for (let n = 0; n < 4; n++) {
      await done(page, `${n} of 4`);
      const left = await page.getByRole('region', { name: 'Left' }).innerText();
      if (n === 1) {
        await page.keyboard.press('c');
        await page.keyboard.type('Trees are no fruits.');
        await page.keyboard.press('Escape');
      }
      const better = left.includes('tree') ? '2' : '1';
      await page.keyboard.press(n === 3 ? '3' : better);
    }
    await page.getByText('You went through all 4 items').waitFor();
    // Undo brings the last one back, with what was said.
    await page.keyboard.press('u');
    await done(page, '3 of 4');
    await page.keyboard.press('3');
    await page.getByText('You went through all 4 items').waitFor();
    await page.keyboard.press('a');
    await page.getByText('It is hidden').waitFor();
    expect(await page.locator('main').innerText()).not.toContain('88 %');
    await page.getByRole('button', { name: 'Show it' }).click();
    // Three wins and half a tie of four.
    expect(await page.locator('.big-share').innerText()).toMatch(/^88 % for answers\.jsonl against other\.jsonl/);
    await page.getByText('3 votes for the one, 0 for the other, 1 tie').waitFor();
    await page.getByRole('button', { name: 'Write answers.preference.jsonl' }).click();
    await page.getByText('3 rows are in answers.preference.jsonl').waitFor();
    const rows = rowsIn('answers.preference.jsonl');
    expect(rows).toHaveLength(3);
    for (const { id, chosen, rejected } of rows)
      expect({ chosen, rejected })
        .toEqual({ chosen: `A ${id as string} is a fruit. It grows on the moon.`, rejected: `${HOSTILE} A ${id as string} is a tree.` });
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('takes judgments with marked words and corrections, keeps what is typed, and shows where people differ', async () => {
    const { page, trouble } = await studio.visit('#/label');
    await begin(page, 'ann', 'answers.jsonl', { task: /judgments/ });
    // Words are picked by keys: m, to the last word but the full stop, two more to the left, Enter.
    await page.keyboard.press('m');
    const words = (await page.locator('.answer .text').innerText()).match(/[\w]+|[^\w\s]/g)!;
    for (let n = 0; n < words.length - 2; n++) await page.keyboard.press('ArrowRight');
    for (let n = 0; n < 2; n++) await page.keyboard.press('Shift+ArrowLeft');
    expect(await page.locator('mark.pick').allInnerTexts()).toEqual(['on the moon']);
    await page.keyboard.press('Enter');
    await page.locator('textarea[data-field=c]:focus').waitFor();
    const kept = page.waitForResponse((answer) => answer.request().postData()?.includes('is false.') ?? false);
    await page.keyboard.type('is false.');
    await kept;
    // A reload at any moment finds all of it.
    await page.reload();
    await page.getByRole('button', { name: 'Not good', pressed: true }).waitFor();
    expect(await page.locator('textarea[data-field=c]').inputValue()).toBe('"on the moon" is false.');
    expect(await page.locator('.answer mark').allInnerTexts()).toEqual(['on the moon']);
    const fruit = /What is an? (\w+)/.exec(await page.getByRole('region', { name: 'Prompt' }).innerText())![1]!;
    await page.keyboard.press('r');
    await page.locator('textarea[data-field=r]:focus').fill(`A ${fruit} is a fruit.`);
    await page.keyboard.press('Control+Enter');
    await done(page, '1 of 4');
    for (let n = 1; n < 4; n++) {
      await page.keyboard.press('1');
      await page.getByText(n === 3 ? 'You went through' : `${n + 1} of 4`).first().waitFor();
    }
    await page.getByRole('button', { name: 'not you?' }).click();
    await name(page, 'bea');
    for (let n = 0; n < 4; n++) {
      await done(page, `${n} of 4`);
      await page.keyboard.press('1');
    }
    await page.getByText('You went through').waitFor();
    await page.keyboard.press('a');
    // Ann: one of four not good; Bea: none. κ = (¾ − ¾) / (1 − ¾) = 0.
    expect(await page.getByRole('row').filter({ hasText: 'ann, bea' }).innerText()).toMatch(/4\s+75 %\s+0\.00/);
    await page.getByText('ann: not good · bea: good').click();
    await page.getByText('ann: not good. "on the moon" is false.').waitFor();
    await page.getByRole('button', { name: 'Write answers.judged.jsonl' }).click();
    await page.getByText('8 rows are in answers.judged.jsonl').waitFor();
    const text = `A ${fruit} is a fruit. It grows on the moon.`;
    const start = text.indexOf('on the moon');
    expect(rowsIn('answers.judged.jsonl').filter(({ satisfied }) => satisfied === false)).toEqual([{
      id: fruit, prompt: `What is a ${fruit}?`, completion: text, judgment: '"on the moon" is false.', satisfied: false, who: 'ann',
      spans: [{ quote: 'on the moon', start, end: start + 11 }],
    }]);
    await page.getByRole('button', { name: 'Write answers.refined.jsonl' }).click();
    await page.getByText('1 row is in answers.refined.jsonl').waitFor();
    expect(rowsIn('answers.refined.jsonl')[0]).toMatchObject({ refinement: `A ${fruit} is a fruit.`, judgment: '"on the moon" is false.' });
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('takes scores by principle from the number keys', async () => {
    const { page, trouble } = await studio.visit('#/label');
    await begin(page, 'ann', 'answers.jsonl', { task: /scores/ });
    for (const key of ['4', '2']) await page.keyboard.press(key);
    await done(page, '1 of 4');
    await page.keyboard.press('0');
    await done(page, '2 of 4 (1 skipped)');
    await page.keyboard.press('a');
    expect(await page.getByRole('row').filter({ hasText: 'honest' }).innerText()).toMatch(/honest\s+2\.00/);
    await page.getByRole('button', { name: 'Write answers.scored.jsonl' }).click();
    await page.getByText('1 row is in').waitFor();
    expect(rowsIn('answers.scored.jsonl')).toMatchObject([{ score: 3, scores: { helpful: 4, honest: 2 } }]);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('answers the questions of a run that waits for people', async () => {
    mkdirSync(file('runs/human'), { recursive: true });
    const recipe = 'label: { name: preferences }\njudge: { human: { questions: ask.jsonl } }\nrun: { dir: runs/human }\n';
    writeFileSync(file('runs/human/recipe.yaml'), recipe);
    writeFileSync(file('runs/human/summary.json'), '{}');
    const people = createHumanRespondent({ questions: file('ask.jsonl') });
    const ask = (content: string) => ({ messages: [{ role: 'user' as const, content }], answers: ['1', '2'] });
    await people.choose([ask('Which, first?'), ask('Which, second?')]);
    const { page, trouble } = await studio.visit('#/label');
    await page.getByText('2 of 2 questions are open').waitFor();
    await page.getByRole('button', { name: 'Answer' }).click();
    await name(page, 'ann');
    await page.keyboard.press('2');
    await page.getByText('Which, second?').waitFor();
    await page.keyboard.press('1');
    await page.getByText('You went through').waitFor();
    // What was answered by mistake is taken back in the file too.
    await page.keyboard.press('u');
    await page.getByText('Which, second?').waitFor();
    const both = [ask('Which, first?'), ask('Which, second?')];
    expect(await people.choose(both)).toMatchObject([{ logprobs: [-Infinity, 0] }, { failure: 'waiting' }]);
    await page.keyboard.press('2');
    await page.getByText('You went through').waitFor();
    expect(await people.choose([ask('Which, second?')])).toMatchObject([{ logprobs: [-Infinity, 0] }]);
    await page.keyboard.press('Escape');
    await page.getByText('runs/human has all answers.').waitFor();
    expect(await page.getByText('npx heed label runs/human/recipe.yaml').count()).toBe(1);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('has nothing for axe to mend, in light and dark, and fits a phone', async () => {
    const { page } = await studio.visit('#/label');
    const links = page.locator('.sets a:not(.button)');
    await links.first().waitFor();
    const sets = await Promise.all((await links.all()).map(async (link) => (await link.getAttribute('href'))!));
    expect(sets).toHaveLength(4);
    await expectAccessible(page);
    await page.context().close();
    // The newest first: questions, scores, judgments, pairs.
    for (const [set, title] of [[sets[1]!, 'scores'], [sets[2]!, 'judgments'], [sets[3]!, 'pairs']] as const) {
      const { page: opened } = await studio.visit(set);
      await name(opened, 'cas');
      if (title !== 'judgments') await expectAccessible(opened);
      else {
        await opened.keyboard.press('a');
        await opened.getByRole('heading', { name: 'Where people differ' }).waitFor();
        await expectAccessible(opened);
      }
      await opened.context().close();
    }
  });
});
