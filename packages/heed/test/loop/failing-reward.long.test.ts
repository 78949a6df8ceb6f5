import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// A reward that fails in the middle of a run stops it, and what was done before is kept: resumed, the run ends with the numbers of one
// whose reward never failed. The same for every loop that a reward teaches.
const { folder, write } = scratchFolder();
const fault = join(folder, 'fault');
let recipe: string;
beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512 });
  // The reward fails where a file says how, from its third call on: the first rates held-out answers, the second round 1.
  const reward = write('reward.js', `
import { existsSync, readFileSync } from 'node:fs';
let calls = 0;
export const letters = ({ completions }) => {
  calls = existsSync('${fault}') ? calls + 1 : 0;
  const how = calls > 2 ? readFileSync('${fault}', 'utf8') : '';
  if (how === 'never') return new Promise(() => {});
  if (how === 'throw') throw new Error('the service is away');
  return completions.map((text, i) => (how === 'NaN' && i === 1 ? NaN : [...text].filter((c) => c > 'm').length));
};
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', Array.from({ length: 8 }, (_, i) => `{"prompt": "Why ${i}?"}\n`).join(''))}
reward: ${reward}#letters
generate: { samples: 8, maxNewTokens: 8 }
loop: { iterations: 2 }
evaluate: { prompts: ${write('held.jsonl', '{"prompt": "How?"}\n{"prompt": "Who?"}\n')}, maxNewTokens: 6 }
method: dpo
adapter: { rank: 2, alpha: 4, targets: [q_proj] }
train: { batch: 4, learningRate: 1e-2, schedule: constant }
run: { dir: unused }
`);
});

const dirOf = (name: string): string => join(folder, name);
const align = async (name: string, loop: readonly string[], ...more: string[]) =>
  heed(['align', recipe, `run.dir=${dirOf(name)}`, ...loop, ...more]);

describe.each<[string, string[]]>([
  ['online-dpo', ['rows={make: pairs}']],
  ['best-of-n', ['rows={make: best-of-n}', 'method=sft']],
  ['rloo', ['method=rloo', 'generate.prompts=4']],
])('%s with a reward that fails in round 2', (name, loop) => {
  it('stops, names the function and keeps round 1; resumed, it ends with the same numbers', async () => {
    rmSync(fault, { force: true });
    const whole = await align(`${name}-whole`, loop);
    expect(whole.code, whole.err).toBe(0);

    writeFileSync(fault, 'throw');
    const thrown = await align(`${name}-failed`, loop);
    expect(thrown.code).toBe(2);
    expect(thrown.err).toMatch(/The reward function .*reward\.js#letters .* failed: .*the service is away/);
    expect(existsSync(join(dirOf(`${name}-failed`), 'work', 'round-2', 'answers.jsonl'))).toBe(true);

    rmSync(fault);
    const resumed = await align(`${name}-failed`, loop, '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(log(dirOf(`${name}-failed`))).toEqual(log(dirOf(`${name}-whole`)));
    expect(adapterBytes(dirOf(`${name}-failed`)).equals(adapterBytes(dirOf(`${name}-whole`)))).toBe(true);
  });
});

it('a reward that gives NaN stops the run, and names the value and the response', async () => {
  writeFileSync(fault, 'NaN');
  const ran = await align('nan', []);
  rmSync(fault);
  expect(ran.code).toBe(2);
  expect(ran.err).toMatch(/returned NaN for response 2 of \d+; expected a finite number or null[^]*The response: "/);
});

it('a reward that never answers stops the run, in place of an end without a word', async () => {
  writeFileSync(fault, 'never');
  const ran = await heedStopped(['align', recipe, `run.dir=${dirOf('never')}`], { list: join(folder, 'events') });
  rmSync(fault);
  expect(ran.code).toBe(2);
  expect(ran.err).toMatch(/The reward function .*reward\.js#letters .* never answers\.[^]*a promise that nothing settles/);
});
