import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCandidates, readEvidence } from '../../src/reward/inferred/evidence.js';
import { FEATURE_NAMES, type FeatureName, featuresOf } from '../../src/reward/inferred/features.js';
import { inferValues } from '../../src/reward/inferred/infer.js';
import { openFeatures, scalesOf, standardised } from '../../src/reward/inferred/measure.js';
import type { Values } from '../../src/reward/inferred/values-file.js';
import { openReward } from '../../src/reward/open.js';
import { createRandom } from '../../src/run/random.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const user = (content: string) => [{ role: 'user' as const, content }];
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('features', () => {
  // One word counts once, whatever it is: the numbers are counted by hand.
  it.each<[FeatureName, string, number]>([
    ['length', 'one two three', Math.log(4)], ['sentenceLength', 'One two. Three four five six.', 3],
    ['list', 'So:\n- a\n- b\n3) c', 0.75], ['examples', 'Fruit, such as pears.', 1], ['numbers', 'Wait 10 or 20 days.', 40],
    ['onTopic', 'The apple fell.', 0.5], ['supported', 'The apple fell.', 0.5], ['hedges', 'Perhaps it may rain.', 50],
    ['unsure', 'I do not know that.', 1], ['unsure', 'It is known.', 0], ['refusal', "I can't help with that.", 1],
    ['refusal', "I'm not able to provide it.", 1], ['refusal', 'You cannot help it.', 0], ['apology', 'I am sorry.', 1],
    ['polite', 'Thank you.', 1], ['questionBack', 'Which one?', 1], ['exclamations', 'Yes! No! So.', 2 / 3],
    ['firstPerson', 'I like my own ways.', 40], ['secondPerson', 'Take your time, you two.', 40],
    ['selfPraise', 'I hope this helps.', 1], ['repetition', 'a b c a b c', 0.25],
  ])('%s of %j is %d', (name, text, value) => {
    expect(featuresOf([name], user('Does an apple ripen?'), text)[0]).toBeCloseTo(value, 12);
  });

  it('are numbers for any text', () => {
    for (const text of ['', ' \n', '!!!', '日本語のテキスト', '\u{1F600}']) {
      for (const prompt of ['', '?']) expect(featuresOf(FEATURE_NAMES, user(prompt), text).every(Number.isFinite), text).toBe(true);
    }
  });

  it('are standardised with the sample deviation, and held within three', () => {
    const scales = scalesOf([[1, 5], [3, 5], [5, 5]]);
    expect(scales).toEqual([{ centre: 3, scale: 2 }, undefined]);
    expect(standardised([5], [scales[0]!])).toEqual([1]);
    expect([...standardised([99], [scales[0]!]), ...standardised([-99], [scales[0]!])]).toEqual([3, -3]);
  });

  it('of a name that there is none are refused, and of a name that stands twice', async () => {
    await expect(openFeatures(['hedge'])).rejects.toThrow('There is no feature "hedge"; did you mean "hedges"?');
    await expect(openFeatures(['length', 'length'])).rejects.toThrow('The feature length is named twice.');
  });
});

describe('evidence', () => {
  it('is told by its columns; one file holds all sorts', async () => {
    const file = write('evidence.jsonl', lines([
      { prompt: 'a?', chosen: 'x', rejected: 'y', soft_label: 0.8 }, { prompt: 'b?', completion: 'x', samples: ['y', ' x ', 'z'] },
      { prompt: 'c?', completion: 'x', label: false }, { prompt: 'd?', chosen: 'same', rejected: 'same' },
      { prompt: 'e?', completion: 'x', samples: ['x'] },
    ]));
    const { rows, skipped } = await readEvidence([file]);
    expect(rows).toMatchObject([
      { kind: 'comparison', responses: ['x', 'y'], certainty: 0.8 }, { kind: 'demonstration', responses: ['x', 'y', 'z'] },
      { kind: 'vote', responses: ['x'], good: false },
    ]);
    expect(skipped.map(({ source: { line } }) => line)).toEqual([4, 5]);
    await expect(readEvidence([write('none.jsonl', lines([{ prompt: 'a?', completion: 'x' }]))]))
      .rejects.toThrow(/none\.jsonl:1 {2}has neither chosen, samples nor label/);
  });

  it('candidates are all pairs of a prompt, however its responses are written', async () => {
    const listed = write('listed.jsonl', lines([{ prompt: 'a?', responses: ['x', 'y', 'z', 'x'] }, { prompt: 'b?', responses: ['x'] }]));
    expect((await readCandidates(listed)).map(({ responses }) => responses.join(''))).toEqual(['xy', 'xz', 'yz']);
    const single = write('single.jsonl', lines(
      [['a?', 'x'], ['b?', 'u'], ['a?', 'y']].map(([prompt, completion]) => ({ prompt, completion })),
    ));
    expect((await readCandidates(single)).map(({ responses }) => responses.join(''))).toEqual(['xy']);
    await expect(readCandidates(write('few.jsonl', lines([{ prompt: 'a?', completion: 'x' }])))).rejects.toThrow('nothing to compare');
    await expect(readCandidates(write('no-list.jsonl', lines([{ prompt: 'a?', responses: 'x' }])))).rejects.toThrow('is no list of texts');
  });
});

