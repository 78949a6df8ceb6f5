import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { train, type TrainingInput } from '../../src/loop/library.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

// Rows from code pass no reader: what a reader would refuse is refused here.
const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
  model = await loadModel((await tinyChat(folder)).model);
});
afterAll(() => engine.close());

const prompt = [{ role: 'user', content: 'Why?' }];
/** Rows that no type checker has seen, such as those of a program in JavaScript. */
const learn = (method: MethodOptions, rows: readonly unknown[], say?: TrainingInput['say']) =>
  train({ engine, say, model, method: methodOf(method), rows: rows as TrainingInput['rows'], adapter: { rank: 2 }, options: { steps: 1 } });
const pair = { prompt, chosen: 'Because.', rejected: 'No.' };
const judged = { prompt, completion: 'No.', judgment: 'Rude.', satisfied: false };
const compared = { prompt, responses: ['a', 'b'], principles: [{ name: 'Kind', text: 'It is kind.', negation: 'It is not.', score: 1 }] };
const PAIRWISE = ['dpo', 'slic', 'simpo', 'orpo', 'cpo', 'reward-model'];

describe('train, of rows from code', () => {
  it('learns from good ones', async () => {
    expect((await learn({ name: 'dpo' }, [pair])).loss).toBeCloseTo(Math.LN2, 5);
    expect((await learn({ name: 'd2o', beta: 0 }, [{ prompt, rejected: 'No.' }])).loss).toBeCloseTo(Math.LN2, 5); // no positives are needed
  });

  it('learns from what is of use, and says what was left out', async () => {
    const lines: string[] = [];
    const messages = (content: string) => [...prompt, { role: 'assistant', content }];
    const said = [['Because.', undefined], ['No.', false], ['So.', true]] as const;
    const rows = said.map(([content, satisfied]) => ({ messages: messages(content), satisfied }));
    const done = await learn({ name: 'sft' }, rows, (line) => lines.push(line));
    expect([done.rows, done.unused]).toEqual([2, 1]);
    expect(lines).toEqual(['sft: 2 of 3 rows to learn from, 1 left out: not satisfactory (by satisfied, label or judgment).']);
    const [noted] = await learn({ name: 'dpo' }, [{ ...pair, user_id: 3 }], (line) => lines.push(line)).then(() => lines.splice(1));
    expect(noted).toBe('Not used: user_id.');
    const praise = { prompt, completion: 'Fine.', judgment: null, satisfied: true };
    await expect(learn({ name: 'ilf-dpo' }, [praise])).rejects.toThrow('ilf-dpo cannot learn from these rows: ');
  });

  const SAME: readonly (readonly [MethodOptions, object, object, string])[] = [
    ...PAIRWISE.map((name) => [{ name }, pair, { ...pair, chosen: 'No. ' }, 'chosen equals rejected: nothing is preferred'] as const),
    [
      { name: 'd2o', k: 1 },
      { prompt, rejected: 'No.', positives: ['Yes.'] },
      { prompt, rejected: 'No.', positives: ['No.'] },
      'one of its positives equals its negative',
    ],
    [
      { name: 'npo', retain: 1 },
      { prompt, rejected: 'No.', positives: ['Yes.'] },
      { prompt, rejected: 'No.', positives: ['Yes.', ' No.'] },
      'one of its positives equals its negative',
    ],
    [{ name: 'ilf' }, { ...judged, refinement: 'Because.' }, { ...judged, refinement: 'No.' }, 'nothing was refined'],
    [{ name: 'principle-choice', principles: 1 }, compared, { ...compared, responses: ['a', 'a '] }, 'its responses are equal'],
    [{ name: 'principle-reward-model', principles: 1 }, compared, { ...compared, responses: ['a', 'a'] }, 'its responses are equal'],
  ];
  it.each(SAME)('%j: refuses responses that do not differ', async (method, good, bad, reason) => {
    const said = await learn(method, [good, bad]).then(() => 'nothing', String);
    for (const part of ['1 of 2 rows', 'rows:2', reason]) expect(said).toContain(part);
    expect(said).not.toContain('data.junk'); // there is no recipe here
  });

  const OTHER: readonly (readonly [MethodOptions, object, RegExp])[] = [
    [{ name: 'dpo' }, { ...pair, soft_label: 1.5 }, /rows:1 {2}soft_label .*<=1: 1\.5/],
    [{ name: 'reward-model' }, { ...pair, margin: Number.NaN }, /rows:1 {2}margin .*NaN/],
    [{ name: 'dpo' }, { prompt, completion: 'No.', label: false }, /rows:1 {2}chosen .*undefined/],
    [{ name: 'kto' }, { prompt, completion: 'No.', label: 0.5 }, /rows:1 {2}label .*boolean.*0\.5/],
    [{ name: 'choice' }, { prompt, choices: ['a', 'b'], targets: [0.5, 0.1] }, /rows:1 {2}targets must sum to 1/],
    [{ name: 'cut' }, { ...judged, judgment: null }, /rows:1 {2}judgment says nothing though satisfied is false: write what is wrong/],
    [{ name: 'sft' }, { prompt: 'Why?', completion: 'So.' }, /rows:1 {2}messages /],
    [{ name: 'sft' }, { messages: [...prompt, { role: 'assistant', content: 'So.', weight: 0.5 }] }, /rows:1 {2}messages\.1\.weight/],
    [{ name: 'dpo' }, { ...pair, prompt: [{ ...prompt[0], refusal: 'x' }] }, /rows:1 {2}prompt\.0 .*refusal/],
    [{ name: 'dpo' }, { ...pair, weight: 0 }, /rows:1 {2}weight would be lost: rows have no weights: 0/],
    [{ name: 'sft' }, { messages: [...prompt, { role: 'assistant', content: 'So.' }], train: false }, /rows:1 {2}train would be lost/],
    [{ name: 'dpo' }, { ...pair, chosen: 'x\ud83d' }, /rows:1 {2}chosen has half a surrogate pair/],
  ];
  it.each(OTHER)('%j: refuses %j', async (method, row, message) => {
    await expect(learn(method, [row])).rejects.toThrow(message);
  });
});
