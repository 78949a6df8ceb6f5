import { describe, expect, it } from 'vitest';
import { openFeedback } from '../../src/feedback/store.js';
import { FeedbackBody, readFeedback } from '../../src/feedback/feedback.js';
import { feedbackRows } from '../../src/feedback/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { join } from 'node:path';

const { folder } = scratchFolder();
let files = 0;
const open = () => openFeedback(join(folder, `${++files}.db`));
const answer = (id: string, more: object = {}) => ({
  id, choice: 0, prompt: [{ role: 'user' as const, content: `Ask ${id}` }], completion: `Say ${id}`, model: 'm', finish: 'stop', tags: {},
  ...more,
});
const said = (inference: string, metric: string, value: unknown, more: object = {}) =>
  readFeedback(FeedbackBody.parse({ inference_id: inference, metric_name: metric, value, ...more }));

describe('feedback becomes rows', () => {
  it('of every kind: comment, vote, score, demonstration', async () => {
    const store = await open();
    await store.keep(['a', 'b', 'c', 'd', 'e'].map((id) => answer(id, id === 'e' ? { finish: 'length' } : {})));
    for (const one of [
      said('a', 'comment', 'Too long.'), said('a', 'helpful', false), said('a', 'demonstration', [{ type: 'text', text: 'Short.' }]),
      said('b', 'helpful', true), said('b', 'stars', 4), said('c', 'comment', 'Thanks!'), said('d', 'helpful', false),
      said('e', 'helpful', false), said('e', 'helpful', true),
    ]) await store.add(one);
    const answers = await store.all();
    const a = { id: 'a', prompt: 'Ask a' };
    const b = { id: 'b', prompt: 'Ask b', completion: 'Say b' };
    expect(feedbackRows(answers, 'judged')).toEqual({
      rows: [
        { ...a, completion: 'Say a', judgment: 'Too long.', satisfied: false }, { ...b, judgment: null, satisfied: true },
        { id: 'e', prompt: 'Ask e', completion: 'Say e', judgment: null, satisfied: true },
      ],
      leftOut: {
        'comments without a vote: whether they praise is not known': 1,
        'votes against an answer without a comment: they do not say what is wrong': 1,
        'earlier values of helpful on the same answer': 1,
      },
    });
    expect(feedbackRows(answers, 'preference').rows).toEqual([{ ...a, chosen: 'Short.', rejected: 'Say a' }]);
    expect(feedbackRows(answers, 'refined').rows).toEqual([
      { ...a, completion: 'Say a', judgment: 'Too long.', satisfied: false, refinement: 'Short.' },
    ]);
    expect(feedbackRows(answers, 'labelled').rows).toMatchObject([{ label: false }, { label: true }, { label: false }, { label: true }]);
    expect(feedbackRows(answers, 'scored').rows).toEqual([{ ...b, score: 4 }]);
    const { rows, leftOut } = feedbackRows(answers, 'conversation');
    expect(rows).toEqual([
      { id: 'a', messages: [{ role: 'user', content: 'Ask a' }, { role: 'assistant', content: 'Short.' }] },
      { id: 'b', messages: [{ role: 'user', content: 'Ask b' }, { role: 'assistant', content: 'Say b' }] },
    ]);
    expect(leftOut).toMatchObject({ 'answers that were cut off': 1, 'answers that were voted bad': 1 });
    store.close();
  });

  it('says which metrics there are where several could be meant', async () => {
    const store = await open();
    await store.keep([answer('a')]);
    await store.add(said('a', 'helpful', true));
    await store.add(said('a', 'polite', false));
    const answers = await store.all();
    expect(() => feedbackRows(answers, 'labelled')).toThrow(/2 metrics that are votes: helpful, polite/);
    expect(feedbackRows(answers, 'labelled', { vote: 'polite' }).rows).toMatchObject([{ label: false }]);
    expect(() => feedbackRows(answers, 'labelled', { vote: 'kind' })).toThrow(/No vote has the metric kind/);
    store.close();
  });
});

