import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine } from '@heed/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadController } from '../../src/control/file.js';
import { openControlled } from '../../src/control/open.js';
import { openGenerator } from '../../src/generate/open.js';
import { summarise } from '../../src/loop/control/grid.js';
import { type ControlSummary, runControl } from '../../src/loop/control/job.js';
import { CONTROL_FILES, ControlRecipe } from '../../src/loop/control/recipe.js';
import { loadModel } from '../../src/model/load.js';
import { openRun } from '../../src/run/folder.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { Interrupted } from '../../src/run/signals.js';
import { openVoices } from '../../src/serve/voices.js';
import { alpacaTemplate } from '../../src/text/template.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

const { folder } = scratchFolder();
let recipe: string;
let model: string;
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const prompts = (name: string, word: string, n: number): string =>
  write(name, Array.from({ length: n }, (_, i) => `${JSON.stringify({ prompt: `${name[0]} ${word.repeat(1 + i)}?` })}\n`).join(''));

const taskOf = (name: string): string =>
  `  ${name}: { data: ${prompts(`${name}.jsonl`, 'ab', 9)}, reward: ${join(folder, 'rewards.ts')}#${name}, `
  + `heldOut: ${prompts(`${name}-held.jsonl`, 'ba', 4)} }`;

beforeAll(async () => {
  model = await tinyTalker(folder);
  // One task pays for long answers, the other for short ones: no fixed action is good at both.
  write('rewards.ts', `
    export const long = ({ completions }) => completions.map((text) => Math.min(1, text.length / 8));
    export const middling = ({ completions }) => completions.map((text) => Number(text.length > 0 && text.length < 4));
    export const short = ({ completions }) => completions.map((text) => 1 - Math.min(1, text.length / 8));
  `);
  recipe = write('control.yaml', `
model: ${model}
tasks:
${['long', 'short'].map(taskOf).join('\n')}
actions:
  some: { temperature: 1, endBias: { add: 1000, after: 3 } }
  stop: { temperature: 1, endBias: { add: 1000, after: 1 } }
  go: { temperature: 1, endBias: { add: -1000, after: 0 } }
generate: { maxNewTokens: 8, prompts: 6, samples: 4 }
grid: { prompts: 0.3, samples: 2 }
learn: { rounds: 14, learningRate: 0.02, hidden: [8, 8], components: 4, prior: 0.4 }
evaluate: { samples: 2 }
`);
});

const open = async (name: string, { resume = false } = {}) => {
  const loaded = await loadRecipe(recipe, [`run.dir=${join(folder, name)}`], ControlRecipe);
  return { recipe: loaded.recipe, run: await openRun(loaded.recipe.run.dir, { recipe: loaded.text, resume, files: CONTROL_FILES }) };
};
const read = (run: string, ...file: string[]): string => readFileSync(join(folder, run, ...file), 'utf8');
const steady = (text: string): unknown =>
  JSON.parse(text, (key, value: unknown) => (['seconds', 'peakRssMb', 'resumedFrom'].includes(key) ? undefined : value));