/** A person who likes numbers and dislikes hedges, and does not care for questions. */
function person(rows: number): object[] {
  const random = createRandom('person');
  const word = (): string => ['perhaps', '7', 'water', 'stone', 'fire?'][random.int(5)]!;
  const text = (): string => ['It', ...Array.from({ length: 9 }, word)].join(' ');
  const value = (said: string): number => 0.8 * (said.match(/7/g) ?? []).length - 0.8 * (said.match(/perhaps/g) ?? []).length;
  return Array.from({ length: rows }, (_, i) => {
    const [a, b] = [text(), text()];
    const first = random.next() < 1 / (1 + Math.exp(value(b) - value(a)));
    return { prompt: `p${i}?`, chosen: first ? a : b, rejected: first ? b : a };
  });
}

describe('values', () => {
  const names = ['hedges', 'numbers', 'questionBack', 'apology'];

  it('are found with their signs; what never varies stays unknown', async () => {
    const { rows } = await readEvidence([write('person.jsonl', lines(person(120)))]);
    const { values } = await inferValues({ evidence: rows, features: await openFeatures(names), prior: 1 });
    expect(values).toMatchObject({ unknown: ['apology'], evidence: { comparisons: rows.length, demonstrations: 0, votes: 0 } });
    const z = values.mean.map((mean, k) => mean / Math.sqrt(values.covariance[k]![k]!));
    expect(z[0]).toBeLessThan(-3);
    expect(z[1]).toBeGreaterThan(3);
    expect(Math.abs(z[2]!)).toBeLessThan(2);
    // They foresee choices on prompts that they were not fitted to.
    expect(values.foresight!.right).toBeGreaterThan(0.7);
    expect(values.foresight!.logProbability).toBeGreaterThan(values.foresight!.atRandom + 0.1);
    expect(values.foresight!.atRandom).toBeCloseTo(-Math.log(2), 12);
  });

  it('of choices at random foresee nothing', async () => {
    const swapped = (person(120) as { prompt: string; chosen: string; rejected: string }[]).map((row, i) =>
      (createRandom('toss', i).int(2) === 0 ? row : { ...row, chosen: row.rejected, rejected: row.chosen }));
    const { rows } = await readEvidence([write('random.jsonl', lines(swapped))]);
    const { values } = await inferValues({ evidence: rows, features: await openFeatures(names), prior: 1 });
    expect(values.foresight!.right).toBeLessThan(0.62);
  });

  it('ask about what is not known yet', async () => {
    const { rows } = await readEvidence([write('some.jsonl', lines(person(60)))]);
    const candidate = (a: string, b: string) => ({ prompt: user('p?'), responses: [a, b] as const });
    const { questions } = await inferValues({
      evidence: rows, features: await openFeatures(names), prior: 1, ask: 3,
      candidates: [
        candidate('It is perhaps water.', 'It is water indeed.'), candidate('Sorry, it is water.', 'It is water indeed.'),
        candidate('It is fire.', 'It is wind.'),
      ],
    });
    // Nobody was ever seen to apologise; the last two have the same features.
    expect(questions.map(({ responses: [a] }) => a)).toEqual(['Sorry, it is water.', 'It is perhaps water.']);
    expect(questions[0]!.prediction.probability).toBeCloseTo(0.5, 6);
  });

  it('cannot be inferred from nothing, or from responses that are all alike', async () => {
    const features = await openFeatures(names);
    await expect(inferValues({ evidence: [], features, prior: 1 })).rejects.toThrow('nothing to infer from');
    const { rows } = await readEvidence([write('alike.jsonl', lines([{ prompt: 'a?', chosen: 'ash', rejected: 'oak' }]))]);
    await expect(inferValues({ evidence: rows, features, prior: 1 })).rejects.toThrow('All responses have the same features');
  });
});

