import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadData } from '../../src/data/load.js';
import { promptKey } from '../../src/data/hash.js';
import { METHODS } from '../../src/method/index.js';
import { loadTrainRecipe } from '../../src/loop/train-recipe.js';
import { partsOf, GROUPS } from '../../src/start/parts.js';
import { writeStart } from '../../src/start/plan.js';
import type { LoggedRow } from '../../src/start/kinds.js';
import { ROOT } from '../support/installed.js';
import { scratchFolder } from '../support/scratch.js';
import { jsonl, leftOutOf, planned, rowsOf } from './support.js';

const { folder, write } = scratchFolder();

/** A log in which every method that heed start sets up fits. */
const everything = (): string =>
  write(
    'everything.jsonl',
    jsonl(
      Array.from({ length: 20 }, (_, i) => ({
        question: `Question ${i} of the log?`,
        answer: `Answer ${i} it is.`,
        score: (i % 5) + 1,
        vote: i % 2 === 0 ? 'up' : 'down',
        comment: i % 2 === 0 ? null : `Fault ${i}.`,
        correction: i % 4 === 1 ? `Better ${i}.` : null,
      })),
    ),
  );

describe('a plan', () => {
  it('writes rows and a recipe that the method of the recipe reads, for every method that fits', async () => {
    const file = everything();
    const {
      plan: { fits },
    } = await planned(file);
    expect(fits.map(({ method }) => method).sort()).toEqual([
      'bco',
      'cut',
      'd2o',
      'dpo',
      'hindsight',
      'hindsight-reward',
      'ilf-dpo',
      'kto',
      'npo',
      'sft',
    ]);
    for (const { method, kind } of fits) {
      const out = mkdtempSync(join(folder, 'plan-'));
      const { plan } = await planned(file, {}, { method, folder: out });
      await writeStart(plan);
      const { recipe } = await loadTrainRecipe(plan.files.recipe, []);
      expect(recipe.method).toMatchObject({ name: method });
      expect(METHODS[method]!.row, method).toBe(kind);
      const data = await loadData(recipe.data, kind === 'conversation' ? 'conversation' : kind);
      expect([data.train.length, data.eval.length, data.skipped, data.unused], method).toEqual([
        plan.parts.train.length,
        plan.parts.heldOut.length,
        [],
        [],
      ]);
      // Held-out rows can be answered.
      const held = await loadData({ ...recipe.data, path: plan.files.heldOut!, eval: undefined }, 'prompt');
      expect(held.train.length, method).toBe(plan.parts.heldOut.length);
    }
  });

  it('counts repeated rows, later votes on one answer, and answers that are called both', async () => {
    const file = write(
      'again.jsonl',
      jsonl([
        { id: 1, prompt: 'What is it?', response: 'A pear.', vote: 'up', date: '2026-01-01' },
        { id: 2, prompt: 'What is it?', response: 'A pear.', vote: 'up', date: '2026-01-02' },
        { id: 3, prompt: 'What is it?', response: 'A pear.', vote: 'down', date: '2026-01-03' },
        { id: 4, prompt: 'What else?', response: 'A fig.', vote: 'down', date: '2026-01-05' },
        { id: 4, prompt: 'What else?', response: 'A fig.', vote: 'up', date: '2026-01-04' },
      ]),
    );
    const { plan } = await planned(file);
    expect(leftOutOf(plan)).toEqual({
      'earlier records of an answer that has a later one (the same id)': [5],
      'rows that repeat an earlier row': [2],
    });
    expect(plan.disputed.map(({ line }) => line)).toEqual([1, 3]);
    expect(rowsOf(plan).map(({ id, label }) => [id, label])).toEqual([
      ['1', true],
      ['3', false],
      ['4', false],
    ]);
  });

  it('puts earlier turns of a conversation before later prompts, but not before one that is asked again', async () => {
    const file = write(
      'chat.jsonl',
      jsonl([
        { conversation_id: 'a', turn: 2, question: 'How much?', answer: 'Five.', vote: 1 },
        { conversation_id: 'a', turn: 1, question: 'Do you ship?', answer: 'Yes.', vote: 1 },
        { conversation_id: 'a', turn: 3, question: 'How much?', answer: 'Four.', vote: 0 },
        { conversation_id: 'b', turn: 1, question: 'Hello you?', answer: 'Hi.', vote: 1 },
      ]),
    );
    const asked = (await planned(file)).plan;
    const before = [
      { role: 'user', content: 'Do you ship?' },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'How much?' },
    ];
    expect(rowsOf(asked).map(({ prompt }) => prompt)).toEqual([before, 'Do you ship?', before, 'Hello you?']);
    const apart = await planned(file, { turns: 'apart' });
    expect(rowsOf(apart.plan).map(({ prompt }) => prompt)).toEqual(['How much?', 'Do you ship?', 'How much?', 'Hello you?']);
  });

  it('writes what a reader would take for turns as a turn', async () => {
    const spelt = '[{"role": "user", "content": "Hi"}]';
    const file = write(
      'code.jsonl',
      jsonl([
        {
          messages: [
            { role: 'user', content: spelt },
            { role: 'assistant', content: 'JSON.' },
          ],
          vote: true,
        },
        {
          messages: [
            { role: 'user', content: 'Name it.' },
            { role: 'assistant', content: 'No.' },
          ],
          vote: false,
        },
      ]),
    );
    expect(rowsOf((await planned(file)).plan)[0]!['prompt']).toEqual([{ role: 'user', content: spelt }]);
  });
});

