import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeReward, openReward } from '../../src/reward/open.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();

// Judges that read their verdict off the response: "8/3" is rated 8 by the first and 3 by the second, "-" is refused. The comparer prefers
// the response with the greater second number. What they are asked is kept.
const module = write('judges.ts', `
  import { defineJudge } from '@heed/heed';
  import { z } from 'zod';
  export const asked = [];
  const usage = { promptTokens: 5, completionTokens: 0, milliseconds: 0 };
  const fenced = (text) => [...text.matchAll(/("+)\\n([^]*?)\\n\\1/g)].map(([, , inner]) => inner);
  const judge = (name, choose) => defineJudge({
    name, options: z.strictObject({}),
    open: async () => ({
      name, close: async () => undefined, write: async () => [], rest: async () => { asked.push([name, 'rests']); },
      choose: async (questions, { onReply } = {}) => questions.map((question, i) => {
        const { content } = question.messages.at(-1);
        asked.push([name, content]);
        const reply = choose(fenced(content), content);
        onReply?.(i, reply);
        return reply;
      }),
    }),
  });
  const rating = (n) => (n === undefined || n === '-' ? { failure: 'refused', detail: name + ' refuses', usage }
    : { logprobs: Array.from({ length: 10 }, (_, i) => (i + 1 === Number(n) ? 0 : -Infinity)), source: 'logprobs', mass: 1, usage });
  const name = 'it';
  const at = (k) => (parts) => rating(parts.at(-1).split('/')[k]);
  export const one = judge('one', at(0));
  export const two = judge('two', at(1));
  export const three = judge('three', at(2));
  // Asked again, it gives 9 to what was found better, and 2 to what was found worse.
  export const rater = judge('rater', (parts, content) => {
    if (content.includes('found it the better one')) return rating('9');
    if (content.includes('found it the worse one')) return rating('2');
    return rating(parts.at(-1).split('/')[0]);
  });
  export const comparer = judge('comparer', (parts) => {
    const [a, b] = parts.slice(-2).map((text) => parseFloat(text.split('/')[1]));
    const first = a === b ? 0.5 : (a > b ? 0.9 : 0.1);
    return { logprobs: [Math.log(first), Math.log(1 - first)], source: 'logprobs', mass: 1, usage };
  });
`);
const item = (prompt: string, response: string) => ({ prompt: [{ role: 'user' as const, content: prompt }], response });
const close = (x: number): unknown => expect.closeTo(x, 12);
const mapped = (rating: number): unknown => close((rating - 5.5) / 4.5);
let stores = 0;
const open = (spec: object, log: string[] = []) =>
  openReward(spec, { store: join(folder, `${stores++}.db`), log: (line) => log.push(line) });

describe('a panel of judges', () => {
  const judges = ['one', 'two', 'three'].map((name) => `${module}#${name}`);
  const items = ['8/8/8', '10/4/4', '2/-/4', '-/-/5'].map((text) => item('?', text));

  it('gives the mean of their scores, and keeps how far they lie apart', async () => {
    const reward = await open({ panel: { judges } });
    expect(reward.drawsLine).toBe(false);
    // The sample deviation of ratings 10, 4, 4 is √12, and of 2, 4 it is √2; a score is (rating − 5.5) / 4.5.
    expect(await reward.rate(items)).toEqual([
      {
        value: mapped(8), reason: null, satisfied: undefined,
        parts: { judge1: mapped(8), judge2: mapped(8), judge3: mapped(8), disagreement: close(0) },
      },
      {
        value: mapped(6), reason: null, satisfied: undefined,
        parts: { judge1: mapped(10), judge2: mapped(4), judge3: mapped(4), disagreement: close(Math.sqrt(12) / 4.5) },
      },
      {
        value: mapped(3), reason: null, satisfied: undefined,
        parts: { judge1: mapped(2), judge3: mapped(4), disagreement: close(Math.sqrt(2) / 4.5) },
      },
      {
        failure: 'refused', detail: '1 of 3 judges answered: it refuses',
        usage: { promptTokens: 5, completionTokens: 0, milliseconds: 0 },
      },
    ]);
    // All judges are counted, and none is asked twice.
    expect(reward.asking).toMatchObject({ questions: 12, asked: 12, promptTokens: 60 });
    await reward.rate(items);
    expect(reward.asking).toMatchObject({ questions: 24, asked: 12, reused: 12 });
    // Judges that hold memory only while they are asked give it back between rounds.
    await reward.rest!();
    const { loadExport } = await import('../../src/run/user-module.js');
    const asked = (await loadExport(`${module}#asked`)) as [string, string][];
    expect(asked.slice(-3)).toEqual(['one', 'two', 'three'].map((name) => [name, 'rests']));
    expect(reward.name).toMatch(/^panel by one and two and three [0-9a-f]{12}$/);
    await reward.close();
  });

  it('or lets the majority decide; a draw is none', async () => {
    const reward = await open({ panel: { judges, vote: 'majority' } });
    expect(reward.drawsLine).toBe(true);
    const rated = await reward.rate(['8/8/2', '10/4/4', '8/3/-'].map((text) => item('?', text)));
    expect(rated).toMatchObject([
      { value: close(2 / 3), satisfied: true, reason: null },
      { value: close(1 / 3), satisfied: false, reason: '2 of 3 judges are not satisfied with it.' },
      { value: 0.5, satisfied: false },
    ]);
    await reward.close();
  });

  it('has two judges or more', async () => {
    await expect(open({ panel: { judges: judges.slice(0, 1) } })).rejects.toThrow(/panel\.judges.*at least 2/);
    expect(describeReward({ panel: { judges } })).toBe(`panel (mean) of ${judges.join(' and ')}`);
  });
});

