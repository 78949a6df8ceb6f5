import { describe, expect, it } from 'vitest';
import { rowSchemas } from '../../src/data/rows.js';
import { JudgmentsOptions, labelJudgments } from '../../src/label/judgments.js';
import type { Single } from '../../src/label/material.js';
import { quotedPlaces, quotedSpans } from '../../src/text/quotes.js';
import { labelRevisions, RevisionsOptions } from '../../src/label/revisions.js';
import { broke, chose, fake, near, said, wordsOf } from './fake.js';

const source = { file: 'rows.jsonl', line: 1 };
const prompt = [{ role: 'user' as const, content: 'Name a fruit.' }];
const single = (completion: string, human?: Single['human']): Single => ({
  source,
  prompt,
  completion,
  ...(human === undefined ? {} : { human }),
});

describe('quoted words', () => {
  it('are found where they stand; what is not in the response is counted', () => {
    expect(
      quotedSpans(
        '"A brick" is no fruit, and “it\'s hard” neither; \'soft.\' was meant. "A brick" again.',
        "A brick, since it's hard. So soft",
      ),
    ).toEqual({
      spans: [
        { quote: 'A brick', start: 0, end: 7 },
        { quote: "it's hard", start: 15, end: 24 },
        { quote: 'soft', start: 29, end: 33 },
      ],
      misquotes: 0,
    });
    expect(quotedSpans('It should have said "an apple". It doesn\'t, and that\'s bad.', 'A brick.')).toEqual({ spans: [], misquotes: 1 });
  });
});

describe('quoted places', () => {
  it('are all places of the words, in any case, and none within longer words', () => {
    const response = 'You say you, your, YOU and “thank you”.';
    const found = quotedPlaces('It says "you".', response).map(({ start, end }) => response.slice(start, end));
    expect(found).toEqual(['You', 'you', 'YOU', 'you']);
    expect(quotedPlaces('It writes "!!" and "(".', 'Well!! (No!!)').map(({ start }) => start)).toEqual([4, 10, 7]);
  });
  it('are where the quotation stands, where it begins or ends within a word', () => {
    expect(quotedPlaces('It says "ear".', 'A pear.')).toEqual([{ start: 3, end: 6 }]);
  });
});

