import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ConversationRow, PreferenceRow } from '../../src/data/rows.js';
import { demonstrationOf, selfPlay } from '../../src/loop/demonstrations.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

const { folder, write } = scratchFolder();
const talk = (line: number, ...turns: string[]): ConversationRow => ({
  source: { file: 'demos.jsonl', line }, id: `d${line}`,
  messages: turns.map((content, i) => ({ role: i % 2 === 0 ? 'user' as const : 'assistant' as const, content })),
});

describe('a demonstration', () => {
  it('is the last answer of a conversation, and its prompt is all before it', () => {
    const { prompt, response } = demonstrationOf(talk(1, 'Hi?', 'Hello.', 'And now?', 'Now this.'));
    expect(response).toBe('Now this.');
    expect(prompt.prompt.map(({ content }) => content)).toEqual(['Hi?', 'Hello.', 'And now?']);
  });

  it('answers a user: a conversation without one is refused by its line', () => {
    const alone: ConversationRow = { source: { file: 'demos.jsonl', line: 7 }, messages: [{ role: 'assistant', content: 'So.' }] };
    expect(() => demonstrationOf(alone)).toThrow(/^demos\.jsonl:7: the demonstration answers no turn of a user/);
  });
});

describe('the rows of self-play', () => {
  const demonstrations = [talk(1, 'One?', 'First.'), talk(2, 'Two?', 'Second.')].map(demonstrationOf);
  const [one, two] = demonstrations.map(({ prompt }) => prompt);
  const teach = async (...answers: (readonly [typeof one, number, string])[]) => (
    selfPlay(demonstrations).teach(answers.map(([prompt, sample, text]) => ({ prompt: prompt!, sample, text })), 'unused')
  );

  it('prefer the demonstration to the own answer', async () => {
    const { rows, report, words } = await teach([one, 0, 'Uh.'], [two, 0, 'Second']);
    expect((rows as PreferenceRow[]).map(({ id, chosen, rejected }) => [id, chosen, rejected]))
      .toEqual([['d1#0', 'First.', 'Uh.'], ['d2#0', 'Second.', 'Second']]);
    expect(report).toEqual({ equal: 0, repeated: 0 });
    expect(words).toBe('2 of 2 answers stand against a demonstration');
  });

  it('are none of answers that equal their demonstration, and one of equal answers to one prompt; both are counted', async () => {
    const { rows, report, words } = await teach([one, 0, ' First.\n'], [one, 1, 'Uh.'], [one, 2, 'Uh. '], [two, 0, 'First.']);
    expect((rows as PreferenceRow[]).map(({ rejected }) => rejected)).toEqual(['Uh.', 'First.']);
    expect(report).toEqual({ equal: 1, repeated: 1 });
    expect(words).toBe('2 of 4 answers stand against a demonstration, 1 equal it, 1 repeat another answer');
  });
});

describe('heed align with self-play', () => {
  let recipe: string;
  let rules: string;
  beforeAll(async () => {
    const model = await tinyTalker(folder, { context: 512 });
    rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
    const demos = Array.from({ length: 12 }, (_, i) => `${JSON.stringify({ prompt: `Why ${i}?`, completion: 'zz yy' })}\n`).join('');
    recipe = write('spin.yaml', `
model: ${model}
data: ${write('demos.jsonl', demos)}
rows: { make: self-play }
generate: { samples: 4, maxNewTokens: 8 }
loop: { iterations: 2, fresh: true }
evaluate: { prompts: ${write('held.jsonl', '{"prompt": "How?"}\n')}, reward: 'rules:${rules}', maxNewTokens: 6 }
method: { name: dpo, beta: 0.5, reference: round }
adapter: { rank: 2, alpha: 4, targets: [q_proj, down_proj] }
train: { steps: 3, batch: 4, learningRate: 2e-2, schedule: constant, checkpointEvery: 2 }
run: { dir: unused }
`);
  });
  const dirOf = (name: string): string => join(folder, name);
  const spin = async (name: string, ...more: string[]) => heed(['align', recipe, `run.dir=${dirOf(name)}`, '--json', ...more]);
  const steps = (name: string) => log(dirOf(name)).filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly step: number; readonly loss: number; readonly rewards_margin: number });

  it('plays each round against the policy as it began: the loss starts at ln 2 again; against the base it does not', async () => {
    const ran = await spin('round');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/round 1: \d+ of \d+ answers stand against a demonstration, .*answers were cut off or empty/);
    const [first, , third, fourth] = steps('round');
    for (const { loss, rewards_margin: margin } of [first!, fourth!]) {
      expect(loss).toBeCloseTo(Math.LN2, 5);
      expect(margin).toBeCloseTo(0, 5);
    }
    expect(third!.loss).toBeLessThan(Math.LN2 - 0.01);

    const base = await spin('base', 'method.reference=base');
    expect(base.code, base.err).toBe(0);
    expect(steps('base')[0]!.loss).toBeCloseTo(Math.LN2, 5);
    expect(Math.abs(steps('base')[3]!.rewards_margin)).toBeGreaterThan(0.01);
    const { rounds } = ran.json<{ rounds: { trainedOn: number; equal: number; answers: number; unfinished: number }[] }>();
    for (const { trainedOn, answers, unfinished, equal } of rounds) {
      expect(answers + unfinished).toBe(48);
      expect(trainedOn).toBeLessThanOrEqual(answers - equal);
      expect(trainedOn).toBeGreaterThan(0);
    }
  });

  it('killed in round 2 and resumed, it ends with the same numbers', async () => {
    const argv = ['align', recipe, `run.dir=${dirOf('killed')}`];
    expect((await heedStopped(argv, { how: 'SIGKILL', on: 'line', matching: '"step":6,' })).signal).toBe('SIGKILL');
    const resumed = await spin('killed', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(log(dirOf('killed'))).toEqual(log(dirOf('round')));
    expect(adapterBytes(dirOf('killed')).equals(adapterBytes(dirOf('round')))).toBe(true);
  });

  it('refuses other demonstrations on a resume', async () => {
    const file = join(folder, 'demos.jsonl');
    const before = readFileSync(file, 'utf8');
    write('demos.jsonl', before.replace('zz yy', 'zz ww'));
    const ran = await spin('round', '--resume');
    write('demos.jsonl', before);
    expect(ran.err).toMatch(/The prompts are not those/);
    expect(ran.code).toBe(2);
  });

  it.each<[string, string[], RegExp]>([
    ['a reward', ['reward=rules:x'], /reward.* means nothing here, because demonstrations teach/],
    ['no measure of held-out answers', ['evaluate.reward=null'], /evaluate\.reward/],
    ['a method of other rows', ['method={name: kto}'], /self-play makes rows of the kind "preference", but the method learns from "labelled"/],
    ['a stop by the watch', ['watch.stop=true'], /watch\.stop.* no reward rates the answers here/],
  ])('refuses %s', async (_, overrides, words) => {
    const ran = await spin(`refused-${overrides.join()}`.replace(/\W/g, '-'), ...overrides);
    expect(ran.err).toMatch(words);
    expect(ran.code).toBe(2);
  });
});
