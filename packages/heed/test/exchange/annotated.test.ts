/** Formats of annotation tools and chats: who said what of which answer. */
import { describe, expect, it } from 'vitest';
import { IMPORT_FORMATS } from '../../src/exchange/import/formats.js';
import { change, findings, refusals, rows } from './support.js';
import { inspectSample, SAMPLES } from './samples.js';

const map = (fields: Readonly<Record<string, string>>) => ({ fields: new Map(Object.entries(fields)) });

describe("Argilla's flat records", () => {
  const record = {
    id: 'r1', prompt: 'Fruit?', response: 'Carrot.', 'ok.responses': ['no', 'yes', 'no'], 'ok.responses.users': ['u1', 'u2', 'u3'],
    'ok.responses.status': ['submitted', 'submitted', 'draft'], 'why.responses': ['A root.'], 'why.responses.users': ['u1'],
    'why.responses.status': ['submitted'], 'ok.suggestion': 'no',
  };
  const fields = map({ prompt: 'prompt', completion: 'response', vote: 'ok', comment: 'why' });

  it('a row for each annotator, of what was submitted', () => {
    const found = findings('argilla', [record], fields);
    const row = { prompt: 'Fruit?', completion: 'Carrot.' };
    expect(rows(found, 'labelled')).toEqual([{ id: 'r1/u1', ...row, label: false }, { id: 'r1/u2', ...row, label: true }]);
    expect(rows(found, 'judged')).toEqual([
      { id: 'r1/u1', ...row, judgment: 'A root.', satisfied: false }, { id: 'r1/u2', ...row, judgment: null, satisfied: true },
    ]);
    expect([...found.notes]).toEqual([['responses that are drafts or discarded were left out', 1]]);
    expect([...found.unused]).toEqual(['ok.suggestion']);
  });

  it('the nested form has no status and is refused; without --fields nothing is guessed', () => {
    const nested = { id: 'r', fields: { prompt: 'Fruit?' }, responses: { ok: [{ value: 'no', user_id: 'u' }] } };
    expect(refusals(findings('argilla', [nested], fields))).toEqual({
      'is nested, which does not say which responses are drafts: export with flatten=True': 1,
    });
    expect(() => findings('argilla', [record])).toThrow(/say which is which with --fields/);
  });

  it('a comparison becomes a pair; a tie is half of each', () => {
    const compared = (value: string) => ({
      id: 'r', q: 'Fruit?', a: 'Pear.', b: 'Leek.',
      'best.responses': [value], 'best.responses.users': ['u'], 'best.responses.status': ['submitted'],
    });
    const found = findings(
      'argilla', [compared('b'), compared('tie'), compared('x')], map({ prompt: 'q', first: 'a', second: 'b', preferred: 'best' }),
    );
    expect(rows(found, 'preference')).toMatchObject([
      { chosen: 'Leek.', rejected: 'Pear.' }, { chosen: 'Pear.', rejected: 'Leek.', soft_label: 0.5 },
    ]);
    expect(refusals(found)).toEqual({ 'the preferred answer is neither first, second nor tie, nor the name of a field': 1 });
  });
});

describe("Label Studio's exports", () => {
  const region = (name: string, type: string, value: object) => ({ from_name: name, to_name: 'x', type, value });
  const task = (result: object[], more: object = {}) => ({
    id: 1, data: { prompt: 'Fruit?', a: 'Pear.', b: 'Carrot.' }, annotations: [{ id: 9, completed_by: 3, result, ...more }],
  });

  it('a pairwise choice becomes a pair: left is the first', () => {
    const fields = map({ prompt: 'prompt', first: 'a', second: 'b', preferred: 'pw' });
    const found = findings('label-studio', [
      task([region('pw', 'pairwise', { selected: 'left' })]), task([region('pw', 'pairwise', { selected: 'right' })]),
      task([region('pw', 'pairwise', { selected: 'left' })], { was_cancelled: true }),
    ], fields);
    expect(rows(found, 'preference')).toMatchObject([
      { id: '1/3', chosen: 'Pear.', rejected: 'Carrot.' }, { id: '1/3', chosen: 'Carrot.', rejected: 'Pear.' },
    ]);
    expect(refusals(found)).toEqual({ 'annotations[] the annotator skipped the task': 1 });
  });

  it('choices, ratings and texts; JSON-MIN has one flat record for each annotation', () => {
    const fields = map({ prompt: 'prompt', completion: 'b', vote: 'ok', score: 'stars', comment: 'why', demonstration: 'better' });
    const full = task([
      region('ok', 'choices', { choices: ['bad'] }), region('stars', 'rating', { rating: 2 }),
      region('why', 'textarea', { text: ['A root.'] }), region('better', 'textarea', { text: ['Pear.'] }),
      region('spans', 'labels', { start: 0, end: 2, labels: ['x'] }),
    ]);
    const min = { id: 1, prompt: 'Fruit?', b: 'Carrot.', ok: 'bad', stars: 2, why: 'A root.', better: 'Pear.', annotator: 3, lead_time: 4 };
    for (const record of [full, min]) {
      const found = findings('label-studio', [record], fields);
      const row = { id: '1/3', prompt: 'Fruit?', completion: 'Carrot.' };
      expect(rows(found, 'scored')).toEqual([{ ...row, score: 2 }]);
      expect(rows(found, 'refined')).toEqual([{ ...row, judgment: 'A root.', satisfied: false, refinement: 'Pear.' }]);
      expect(rows(found, 'labelled')).toEqual([{ ...row, label: false }]);
    }
    const { notes } = findings('label-studio', [full], fields);
    expect([...notes.keys()]).toEqual(['regions of spans were left out: --fields does not name it']);
  });
});

