import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/run/random.js';
import { heed } from '../cli/support.js';
import { promptLines, sampleRows } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, bytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// Killed at random moments, a run goes on to the same numbers, bit for bit. HEED_TEST_KILLS=30 kills that often, in all kinds of run.
const KILLS = Number(process.env['HEED_TEST_KILLS'] ?? 4);
const { folder, write } = scratchFolder();

/** Rows of a kind as lines of a file. */
const lines = (kind: 'judged' | 'negative'): string => sampleRows(kind).map((row) => {
  const { prompt } = row as unknown as { prompt: { content: string }[] };
  return `${JSON.stringify({ ...row, source: undefined, prompt: prompt[0]!.content, positives: undefined })}\n`;
}).join('');

/** What every recipe here shares; a checkpoint every second step, and older ones removed. */
const shared = (train: string): string => `
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj], dropout: 0.1}
train: {batch: 4, microBatch: 2, learningRate: 1e-2, schedule: cosine, warmup: 1, checkpointEvery: 2, keep: 1, ${train}}
run: {dir: unused}
`;
const recipes: Record<string, string> = {};
beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512 });
  const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  recipes['train'] = write('train.yaml', `
model: ${model}
data: {path: ${write('judged.jsonl', lines('judged'))}, eval: 2}
method: {name: cut, ratio: null}
${shared('steps: 6')}`);
  recipes['rows'] = write('rows.yaml', `
model: ${model}
data: {path: ${write('negative.jsonl', lines('negative'))}, junk: skip}
method: {name: d2o, k: 1, rPlus: {every: 1, rate: 0.5}, rMinus: {every: 2, rate: 0.25}}
rows: {make: self-correct, every: 1, samples: 4, maxNewTokens: 8}
${shared('steps: 4')}`);
  recipes['align'] = write('align.yaml', `
model: ${model}
data: ${write('prompts.jsonl', promptLines(16, 'Why'))}
reward: rules:${rules}
generate: {maxNewTokens: 8, samples: 2}
loop: {iterations: 3}
evaluate: {prompts: ${write('held.jsonl', promptLines(4, 'How'))}, maxNewTokens: 6}
method: {name: cut, ratio: null}
${shared('steps: 3')}`);
  recipes['rollouts'] = write('rollouts.yaml', rollouts(model, rules));
});

/** Policy gradient with a value head, a KL penalty, a constraint, and two steps a round. */
const rollouts = (model: string, rules: string): string => `
model: ${model}
data: ${write('asked.jsonl', promptLines(6, 'Why'))}
reward: rules:${rules}
constraints: [{name: long, cost: {fn: '${write('long.ts', `
export const long = ({ completions }: { completions: readonly string[] }): number[] => completions.map((text) => text.length / 8);
`)}#long'}, limit: 0.5}]
generate: {maxNewTokens: 8, prompts: 3, samples: 2}
loop: {iterations: 4}
evaluate: {prompts: ${write('kept.jsonl', promptLines(4, 'How'))}, maxNewTokens: 6}
method: {name: ppo}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {batch: 2, microBatch: 1, learningRate: 1e-2, schedule: cosine, warmup: 1, checkpointEvery: 3, keep: 1}
run: {dir: unused}
`;

/** How many of the kills go to a kind of run. */
const QUARTER = Math.round(KILLS / 4);
const CASES = { train: QUARTER, rows: QUARTER, rollouts: QUARTER, align: KILLS - 3 * QUARTER };

/** What the policy wrote and the reward said, by kind of run. A kill changes the order in which answers are finished, and nothing else. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  rows: ['train', 'step-1', 'step-2', 'step-3'].map((round) => `work/rows/${round}/answers.jsonl`),
  rollouts: [
    'rollouts.jsonl',
    ...[1, 2, 3, 4].flatMap((k) =>
      ['answers.jsonl', 'ratings.json', 'costs-long.json', 'multipliers.json', 'readings.json', 'totals.json']
        .map((file) => `work/round-${k}/${file}`)),
  ],
  align: [1, 2, 3].flatMap((k) => ['answers.jsonl', 'ratings.json'].map((file) => `work/round-${k}/${file}`)),
};
const sorted = (dir: string, file: string): string[] => bytes(dir, file).toString().split('\n').sort();

/** What a summary says but for time and memory, and for what is counted since a resume. */
function summaryOf(dir: string): object {
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;
  for (const name of ['seconds', 'trainingSeconds', 'peakRssMb', 'tokens', 'resumedFrom']) delete summary[name];
  return summary;
}

/** What a run was doing at an event. */
function phaseOf(event: string): string {
  if (event.startsWith('line')) return event.includes('"row":') ? 'answering' : 'learning';
  return event.includes('ratings.json') ? 'rating' : 'saving';
}

/** The events to kill at: of each phase in turn while it has any left, in an order that a seed names. */
function choose(events: readonly string[], count: number, name: string): number[] {
  const phases = [...new Set(events.map(phaseOf))];
  const queues = phases.map((phase) => {
    const places = events.flatMap((event, i) => (phaseOf(event) === phase ? [i] : []));
    return createRandom('kills', name, phase).shuffle(places);
  });
  const turns = Array.from({ length: Math.max(...queues.map(({ length }) => length)) }, (_, turn) =>
    queues.flatMap((queue) => queue[turn] ?? []),
  );
  return turns.flat().slice(0, count);
}

describe.each(Object.entries(CASES))('heed %s', (name, count) => {
  const job = name === 'align' || name === 'rollouts' ? 'align' : 'train';
  const dirOf = (what: string): string => join(folder, `${name}-${what}`);
  const args = (what: string, ...more: string[]): string[] => [job, recipes[name]!, `run.dir=${dirOf(what)}`, ...more];
  let events: string[];

  beforeAll(async () => {
    const list = join(folder, `${name}.events.json`);
    const ran = await heedStopped(args('whole'), { list });
    expect(ran.code, ran.err).toBe(0);
    events = JSON.parse(readFileSync(list, 'utf8')) as string[];
  });

  it(`killed at ${count} moments, goes on to the same numbers`, async () => {
    const whole = dirOf('whole');
    const moments = choose(events, count, name);
    expect(new Set(moments).size).toBe(count);
    const phases = name === 'align' && count >= 4 ? ['answering', 'learning', 'rating', 'saving'] : [];
    expect([...new Set(moments.map((nth) => phaseOf(events[nth]!)))].sort()).toEqual(expect.arrayContaining(phases));
    for (const nth of moments) {
      const what = `killed at event ${nth}: ${events[nth]!.slice(0, 120)}`;
      const killed = await heedStopped(args(String(nth)), { how: 'SIGKILL', nth });
      expect(killed.signal, `${what}\n${killed.err}`).toBe('SIGKILL');
      const resumed = await heed(args(String(nth), '--resume'));
      expect(resumed.code, `${what}\n${resumed.err}`).toBe(0);
      const dir = dirOf(String(nth));
      expect(log(dir), what).toEqual(log(whole));
      expect(log(dir, 'samples.jsonl'), what).toEqual(log(whole, 'samples.jsonl'));
      expect(adapterBytes(dir).equals(adapterBytes(whole)), what).toBe(true);
      expect(summaryOf(dir), what).toEqual(summaryOf(whole));
      for (const file of KEPT[name] ?? []) expect(sorted(dir, file), what).toEqual(sorted(whole, file));
    }
  }, Math.max(4, count) * 30_000);
});
