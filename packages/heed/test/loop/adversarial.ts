import { expect } from 'vitest';
import { heed } from '../cli/support.js';
import { type Stop, type StopAtEvent, adapterBytes, bytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// A tiny random model whose tokens are bytes. The demonstrations are printable text, and nothing but the critic says so. They are longer
// than answers may be, so that the critic cannot tell them by their end.
const TEXTS = [
  'the cat sat on a mat', 'a red hat and a coat', 'so it goes on and on', 'my old dog sleeps now', 'we met them in a park',
  'her big box of tools', 'no one ran to the bus', 'ten new pens for you',
];
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Options of a run of three rounds with few answers. */
export const SMALL = ['loop.iterations=3', 'generate.prompts=4', 'generate.samples=2', 'evaluate.limit=2'];

/** Writes a recipe of the adversarial loop, and functions that rate: `share` of printable characters, `short`. */
export async function writeAdversarial(
  folder: string, write: (name: string, content: string) => string,
): Promise<{ readonly recipe: string; readonly rewards: string; readonly model: string }> {
  const model = await tinyTalker(folder, { context: 512, leaning: 2 });
  const rewards = write('rewards.ts', `
type Given = { completions: readonly string[] };
const printable = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length;
export const share = ({ completions }: Given): number[] => completions.map((text) => printable(text) / Math.max(1, [...text].length));
export const short = ({ completions }: Given): number[] => completions.map((text) => -text.length / 100);
`);
  const demos = TEXTS.flatMap((completion, i) => [0, 1].map((j) => ({ prompt: `Why ${i}${j}?`, completion })));
  const held = lines(Array.from({ length: 24 }, (_, i) => ({ prompt: `How ${i}?` })));
  const recipe = write('adversarial.yaml', `
model: ${model}
data: ${write('demos.jsonl', lines(demos))}
adversary: {learningRate: 3e-3}
method: {name: rloo, beta: 0}
generate: {maxNewTokens: 12, prompts: 8, samples: 4}
loop: {iterations: 2}
evaluate: {prompts: ${write('held.jsonl', held)}, reward: '${rewards}#share', maxNewTokens: 12, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 3e-3, checkpointEvery: 2, keep: 1}
run: {dir: unused}
`);
  return { recipe, rewards, model };
}

/** Kills a run, resumes it, and compares it with the one that was never killed. */
export async function expectSameAfterKill({ argv, whole, dir, stop }: {
  readonly argv: readonly string[]; readonly whole: string; readonly dir: string; readonly stop: Stop | StopAtEvent;
}): Promise<void> {
  const killed = await heedStopped([...argv, `run.dir=${dir}`], stop);
  expect(killed.signal, killed.err).toBe('SIGKILL');
  const resumed = await heed([...argv, `run.dir=${dir}`, '--resume']);
  expect(resumed.code, resumed.err).toBe(0);
  for (const name of ['metrics.jsonl', 'rollouts.jsonl']) expect(log(dir, name), name).toEqual(log(whole, name));
  expect(adapterBytes(dir).equals(adapterBytes(whole))).toBe(true);
  for (const file of ['critic/adapter_model.safetensors', ...[1, 2, 3].map((k) => `work/round-${k}/critic.json`)])
    expect(bytes(dir, file).equals(bytes(whole, file)), file).toBe(true);
}
