import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/judge/respondent.js';
import type { Answer } from '../../src/loop/answer-log.js';
import type { Rated } from '../../src/reward/reward.js';
import { heed } from '../cli/support.js';
import { type Behaviour, chatText, fail, faultyServer } from '../judge/faulty-server.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// A model as the judge of the loop: here a server that answers by a script. What it wrote is asked once, what it could not answer is never
// taken for praise.
const { folder, write } = scratchFolder();
const dirOf = (name: string): string => join(folder, name);

/** The response that a request shows between its second fences. */
const responseIn = (content: string): string => /Response:\n("+)\n([^]*?)\n\1\n\nSay what/.exec(content)![2]!;
const sum = (text: string): number => [...text].reduce((n, c) => n + c.codePointAt(0)!, 0);
const refuses = (response: string): boolean => sum(response) % 4 === 0;
const perfect = (response: string): boolean => sum(response) % 4 === 1;
const script: Behaviour = ({ body }, response) => {
  const shown = responseIn((body['messages'] as { content: string }[]).at(-1)!.content);
  if (refuses(shown)) return fail(response, 400, { error: { message: 'I would rather not say.' } });
  return chatText(perfect(shown) ? 'Perfect.' : `"${shown.slice(0, 3)}" is wrong.`);
};

let server: Awaited<ReturnType<typeof faultyServer>>;
let recipe: string;
let whole: { before: object; after: object; metric: string; rounds: { answers: number; unrated: Record<string, number> }[] };
const args = (name: string, ...more: string[]): string[] => [
  'align',
  recipe,
  `run.dir=${dirOf(name)}`,
  `store=${dirOf(`${name}.db`)}`,
  '--json',
  ...more,
];

let model: string;
beforeAll(async () => {
  server = await faultyServer(script);
  model = await tinyTalker(folder, { context: 2048 });
  const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', promptLines(40, 'Why'))}
judge: { endpoint: { url: "${server.url}", model: scripted, retries: 0, concurrency: 1 } }
label: judgments
allowedFailures: 0.6
generate: {maxNewTokens: 8}
loop: {iterations: 2}
evaluate: {prompts: ${write('held.jsonl', promptLines(4, 'How'))}, judge: 'rules:${rules}', maxNewTokens: 6}
method: {name: cut, ratio: null}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj], dropout: 0.1}
train: {steps: 3, batch: 4, learningRate: 1e-2, schedule: constant, checkpointEvery: 2}
run: {dir: unused}
store: unused.db
`);
  const ran = await heed(args('whole'));
  expect(ran.code, ran.err).toBe(0);
  whole = ran.json();
});

interface Kept { completion: string; result: Rated | Failure }
const roundOf = (name: string, k: number, file: string): string => join(dirOf(name), 'work', `round-${k}`, file);
/** The whole answers of a round in their order, each with what the judge said of it. */
function kept(name: string, k: number): Kept[] {
  const answers = log(join(dirOf(name), 'work', `round-${k}`), 'answers.jsonl')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
  const whole = answers
    .filter(({ finish, text }) => finish === 'stop' && text.trim() !== '')
    .sort((a, b) => a.row - b.row || a.sample - b.sample);
  const { results } = JSON.parse(readFileSync(roundOf(name, k, 'ratings.json'), 'utf8')) as { results: (Rated | Failure)[] };
  expect(results).toHaveLength(whole.length);
  return whole.map(({ text }, i) => ({ completion: text, result: results[i]! }));
}

function expectAsWhole(name: string): void {
  expect(log(dirOf(name))).toEqual(log(dirOf('whole')));
  expect(log(dirOf(name), 'samples.jsonl')).toEqual(log(dirOf('whole'), 'samples.jsonl'));
  expect(adapterBytes(dirOf(name)).equals(adapterBytes(dirOf('whole')))).toBe(true);
  for (const k of [1, 2]) expect(kept(name, k)).toEqual(kept('whole', k));
}

describe('heed align with a judge that is asked', () => {
  it('learns from what it writes; what it does not answer is counted and left out, never satisfactory', () => {
    for (const k of [1, 2]) {
      const all = kept('whole', k);
      const rated = all.flatMap(({ completion, result }) => ('failure' in result ? [] : [{ completion, ...result }]));
      const failures = all.flatMap(({ completion, result }) => ('failure' in result ? [{ completion, ...result }] : []));
      expect(rated.map(({ satisfied }) => satisfied)).toEqual(rated.map(({ completion }) => perfect(completion)));
      const bad = rated.filter(({ satisfied }) => satisfied !== true);
      expect(bad.map(({ reason }) => reason)).toEqual(bad.map(({ completion }) => `"${completion.slice(0, 3)}" is wrong.`));
      expect(failures.length).toBeGreaterThan(0);
      expect(
        failures.every(({ completion, failure, detail }) => refuses(completion) && failure === 'refused' && detail.includes('rather not')),
      ).toBe(true);
      expect(whole.rounds[k - 1]).toMatchObject({
        answers: rated.length,
        satisfied: rated.length - bad.length,
        unrated: { refused: failures.length },
      });
    }
  });

  it('is measured by the independent judge', () => {
    expect(whole.metric).toContain('tiny.rules.yaml');
    expect(whole.before).toMatchObject({ satisfied: { n: 4 } });
  });

  it('a server that goes down stops the run; resumed, it asks what is missing and ends at the same numbers', async () => {
    server.behave((asked, response, count) => (count < 7 ? script(asked, response, count) : fail(response, 503, 'down')));
    const down = await heed(args('down', 'allowedFailures=0.6'));
    expect(down.code).not.toBe(0);
    expect(down.err).toMatch(/of \d+ answers got no rating \(\d+\.\d %; allowedFailures is 60\.0 %\): server-error \d+/);
    const replied = new Set(server.asked.slice(0, 7).map(({ body }) => JSON.stringify(body['messages'])));
    server.behave(script);
    const resumed = await heed(args('down', '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(server.asked.some(({ body }) => replied.has(JSON.stringify(body['messages'])))).toBe(false);
    expect(resumed.json()).toMatchObject({ before: whole.before, after: whole.after, rounds: whole.rounds });
    expectAsWhole('down');
  });

  it('more failures than may be stop it; resumed, it stops at the same place, and goes on where more are allowed', async () => {
    server.behave(script);
    const few = await heed(args('few', 'allowedFailures=0.01'));
    expect(few.err).toMatch(/allowedFailures is 1\.0 %\): refused \d+\.[^]*If so many may fail: --resume allowedFailures=SHARE\./);
    const asked = server.asked.length;
    expect((await heed(args('few', 'allowedFailures=0.01', '--resume'))).err).toMatch(/allowedFailures is 1\.0 %\): refused \d+\./);
    expect(server.asked).toHaveLength(asked);
    // How the judge is asked may change, and who serves it beside `url`.
    const more = await faultyServer(script);
    const endpoint = `{ url: "${server.url}", replicas: ["${more.url}"], model: scripted, retries: 1, concurrency: 4, timeout: 60 }`;
    const resumed = await heed(args('few', 'allowedFailures=0.6', `judge={ endpoint: ${endpoint} }`, '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    const counts = [server.asked.length - asked, more.asked.length];
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const { asking } = resumed.json<{ asking: { asked: number; servers: object[] } }>();
    expect(asking.servers).toEqual([server, more].map(({ url }, i) => ({ url, answered: counts[i], putOff: 0, failed: 0 })));
    expect(asking.asked).toBe(counts[0]! + counts[1]!);
    expect(resumed.err).toContain(`${more.url}: ${counts[1]} requests answered, 0 put off, 0 failed`);
    expectAsWhole('few');
  });

  it('killed with all replies in the store and none in the run, it asks nothing twice and ends at the same numbers', async () => {
    server.behave(script);
    const killed = await heedStopped(args('killed'), { how: 'SIGKILL', on: 'rename', matching: 'round-1/ratings.json$' });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const before = server.asked.map(({ body }) => JSON.stringify(body['messages']));
    expect(before.length).toBeGreaterThan(0);
    expect(existsSync(roundOf('killed', 1, 'ratings.json'))).toBe(false);
    server.behave(script);
    await heedStopped(args('killed', '--resume'), { how: 'SIGKILL', on: 'line', matching: '^\\{"step":5,"round":2' });
    const resumed = await heed(args('killed', '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    const after = server.asked.map(({ body }) => JSON.stringify(body['messages']));
    expect(new Set([...before, ...after]).size).toBe(before.length + after.length);
    expect(resumed.json()).toMatchObject({ rounds: whole.rounds });
    expectAsWhole('killed');
  });

  it.each([
    ['without saying what to ask', ['label=null'], /label/],
    ['without an independent judge', ['evaluate={ prompts: x.jsonl }'], /evaluate\.judge.*its own marks would not show/],
    [
      'with the judge that teaches as the one that marks',
      ['judge={ rewardModel: { adapter: a } }', 'evaluate={ prompts: x.jsonl, judge: { rewardModel: { adapter: a } } }'],
      /label.*means nothing here, because rewardModel answers no questions[^]*this is the judge that teaches/,
    ],
    [
      'with a judge of held-out answers that has to be asked',
      ['evaluate={ prompts: x.jsonl, judge: { local: {} } }'],
      /held-out answers are judged as wholes/,
    ],
    ['with rules that are asked', ['judge=rules:x.yaml'], /label.*means nothing here, because rules answers no questions/],
  ])('refuses a recipe %s', async (_, overrides, message) => {
    const ran = await heed([
      ...args('refused').filter((word) => !(overrides[0] === 'label=null' && word.startsWith('label'))),
      ...overrides,
    ]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });

  it('a judge that cannot be opened is found out about before anything is answered', async () => {
    const ran = await heed(args('nobody', `judge={ local: { model: ${model}, adapter: ${dirOf('nowhere')} } }`));
    expect(ran.code).not.toBe(0);
    expect(ran.err).toMatch(/nowhere/);
    expect(ran.err).not.toMatch(/before:/);
    expect(existsSync(join(dirOf('nobody'), 'work', 'round-1'))).toBe(false);
  });

  it('refuses to go on with another judge', async () => {
    const file = roundOf('whole', 2, 'ratings.json');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(/"reward":"[^"]*"/, '"reward":"somebody else"'));
    const ran = await heed(args('whole', '--resume'));
    writeFileSync(file, before);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/The reward is judgments by endpoint:.* now; the ratings in .* are by somebody else/);
  });
});