describe('triples', () => {
  const spec = (more: object = {}) => ({ triples: { rater: `${module}#rater`, comparer: `${module}#comparer`, ...more } });

  it('ask the rater again where the comparer contradicts it, and keep both', async () => {
    const log: string[] = [];
    const reward = await open(spec({ threshold: 0 }), log);
    const rated = await reward.rate([
      item('p', '8/9'), item('p', '4/5'), // rated and compared alike
      item('q', '7/1'), item('q', '6/2'), // compared the other way round
      item('r', '7/3'), item('r', '5/3'), // the comparer cannot tell
      item('s', '3/9'), // alone
      item('t', '-/1'), item('t', '5/2'), // one without a rating
    ]);
    const plain = (rating: number): object => ({ value: mapped(rating), parts: { rating: mapped(rating), flagged: 0 } });
    const twice = (rating: number, again: number): object => (
      { value: mapped((rating + again) / 2), parts: { rating: mapped(rating), again: mapped(again), flagged: 1 } }
    );
    expect(rated).toMatchObject([
      plain(8), plain(4), twice(7, 2), twice(6, 9), plain(7), plain(5), plain(3), { failure: 'refused' }, plain(5),
    ]);
    expect((rated[2] as { reason: string }).reason).toBe('Its score is -0.22 (0.33 at first, -0.78 when asked again), from −1 to 1.');
    expect(log).toEqual(['triples: 1 of 3 comparisons contradict the ratings; asked again, 0 still do']);
    await reward.close();
  });

  it('show the rater the other response and its verdict', async () => {
    const reward = await open(spec());
    await reward.rate([item('v', '10/1 blue'), item('v', '2/8 green')]);
    const { loadExport } = await import('../../src/run/user-module.js');
    const asked = (await loadExport(`${module}#asked`)) as [string, string][];
    const again = asked.filter(([name, content]) => name === 'rater' && content.includes('Another judge')).slice(-2)
      .map(([, content]) => content);
    expect(again[0]).toMatch(/found it the worse one of the two\.\n\nOther response:\n"+\n2\/8 green\n"+\n\nRate the response at the end\. Answer[^]*Response:\n"+\n10\/1 blue\n"+$/);
    expect(again[1]).toMatch(/found it the better one of the two\.\n\nOther response:\n"+\n10\/1 blue\n"+[^]*Response:\n"+\n2\/8 green\n"+$/);
    await reward.close();
  });

  it('contradict nothing within the margin', async () => {
    const reward = await open(spec({ margin: 0.45 }));
    expect(await reward.rate([item('q', '7/1'), item('q', '6/2')])).toMatchObject([{ parts: { flagged: 0 } }, { parts: { flagged: 0 } }]);
    await reward.close();
  });
});