describe('the feedback store', () => {
  it('takes feedback once for each idempotency key, and refuses a key that comes with something else', async () => {
    const store = await open();
    await store.keep([answer('a')]);
    const ids = await Promise.all(Array.from({ length: 5 }, () => store.add(said('a', 'comment', 'No.'), { key: 'k' })));
    expect(new Set(ids).size).toBe(1);
    await expect(store.add(said('a', 'comment', 'Yes.'), { key: 'k' })).rejects.toThrow(/Idempotency-Key came with other feedback/);
    expect((await store.all())[0]!.feedback).toHaveLength(1);
    await store.add(said('a', 'helpful', true), { dryrun: true });
    expect((await store.all())[0]!.feedback).toHaveLength(1);
    store.close();
  });

  it('refuses what cannot be told apart', async () => {
    const store = await open();
    await store.keep([answer('a', { episode: 'e' }), answer('a', { choice: 1, episode: 'e' }), answer('b', { episode: 'f' })]);
    await expect(store.add(said('x', 'helpful', true))).rejects.toThrow(/No answer is kept with the inference_id "x"/);
    await expect(store.add(said('a', 'helpful', true))).rejects.toThrow(/has 2 choices; name/);
    await expect(store.add(said('a', 'helpful', true, { choice: 2 }))).rejects.toThrow(/no choice 2: they are 0 to 1/);
    const ofEpisode = (episode: string) => readFeedback(FeedbackBody.parse({ episode_id: episode, metric_name: 'helpful', value: true }));
    await expect(store.add(ofEpisode('e'))).rejects.toThrow(/episode has 2 answers/);
    await store.add(ofEpisode('f'));
    await expect(store.add(said('b', 'helpful', 3))).rejects.toThrow(/helpful has been true or false so far, and 3 is a number/);
    expect((await store.all()).map(({ feedback }) => feedback.length)).toEqual([0, 0, 1]);
    store.close();
  });

  it.each([
    [{ metric_name: 'comment', value: 'x' }, /Give inference_id or episode_id/],
    [{ inference_id: 'a', episode_id: 'e', metric_name: 'comment', value: 'x' }, /Give inference_id or episode_id/],
    [{ inference_id: 'a', metric_name: 'comment', value: ' ' }, /comment is empty/],
    [{ inference_id: 'a', metric_name: 'demonstration', value: 'x'.repeat(200_001) }, /has 200001 characters; at most 200000/],
    [{ inference_id: 'a', metric_name: 'comment', value: true }, /comment is a text/],
    [{ inference_id: 'a', metric_name: 'helpful', value: 'yes' }, /takes true, false or a number/],
    [{ episode_id: 'e', metric_name: 'demonstration', value: 'x' }, /needs inference_id/],
    [{ episode_id: 'e', choice: 1, metric_name: 'comment', value: 'x' }, /choice names a choice of an answer/],
  ])('refuses %j', (body, message) => {
    expect(() => readFeedback(FeedbackBody.parse(body))).toThrow(message);
  });

  it('keeps the order of what is said within a millisecond', async () => {
    const store = await open();
    await store.keep([answer('a')]);
    const values = Array.from({ length: 200 }, (_, n) => n);
    for (const value of values) await store.add(said('a', 'stars', value));
    const [{ feedback }] = (await store.all()) as [Awaited<ReturnType<typeof store.all>>[number]];
    expect(feedback.map(({ value }) => value)).toEqual(values);
    store.close();
  });

  it('gives texts back as they were, NUL and all', async () => {
    const store = await open();
    const completion = 'a\u0000b "c" \\ \u{1F600}';
    await store.keep([answer('a', { completion, prompt: [{ role: 'user', content: 'x\u0000y' }] })]);
    await store.add(said('a', 'comment', 'no\u0000pe'));
    expect(await store.all()).toMatchObject([{ completion, prompt: [{ content: 'x\u0000y' }], feedback: [{ value: 'no\u0000pe' }] }]);
    store.close();
  });

  it('removes an answer with its feedback, and leaves the others', async () => {
    const store = await open();
    await store.keep([answer('a'), answer('b', { episode: 'e' }), answer('c')]);
    for (const id of ['a', 'b', 'c']) await store.add(said(id, 'helpful', true));
    expect(await store.prune({ olderThanDays: 1 })).toEqual({ answers: 0, feedback: 0 });
    expect(await store.prune({ episode: 'e' })).toEqual({ answers: 1, feedback: 1 });
    expect(await store.prune({ inference: 'a' })).toEqual({ answers: 1, feedback: 1 });
    expect((await store.all()).map(({ id, feedback }) => [id, feedback.length])).toEqual([['c', 1]]);
    expect(await store.prune({ olderThanDays: 0 })).toEqual({ answers: 1, feedback: 1 });
    store.close();
  });
});
