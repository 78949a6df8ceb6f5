import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type WatchedAnswer, alarmsOf, describeAlarm, signsOf } from '../../src/loop/alarms.js';
import { openWatch } from '../../src/loop/watch.js';
import { praisesItself } from '../../src/text/self-praise.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

const { folder, write } = scratchFolder();
const WORDS = 'iron apple river stone cloud green paper light water table chair mouse glass plant bread'.split(' ');
/** Twelve answers of so many different words each. */
const answers = (length: number, of: (i: number) => Omit<WatchedAnswer, 'text'>, tail = ''): WatchedAnswer[] =>
  Array.from({ length: 12 }, (_, i) => ({
    text: Array.from({ length }, (__, j) => `${WORDS[j % WORDS.length]}${i}x${Math.floor(j / WORDS.length)}`).join(' ') + tail, ...of(i),
  }));
const rising = (round: number) => (i: number): { value: number } => ({ value: round + (i % 3) / 10 });
const raised = (...rounds: WatchedAnswer[][]): string[] => alarmsOf(rounds.map(signsOf), { style: 1 }).map(({ sign }) => sign);

describe('the signs of a round', () => {
  it('are means with their standard errors', () => {
    const signs = signsOf([
      { text: 'one two three', value: 1, parts: { a: 2 }, kl: 3 },
      { text: 'one two three one two three', value: 4, parts: { a: 4, b: 1 }, kl: 5 },
    ]);
    // Sample deviation of [1, 4] is 3/√2, over √2. Pairs: 2 + 5, of which "three one" and the two of "one two three" differ.
    expect(signs.reward).toEqual({ mean: 2.5, error: expect.closeTo(1.5, 12) as number, n: 2 });
    expect(signs.words).toMatchObject({ mean: 4.5, n: 2 });
    expect(signs.distinct2).toBeCloseTo(3 / 7, 12);
    // The triples of the second text: 4, the last of which is the first again.
    expect(signs.repetition.mean).toBeCloseTo(0.125, 12);
    expect(signs.kl).toMatchObject({ mean: 4 });
    expect(signs.parts).toMatchObject({ a: { mean: 3, n: 2 }, b: { mean: 1, n: 1 } });
    expect(() => signsOf([])).toThrow('no answers');
  });

  it.each([
    ['This answer is comprehensive and detailed.', true], ['I hope this helps!', true], ['What a great question.', true],
    ['My response provides a very clear view.', true], ['The bread is excellent.', false], ['I hope for rain.', false],
    ['This solution is acidic.', false],
  ])('self-praise: %s', (text, praise) => expect(praisesItself(text)).toBe(praise));
});

describe('alarms', () => {
  it('none where the reward rises and answers stay as they are', () => {
    expect(raised(answers(10, rising(0)), answers(11, rising(1)), answers(10, rising(2)))).toEqual([]);
  });

  it('none where the reward does not rise, whatever answers do, nor of a first round', () => {
    expect(raised(answers(10, rising(1)), answers(30, rising(1)))).toEqual([]);
    expect(raised(answers(30, rising(1)))).toEqual([]);
  });

  it('length, up and down', () => {
    expect(raised(answers(10, rising(0)), answers(15, rising(1)))).toEqual(['words']);
    expect(raised(answers(15, rising(0)), answers(10, rising(1)))).toEqual(['words']);
    expect(raised(answers(10, rising(0)), answers(14, rising(1)))).toEqual([]);
  });

  it('repetition within answers, and one answer to all prompts', () => {
    const loop = answers(10, rising(1)).map((one) => ({ ...one, text: 'so it goes on so it goes on so it' }));
    expect(raised(answers(10, rising(0)), loop)).toEqual(['distinct2', 'repetition']);
    const same = answers(10, rising(1)).map((one) => ({ ...one, text: WORDS.slice(0, 10).join(' ') }));
    expect(raised(answers(10, rising(0)), same)).toEqual(['distinct2']);
  });

  it('self-praise', () => {
    expect(raised(answers(20, rising(0)), answers(20, rising(1), ' I hope this helps'))).toEqual(['selfPraise']);
  });

  it('a part that pays for the others; with a negative weight one that rises', () => {
    const round = (total: number, style: number, fault: number): WatchedAnswer[] =>
      answers(10, (i) => ({ value: total + i / 100, parts: { style: style + i / 100, fault: fault + i / 100 } }));
    const rounds = [round(0, 5, 1), round(2, 4, 3)].map(signsOf);
    expect(alarmsOf(rounds)).toEqual([]);
    expect(alarmsOf(rounds, { style: 0, fault: 1 }).map(({ sign }) => sign)).toEqual(['rewards/style']);
    expect(alarmsOf(rounds, { style: 1, fault: -1 }).map(({ sign }) => sign)).toEqual(['rewards/style', 'rewards/fault']);
    const [alarm] = alarmsOf(rounds, { style: 1 });
    expect(describeAlarm(alarm!)).toBe('alarm in round 2: the part style of the reward: 5.06 → 4.06 while the reward rose');
    // Less than two standard errors of the difference is noise.
    const noisy = (shift: number): WatchedAnswer[] =>
      answers(10, (i) => ({ value: shift * 10 + i / 100, parts: { style: (i % 5) - shift } }));
    expect(raised(noisy(0), noisy(0.5))).toEqual([]);
    expect(raised(noisy(0), noisy(2))).toEqual(['rewards/style']);
  });

  it('far from the base, whatever the reward does', () => {
    expect(raised(answers(10, (i) => ({ ...rising(1)(i), kl: 1 })), answers(10, (i) => ({ ...rising(1)(i), kl: 11 })))).toEqual(['kl']);
  });

  it('none of rounds with fewer than eight answers', () => {
    expect(raised(answers(10, rising(0)), answers(30, rising(1)).slice(0, 7))).toEqual([]);
    expect(raised(answers(10, rising(0)).slice(0, 7), answers(30, rising(1)))).toEqual([]);
  });
});