describe("LibreChat's conversations", () => {
  const [sample] = SAMPLES.librechat as [{ messages: { messageId: string; text: string; feedback?: object; content?: object[] }[] }];

  it('a thumb with its tag or its words; the text may stand in content; a tree and the database say the same', () => {
    const row = { id: 'b', prompt: 'Name a fruit.', completion: 'Carrot.' };
    expect(rows(findings('librechat', [sample]), 'judged')).toEqual([{ ...row, judgment: 'inaccurate', satisfied: false }]);
    const parts = change(sample, ({ messages: [, answer] }) => {
      Object.assign(answer!, {
        text: '', content: [{ type: 'think', think: 'hm' }, { type: 'text', text: { value: 'Carrot.' } }],
        feedback: { rating: 'thumbsDown', tag: { key: 'not_helpful' }, text: 'A root.' },
      });
    });
    expect(rows(findings('librechat', [parts]), 'judged')).toEqual([{ ...row, judgment: 'A root.', satisfied: false }]);
    const [question, answer] = sample.messages;
    const tree = { ...sample, messages: undefined, messagesTree: [{ ...question, children: [answer] }] };
    expect(rows(findings('librechat', [tree]), 'labelled')).toEqual([{ ...row, label: false }]);
    const database = findings('librechat', [question!, answer!]);
    expect(rows(database, 'labelled')).toEqual([{ ...row, label: false }]);
    expect(database.refused).toEqual([]);
  });

  it('a chat that nobody rated is refused', () => {
    const silent = change(sample, ({ messages }) => { delete messages[1]!.feedback; });
    expect(refusals(findings('librechat', [silent]))).toEqual({ 'nobody rated an answer in it': 1 });
  });
});

describe("inspect's logs", () => {
  const log = (...samples: object[]) => ({ version: 2, status: 'success', plan: {}, eval: {}, samples });
  const row = { prompt: 'Name a fruit.', completion: 'Carrot.' };

  it('letters are votes, P is a half, N and lists are left out; explanations are judgments', () => {
    const found = findings('inspect', [log(
      inspectSample(1, 'Carrot.', { judge: { value: 'I', explanation: 'A root.' } }),
      inspectSample(2, 'Carrot.', { judge: { value: 'C' } }), inspectSample(3, 'Carrot.', { judge: { value: 'P' } }),
      inspectSample(4, 'Carrot.', { judge: { value: 'N' } }),
      inspectSample(5, 'Carrot.', { judge: { value: [1] } }), inspectSample(6, 'Carrot.', {}),
      inspectSample(7, 'x', {}, { error: { message: 'x' } }),
    )]);
    expect(rows(found, 'judged')).toEqual([
      { id: '1/1', ...row, judgment: 'A root.', satisfied: false }, { id: '2/1', ...row, judgment: null, satisfied: true },
    ]);
    expect(rows(found, 'scored')).toEqual([{ id: '3/1', ...row, score: 0.5 }]);
    expect([...found.notes.values()]).toEqual([2]);
    expect(refusals(found)).toEqual({ 'samples[] has no scores': 1, 'samples[] the sample ended with an error': 1 });
  });

  it('right and wrong epochs of one sample become pairs', () => {
    const found = findings('inspect', [log(
      inspectSample(1, 'Carrot.', { judge: { value: 'I' } }), inspectSample(1, 'Pear.', { judge: { value: 'C' } }, { epoch: 2 }),
      inspectSample(2, 'Leek.', { judge: { value: 'I' } }),
    )]);
    expect(rows(found, 'preference')).toEqual([
      { id: '1', prompt: [{ role: 'user', content: 'Name a fruit.' }], chosen: 'Pear.', rejected: 'Carrot.' },
    ]);
  });

  it('attachments and a log without samples are refused', () => {
    const found = findings('inspect', [
      log(inspectSample(1, 'attachment://ab', { judge: { value: 'C' } })), { version: 2, status: 'error', plan: {}, eval: {} },
    ]);
    expect(Object.keys(refusals(found))).toEqual([
      'samples[] a text is an attachment of the log, not here', 'samples: are not in the log; convert it whole, without --header-only',
    ]);
  });
});

describe('a format that is not named', () => {
  it('is found where a record can only be of one', () => {
    // OpenAI's chats are everybody's chats.
    for (const [name, all] of Object.entries(SAMPLES).filter(([one]) => one !== 'openai')) {
      const fits = IMPORT_FORMATS.filter((one) => all.every((record) => one.recognises(record as Record<string, unknown>)));
      if (all.length === 1) expect(fits.map((one) => one.name)).toEqual([name]);
      else expect([[], [name]]).toContainEqual(fits.map((one) => one.name));
    }
  });
});
