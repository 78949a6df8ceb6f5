import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitCritic } from '../../../src/reward/dialogue/fit-critic.js';
import { scratchFolder } from '../../support/scratch.js';
import { item, rated } from './rate.js';

// A response without a word breaks no rule. A policy that is paid by such a reward must not find out that nothing is the cheapest answer.
const { folder } = scratchFolder();
const NOTHING = ['', ' \n', '…', '?!'];
const chat = [
  { role: 'system' as const, content: 'You have two dogs.' },
  { role: 'user' as const, content: 'The shop opens at nine. When does it open?' },
];

describe('a response that says nothing', () => {
  it.each([
    ['sincerity', { sincerity: {} }, 'It opens at nine.', 1, -1], ['clarify', { clarify: {} }, 'It opens at nine.', 0, -1],
    ['persona', { persona: {} }, 'It opens at nine.', 1, 0],
  ] as const)('earns less by %s than an answer', async (_, reward, answer, worth, least) => {
    const [good, ...bad] = await rated(reward, [answer, ...NOTHING].map((response) => item(chat, response)));
    expect(good).toMatchObject({ value: worth, satisfied: true });
    for (const one of bad) expect(one).toMatchObject({ value: least, satisfied: false, reason: 'It says nothing.' });
  });

  it('earns nothing by coherence, which draws a line only where it is told to', async () => {
    const [good, ...bad] = await rated({ coherence: {} }, ['Shops here open at nine.', ...NOTHING].map((response) => item(chat, response)));
    expect(good!.value).toBeGreaterThan(0.8);
    for (const one of bad) expect([one.value, one.satisfied]).toEqual([0, undefined]);
    const [lined] = await rated({ coherence: { threshold: 0.5 } }, [item(chat, '')]);
    expect(lined!.satisfied).toBe(false);
  });

  it('agrees with nobody, whoever says as little', async () => {
    const values = async (...responses: string[]) =>
      (await rated({ agreement: {} }, responses.map((response) => item('Capital of France?', response)))).map(({ value }) => value);
    expect(await values('', '…', '')).toEqual([0, 0, 0]);
    expect(await values('Paris.', 'paris', '')).toEqual([0.5, 0.5, 0]);
  });

  it('belongs to no dialogue, by the critic', async () => {
    const dialogues = ['red apple', 'blue river', 'old clock', 'green table', 'cold stone', 'warm bread'].map((subject) =>
      Array.from({ length: 6 }, (_, i) => `I have a ${subject} number ${i}, and the ${subject} is mine.`));
    const file = join(folder, 'critic.json');
    writeFileSync(file, JSON.stringify(fitCritic(dialogues, { topics: 0, folds: 2 }).critic));
    const [empty] = await rated({ critic: { file, threshold: 0.1 } }, [item(chat, '')]);
    expect(empty).toMatchObject({ value: 0, satisfied: false, reason: 'It says nothing.' });
  });
});
