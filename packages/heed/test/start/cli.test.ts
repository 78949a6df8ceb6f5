import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { jsonl } from './support.js';

const { folder, write } = scratchFolder();
const cache = process.env['HEED_CACHE'];
beforeAll(() => {
  process.env['HEED_CACHE'] = join(folder, 'cache');
});
afterAll(() => {
  if (cache === undefined) delete process.env['HEED_CACHE'];
  else process.env['HEED_CACHE'] = cache;
});

const rows = Array.from({ length: 12 }, (_, i) => ({
  question: `Question ${i} is what?`,
  answer: `Answer ${i} it is.`,
  thumb: i % 2 === 0 ? '👍' : '👎',
  note: i % 2 === 0 ? '' : `Fault ${i}.`,
}));

describe('heed start', () => {
  it('writes the files, names the commands that follow, and fetches no model to foresee', async () => {
    const log = write('log.jsonl', jsonl(rows));
    const out = join(folder, 'start');
    const { code, out: said, err } = await heed(['start', log, '-o', out, '--run', 'runs/it']);
    expect(code, err).toBe(0);
    expect(said).toContain('→ cut');
    expect(said).toContain('10 rows to train on, 2 to hold out, no prompt in both');
    expect(said).toContain('the model SmolLM2-135M-Instruct is not here yet');
    expect(said).toMatch(/npx heed train \S+recipe\.yaml\n(?:.*\n)*  npx heed serve --adapter runs\/it/);
    expect(readFileSync(join(out, 'train.jsonl'), 'utf8').trim().split('\n')).toHaveLength(10);
    const again = await heed(['start', log, '-o', out]);
    expect({ code: again.code, out: again.out }).toEqual({ code: 2, out: '' });
    expect(again.err).toContain('--overwrite');
    const json = await heed(['start', log, '-o', out, '--overwrite', '--method', 'kto', '--json']);
    expect(json.json()).toMatchObject({
      method: 'kto',
      kind: 'labelled',
      train: 10,
      heldOut: 2,
      group: 'prompt',
      leftOut: [],
      columns: {
        prompt: { column: 'question', by: 'name' },
        vote: { column: 'thumb', by: 'name' },
        comment: { column: 'note', by: 'name' },
      },
    });
  });

  it('without a terminal refuses what it cannot know, with the option that decides; --yes takes the guess', async () => {
    const log = write('unvoted.jsonl', jsonl(rows.map(({ thumb: _, ...row }) => row)));
    const out = join(folder, 'unvoted');
    const refused = await heed(['start', log, '-o', out]);
    expect({ code: refused.code, out: refused.out }).toEqual({ code: 2, out: '' });
    expect(refused.err).toContain('What does a comment in note say?');
    expect(refused.err).toContain('--comments faults');
    expect(existsSync(out)).toBe(false);
    const guessed = await heed(['start', log, '-o', out, '--yes']);
    expect(guessed.code, guessed.err).toBe(0);
    expect(guessed.out).toContain('guessed: Nobody voted.');
    expect((await heed(['start', log, '-o', join(folder, 'said'), '--comments', 'judgments'])).code).toBe(0);
  });

  it.each([
    [['--columns', 'prompt'], 'is no NAME=VALUE'],
    [['--values', 'up=fine'], 'expected good, bad or none'],
    [['--eval', '2'], 'expected a share'],
    [['--ignore', 'thumbs'], 'no row has a column thumbs'],
    [['--method', 'ppo'], 'These fit: cut'],
  ])('%j is refused', async (argv, says) => {
    const { code, err } = await heed(['start', write('refused.jsonl', jsonl(rows)), '-o', join(folder, 'refused'), ...argv]);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });
});
