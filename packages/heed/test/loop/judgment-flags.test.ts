import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type JudgmentFlags, remarks, renderFlags } from '../../src/loop/judgment-flags.js';
import { readLog } from '../../src/run/metrics.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from '../cli/support.js';

const { folder, write } = scratchFolder();
const rows = [
  { id: 'a', prompt: 'Hi', completion: 'I am here, you know.', judgment: '"here" is vague.' },
  { id: 'b', prompt: 'x', completion: 'yes and no', judgment: 'Neither "yes" nor "no" is an answer.' },
  { id: 'c', prompt: 'x', completion: 'perhaps', judgment: 'It says too little.' },
  { id: 'd', prompt: 'x', completion: 'z', judgment: null },
];
let recipe = '';
beforeAll(async () => {
  const { model } = await tinyChat(folder);
  const data = write('rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const method = '{ name: cut, lambda: 1, ratio: null }';
  recipe = write('cut.yaml', `model: ${model}\ndata: ${data}\nmethod: ${method}\nrun: { dir: ${folder}/run }\n`);
});

describe('how often judgments flag what they quote', () => {
  it('is what the loss flags at its first step', async () => {
    const { flags } = (await heed(['inspect', recipe, '--json'])).json<{ flags: JudgmentFlags }>();
    const { code, err } = await heed(['train', recipe, 'train.steps=1']);
    expect(code, err).toBe(0);
    const maps = (await readLog(join(folder, 'run', 'samples.jsonl'))).filter(({ kind, id }) => kind === 'heatmap' && id !== 'c');
    const tokens = maps.flatMap((map) => (map['tokens'] as string[]).map((token, t) => ({
      id: map['id'], token, flagged: (map['flagged'] as boolean[])[t]!,
    })));
    expect(flags).toMatchObject({ rows: 2, places: 3 });
    expect([flags.quoted.tokens + flags.others.tokens, flags.quoted.flagged + flags.others.flagged])
      .toEqual([tokens.length, tokens.filter(({ flagged }) => flagged).length]);
    // A token a letter, but for "he": three of "here", three of "yes", two of "no".
    expect(flags.quoted.tokens).toBe(8);
    const flaggedIn = (id: string, words: string): number => {
      const own = tokens.filter((one) => one.id === id);
      const from = own.map(({ token }) => token).join('').indexOf(words);
      let at = 0;
      return own.filter(({ token, flagged }) => {
        const start = at;
        at += token.length;
        return flagged && start < from + words.length && at > from;
      }).length;
    };
    const found = [flaggedIn('a', 'here'), flaggedIn('b', 'yes'), flaggedIn('b', 'no')];
    expect(flags.quoted.flagged).toBe(found.reduce((sum, n) => sum + n));
    expect(flags.flaggedPlaces).toBe(found.filter((n) => n > 0).length);
  });

  it('is said in words, and that it is nothing where it is nothing', () => {
    const counts = { rows: 2, places: 4, flaggedPlaces: 1 };
    const flags = { ...counts, quotedToo: false, quoted: { tokens: 10, flagged: 1 }, others: { tokens: 40, flagged: 8 } };
    expect(renderFlags(flags)).toEqual([
      'The untrained model, shown the judgment, flags 1 of 4 quoted places (25 %) in 2 rows: 10 % of their tokens, and 20 % of all others.',
      '3 of 4 places that judgments quote would be imitated, since the ratio q/p does not flag them: '
        + 'method.quoted: flag pushes all of them down.',
    ]);
    expect(remarks({ ...flags, flaggedPlaces: 3 })).toEqual([
      'It flags what is quoted no more often than the rest: such judgments teach this model little or nothing.',
    ]);
    expect(remarks({ ...flags, flaggedPlaces: 3, quoted: { tokens: 10, flagged: 3 } })).toEqual([]);
    expect(remarks({ ...flags, quotedToo: true })).toEqual([]);
    expect(renderFlags({ ...flags, rows: 0 })[0]).toContain('No judgment quotes words of its response');
  });
});
