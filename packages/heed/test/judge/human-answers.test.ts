import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { readQuestions, writeAnswers } from '../../src/judge/human-answers.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const BY_HAND = '{ "id": "b", "messages": [{ "role": "user", "content": "B?" }], "answers": ["1", "2"], "answer": "2" }';
const ASKED = '{"id":"a","messages":[{"role":"user","content":"A?"}],"begun":"Answer=","answer":null}';

describe('answers of people', () => {
  it('are written beside what others wrote, which stays to the letter', async () => {
    const file = write('ask.jsonl', `${ASKED}\n${BY_HAND}`);
    expect(await readQuestions(file)).toMatchObject([
      { id: 'a', begun: 'Answer=', answered: false }, { id: 'b', answers: ['1', '2'], answered: true },
    ]);
    // All at once: none is lost.
    await Promise.all([
      writeAnswers(file, [{ id: 'a', who: 'ann', answer: 'Yes.' }]), writeAnswers(file, [{ id: 'a', who: 'bea', answer: 'No.' }]),
      writeAnswers(file, [{ id: 'b', who: 'ann', answer: '1' }]),
    ]);
    const lines = (): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines()).toEqual([
      ASKED, BY_HAND, '{"id":"a","who":"ann","answer":"Yes."}', '{"id":"a","who":"bea","answer":"No."}',
      '{"id":"b","who":"ann","answer":"1"}',
    ]);
    await writeAnswers(file, [{ id: 'a', who: 'ann', answer: 'Perhaps.' }, { id: 'a', who: 'bea', answer: null }]);
    expect(lines()).toEqual([ASKED, BY_HAND, '{"id":"a","who":"ann","answer":"Perhaps."}', '{"id":"b","who":"ann","answer":"1"}']);
  });

  it('refuses a file that is none of questions', async () => {
    const file = write('other.jsonl', '{"prompt":"A"}\n');
    await expect(writeAnswers(file, [{ id: 'a', who: 'ann', answer: '1' }])).rejects.toThrow('cannot be read');
  });
});
