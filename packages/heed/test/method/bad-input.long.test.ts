import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed, tinyChat, type Ran } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { scratchFolder } from '../support/scratch.js';

// What cannot be learnt from, through the command line: each an error that names the row, or with `data.junk: skip` a counted and listed
// skip.
const { folder } = scratchFolder();
let model: string;
let adapter: string;
beforeAll(async () => {
  ({ model, adapter } = await tinyChat(folder));
});

let files = 0;
function train(method: string, rows: readonly object[], ...overrides: string[]): Promise<Ran> {
  const name = `bad-${files++}`;
  const data = join(folder, `${name}.jsonl`);
  const recipe = join(folder, `${name}.yaml`);
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(
    recipe,
    `model: ${model}\ndata: { path: ${data} }\nmethod: ${method}\nadapter: { rank: 2 }\n`
      + `train: { steps: 1, batch: 4 }\nrun: { dir: ${join(folder, name)} }\n`,
  );
  return heed(['train', recipe, ...overrides, '--json']);
}

const good = { prompt: 'Why?', chosen: 'Because.', rejected: 'No.' };
const equal = { prompt: 'Who?', chosen: 'Me. ', rejected: 'Me.' };
const vote = (prompt: string, label: unknown) => ({ prompt, completion: `To ${prompt}`, label });
const votes = [vote('Why?', true), vote('Who?', false)];
const negative = { prompt: 'Why?', rejected: 'No.', positives: ['Because.', 'So.'] };
const score = { name: 'Helpful', text: 'It helps.', negation: 'It does not help.' };

/** A row that cannot be learnt from, beside one that can: what is said of it. */
const ROWS: readonly (readonly [string, string, object, object, RegExp])[] = [
  ...['dpo', 'slic', 'simpo', 'orpo', 'cpo', 'reward-model'].map(
    (name) =>
      [`chosen equal to rejected, ${name}`, `{ name: ${name} }`, good, equal, /chosen equals rejected: nothing is preferred/] as const,
  ),
  [
    'a refinement equal to the response, ilf-dpo',
    '{ name: ilf-dpo }',
    { prompt: 'Why?', completion: 'No.', judgment: 'Rude.', refinement: 'Because.' },
    { prompt: 'Who?', completion: 'Me.', judgment: 'Rude.', refinement: 'Me.' },
    /nothing was refined/,
  ],
  ...['ilf', 'ilf-dpo'].map(
    (name) =>
      [
        `no refinement, ${name}`,
        `{ name: ${name} }`,
        { prompt: 'Why?', completion: 'No.', judgment: 'Rude.', refinement: 'Because.' },
        { prompt: 'Who?', completion: 'Me.', judgment: 'Rude.' },
        /it is not satisfied and has no refinement/,
      ] as const,
  ),
  [
    'two equal responses, principle-reward-model',
    '{ name: principle-reward-model }',
    { prompt: 'Why?', responses: ['a', 'b'], principles: [{ ...score, score: 1 }] },
    { prompt: 'Who?', responses: ['a', 'a '], principles: [{ ...score, score: 1 }] },
    /responses are equal/,
  ],
  [
    'a tie, where the loss sorts',
    '{ name: dpo, loss: aot }',
    good,
    { prompt: 'Who?', chosen: 'Me.', rejected: 'You.', soft_label: 0.5 },
    /it is a tie \(soft_label 0.5\)/,
  ],
  [
    'a tie by all principles',
    '{ name: principle-choice }',
    { prompt: 'Why?', responses: ['a', 'b'], principles: [{ ...score, score: 1 }] },
    { prompt: 'Who?', responses: ['a', 'b'], principles: [{ ...score, score: 0 }] },
    /no principle tells its responses apart/,
  ],
  ['no positives, d2o', '{ name: d2o, k: 2 }', negative, { prompt: 'Who?', rejected: 'Me.' }, /it has no positives that d2o needs/],
  [
    'too few positives, d2o',
    '{ name: d2o, k: 2 }',
    negative,
    { prompt: 'Who?', rejected: 'Me.', positives: ['You.'] },
    /1 of the 2 positives/,
  ],
  ...['npo', 'sim-npo', 'gradient-ascent'].map(
    (name) =>
      [
        `no positives to retain, ${name}`,
        `{ name: ${name}, retain: 1 }`,
        negative,
        { prompt: 'Who?', rejected: 'Me.' },
        /it has no positives, which retain: 1 learns from/,
      ] as const,
  ),
  [
    'positives identical to the negative',
    '{ name: d2o, k: 1 }',
    negative,
    { prompt: 'Who?', rejected: 'Me.', positives: ['Me. '] },
    /positives equals rejected/,
  ],
];

