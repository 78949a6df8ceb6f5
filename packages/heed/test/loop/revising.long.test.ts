import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { type Behaviour, chatText, fail, faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// Constitutional AI through `heed align`, with a server as the judge that follows a script.
const { folder, write } = scratchFolder();
const lines = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `${JSON.stringify({ id: `${word}-${i}`, prompt: `${word} ${i}?` })}\n`).join('');

const RULE = /The rule: (\w+)\./;
const contentOf = (body: Readonly<Record<string, unknown>>): string => (body['messages'] as { content: string }[]).at(-1)!.content;
/** The text between the fences after a heading. */
const fenced = (content: string, heading: string): string => new RegExp(`${heading}:\n("+)\n([^]*?)\n\\1\n`).exec(content)![2]!;
const sum = (text: string): number => [...text].reduce((n, c) => n + c.codePointAt(0)!, 0);
/** Every fourth answer is fine by the judge; the others are criticised and rewritten. */
const fine = (response: string): boolean => sum(response) % 4 === 0;
const script: Behaviour = ({ body }) => {
  const content = contentOf(body);
  const [, rule] = RULE.exec(content)!;
  const shown = fenced(content, 'Response');
  if (content.includes('Rewrite the response')) return chatText(`By ${rule}: ${shown.length}.`);
  return chatText(fine(shown) ? 'Nothing to mend.' : `"${shown.slice(0, 2)}" breaks ${rule}.`);
};

let server: Awaited<ReturnType<typeof faultyServer>>;
let recipe: string;
beforeAll(async () => {
  server = await faultyServer(script);
  const model = await tinyTalker(folder, { context: 2048 });
  const principles = write('principles.yaml', ['Short', 'Plain'].map((name) =>
    `- {name: ${name}, text: 'The answer is ${name}.', negation: 'The answer is not ${name}.'}\n`).join(''));
  const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', lines(40, 'Why'))}
judge: { endpoint: { url: "${server.url}", model: scripted, retries: 3, backoff: 0.001, concurrency: 1 } }
label: { name: revisions, principles: ${principles}, rounds: 1 }
generate: { maxNewTokens: 8 }
loop: { iterations: 2 }
evaluate: { prompts: ${write('held.jsonl', lines(2, 'How'))}, reward: 'rules:${rules}', maxNewTokens: 6 }
method: { name: dpo }
adapter: { rank: 2, alpha: 4, targets: [q_proj, down_proj] }
train: { steps: 2, batch: 4, learningRate: 1e-2, schedule: constant }
run: { dir: unused }
`);
});

const dirOf = (name: string): string => join(folder, name);
const align = async (name: string, ...more: string[]) =>
  heed(['align', recipe, `run.dir=${dirOf(name)}`, `store=${dirOf(`${name}.db`)}`, '--json', ...more]);
interface Round { answers: number; revised: number; unchanged: number; trainedOn: number; unrevised: Record<string, number> }
interface Taught { made: { more: { preferences: { id: string; prompt: string; chosen: string; rejected: string }[] } } }
const taught = (name: string, k: number): Taught =>
  JSON.parse(readFileSync(join(dirOf(name), 'work', `round-${k}`, 'taught.json'), 'utf8')) as Taught;
const expectAsWhole = (name: string): void => {
  expect(log(dirOf(name))).toEqual(log(dirOf('whole')));
  expect(adapterBytes(dirOf(name)).equals(adapterBytes(dirOf('whole')))).toBe(true);
};

describe('heed align with revisions', () => {
  it('learns to prefer the revision to the answer; an answer with nothing to mend is no pair', async () => {
    const ran = await align('whole');
    expect(ran.code, ran.err).toBe(0);
    const { rounds } = ran.json<{ rounds: Round[] }>();
    for (const [i, { answers, revised, unchanged, trainedOn, unrevised }] of rounds.entries()) {
      const { preferences } = taught('whole', i + 1).made.more;
      expect(preferences.length).toBe(revised);
      for (const { chosen, rejected } of preferences) {
        expect(fine(rejected)).toBe(false);
        expect(chosen).toMatch(new RegExp(`^By (Short|Plain): ${rejected.length}\\.$`));
      }
      expect(revised + unchanged).toBe(answers);
      expect([trainedOn, unrevised]).toEqual([revised, {}]);
    }
    // Each answer is held to a principle that was drawn for it: both are.
    const drawn = [1, 2].flatMap((k) => taught('whole', k).made.more.preferences.map(({ chosen }) => chosen.split(':')[0]));
    expect(new Set(drawn)).toEqual(new Set(['By Short', 'By Plain']));
  });

  it('waits with a growing pause while the server is busy, and ends at the same numbers', async () => {
    server.behave((asked, response, count) => (count % 3 === 1 ? fail(response, 503, 'busy') : script(asked, response, count)));
    const busy = await align('busy');
    server.behave(script);
    expect(busy.code, busy.err).toBe(0);
    expectAsWhole('busy');
  });

  it('stops where the server stays away in mid-round, and resumed asks what is missing and ends at the same numbers', async () => {
    server.behave((asked, response, count) => (count < 9 ? script(asked, response, count) : fail(response, 503, 'down')));
    const down = await align('down');
    expect(down.code).toBe(2);
    expect(down.err).toMatch(/of \d+ answers got no revision \(.*allowedFailures is 5\.0 %\): server-error \d+[^]*tried 4 times[^]*--resume/);
    const replied = new Set(server.asked.slice(0, 9).map(({ body }) => contentOf(body)));
    server.behave(script);
    const resumed = await align('down', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(server.asked.filter(({ body }) => replied.has(contentOf(body)))).toEqual([]);
    expectAsWhole('down');
  });

  it('imitates the revisions with sft, and learns critique and revision with ilf', async () => {
    for (const name of ['sft', 'ilf']) {
      const ran = await align(name, `method=${name}`, 'loop.iterations=1');
      expect(ran.code, ran.err).toBe(0);
      const [{ answers, revised, trainedOn }] = ran.json<{ rounds: [Round] }>().rounds;
      // A conversation for every answer; a refined row for every revision.
      expect(trainedOn).toBe(name === 'sft' ? answers : revised);
    }
  });

  it.each<[string, string[], RegExp]>([
    ['a method of other rows', ['method=kto'], /label: revisions makes pairs, conversations and refined rows, but the method learns from "labelled"/],
    ['rows', ['rows={make: pairs}'], /"rows".* label: revisions makes the rows; leave it out/],
    ['critiques that nobody gave', ['label.critique=given'], /label\.critique/],
    ['ilf without critiques', ['method=ilf', 'label.critique=none'], /label\.critique: none asks for no critiques/],
    ['the judge as its own measure', ['evaluate.reward=null'], /evaluate/],
  ])('refuses %s', async (_, overrides, words) => {
    const ran = await align(`refused-${overrides.join()}`.replace(/\W/g, '-'), ...overrides);
    expect(ran.err).toMatch(words);
    expect(ran.code).toBe(2);
  });
});
