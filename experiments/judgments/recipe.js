// @ts-check
// recipes/cut.yaml as it is shipped, on two tasks: raw answers, judgments of them by rules, CUT, and the rules again on prompts that
// nobody learnt from. No setting was chosen on either's held-out prompts, and none at all on the second task.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pairedDifference } from '@heed/heed';
import { lines, mixed, read } from '../shared/data.js';
import { ROOT, heed, quote } from '../shared/heed.js';

const HOUSE = 'examples/house-style';

/** The tasks: where the prompts lie, and the rules that judge and measure. */
const TASKS = {
  house: () => ({ rules: `${HOUSE}/house-style.rules.yaml`, train: `${HOUSE}/train.jsonl`, heldOut: `${HOUSE}/heldout.jsonl` }),
  /** Everyday questions: Alpaca's instructions without an input. */
  prose(dir) {
    const asked = mixed(read('alpaca_sft.jsonl').filter(({ input }) => input === '').map(({ instruction }) => ({ prompt: instruction })));
    const [train, heldOut] = [asked.slice(0, 96), asked.slice(96, 216)].map((rows, i) => {
      const file = join(dir, `prompts-${i}.jsonl`);
      writeFileSync(join(ROOT, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      return file;
    });
    return { rules: 'experiments/judgments/plain-prose.rules.yaml', train, heldOut };
  },
};

export const tasks = /** @type {(keyof typeof TASKS)[]} */ (Object.keys(TASKS));

/** Runs `heed` unless what it makes is there; then its result is read from the run. */
async function once(args, made) {
  if (existsSync(join(ROOT, made))) return;
  console.error(`heed ${args.map(quote).join(' ')}`);
  await heed(args);
}

/** @param {keyof typeof TASKS} task @param {string[]} set Settings that the recipe does not have. */
export async function recipeOn(task, set = []) {
  const dir = `runs/judgments/recipe-${task}`;
  mkdirSync(join(ROOT, dir), { recursive: true });
  const { rules, train, heldOut } = TASKS[task](dir);
  const answered = ['--judge', `rules:${rules}`, '--max-tokens', '96'];
  const raw = [11, 12].map((seed) => ({ seed, file: join(dir, `raw-${seed}.jsonl`) }));
  for (const { seed, file } of raw)
    await once(['evaluate', '--prompts', train, ...answered, '--temperature', '0.8', '--seed', String(seed), '-o', file], file);
  const run = join(dir, set.length === 0 ? 'shipped' : set.join(' ').replace(/[^\w.]+/g, '-'));
  await once(['train', 'recipes/cut.yaml', `data={ path: [${raw.map(({ file }) => file).join(', ')}] }`, ...set, `run.dir=${run}`],
    join(run, 'adapter/adapter_model.safetensors'));
  const { before, after, change } = (await heed([
    'evaluate', '--prompts', heldOut, ...answered, '--adapter', join(run, 'adapter'), '-o', join(run, 'held-out.jsonl'), '--overwrite',
  ])).result;
  const rows = lines(join(ROOT, run, 'held-out.jsonl'));
  const counts = (base) => rows.filter(({ by }) => (by === 'base') === base).map(({ findings }) => findings.length);
  const { rows: learnt, steps } = JSON.parse(readFileSync(join(ROOT, run, 'summary.json'), 'utf8'));
  return {
    what: `recipes/cut.yaml on answers to 96 prompts, two each, judged by ${rules}; the same rules measure on 120 others, greedy`,
    set, learnt, steps, before, after, change, findings: pairedDifference(counts(true), counts(false), { seed: 0 }),
    shown: change.satisfied.low > 0,
  };
}