describe('a row that cannot be learnt from', () => {
  it.each(ROWS)('%s: is an error, or skipped and counted', async (_, method, fine, bad, reason) => {
    const refused = await train(method, [fine, bad]);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(reason);
    expect(refused.err).toMatch(/\.jsonl:2/);
    expect(refused.err).toContain('data.junk: skip');

    const skipped = await train(method, [fine, bad], 'data.junk=skip');
    expect(skipped.code, skipped.err).toBe(0);
    expect(skipped.json()).toMatchObject({ rows: 1, skipped: 1 });
    expect(skipped.err).toMatch(reason);
  });

  it.each(ROWS)('%s: is an error where no other is left', async (_, method, __, bad) => {
    const refused = await train(method, [bad, { ...bad, prompt: 'When?' }], 'data.junk=skip');
    expect(refused.code).not.toBe(0);
    expect(refused.err).not.toContain('    at ');
    expect(refused.err).toMatch(/cannot learn from these rows: all 2 were left out|All 2 rows are junk/);
  });
});

describe('what is held out', () => {
  it('is an error where nothing of it is left', async () => {
    const held = join(folder, 'held.jsonl');
    writeFileSync(held, `${JSON.stringify({ prompt: 'Who?', rejected: 'Me.', positives: ['You.'] })}\n`);
    const { code, err } = await train('{ name: d2o, k: 2 }', [negative], `data.eval=${held}`, 'data.junk=skip');
    expect(code).not.toBe(0);
    expect(err).toMatch(/data.eval: none of the 1 rows can be evaluated on\n.*held.jsonl:1.*1 of the 2 positives/);
  });
});

describe('a number that is none, whatever data.junk says', () => {
  it.each([
    ['soft_label above 1', 'dpo', { ...good, soft_label: 1.5 }, /soft_label is not a probability from 0 to 1: 1.5/],
    ['soft_label below 0', 'reward-model', { ...good, soft_label: -0.1 }, /soft_label is not a probability from 0 to 1: -0.1/],
    ['a vote of 0.5', 'kto', vote('Why?', 0.5), /label is a number, not true or false: 0.5/],
    ['a vote of 2', 'bco', vote('Why?', 2), /label is a number, not true or false: 2/],
    [
      'targets outside of 0 to 1',
      'choice',
      { prompt: 'Which?', choices: ['A', 'B'], targets: [1.5, -0.5] },
      /targets has an item 1 that is not a probability/,
    ],
    ['targets that do not sum to 1', 'choice', { prompt: 'Which?', choices: ['A', 'B'], targets: [0.5, 0.1] }, /targets sum to 0.6, not 1/],
  ])('%s', async (_, name, row, reason) => {
    for (const junk of ['error', 'skip']) {
      const { code, err } = await train(`{ name: ${name} }`, [row], `data.junk=${junk}`);
      expect(code).not.toBe(0);
      expect(err).toMatch(reason);
    }
  });
});