describe('heed control', () => {
  let whole: ControlSummary;

  it('learns per task what no fixed action can do, and says how much it gained', async () => {
    const ran = await heed(['control', recipe, `run.dir=${join(folder, 'whole')}`, '--json']);
    expect(ran.code, ran.err).toBe(0);
    whole = ran.json<ControlSummary>();
    const { tasks, headroom, policy, change, before, after } = whole;
    // By the rewards' own definition an answer of 8 tokens earns about 1 in the one task, one of 1 token in the other.
    expect([tasks['long']!.best, tasks['short']!.best]).toEqual(['go', 'stop']);
    expect(headroom.worthwhile).toBe(true);
    expect(headroom.headroom).toBeGreaterThan(0.2);
    expect(policy.actions).toEqual({ some: 0, stop: 0.5, go: 0.5 });
    expect(policy.agreement).toBeLessThan(1);
    expect(change['value']!.low).toBeGreaterThan(0.1);
    expect((after['value'] as { mean: number }).mean - (before['value'] as { mean: number }).mean).toBeCloseTo(change['value']!.mean, 10);
    for (const { own, after: reached } of Object.values(tasks)) expect(reached).toBeCloseTo(own, 10);
    expect(whole.rounds).toHaveLength(14);
    expect(ran.err).toContain('The best fixed action on 6 validation prompts is');
    expect(existsSync(join(folder, 'whole', 'report.html'))).toBe(true);
  });

  it('goes on to the same bits after a stop', async () => {
    const { recipe: given, run } = await open('stopped');
    const interrupt = { requested: false };
    const say = (line: string): void => { interrupt.requested ||= line.startsWith('round 9 '); };
    await expect(runControl(given, run, { interrupt, say })).rejects.toThrow(Interrupted);
    await run.close();
    const again = await open('stopped', { resume: true });
    const summary = await runControl(again.recipe, again.run);
    await again.run.close();
    expect(summary.resumedFrom).toBe(9);
    expect(read('stopped', 'controller', 'controller.json')).toBe(read('whole', 'controller', 'controller.json'));
    expect(steady(read('stopped', 'summary.json'))).toEqual(steady(read('whole', 'summary.json')));
    const lines = (name: string): unknown[] => read(name, 'metrics.jsonl').trim().split('\n').map(steady);
    expect(lines('stopped')).toEqual(lines('whole'));
  });

  it('keeps the controller as it was, and refuses it for another model', async () => {
    const loaded = await loadModel(model);
    const { actions, parameters, shape } = await loadController(join(folder, 'whole', 'controller'), { model: loaded });
    expect(Object.keys(actions)).toEqual(['some', 'stop', 'go']);
    expect(parameters).toHaveLength((shape.inputs + 1) * 8 + 9 * 8 + 9 * 3);
    const other = { ...loaded, checkpoint: { ...loaded.checkpoint, fingerprint: 'another' } };
    await expect(loadController(join(folder, 'whole', 'controller'), { model: other })).rejects.toThrow('was trained with other weights');
    await expect(loadController(folder, { model: loaded })).rejects.toThrow('There is no');
  });

  it('steers heed generate and heed chat, which say what they cannot do beside it', async () => {
    const steered = join(folder, 'whole', 'controller');
    const generate = (task: string, ...more: string[]) =>
      heed(['generate', '--model', model, '--prompts', join(folder, `${task}-held.jsonl`), '-o', '-', '--max-tokens', '8', ...more]);
    const rows = async (task: string): Promise<Record<string, unknown>[]> => {
      const ran = await generate(task, '--controller', steered, '--task', task);
      expect(ran.code, ran.err).toBe(0);
      return ran.out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    expect((await rows('long')).map(({ action, tokens }) => [action, tokens])).toEqual(new Array(4).fill(['go', 8]));
    expect((await rows('short')).map(({ action, tokens }) => [action, tokens])).toEqual(new Array(4).fill(['stop', 2]));
    expect((await generate('long', '--controller', steered)).err).toContain('knows several tasks: long, short.');
    expect((await generate('long', '--controller', steered, '--task', 'shrt')).err).toContain('Did you mean short?');
    expect((await generate('long', '--controller', steered, '--task', 'long', '--top-k', '5')).err)
      .toContain('The controller sets what --top-k would set.');
    expect((await generate('long', '--task', 'long')).err).toContain('--task names a task of a controller.');
    const talk = await heed(
      ['chat', '--model', model, '--controller', steered, '--task', 'short', '--max-tokens', '8', '--json'], { input: 's baba?\n' },
    );
    expect(talk.json<{ turns: { answers: { base: { tokens: number } } }[] }>().turns[0]!.answers.base.tokens).toBe(2);
  });

  it('is served as a model for each task', async () => {
    const loaded = await loadModel(model);
    const engine = await startEngine({ threads: 1 });
    try {
      const controllers = { steered: join(folder, 'whole', 'controller') };
      const { all } = await openVoices(engine, loaded, { name: 'tiny', controllers, batch: 2 });
      expect([...all.keys()]).toEqual(['tiny', 'steered-long', 'steered-short']);
      expect(new Set([...all.values()].map(({ fingerprint }) => fingerprint)).size).toBe(3);
      const prompt = loaded.template.prompt([{ role: 'user', content: 's baba?' }]);
      const { generator } = all.get('steered-short')!;
      const answers = await generator.generate([{ prompt, row: 0, samples: 3 }], { maxNewTokens: 8, temperature: 0, seed: 1 });
      expect(answers.map(({ ids, sample }) => [ids.length, sample])).toEqual([[2, 0], [2, 1], [2, 2]]);
      await expect(openVoices(engine, { ...loaded, template: alpacaTemplate(loaded.tokenizer) }, { name: 'tiny', controllers, batch: 2 }))
        .rejects.toThrow('was trained with other weights');
    } finally {
      await engine.close();
    }
  });

  it('makes an initialisation over tasks, from which a run on a new one goes on', async () => {
    const meta = ['learn.rounds=4', 'learn.reptile={ rounds: 2, rate: 0.5 }'];
    const first = await heed(['control', recipe, `run.dir=${join(folder, 'meta')}`, ...meta, '--json']);
    expect(first.code, first.err).toBe(0);
    expect(first.json<ControlSummary>().rounds).toHaveLength(4);
    const brief = `{ brief: { data: { path: ${join(folder, 'short.jsonl')} }, reward: { fn: ${join(folder, 'rewards.ts')}#short }, `
      + `heldOut: { path: ${join(folder, 'short-held.jsonl')} } } }`;
    const from = join(folder, 'meta', 'controller');
    const next = await heed(
      ['control', recipe, `run.dir=${join(folder, 'new')}`, `tasks=${brief}`, `learn.from=${from}`, 'learn.rounds=1', '--json'],
    );
    expect(next.code, next.err).toBe(0);
    const [before, after] = await Promise.all(
      [from, join(folder, 'new', 'controller')].map(async (at) => loadController(at, { model: await loadModel(model) })),
    );
    expect(after!.encoder).toEqual({ ...before!.encoder, tasks: ['long', 'short', 'brief'] });
    expect(after!.shape.inputs).toBe(before!.shape.inputs + 1);
    const other = await heed([
      'control', recipe, `run.dir=${join(folder, 'other')}`, `learn.from=${from}`, 'actions.some.temperature=0.5',
    ]);
    expect(other.err).toContain('has other actions: some, stop, go');
    const odd = await heed(['control', recipe, `run.dir=${join(folder, 'odd')}`, 'learn.rounds=7', 'learn.reptile={ rounds: 2 }']);
    expect(odd.err).toContain('expected a multiple of learn.reptile.rounds, which is 2');
  });

  it('chooses again in mid-answer, which no choice before the answer can replace', async () => {
    const middling = `{ middling: { data: { path: ${join(folder, 'long.jsonl')} }, reward: { fn: ${join(folder, 'rewards.ts')}#middling }, `
      + `heldOut: { path: ${join(folder, 'long-held.jsonl')} } } }`;
    const args = (run: string): string[] => [
      'control', recipe, `run.dir=${join(folder, run)}`, `tasks=${middling}`,
      'actions={ stop: { temperature: 1, endBias: { add: 1000, after: 0 } }, go: { temperature: 1, endBias: { add: -1000, after: 0 } } }',
      'learn.segment=3', 'learn.rounds=12', 'learn.prior=0.5', 'learn.learningRate=0.02', 'generate.samples=8', 'learn.epochs=2', '--json',
    ];
    const ran = await heed(args('segments'));
    expect(ran.code, ran.err).toBe(0);
    const summary = ran.json<ControlSummary>();
    // Three tokens and the end earn 1; the end alone and eight tokens earn nothing.
    expect(summary.grid).toEqual({ stop: 0, go: 0 });
    expect((summary.after['value'] as { mean: number }).mean).toBe(1);
    expect(summary.policy.actions).toEqual({ stop: 0.5, go: 0.5 });
    // Replayed from the answers on disk, choices in mid-answer included, it comes to the same network.
    const bits = read('segments', 'controller', 'controller.json');
    for (const name of ['summary.json', 'checkpoints', 'controller']) rmSync(join(folder, 'segments', name), { recursive: true });
    expect((await heed([...args('segments'), '--resume'])).code).toBe(0);
    expect(read('segments', 'controller', 'controller.json')).toBe(bits);

    const steered = join(folder, 'segments', 'controller');
    const output = join(folder, 'middling.jsonl');
    const written = await heed([
      'generate', '--model', model, '--prompts', join(folder, 'long-held.jsonl'), '-o', output, '--max-tokens', '8',
      '--controller', steered, '-n', '2',
    ]);
    expect(written.code, written.err).toBe(0);
    const rows = readFileSync(output, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { tokens: number; action: string });
    expect(rows.map(({ tokens, action }) => [tokens, action])).toEqual(new Array(8).fill([4, 'go']));
    const answers = readFileSync(join(folder, 'segments', 'samples.jsonl'), 'utf8').trim().split('\n');
    expect(answers).toHaveLength(8);
  });

  it('shows as many likely tokens as were asked for, though it looks at more', async () => {
    const loaded = await loadModel(model);
    const engine = await startEngine({ threads: 1 });
    try {
      const plain = await openGenerator(engine, loaded, { batch: 2 });
      const generator = await openControlled(join(folder, 'segments', 'controller'), plain, { engine, model: loaded });
      const prompt = loaded.template.prompt([{ role: 'user', content: 'l ba?' }]);
      const ask = async (top: number) => {
        const seen: number[] = [];
        const [completion] = await generator.generate([{ prompt, row: 0 }], { maxNewTokens: 8, temperature: 1, seed: 0, top }, {
          onToken: (_row, _sample, _text, tokens) => seen.push(...tokens.map((token) => token.top?.length ?? 0)),
        });
        return [completion!.tops?.map((likely) => likely.length), seen];
      };
      expect(await ask(2)).toEqual([[2, 2, 2, 2], [2, 2, 2, 2]]);
      expect(await ask(0)).toEqual([undefined, [0, 0, 0, 0]]);
    } finally {
      await engine.close();
    }
  });

  it('refuses held-out prompts that it learns from, and recipes that say nothing to choose', async () => {
    const refused = (override: string) => heed(['control', recipe, `run.dir=${join(folder, 'refused')}`, override]);
    const twice = await refused(`tasks.long.heldOut=${join(folder, 'long.jsonl')}`);
    expect(twice.err).toContain('9 held-out prompts are also prompts to learn on');
    const same = await refused('actions={ a: { temperature: 1 }, b: { temperature: 1 } }');
    expect(same.err).toContain('is the same as a; leave one of them out');
    const one = await refused('actions={ a: { temperature: 1 } }');
    expect(one.err).toContain('expected 2 to 12 actions');
    expect([twice.code, same.code, one.code]).toEqual([2, 2, 2]);
  });
});

describe('the grid', () => {
  it('finds the best fixed action, each task its own, and leaves out prompts without enough ratings', () => {
    const table = [[[1, 1], [0, 1]], [[1, 0], [1, 1]], [[0, 0], [1, 1]], [[1], [0, 0]]];
    const { best, means, bestOf, prompts: used, deviations } = summarise(['a', 'b'], table, ['x', 'y', 'y', 'y']);
    expect([best, used]).toEqual(['b', 3]);
    expect(means).toEqual({ a: 0.5, b: 2.5 / 3 });
    expect(Object.fromEntries(bestOf)).toEqual({ x: 'a', y: 'b' });
    expect(deviations.get('x')).toBeCloseTo(Math.sqrt(3 / 16), 12);
  });

  it('says that there is nothing to choose by, where no prompt has enough ratings', () => {
    expect(() => summarise(['a', 'b'], [[[1], [0, 1]], [[], []]], ['x', 'x'])).toThrow(/^None of 2 validation prompts has two rated answers/);
  });
});
