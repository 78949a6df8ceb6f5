import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { jsonl, leftOutOf, planned, rolesOf, rowsOf } from './support.js';

const { write } = scratchFolder();

describe('feedback at the turns of a conversation', () => {
  it('makes a row of each turn that has some, with what came before it', async () => {
    const turn = (role: string, content: string, more: object = {}): object => ({ role, content, created: 1, ...more });
    const file = write(
      'turns.json',
      JSON.stringify([
        {
          id: 'chat-1',
          messages: [
            turn('user', 'Do you ship?'),
            turn('assistant', 'Yes.', { feedback: { rating: 'thumbsUp' } }),
            turn('user', 'How much?'),
            turn('assistant', 'It depends.', { feedback: { rating: 'thumbsDown', text: 'Say a number.' } }),
            turn('user', 'Thanks'),
            turn('assistant', 'Bye.', { feedback: null }),
          ],
        },
        { id: 'chat-2', messages: [turn('user', 'Hello'), turn('assistant', 'Hi.', { feedback: null })] },
      ]),
    );
    const { log, plan } = await planned(file, { columns: { comment: 'messages[].feedback.text' } });
    expect(rolesOf(log)).toMatchObject({ messages: 'messages', vote: 'messages[].feedback.rating', id: 'id' });
    expect(rowsOf(plan)).toEqual([
      { id: 'chat-1', prompt: 'Do you ship?', completion: 'Yes.', judgment: null, satisfied: true },
      {
        id: 'chat-1',
        prompt: [
          { role: 'user', content: 'Do you ship?' },
          { role: 'assistant', content: 'Yes.' },
          { role: 'user', content: 'How much?' },
        ],
        completion: 'It depends.',
        judgment: 'Say a number.',
        satisfied: false,
      },
    ]);
    // One conversation is on one side, though its rows have different prompts.
    expect(plan.parts.heldOut).toEqual([]);
    expect(leftOutOf(plan)).toEqual({ 'answers whose feedback lacks what this kind of row needs': [2] });
  });
});

describe('a text that looks like something else', () => {
  it('stays a text: an answer in JSON, a question that quotes a chat', async () => {
    const quoted = 'Mend this chat:\nUser: Hi\nBot: Hello';
    const file = write(
      'looks.jsonl',
      jsonl([
        { prompt: 'Give me JSON please', response: '{"name": "pear"}', thumb: 'up' },
        { prompt: `User: ${quoted}`, response: 'A pear it is.', thumb: 'down' },
        ...Array.from({ length: 4 }, (_, i) => ({ prompt: `What is ${i} here?`, response: `Number ${i} it is.`, thumb: 'up' })),
      ]),
    );
    const rows = rowsOf((await planned(file)).plan);
    expect(rows.slice(0, 2).map(({ prompt, completion }) => [prompt, completion])).toEqual([
      ['Give me JSON please', '{"name": "pear"}'],
      [`User: ${quoted}`, 'A pear it is.'],
    ]);
  });

  it('is opened where a whole column spells objects', async () => {
    const file = write(
      'cells.csv',
      'prompt,response,meta\nWhat is it?,A pear.,"{""thumb"": ""up""}"\nWhat else?,A fig.,"{\'thumb\': \'down\'}"\n',
    );
    const { log, plan } = await planned(file);
    expect(rolesOf(log)['vote']).toBe('meta.thumb');
    expect(rowsOf(plan).map(({ label }) => label)).toEqual([true, false]);
  });

  it('a column of classes is no answer, and a log that says nothing is imitated with a word about it', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => ({
      prompt: `What is ${i} here?`,
      target: 'women',
      state: i % 2 === 0 ? 'fine' : 'poor',
    }));
    await expect(planned(write('classes.jsonl', jsonl(rows)))).rejects.toThrow('no column is recognised as the completion');
    const answers = rows.map(({ target: _, ...row }, i) => ({ ...row, response: `It is ${i} here.` }));
    const { plan } = await planned(write('silent.jsonl', jsonl(answers)));
    expect([plan.taken.method, plan.unjudged]).toEqual(['sft', ['state']]);
  });
});