describe('one class only', () => {
  const mail = (text: string, label: string) => ({ text, label });
  const rated = (completion: string, score: number) => ({ prompt: 'Why?', completion, score });
  const long = 'x'.repeat(100);
  /** Rows of one class, one of another that is too long, and what is said of those that are left. */
  const CLASSES: readonly (readonly [string, string, readonly object[], object, RegExp])[] = [
    ...['kto', 'bco'].flatMap((name) =>
      [true, false].map(
        (label) =>
          [
            name,
            `{ name: ${name} }`,
            ['Why?', 'Who?', 'Where?'].map((prompt) => vote(prompt, label)),
            { ...vote('When?', !label), completion: long },
            new RegExp(`all [23] have label ${label}`),
          ] as const,
      ),
    ),
    [
      'unlikelihood',
      '{ name: unlikelihood }',
      [vote('Why?', true), vote('Who?', true)],
      { ...vote('When?', false), completion: long },
      /every row is labelled good, and unlikelihood is about bad ones/,
    ],
    [
      'classifier',
      '{ name: classifier, labels: [spam, ham] }',
      [mail('Buy!', 'spam'), mail('Win!', 'spam')],
      mail(long, 'ham'),
      /all 2 rows have the label "spam": there is nothing to tell apart/,
    ],
    ...[1, 5].map(
      (score) =>
        [
          'hindsight-reward',
          '{ name: hindsight-reward, threshold: 3 }',
          [rated('a', score), rated('b', score)],
          rated(long, 6 - score),
          new RegExp(`their scores go from ${score} to ${score}, all on one side of the threshold 3`),
        ] as const,
    ),
  ];

  it.each(CLASSES)('%s, %s (%#)', async (_, method, rows, __, reason) => {
    const { code, err } = await train(method, rows);
    expect(code).not.toBe(0);
    expect(err).toMatch(reason);
    expect(err).not.toContain('    at ');
  });

  it.each(CLASSES)('%s, %s, once rows that are too long have been left out (%#)', async (_, method, rows, other, reason) => {
    const { code, err } = await train(method, [...rows, other], 'data.maxTokens=100', 'data.onLong=skip');
    expect(code).not.toBe(0);
    expect(err).toMatch(reason);
  });
});

describe('a tie', () => {
  const tie = { prompt: 'Who?', chosen: 'Me.', rejected: 'You.', soft_label: 0.5 };

  it.each(['dpo', 'reward-model'])('is learnt from by %s unless the recipe says otherwise, and counted', async (name) => {
    const learnt = await train(`{ name: ${name} }`, [good, tie, { ...tie, prompt: 'When?' }]);
    expect(learnt.code, learnt.err).toBe(0);
    expect(learnt.json()).toMatchObject({ rows: 3, skipped: 0 });
    expect(learnt.err).toContain(
      '2 of 3 pairs are ties (soft_label 0.5): they pull the rewards together; data.ties: skip leaves them out.',
    );

    const skipped = await train(`{ name: ${name} }`, [good, tie], 'data.ties=skip');
    expect(skipped.code, skipped.err).toBe(0);
    expect(skipped.json()).toMatchObject({ rows: 1, skipped: 1 });
    expect(skipped.err).toMatch(/\.jsonl:2 {2}it is a tie \(soft_label 0\.5\)/);
    expect(skipped.err).not.toContain('pull the rewards');

    const refused = await train(`{ name: ${name} }`, [good, tie], 'data.ties=error', 'data.junk=skip');
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/1 of 2 rows are ties.*data\.ties: skip[^]*\.jsonl:2/);
  });

  it('cannot be what nothing is said of, or what other rows than pairs are', async () => {
    expect((await train('{ name: dpo }', [good])).err).not.toContain('tie');
    const { code, err } = await train('{ name: kto }', votes, 'data.ties=skip');
    expect(code).not.toBe(0);
    expect(err).toContain('data.ties is skip, but kto learns from "labelled" rows, none of which is a tie; leave it out.');
  });
});