describe('the example log of a support bot', () => {
  it('is recognised, and every line is a row or has a reason', async () => {
    const { log, plan } = await planned(join(ROOT, 'examples/support-bot/log.jsonl'));
    expect(log.questions).toEqual([]);
    expect(plan.taken).toMatchObject({ method: 'cut', kind: 'judged' });
    expect(plan.parts.by).toBe('conversation');
    const lines = readFileSync(join(ROOT, 'examples/support-bot/log.jsonl'), 'utf8').trim().split('\n').length;
    const left = Object.values(leftOutOf(plan)).flat();
    expect([log.lines, rowsOf(plan).length + left.length]).toEqual([lines, lines]);
    expect(Object.keys(leftOutOf(plan))).toHaveLength(7);
  });
});

const word = fc.constantFrom('pear', 'fig', 'oak', 'elm', 'ash', 'fir');
const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 4 });
const exchange = fc.record({
  question: sometimes(fc.tuple(word, word).map(([a, b]) => `What about ${a} and ${b}?`)),
  answer: sometimes(fc.tuple(word, word).map((two) => two.join(' '))),
  vote: sometimes(fc.constantFrom<unknown>('up', 'down', '👍', 1, 0, true, 'n/a', 'purple')),
  comment: sometimes(fc.constantFrom('It is wrong.', ' ', '$ERROR$', 'Good.')),
  conversation_id: sometimes(fc.nat(4)),
  user_id: sometimes(fc.nat(3)),
  created_at: sometimes(fc.nat(27).map((day) => `2026-01-${String(day + 1).padStart(2, '0')}`)),
  id: sometimes(fc.nat(6)),
});

describe('on any log', () => {
  it('every line is trained on, held out, or left out for one reason; no conversation, user or prompt is on both sides', async () => {
    let n = 0;
    const columns = {
      prompt: 'question',
      completion: 'answer',
      vote: 'vote',
      comment: 'comment',
      conversation: 'conversation_id',
      user: 'user_id',
      date: 'created_at',
      id: 'id',
    };
    await fc.assert(
      fc.asyncProperty(fc.array(exchange, { minLength: 3, maxLength: 25 }), fc.constantFrom(...GROUPS), async (rows, group) => {
        // One whole row, so that every column is there.
        const whole = {
          question: 'What?',
          answer: 'That.',
          vote: 'up',
          comment: 'Good.',
          conversation_id: 9,
          user_id: 9,
          created_at: '2026-02-01',
          id: 9,
        };
        const file = write(`any-${n++}.jsonl`, jsonl([whole, ...rows]));
        const { log, plan } = await planned(file, { columns }, { group });
        const all = [...plan.parts.train, ...plan.parts.heldOut].map(({ answer }) => answer.source.line);
        expect([...all, ...Object.values(leftOutOf(plan)).flat()].sort((a, b) => a - b)).toEqual(
          Array.from({ length: rows.length + 1 }, (_, i) => i + 1),
        );
        expect(log.lines).toBe(rows.length + 1);
        expectApart(plan.parts.train, plan.parts.heldOut, group === 'user');
      }),
      { numRuns: 40 },
    );
  });

  it('of one message a row, every line is a turn before an answer, or ends as above', async () => {
    const message = fc.record({
      chat_id: fc.nat(4),
      sender: fc.constantFrom('customer', 'bot', 'bot', 'moderator'),
      text: fc.constantFrom('', 'pear', 'fig', 'oak', 'elm'),
      rating: fc.constantFrom('up', 'down', null, 'purple'),
    });
    const columns = { speaker: 'sender', content: 'text', conversation: 'chat_id', vote: 'rating' };
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 25 }), async (messages) => {
        const whole = ['customer', 'bot'].map((sender) => ({ chat_id: 9, sender, text: 'ash', rating: 'up' }));
        const { log, plan } = await planned(write(`messages-${n++}.jsonl`, jsonl([...whole, ...messages])), { columns });
        const ended = [...plan.parts.train, ...plan.parts.heldOut].map(({ answer }) => answer.source.line);
        const lines = [...ended, ...Object.values(leftOutOf(plan)).flat()];
        expect(new Set(lines).size).toBe(lines.length);
        expect(lines.length + log.context).toBe(messages.length + 2);
        expectApart(plan.parts.train, plan.parts.heldOut, false);
      }),
      { numRuns: 40 },
    );
  });

  it('a split by date holds out the newest', () => {
    const rows = Array.from({ length: 10 }, (_, i): LoggedRow => ({
      fields: {},
      answer: { source: { file: 'f', line: i + 1 }, prompt: [{ role: 'user', content: String(i) }], completion: 'a', date: (i * 7) % 10 },
    }));
    expect(
      partsOf(rows, 'date', 0.3)
        .heldOut.map(({ answer }) => answer.date)
        .sort(),
    ).toEqual([7, 8, 9]);
  });
});

function expectApart(train: readonly LoggedRow[], heldOut: readonly LoggedRow[], users: boolean): void {
  const keys = (rows: readonly LoggedRow[]): Set<string> =>
    new Set(
      rows.flatMap(({ answer: { prompt, conversation, user } }) => [
        `p ${promptKey(prompt)}`,
        ...(conversation === undefined ? [] : [`c ${conversation}`]),
        ...(users && user !== undefined ? [`u ${user}`] : []),
      ]),
    );
  const trained = keys(train);
  expect([...keys(heldOut)].filter((key) => trained.has(key))).toEqual([]);
}
