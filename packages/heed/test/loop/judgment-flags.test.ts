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
    expect(renderFlags({ ...flags, rows: 0 })).toEqual([]);
  });

  it('is counted over whole responses where no judgment quotes any, and said where next to nothing is flagged', () => {
    const none = { tokens: 0, flagged: 0 };
    const flags = { rows: 2, quotedToo: true, places: 0, flaggedPlaces: 0, quoted: none, others: { tokens: 200, flagged: 28 } };
    expect(renderFlags(flags)).toEqual([
      'The untrained model, shown the judgment, flags 14 % of the tokens of 2 responses; no judgment quotes any.',
    ]);
    expect(remarks({ ...flags, others: { tokens: 200, flagged: 3 } })).toEqual([
      'Next to nothing is flagged (3 of 200 tokens): unsatisfactory responses would be imitated as they are. '
        + 'Quote the words at fault in the judgments, or learn from better answers.',
    ]);
  });

  it('of judgments that quote nothing the responses are scored all the same, and training says what hinders', async () => {
    const data = write('unquoted.jsonl', rows.slice(0, 3)
      .map((row) => `${JSON.stringify({ ...row, judgment: 'It should be in Spanish.' })}\n`).join(''));
    const asked = [recipe, `data=${data}`, 'method.lambda=1000', 'method.quoted=flag'];
    const { flags, hinders } = (await heed(['inspect', ...asked, '--json'])).json<{ flags: JudgmentFlags; hinders: string[] }>();
    expect(flags).toMatchObject({ rows: 3, places: 0, quoted: { tokens: 0, flagged: 0 }, others: { flagged: 0 } });
    expect(flags.others.tokens).toBeGreaterThan(30);
    const dry = await heed(['train', ...asked, '--dry-run']);
    const trained = await heed(['train', ...asked, 'train.steps=1', `run.dir=${folder}/unquoted`]);
    for (const { err } of [dry, trained]) for (const line of hinders) expect(err).toContain(line);
    expect(trained.err).toContain('Next to nothing is flagged');
    expect(hinders).toEqual([
      'None of the 3 responses are satisfactory: the model learns what to avoid, and hardly what to do instead. '
        + 'Add responses as they should be, with the judgment null.',
      'None of the 3 judgments quote words of the response: the ratio q/p alone must find what is wrong, and a small model hardly '
        + 'flags it. Quote the words at fault, as in: "the best" is hype.',
    ]);
  });
});