describe('inferred: as a reward', () => {
  const values = (more: Partial<Values> = {}): string => {
    const file = join(folder, `values-${Object.keys(more).join('-')}.json`);
    writeFileSync(file, JSON.stringify({
      kind: 'heed values', features: [{ name: 'numbers', centre: 10, scale: 20 }, { name: 'questionBack', centre: 0.5, scale: 0.5 }],
      mean: [0.5, -1], covariance: [[0.04, 0.01], [0.01, 0.09]], prior: 1,
      evidence: { comparisons: 9, demonstrations: 0, votes: 0 }, unknown: [], ...more,
    } satisfies Values));
    return file;
  };
  const items = ['Take 5 of 10 now.', 'What now?'].map((response) => ({ prompt: user('How?'), response }));
  // φ = [(40 − 10) / 20, (0 − .5) / .5] = [1.5, −1] and [(0 − 10) / 20, 1] = [−.5, 1].
  const deviations = [Math.sqrt(2.25 * 0.04 - 2 * 1.5 * 0.01 + 0.09), Math.sqrt(0.25 * 0.04 - 2 * 0.5 * 0.01 + 0.09)];

  it('gives w · φ, less κ deviations', async () => {
    const plain = await openReward({ inferred: values() });
    expect(plain.drawsLine).toBe(false);
    const near = (value: number): number => expect.closeTo(value, 12) as number;
    expect(await plain.rate(items)).toEqual([
      { value: near(1.75), reason: null, satisfied: undefined, parts: { value: near(1.75), deviation: near(deviations[0]!) } },
      { value: near(-1.25), reason: null, satisfied: undefined, parts: { value: near(-1.25), deviation: near(deviations[1]!) } },
    ]);
    const careful = await openReward({ inferred: { file: values(), caution: 0.5 } });
    expect(await careful.rate(items)).toMatchObject([
      { value: near(1.75 - deviations[0]! / 2) }, { value: near(-1.25 - deviations[1]! / 2) },
    ]);
    expect(careful.name).not.toBe(plain.name);
  });

  it('draws a line where people voted, or where it is told to; its reason names what speaks against the response', async () => {
    const voted = await openReward({ inferred: values({ threshold: { mean: 0.25, deviation: 1 } }) });
    expect(voted.drawsLine).toBe(true);
    expect(await voted.rate(items)).toMatchObject([
      { satisfied: true, reason: null },
      {
        satisfied: false,
        reason: 'Its inferred value is -1.25, below 0.25; against it: asks a question (-1.00), numbers among a hundred words (-0.25).',
      },
    ]);
    const told = await openReward({ inferred: { file: values({ threshold: { mean: 0.25, deviation: 1 } }), threshold: -2 } });
    expect(await told.rate(items)).toMatchObject([{ satisfied: true }, { satisfied: true }]);
  });

  it('takes features of a module, and refuses them once the module was changed', async () => {
    const module = write('features.ts', `
      export const dots = ({ completions }) => completions.map((text) => text.split('.').length - 1);
    `);
    const { rows } = await readEvidence([write('dots.jsonl', lines(Array.from({ length: 12 }, (_, i) => (
      { prompt: `${i}?`, chosen: 'a. b. c.', rejected: `a${i}. b` }
    ))))]);
    const { values: found } = await inferValues({ evidence: rows, features: await openFeatures([`${module}#dots`]), prior: 1 });
    const file = write('dots.json', JSON.stringify(found));
    const reward = await openReward({ inferred: file });
    const [many, few] = await reward.rate(['a. b. c. d.', 'a'].map((response) => ({ ...items[0]!, response })));
    expect((many as { value: number }).value).toBeGreaterThan((few as { value: number }).value);
    writeFileSync(module, 'export const dots = ({ completions }) => completions.map(() => 1);\n');
    await expect(openReward({ inferred: file })).rejects.toThrow(/is not the one that inferred:.*dots\.json was inferred with/);
  });

  it('refuses files that heed infer did not write', async () => {
    await expect(openReward({ inferred: join(folder, 'absent.json') })).rejects.toThrow('absent.json');
    await expect(openReward({ inferred: write('text.json', 'so') })).rejects.toThrow('text.json is not JSON');
    const other = write('other.json', '{"kind": "heed values"}');
    await expect(openReward({ inferred: other })).rejects.toThrow(/other\.json is no file of heed infer: features/);
    await expect(openReward({ inferred: values({ mean: [1] }) })).rejects.toThrow('features, mean and covariance differ in length');
  });
});
