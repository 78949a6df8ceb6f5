import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChoiceQuestion, TextQuestion } from '../../src/judge/respondent.js';
import { createHumanRespondent, questionId } from '../../src/judge/human.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
let files = 0;
const fresh = (): string => join(folder, `waiting-${files++}.jsonl`);
const lines = (file: string): { id: string; answer: string | null }[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; answer: string | null });
const ask = (content: string): ChoiceQuestion => ({ messages: [{ role: 'user', content }], answers: ['1', '2'] });
const free: TextQuestion = { messages: [{ role: 'user', content: 'Why?' }], maxNewTokens: 9, temperature: 1, seed: 4 };

describe('people', () => {
  it('find the questions that wait in a file, once each, and their answers are read from it', async () => {
    const file = fresh();
    const people = createHumanRespondent({ questions: file });
    const seen: number[] = [];
    const first = await people.choose([ask('A'), ask('B'), ask('A')], { onReply: (index) => seen.push(index) });
    const id = questionId(ask('A'), ['1', '2']);
    expect(first[0]).toEqual({ failure: 'waiting', detail: `waits for a person: ${file}, id ${id}`, files: [file] });
    expect(seen).toEqual([0, 1, 2]);
    expect(await people.write([free])).toMatchObject([{ failure: 'waiting' }]);
    await people.choose([ask('A')]);
    expect(lines(file)).toMatchObject([
      { id, messages: [{ role: 'user', content: 'A' }], answers: ['1', '2'], answer: null },
      { messages: [{ content: 'B' }] },
      { messages: [{ content: 'Why?' }], answer: null },
    ]);
    write(
      file.slice(folder.length + 1),
      lines(file)
        .map((line, i) => JSON.stringify({ ...line, answer: ['2', null, 'Because.'][i] }))
        .join('\n'),
    );
    expect(await people.choose([ask('A'), ask('B')])).toMatchObject([
      { logprobs: [-Infinity, 0], mass: 1, source: 'samples' },
      { failure: 'waiting' },
    ]);
    // Another seed is the same question to a person.
    expect(await people.write([{ ...free, seed: 5 }])).toMatchObject([{ text: 'Because.', finish: 'stop' }]);
    // What people wrote stays as it is when more questions come.
    await people.choose([ask('C')]);
    expect(lines(file).map(({ answer }) => answer)).toEqual(['2', null, 'Because.', null]);
  });

  it('may be several: their shares are the probabilities', async () => {
    const file = fresh();
    await createHumanRespondent({ questions: file }).choose([ask('A')]);
    const answered = ['1', '1', '2', '1'].map((answer, i) =>
      write(`by-${i}.jsonl`, JSON.stringify({ ...lines(file)[0], answer, who: `p${i}` })),
    );
    const [reply] = await createHumanRespondent({ questions: file, answers: answered }).choose([ask('A')]);
    expect(reply).toMatchObject({ logprobs: [Math.log(0.75), Math.log(0.25)] });
  });

  it('are told by line what cannot be used', async () => {
    const { id } = (await (async () => {
      const file = fresh();
      await createHumanRespondent({ questions: file }).choose([ask('A')]);
      return lines(file)[0]!;
    })());
    const choose = (answers: string | string[]) => createHumanRespondent({ questions: fresh(), answers }).choose([ask('A')]);
    const one = (name: string, ...rows: object[]): string => write(name, rows.map((row) => JSON.stringify(row)).join('\n'));
    await expect(choose(one('other.jsonl', { id, answer: '3' }))).rejects.toThrow(/other\.jsonl:1 {2}answer is none of "1", "2": "3"/);
    await expect(choose(one('twice.jsonl', { id, answer: '1' }, { id, answer: '2' }))).rejects.toThrow(
      /twice\.jsonl:2 {2}answer is another than the one at .*twice\.jsonl:1; say with "who"/,
    );
    await expect(
      choose([one('a.jsonl', { id, answer: '1', who: 'Ann' }), one('b.jsonl', { id, answer: '2', who: 'Ann' })]),
    ).rejects.toThrow(/b\.jsonl:1 {2}answer is another than Ann's at .*a\.jsonl:1/);
    await expect(choose(one('broken.jsonl', { id: 3 }))).rejects.toThrow(/broken\.jsonl:1 {2}id /);
    await expect(choose(write('no-json.jsonl', '{'))).rejects.toThrow(/no-json\.jsonl:1/);
    await expect(choose('/missing.jsonl')).rejects.toThrow('There is no file /missing.jsonl with answers');
    await expect(choose(write('latin.jsonl', Buffer.from([0x7b, 0xe9])))).rejects.toThrow(/is not UTF-8/);
    expect(
      await choose(one('copied.jsonl', { id, answer: '1' }, { id, answer: '1' }, { id: 'of another run', answer: '9' })),
    ).toMatchObject([{ logprobs: [0, -Infinity] }]);
  });
});