describe('judgments (CUT)', () => {
  const answers: Readonly<Record<string, () => ReturnType<typeof said>>> = {
    apple: () => said('Perfect.'),
    brick: () => said(' "brick" is no fruit. '),
    stone: () => said('It is wrong. The word "stone" stands for something that', 'length'),
    iron: () => said('and so on and on and', 'length'),
    air: () => said('  '),
    junk: () => said('N/A'),
  };
  const judge = (verdict?: Parameters<typeof fake>[0]['choose']) => fake({
    write: (q) => {
      const found = Object.keys(answers).find((word) => wordsOf(q).includes(`"""\n${word}`));
      return found === undefined ? broke('too-long') : answers[found]!();
    },
    ...(verdict === undefined ? {} : { choose: verdict }),
  });

  it('the perfect rule, quotations, and what cannot be used', async () => {
    const rows = ['apple', 'brick', 'stone', 'iron', 'air', 'junk', 'pear'].map((word) =>
      single(word, { satisfied: word === 'apple' || word === 'stone' }),
    );
    const done = await labelJudgments(rows, judge(), JudgmentsOptions.parse({ name: 'judgments' }));
    expect(done.rows).toEqual([
      { prompt: 'Name a fruit.', completion: 'apple', judgment: null, satisfied: true, human: true },
      {
        prompt: 'Name a fruit.',
        completion: 'brick',
        judgment: '"brick" is no fruit.',
        satisfied: false,
        spans: [{ quote: 'brick', start: 0, end: 5 }],
        human: false,
      },
      { prompt: 'Name a fruit.', completion: 'stone', judgment: 'It is wrong.', satisfied: false, spans: [], human: true },
    ]);
    expect(done.failures.map(({ failure }) => failure)).toEqual(['cut-off', 'empty', 'empty', 'too-long']);
    // Right for apple and brick; of the satisfactory one half, of the unsatisfactory all.
    expect(done.measures).toMatchObject({
      satisfied: 1,
      quoting: 1,
      misquotes: 0,
      cut: 1,
      human: {
        accuracy: { mean: 2 / 3, n: 3 },
        balanced: { mean: 0.75 },
        majority: 2 / 3,
        yes: { n: 2, saidYes: 1 },
        no: { n: 1, saidYes: 0 },
      },
    });
    for (const row of done.rows) expect(rowSchemas.judged.safeParse({ ...row, prompt, source }).success).toBe(true);
  });

  it('fault found after "Perfect." is neither praise nor criticism; perfect as part of a sentence is no verdict', async () => {
    const wrote = (text: string) =>
      labelJudgments([single('apple')], fake({ write: () => said(text) }), JudgmentsOptions.parse({ name: 'judgments' }));
    expect((await wrote('Perfect. However, an apple was not asked for.')).failures).toMatchObject([
      {
        failure: 'contradiction',
        detail: 'the judge wrote "Perfect. However, an apple was not asked for.": that it is perfect, and then a fault',
      },
    ]);
    expect((await wrote('Perfect grammar, but the answer is wrong.')).rows).toMatchObject([
      { satisfied: false, judgment: 'Perfect grammar, but the answer is wrong.' },
    ]);
    expect((await wrote('Perfect. It names a fruit.')).rows).toMatchObject([{ satisfied: true, judgment: null }]);
  });

  it('a yes or no after the judgment decides where it is asked for; "perfect, but no" is a contradiction', async () => {
    const asked = judge((q) => (q.messages[0]!.content.includes('"""\nbrick') ? chose(0.5, 0.25) : chose(0.1, 0.3)));
    const done = await labelJudgments(
      ['apple', 'brick', 'stone'].map((word) => single(word, { satisfied: word !== 'stone' })),
      asked,
      JudgmentsOptions.parse({ name: 'judgments', decision: 'yes-no' }),
    );
    expect(asked.choices[1]!.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(asked.choices[1]!.messages[1]!.content).toBe('"brick" is no fruit.');
    expect(done.failures).toMatchObject([{ failure: 'contradiction' }]);
    expect(done.rows).toMatchObject([
      { completion: 'brick', judgment: null, satisfied: true, satisfaction: near(2 / 3) },
      { completion: 'stone', satisfied: false, satisfaction: near(0.25) },
    ]);
    expect(done.measures).toMatchObject({
      human: { accuracy: { mean: 1 } },
      calibration: { brier: near(((1 / 3) ** 2 + 0.25 ** 2) / 2) },
      mass: near((0.75 + 0.4) / 2),
    });
    const sampled = judge(() => ({ ...chose(0.5, 0.25), source: 'samples' as const }));
    expect(
      (await labelJudgments([single('brick')], sampled, JudgmentsOptions.parse({ name: 'judgments', decision: 'yes-no' }))).rows,
    ).toMatchObject([{ satisfaction: near(2 / 3), from_samples: true }]);
  });

  it('takes another wording, and refuses one that lacks a place', async () => {
    const asked = fake({ write: () => said('Perfect.') });
    await labelJudgments(
      [single('{request}')],
      asked,
      JudgmentsOptions.parse({ name: 'judgments', fence: false, wording: 'R: {request} A: {response} J:' }),
    );
    expect(asked.texts[0]!.messages).toEqual([{ role: 'user', content: 'R: Name a fruit. A: {request} J:' }]);
    expect(() => JudgmentsOptions.parse({ name: 'judgments', wording: 'Judge {response}' })).toThrow(/lacks \{request\}/);
  });
});

const principles = ['Short', 'Kind', 'True'].map((name) => ({ name, text: `The answer is ${name}.`, negation: 'x' }));
const options = (more: object = {}): RevisionsOptions => RevisionsOptions.parse({ name: 'revisions', principles: 'p.yaml', ...more });

describe('revisions', () => {
  /** Criticises until a response has two marks; a revision adds one. */
  const writer = fake({
    write: (q) => {
      const words = wordsOf(q);
      const response = /Response:\n"+\n([^"]*)\n"+/.exec(words)![1]!;
      if (words.includes('Rewrite the response')) return said(` ${response}! `);
      return said(response.endsWith('!!') ? 'Nothing to mend.' : `"${response}" lacks a mark.`);
    },
  });

  it('criticises and rewrites in rounds, by another principle each, until there is nothing to mend', async () => {
    const done = await labelRevisions([single('A pear')], writer, options({ rounds: 3 }), principles);
    const rounds = done.rows[0]!['rounds'] as { principle: string; critique: string; revision?: string }[];
    expect(done.rows[0]).toMatchObject({ messages: [...prompt, { role: 'assistant', content: 'A pear!!' }] });
    expect(rounds.map(({ critique, revision }) => [critique, revision])).toEqual([
      ['"A pear" lacks a mark.', 'A pear!'], ['"A pear!" lacks a mark.', 'A pear!!'], ['Nothing to mend.', undefined],
    ]);
    expect(rounds.map(({ principle }) => principle).sort()).toEqual(['Kind', 'Short', 'True']);
    expect(done.more!['preferences']).toEqual([{ prompt: 'Name a fruit.', chosen: 'A pear!!', rejected: 'A pear' }]);
    expect(done.more!['refined']).toEqual([
      {
        prompt: 'Name a fruit.',
        completion: 'A pear',
        judgment: '"A pear" lacks a mark.\n"A pear!" lacks a mark.',
        satisfied: false,
        refinement: 'A pear!!',
      },
    ]);
    expect(done.measures).toEqual({
      revised: 1,
      unchanged: 0,
      cut: 0,
      rounds: [
        { nothingToMend: 0, revised: 1, same: 0 },
        { nothingToMend: 0, revised: 1, same: 0 },
        { nothingToMend: 1, revised: 0, same: 0 },
      ],
      words: { before: 2, after: 2 },
    });
    const again = await labelRevisions([single('A pear')], writer, options({ rounds: 3 }), principles);
    expect(again.rows).toEqual(done.rows);
  });

  it('by prompting alone: no critique is asked for', async () => {
    const asked = fake({ write: () => said('An apple') });
    const done = await labelRevisions([single('A pear')], asked, options({ critique: 'none', rounds: 1 }), principles);
    expect(asked.texts).toHaveLength(1);
    expect(wordsOf(asked.texts[0]!)).toMatch(/The rule: (Short|Kind|True)/);
    expect(done.rows[0]).toMatchObject({ messages: [...prompt, { role: 'assistant', content: 'An apple' }] });
    expect(done.more).not.toHaveProperty('refined');
  });

  it('by the judgments of the data: rows of ILF; satisfactory responses stay', async () => {
    const asked = fake({ write: () => said('An apple') });
    const given = RevisionsOptions.parse({ name: 'revisions', critique: 'given', rounds: 1 });
    const done = await labelRevisions(
      [single('A brick', { judgment: '"brick" is no fruit.', satisfied: false }), single('A pear', { judgment: null, satisfied: true })],
      asked,
      given,
      [],
    );
    expect(asked.texts).toHaveLength(1);
    expect(wordsOf(asked.texts[0]!)).toContain('"brick" is no fruit.');
    expect(done.more!['refined']).toEqual([
      { prompt: 'Name a fruit.', completion: 'A brick', judgment: '"brick" is no fruit.', satisfied: false, refinement: 'An apple' },
      { prompt: 'Name a fruit.', completion: 'A pear', judgment: null, satisfied: true },
    ]);
    await expect(labelRevisions([single('A brick')], asked, given, [])).rejects.toThrow(/rows\.jsonl:1 has no judgment/);
    expect(() => RevisionsOptions.parse({ name: 'revisions', critique: 'given' })).toThrow(/rounds: 1/);
    expect(() => RevisionsOptions.parse({ name: 'revisions' })).toThrow(/name the file of principles/);
  });

  it('of a critique that was cut off the whole sentences are kept and counted', async () => {
    const asked = fake({ write: (q) => {
      const words = wordsOf(q);
      if (words.includes('Rewrite the response')) return said('An apple');
      if (words.includes('brick')) return said('A brick is no fruit. Name something that', 'length');
      return words.includes('stone') ? said('and so on and on', 'length') : said('Nothing to mend. Well', 'length');
    } });
    const done = await labelRevisions(['brick', 'stone', 'pear'].map((text) => single(text)), asked, options({ rounds: 1 }), principles);
    expect(done.more!['refined']).toMatchObject([{ completion: 'brick', judgment: 'A brick is no fruit.', refinement: 'An apple' }]);
    expect(asked.texts.filter((q) => wordsOf(q).includes('Rewrite the response')).map(wordsOf).join()).not.toContain('Name something');
    expect(done.failures).toMatchObject([{ failure: 'cut-off', detail: 'the critique has no whole sentence within 96 tokens' }]);
    expect(done.measures).toMatchObject({ cut: 2, rounds: [{ nothingToMend: 1, revised: 1 }] });
  });

  it('what cannot be used fails with its reason; an unchanged response is no preference', async () => {
    const asked = fake({
      write: (q) => {
        const words = wordsOf(q);
        if (words.includes('cut')) return said('cut cut', 'length');
        if (words.includes('late')) return broke('timeout');
        return said(words.includes('void') ? ' ' : 'same');
      },
    });
    const done = await labelRevisions(
      ['cut', 'late', 'void', 'same'].map((text) => single(text)),
      asked,
      options({ critique: 'none', rounds: 1 }),
      principles,
    );
    expect(done.failures.map(({ failure }) => failure)).toEqual(['cut-off', 'timeout', 'empty']);
    expect(done.rows).toHaveLength(1);
    expect(done.more!['preferences']).toEqual([]);
    expect(done.measures).toMatchObject({ revised: 0, unchanged: 1, rounds: [{ same: 1 }] });
  });
});