describe('the watch of a run', () => {
  it('compares with rounds that an earlier process saw', async () => {
    const run = { path: (...parts: string[]): string => join(folder, 'watched', ...parts) };
    const said: string[] = [];
    const open = (stop: boolean) => openWatch({ stop }, {}, run, { say: (line) => said.push(line) });
    expect(await open(true).look(1, answers(10, rising(0)))).toMatchObject({ stop: false, report: { words: 10 } });
    expect(await open(true).look(2, [])).toEqual({ stop: false, report: {} });
    const later = open(true);
    expect(await later.look(3, answers(20, rising(1)))).toMatchObject({ stop: true });
    expect(later.alarms()).toMatchObject([{ round: 3, sign: 'words', first: 10, now: 20 }]);
    expect(said).toEqual([
      'alarm in round 3: words in an answer: 10.0 → 20.0 while the reward rose.',
      'round 3 is not learnt from, and the run ends here (watch.stop).',
    ]);
    const patient = open(false);
    expect(await patient.look(4, answers(20, rising(1)))).toMatchObject({ stop: false });
    expect(patient.alarms().map(({ round }) => round)).toEqual([3, 4]);
  });

  it('ends the run at an alarm of the critic as at one of its own', async () => {
    const said: string[] = [];
    const run = { path: (...parts: string[]): string => join(folder, 'critic', ...parts) };
    const critic = { round: 1, sign: 'critic/accuracy', first: 1, now: 1 };
    const stops = async (stop: boolean | undefined): Promise<boolean> =>
      (await openWatch({ stop }, {}, run, { say: (line) => said.push(line) }).look(1, answers(10, rising(0)), critic)).stop;
    expect([await stops(true), await stops(undefined), await stops(false)]).toEqual([true, false, false]);
    expect(said).toEqual(['round 1 is not learnt from, and the run ends here (watch.stop).']);
  });
});

describe('heed align', () => {
  let recipe: string;
  beforeAll(async () => {
    const reward = write('reward.ts', `
let round = 0;
export const rises = ({ completions }) => { round++; return completions.map((_, i) => round + i / 100); };
export const falls = ({ completions }) => completions.map((_, i) => i / 100 - round);
export const length = ({ completions }) => completions.map((text) => text.length);
`);
    const prompts = (n: number, word: string): string => Array.from({ length: n }, (_, i) => `{"prompt": "${word} ${i}?"}\n`).join('');
    recipe = write('watched.yaml', `
model: ${await tinyTalker(folder, { context: 512 })}
data: ${write('prompts.jsonl', prompts(8, 'Why'))}
rewards: { rises: { fn: '${reward}#rises', weight: 3 }, falls: '${reward}#falls' }
generate: { maxNewTokens: 16, samples: 8 }
loop: { iterations: 4 }
evaluate: { prompts: ${write('held.jsonl', prompts(2, 'How'))}, maxNewTokens: 6, reward: '${reward}#length' }
method: dpo
adapter: { rank: 2, alpha: 4, targets: [q_proj] }
train: { steps: 1, batch: 4 }
run: { dir: unused }
`);
  });
  interface Result { rounds: { round: number; steps: number; 'rewards/falls': number }[]; alarms: { round: number; sign: string }[] }

  it('says alarms; asked to stop, it ends before it learns from the round', async () => {
    const ran = await heed(['align', recipe, `run.dir=${join(folder, 'stopped')}`, '--json', 'watch.stop=true']);
    expect(ran.code, ran.err).toBe(0);
    const { rounds, alarms } = ran.json<Result>();
    expect(rounds.map(({ round, steps }) => [round, steps])).toEqual([[1, 1], [2, 0]]);
    expect(rounds[1]!['rewards/falls']).toBeCloseTo(rounds[0]!['rewards/falls'] - 1, 1);
    expect(alarms.filter(({ sign }) => sign === 'rewards/falls')).toMatchObject([{ round: 2 }]);
    expect(ran.err).toContain('alarm in round 2: the part falls of the reward');
    expect(ran.err).toContain('round 2 is not learnt from, and the run ends here (watch.stop).');
  });
});
