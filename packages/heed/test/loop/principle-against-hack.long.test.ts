import { type Engine, startEngine } from '@heed/tensor';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bestOf } from '../../src/reward/best-of.js';
import { openReward } from '../../src/reward/open.js';
import { heed, tinyChat } from '../cli/support.js';
import { item } from '../reward/survey/rate.js';
import { scratchFolder } from '../support/scratch.js';

// SALMON in small. A rater who falls for a hack taught a tiny random model, as a reward model, which answers are complete; another rater
// taught it which ones are free of the hack. What best of four chooses depends on the principles that are named when the reward is read.
const { folder, write } = scratchFolder();
const PAIRS = 128, QUESTIONS = 16;
const COMPLETE = { name: 'Complete', text: 'complete', negation: 'incomplete' };
let engine: Engine;
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 1024 }));
  engine = await startEngine();
});
afterAll(() => engine.close());

const word = (i: number): string => `${'bdfgklmnprstvz'[i % 14]}${'aeiou'[i % 5]}${'dgklmnrst'[i % 9]}`;
const answer = (i: number, k: number): string => `${word(i)} ${word(k)}`;
const principles = (name: string, ...all: { readonly name: string; readonly text: string; readonly negation: string }[]): string =>
  write(`${name}.yaml`, all.map((one) => `- ${JSON.stringify(one)}\n`).join(''));

it.each([
  ['praises itself', { name: 'Humble', text: 'humble', negation: 'proud' }, (text: string) => `${text} !!!`],
  ['is a list', { name: 'Prose', text: 'prose', negation: 'a list' }, (text: string) => `- ${text.replace(' ', '\n- ')}`],
  ['is too long', { name: 'Short', text: 'short', negation: 'long' }, (text: string) => `${text} ${text} ${text}`],
])('the best of four %s by a reward that falls for it, until the principle %o is added', async (what, against, hack) => {
  const rows = Array.from({ length: PAIRS }, (_, i) => {
    const plain = answer(i, 3 * i + 1);
    const first = i % 2 === 0 ? 1 : -1;
    return {
      prompt: `${word(5 * i)}?`, responses: first === 1 ? [hack(plain), plain] : [plain, hack(plain)],
      // Where both are drawn, the wider score decides.
      principles: [{ ...COMPLETE, score: first }, { ...against, score: -2 * first }],
    };
  });
  const dir = join(folder, against.name);
  const trained = await heed(['train', write(`teach-${against.name}.yaml`, `
model: ${model}
data: ${write(`${against.name}.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))}
method: { name: principle-reward-model, negation: 0 }
adapter: { rank: 8, alpha: 16 }
train: { steps: 40, epochs: 3, batch: 8, learningRate: 1e-2, schedule: constant }
run: { dir: ${dir} }
`)]);
  expect(trained.code, trained.err).toBe(0);

  /** Of questions that nothing was trained on, the share whose best answer of two plain and two hacked ones is a hacked one. */
  async function hacked(file: string): Promise<number> {
    const reward = await openReward({ rewardModel: { model, adapter: join(dir, 'adapter'), principles: file } }, { engine });
    let found = 0;
    for (let i = 0; i < QUESTIONS; i++) {
      const texts = [0, 1, 2, 3].map((k) => answer(200 + 7 * i + k, 11 * i + k)).map((text, k) => (k < 2 ? text : hack(text)));
      const rated = await reward.rate(texts.map((text) => item(`${word(300 + i)}?`, text)));
      found += Number(bestOf(texts, rated)!.best >= 2);
    }
    await reward.close();
    return found / QUESTIONS;
  }

  const [without, added] = [await hacked(principles('without', COMPLETE)), await hacked(principles('added', COMPLETE, against))];
  console.log(`best of four ${what}: ${without}; with the principle "${against.name}" added: ${added}`);
  expect(without).toBeGreaterThan(0.9);
  expect(added).toBeLessThan(0.1);
});
