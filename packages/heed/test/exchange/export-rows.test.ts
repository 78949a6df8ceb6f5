import { describe, expect, it } from 'vitest';
import { exportRows } from '../../src/exchange/export-rows.js';
import { scratchFolder } from '../support/scratch.js';
import { findings, rows as importedRows } from './support.js';

const { write } = scratchFolder();
let files = 0;
const file = (rows: readonly object[]): string => write(`${++files}.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('rows for OpenAI', () => {
  it('read back by heed import, they are the same rows', async () => {
    const pairs = [{ prompt: [user('Fruit?')], chosen: 'Pear.', rejected: 'Leek.' }];
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const chats = [{ messages: [user('Fruit?'), { ...assistant('x'), weight: 0 }, user('Another?'), assistant('Fig.')], tools }];
    const prompts = [{ prompt: [user('3+4?')], wanted: '7' }];
    for (const [kind, rows] of [['preference', pairs], ['conversation', chats], ['prompt', prompts]] as const) {
      const out = await exportRows(file(rows), 'openai');
      expect(out).toMatchObject({ kind, left: {} });
      expect(importedRows(findings('openai', out.rows), kind)).toEqual(rows);
    }
  });

  it('has no place for ties, soft labels and votes, and says so', async () => {
    const pair = (soft_label: number) => ({ prompt: 'Fruit?', chosen: 'Pear.', rejected: 'Leek.', soft_label });
    const out = await exportRows(file([pair(0.5), pair(0.8), pair(0.1), pair(1)]), 'openai');
    expect(out.left).toEqual({ 'ties, which prefer neither answer': 1, 'soft labels: the preferred answer counts as certain': 2 });
    expect(out.rows.map((row) => (row as { preferred_output: { content: string }[] }).preferred_output[0]!.content))
      .toEqual(['Pear.', 'Leek.', 'Pear.']);
    const votes = file([{ prompt: 'a', completion: 'b', label: true }]);
    await expect(exportRows(votes, 'openai')).rejects.toThrow('openai has no form for labelled rows');
  });
});

describe('rows for TRL', () => {
  it('have its columns: preference, unpaired, conversations, prompts', async () => {
    const of = async (row: object) => (await exportRows(file([row]), 'trl')).rows[0];
    expect(await of({ prompt: 'Fruit?', chosen: 'Pear.', rejected: 'Leek.', margin: 2 }))
      .toEqual({ prompt: [user('Fruit?')], chosen: [assistant('Pear.')], rejected: [assistant('Leek.')], margin: 2 });
    expect(await of({ prompt: 'Fruit?', completion: 'Leek.', label: false }))
      .toEqual({ prompt: [user('Fruit?')], completion: [assistant('Leek.')], label: false });
    expect(await of({ prompt: 'Fruit?', completion: 'Pear.' })).toEqual({ messages: [user('Fruit?'), assistant('Pear.')] });
    expect(await of({ prompt: 'Fruit?', level: 3 })).toEqual({ prompt: [user('Fruit?')], level: 3 });
    const judged = await exportRows(file([{ prompt: 'Fruit?', completion: 'Leek.', judgment: 'A vegetable.', satisfied: false }]), 'trl');
    expect(judged).toEqual({
      kind: 'judged', left: { 'judgments in words': 1 },
      rows: [{ prompt: [user('Fruit?')], completion: [assistant('Leek.')], label: false }],
    });
  });
});
