import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { jsonl, planned, rolesOf, rowsOf } from './support.js';

const { write } = scratchFolder();

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