describe('a reference that cannot exist', () => {
  it.each([
    ['dpo', good, 'reference'],
    ['npo', negative, 'reference'],
    ['kto', vote('Why?', true), 'reference'],
    ['bco', vote('Why?', true), 'reference'],
    ['d2o', negative, 'rMinus'],
    ['d2o', negative, 'rPlus'],
  ])('%s: a folder that is not there (%#)', async (name, row, key) => {
    const k = name === 'd2o' ? ', k: 1' : '';
    const { code, err } = await train(`{ name: ${name}${k}, ${key}: ${join(folder, 'nowhere')} }`, [
      row,
      { ...row, prompt: 'Who?', label: false },
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain('nowhere');
    expect(err).not.toContain('    at ');
  });

  it('an adapter of another base', async () => {
    mkdirSync(join(folder, 'other'));
    const other = await tinyTalker(join(folder, 'other'));
    const { code, err } = await train(`{ name: dpo, reference: ${adapter} }`, [good], `model=${other}`);
    expect(code).not.toBe(0);
    expect(err).toMatch(/was trained on another base .* than/);
    expect(err).not.toContain('    at ');
  });

  it('an average that is never taken', async () => {
    expect((await train('{ name: d2o, k: 1, rPlus: { every: 0, rate: 0.5 } }', [negative])).err).toMatch(/rPlus/);
    expect((await train('{ name: d2o, k: 1, rPlus: { every: 4, rate: 1.5 } }', [negative])).err).toMatch(/rPlus/);
  });

  it('an average that the run is too short for is said to stay as it was', async () => {
    const { code, err } = await train('{ name: d2o, k: 1, rPlus: { every: 1, rate: 0.5 }, rMinus: { every: 2, rate: 0.5 } }', [negative]);
    expect(code, err).toBe(0);
    expect(err).toContain('The reference rPlus is a slow average of the model in training (every 1 steps, rate 0.5).');
    expect(err).toContain(
      'The reference rMinus is a slow average of the model in training (every 2 steps, rate 0.5); '
        + 'a run of 1 steps ends before its first update',
    );
  });

  it('an adapter is one', async () => {
    const { code, err } = await train(`{ name: dpo, reference: ${adapter} }`, [good]);
    expect(code, err).toBe(0);
  });
});

describe('texts that the model would write for nothing', () => {
  it.each(['npo', 'sim-npo', 'gradient-ascent'])('%s without retain, but with positives to be drawn', async (name) => {
    const { code, err } = await train(
      `{ name: ${name} }`,
      [{ ...negative, positives: undefined }],
      'rows={ make: self-correct, samples: 2, maxNewTokens: 4 }',
    );
    expect(code).toBe(2);
    expect(err).toContain(`rows: ${name}, as it is set, does not learn from what the model would write.`);
  });

  it('d2o whose positives have no weight', async () => {
    const { code, err } = await train(
      '{ name: d2o, beta: 0 }',
      [{ ...negative, positives: undefined }],
      'rows={ make: self-correct, samples: 2, maxNewTokens: 4 }',
    );
    expect(code).toBe(2);
    expect(err).toContain('rows: d2o, as it is set, does not learn from what the model would write.');
  });
});

describe('an option that the chosen variant ignores', () => {
  it.each([
    ['{ name: dpo, loss: hinge, labelSmoothing: 0.1 }', /this loss has no labelSmoothing/],
    ['{ name: dpo, loss: robust }', /labelSmoothing/],
    ['{ name: cpo, loss: hinge, labelSmoothing: 0.1 }', /labelSmoothing/],
    ['{ name: simpo, reference: base }', /reference/],
    ['{ name: cut, loss: v1, gamma: 1 }', /has no gamma/],
    ['{ name: cut, alpha: 0, gamma: 1 }', /gamma is ignored/],
    ['{ name: cut, without: [detection], lambda: 1.2 }', /lambda/],
    ['{ name: cut, without: [l1], alpha: 1 }', /alpha/],
    [
      '{ name: cut, without: [detection, l2-judged], gamma: 0, judgment: "{instruction} {judgment}" }',
      /nothing is scored under the judgment/,
    ],
    ['{ name: cut, without: [detection], alpha: 0 }', /L1 is 0/],
    ['{ name: d2o, beta: 0, k: 2 }', /k is ignored/],
    ['{ name: d2o, alpha: 0, rPlus: { every: 1, rate: 0.5 } }', /rPlus is ignored/],
    ['{ name: d2o, beta: 0, rMinus: { every: 1, rate: 0.5 } }', /rMinus is ignored/],
    ['{ name: d2o, beta: 0, level: instance }', /level is ignored/],
    ['{ name: principle-choice, principles: 1, scale: variance }', /scale/],
    ['{ name: principle-choice, draws: 2 }', /draws/],
  ])('%s', async (method, reason) => {
    const { code, err } = await train(method, [good]);
    expect(code).not.toBe(0);
    expect(err).toMatch(reason);
  });
});
