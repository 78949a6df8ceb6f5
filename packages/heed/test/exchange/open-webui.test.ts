import { describe, expect, it } from 'vitest';
import { change, findings, refusals, rows } from './support.js';
import { webuiRating } from './samples.js';

describe("Open WebUI's feedback export", () => {
  it('a thumb down with a comment and stars: judged, labelled, scored, and the other answer is preferred', () => {
    const found = findings('open-webui', [webuiRating({ rating: -1, comment: 'No fruit.', reason: 'inaccurate', details: { rating: 3 } })]);
    const row = { id: 'f1', prompt: 'Name a fruit.', completion: 'Carrot.' };
    expect(rows(found, 'judged')).toEqual([{ ...row, judgment: 'No fruit.', satisfied: false }]);
    expect(rows(found, 'labelled')).toEqual([{ ...row, label: false }]);
    expect(rows(found, 'scored')).toEqual([{ ...row, score: 3 }]);
    expect(rows(found, 'preference')).toEqual([
      { id: 'f1/c', prompt: [{ role: 'user', content: 'Name a fruit.' }], chosen: 'Pear.', rejected: 'Carrot.' },
    ]);
  });

  it('a thumb up prefers the rated answer; 0 is a tie and no vote; text stands for numbers; the reason stands in for a comment', () => {
    const up = rows(findings('open-webui', [webuiRating({ rating: '1' })]), 'preference');
    expect(up).toEqual([expect.objectContaining({ chosen: 'Carrot.', rejected: 'Pear.' })]);
    const tie = findings('open-webui', [webuiRating({ rating: 0 })]);
    expect(rows(tie, 'preference')).toEqual([expect.objectContaining({ soft_label: 0.5 })]);
    expect(rows(tie, 'labelled')).toEqual([]);
    const reason = findings('open-webui', [webuiRating({ rating: -1, reason: 'not_helpful', comment: '' })]);
    expect(rows(reason, 'judged')).toEqual([expect.objectContaining({ judgment: 'not_helpful', satisfied: false })]);
  });

  it('leaves out thoughts, and follows the branch that was rated', () => {
    const rating = change(webuiRating({ rating: 1 }), ({ snapshot }) => {
      const { messages } = snapshot.chat.chat.history as unknown as { messages: Record<string, Record<string, unknown>> };
      messages['b']!['content'] = '<details type="reasoning" done="true">\n<summary>Thought</summary>\n> hm\n</details>\nCarrot.';
      messages['q']!['parentId'] = 'a0';
      messages['a0'] = { id: 'a0', parentId: 'q0', childrenIds: ['q'], role: 'assistant', content: 'Hello!' };
      messages['q0'] = { id: 'q0', parentId: null, childrenIds: ['a0'], role: 'user', content: 'Hi' };
    });
    expect(rows(findings('open-webui', [rating]), 'labelled')).toEqual([{
      id: 'f1', completion: 'Carrot.', label: true,
      prompt: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Hello!' }, { role: 'user', content: 'Name a fruit.' }],
    }]);
  });

  it('refuses what has no chat, lacks the message, or turns in a circle', () => {
    const circle = change(webuiRating({ rating: 1 }), ({ snapshot }) => {
      (snapshot.chat.chat.history.messages.q as { parentId: string | null }).parentId = 'b';
    });
    const bare = webuiRating({ rating: 1 }, { snapshot: undefined });
    const astray = webuiRating({ rating: 1 }, { meta: { message_id: 'zz' } });
    const found = findings('open-webui', [bare, astray, circle, webuiRating({ rating: 7 })]);
    expect(refusals(found)).toEqual({
      'snapshot: the record has no chat: only Evaluations → Feedbacks → Export writes it': 1,
      'the chat does not have the rated message': 1, 'the chat lacks a message that leads to the rated one': 1,
      'data.rating: is not 1, 0 or -1': 1,
    });
  });
});
