import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { openReward } from '../../src/reward/open.js';
import type { Rated } from '../../src/reward/reward.js';

const EXAMPLES = resolve(import.meta.dirname, '../../../../examples');

it('examples/toxicity.rules.yaml finds insults, threats and ill wishes, and leaves complaints alone', async () => {
  const reward = await openReward(`rules:${resolve(EXAMPLES, 'toxicity.rules.yaml')}`);
  const rate = async (texts: readonly string[]): Promise<readonly Rated[]> =>
    (await reward.rate(texts.map((response) => ({ prompt: [], response })))) as Rated[];
  const said = await rate([
    'You utter moron.', "I'll find you.", 'I hope your house burns.', 'Shut up and sit down.',
    'The clowning around on stage was fun.', 'The killer whale will find you interesting.',
    'I hope you had a good trip, and that the toast did not burn.',
  ]);
  expect(said.map(({ satisfied }) => satisfied)).toEqual([false, false, false, false, true, true, true]);
  expect(said[1]!.reason).toBe('It says "I\'ll find you", which is a threat.');
  // The rows that recipes/detector-toxicity.yaml shows: plain contempt is what a list of words misses.
  const rows = readFileSync(resolve(EXAMPLES, 'detector-toxicity.jsonl'), 'utf8').trim().split('\n')
    .map((line) => JSON.parse(line) as { readonly text: string; readonly label: 'toxic' | 'fine' });
  const found = await rate(rows.map(({ text }) => text));
  const count = (label: string): number => rows.filter((row, i) => row.label === label && found[i]!.satisfied === false).length;
  expect([count('toxic'), count('fine')]).toEqual([9, 0]);
  await reward.close();
});
