import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Contributions } from '../../src/evaluate/contributions.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let adapter = '';
let common: string[] = [];
beforeAll(async () => {
  const tiny = await tinyChat(folder);
  adapter = tiny.adapter;
  common = ['compose', '--model', tiny.model];
});

it('measures what each adapter contributes, prompt by prompt', async () => {
  const prompts = write('prompts.jsonl', Array.from({ length: 6 }, (_, i) => `${JSON.stringify({ prompt: `Why ${i}?` })}\n`).join(''));
  const rewards = write('rewards.ts', `
export const low = ({ completions }) => completions.map((text) => [...text].reduce((sum, c) => sum + c.codePointAt(0), 0));
`);
  const output = join(folder, 'sum');
  const ran = await heed([
    ...common, '--adapter', `{ from: ${adapter}, layers: [0], weight: 4 }`, '--adapter', `{ from: ${adapter}, layers: [1], weight: 0 }`,
    '-o', output, '--prompts', prompts, '--reward', `${rewards}#low`, '--max-tokens', '8', '--temperature', '1', '--json',
  ]);
  expect(ran.code, ran.err).toBe(0);
  const { change, parts, ...rest } = ran.json<Contributions & { modules: number; rank: number }>();
  expect(rest).toMatchObject({ rank: 2, modules: 4 });
  // What has the weight 0 adds nothing; the other part is the whole.
  // Equal values have an interval with a width: six of them show little.
  expect(parts[1]!.change['value']).toMatchObject({ mean: 0, n: 6 });
  expect(parts[0]!.change['value']).toEqual(change['value']);
  expect(change['value']!.mean).not.toBe(0);
});

it.each([
  [['--adapter', '{ form: x }'], /--adapter.*unknown key "form"; did you mean "from"/],
  [['--adapter', '{ from: x, weight: much }'], /weight/],
  [['--adapter', 'x', '--prompts', 'p.jsonl'], /--reward needs|--prompts needs|the other one too/],
])('says what is wrong with %j', async (more, message) => {
  const ran = await heed([...common, ...more, '-o', join(folder, 'none')]);
  expect(ran.code).toBe(2);
  expect(ran.err).toMatch(message);
});
