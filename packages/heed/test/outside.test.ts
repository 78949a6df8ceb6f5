import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError, bind, createScorer, loadExport, loadModel, loadTrainRecipe, train } from '../src/index.js';
import type { Message, Method, RowDefinition } from '../src/index.js';
import { heed } from './cli/support.js';
import { tinyTalker } from './loop/talkative.js';
import { scratchFolder } from './support/scratch.js';

// The programs and recipes of docs/extending.md, in a folder outside of the package, from which the commands are run.
const { folder, write } = scratchFolder();
const page = readFileSync(resolve(import.meta.dirname, '../../../docs/extending.md'), 'utf8');
for (const [, name, text] of page.matchAll(/^```(?:ts|yaml)\n(?:\/\/|#) (\S+)\n([^]*?)^```/gm)) write(name!, text!);

type Fields = Record<string, unknown>;
const lines = (name: string): Fields[] =>
  readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Fields);
const jsonl = (name: string, rows: readonly object[]): string => write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const user = (content: string) => ({ role: 'user' as const, content });

const stars = [
  ['Why?', 'So.', 4], ['How?', 'With great care.', 2], ['Who?', 'Nobody!', 0], ['Where?', 'Over there', 4], ['When?', 'Now', 1],
] as const;
jsonl('stars.jsonl', stars.map(([prompt, completion, n]) => ({ prompt, completion, stars: n })));
jsonl('prompts.jsonl', Array.from({ length: 6 }, (_, i) => ({ prompt: `Why ${i}?` })));
jsonl('held.jsonl', Array.from({ length: 3 }, (_, i) => ({ prompt: `How ${i}?` })));
jsonl('answers.jsonl', ['Yes, please.', 'No.', 'please go on'].map((completion) => ({ prompt: 'Tea?', completion })));

let model: string;
const before = process.cwd();
beforeAll(async () => {
  process.chdir(folder);
  model = await tinyTalker(folder);
});
afterAll(() => process.chdir(before));
const tiny = (): string[] => [`model=${model}`, 'adapter={ rank: 2, targets: [q_proj, down_proj] }'];
/** Runs a command that must succeed; what it printed as JSON. */
async function done(...argv: string[]): Promise<Record<string, unknown>> {
  const ran = await heed([...argv, '--json']);
  expect(ran.code, ran.err).toBe(0);
  return ran.json();
}

/** log p of each token of responses to prompts, under the tiny model as it is. */
async function scores(texts: readonly (readonly [prompt: string, response: string])[]): Promise<number[][]> {
  const { template, ...rest } = await loadModel(model);
  const engine = await startEngine({ threads: 1 });
  try {
    const scorer = await createScorer(engine, rest);
    const rows = texts.map(([prompt, response]) => ({ prompt: template.prompt([user(prompt)]), response: template.response(response) }));
    return await scorer.logProbs(rows) as number[][];
  } finally {
    await engine.close();
  }
}

describe('a method with its own kind of row, by a recipe', () => {
  /** Σ w Σ −log p / Σ tokens of the rows with a star, under the model as it is. */
  async function expectedLoss(best: number): Promise<number> {
    const used = stars.filter(([, , n]) => n > 0);
    const logp = await scores(used.map(([prompt, completion]) => [prompt, completion]));
    const total = logp.reduce((sum, row, i) => sum - (used[i]![2] / best) * row.reduce((a, x) => a + x, 0), 0);
    return total / logp.flat().length;
  }

  it('learns: the first loss is what the formula gives, and later ones are lower', async () => {
    const summary = await done('train', 'starred.yaml', ...tiny(), 'train.learningRate=0.01');
    const steps = lines('runs/starred/metrics.jsonl');
    expect(steps).toHaveLength(4);
    expect(steps[0]).toMatchObject({ weight: (4 + 2 + 4 + 1) / 4 / 4 });
    const expected = await expectedLoss(4);
    expect(Math.abs(steps[0]!['loss'] as number / expected - 1)).toBeLessThan(1e-5);
    expect(summary).toMatchObject({ method: 'starred', rows: 4, steps: 4 });
    expect(summary['loss']).toBeLessThan(expected);
  });

  it('says every option in recipe.yaml, and is inspected and run dry', async () => {
    expect(readFileSync('runs/starred/recipe.yaml', 'utf8')).toMatch(/^method:\n {2}name: \.\/starred\.ts#starred\n {2}best: 4$/m);
    const byDefault = 'method={ name: ./starred.ts#starred }';
    expect((await loadTrainRecipe('starred.yaml', [byDefault])).text).toMatch(/^method:\n {2}name: \.\/starred\.ts#starred\n {2}best: 5$/m);
    const seen = await done('inspect', 'starred.yaml', ...tiny(), byDefault);
    expect(seen).toMatchObject({ doctor: { kind: 'starred', counts: { train: 5 } } });
    expect(seen['rows']).toMatchObject([{ columns: { weight: 0.8 } }, { columns: { weight: 0.4 } }, {}]);
    expect(seen).toMatchObject({ unfit: [], leftOut: { why: 'without a star', rows: [{ line: 3 }] } });
    expect(await done('train', 'starred.yaml', '--dry-run', ...tiny())).toMatchObject({ method: 'starred', rows: 4, steps: 4 });
  });

  it('holds a run to the file that it began with', async () => {
    const resume = ['train', 'starred.yaml', ...tiny(), 'train.learningRate=0.01', '--resume'];
    expect(await done(...resume)).toMatchObject({ steps: 4, resumedFrom: 4 });
    const text = readFileSync('starred.ts', 'utf8');
    write('starred.ts', text.replace('response.sum())))', 'response.sum()))) // as before'));
    const other = await heed(resume);
    write('starred.ts', text);
    expect(other.code).toBe(2);
    expect(other.err).toContain('The method in ./starred.ts is not the one that this run began with');
  });

  write('faulty.ts', `
    import { cut } from '@heed/heed';
    import { z } from 'zod';
    export { starredRow } from './starred.ts';
    export const again = { ...cut };
    export const loose = { ...cut, name: 'loose', options: z.object({ lambda: z.number().default(1) }) };
  `);
  const named = (method: string): string[] => [`method={ name: "./${method}" }`];
  it.each([
    ['an option that its schema lacks', 'starred.ts#starred', ['method.bets=1'], /unknown key "method\.bets"; did you mean "method\.best"\?/],
    ['an option out of its range', 'starred.ts#starred', ['method.best=-1'], /"method\.best" is -1; expected more than 0/],
    ['an option unknown to a schema that would drop it', 'faulty.ts#loose', ['method.lamda=2'], /unknown key "method\.lamda"; did you mean "method\.lambda"/],
    ['an export that is no method', 'faulty.ts#starredRow', [], /#starredRow is no method[^]*defineMethod/],
    ['the name of a method of Heed\'s', 'faulty.ts#again', [], /has the name of one of Heed's methods, "cut"/],
    ['an export that is not there', 'starred.ts#stared', [], /exports no "stared"; did you mean "starred"/],
  ])('is refused with %s', async (_, method, overrides, message) => {
    const ran = await heed(['train', 'starred.yaml', ...tiny(), ...named(method), ...overrides]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });

  it('is refused by heed align, which cannot make such rows of answers', async () => {
    const ran = await heed(['align', 'brief.yaml', ...tiny(), 'method=./starred.ts#starred', 'run.dir=runs/never']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('learns from "starred" rows, which cannot be made from rated answers');
  });

  it('learns in a program; rows that its schema refuses are named', async () => {
    interface Starred { readonly prompt: readonly Message[]; readonly completion: string; readonly stars: number }
    const method = bind(await loadExport('./starred.ts#starred') as Method<RowDefinition, unknown, string>, { best: 4 });
    const rows = stars.map(([prompt, completion, n]): Starred => ({ prompt: [user(prompt)], completion, stars: n }));
    const learn = async (given: readonly Starred[]) =>
      train<Starred>({ model: await loadModel(model), method, rows: given, options: { steps: 1 } });
    const outcome = await learn(rows);
    expect([outcome.rows, outcome.unused]).toEqual([4, 1]);
    expect(Math.abs(outcome.loss / (await expectedLoss(4)) - 1)).toBeLessThan(1e-5);
    const refused: unknown = await learn([...rows, { ...rows[0]!, stars: 6 }]).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect(String(refused)).toMatch(/1 of 6 rows cannot be used as starred rows\n {2}rows:6 {2}stars .*<=5: 6/);
  });
});

it('a reward rates the answers of heed align, by a recipe', async () => {
  const summary = await done('align', 'brief.yaml', ...tiny(), 'generate.samples=24', 'generate.maxNewTokens=12');
  const answers = lines('runs/brief/samples.jsonl').filter(({ kind }) => kind === 'answer');
  const mean = (when: string): number => {
    const lengths = answers.filter((one) => one['when'] === when).map(({ response }) => (response as string).length);
    expect(lengths).toHaveLength(3);
    return -lengths.reduce((a, b) => a + b, 0) / 3;
  };
  expect(summary).toMatchObject({ method: 'dpo', steps: 4, before: { value: { mean: expect.closeTo(mean('before'), 9) as number } } });
  expect(summary).toMatchObject({ after: { value: { mean: expect.closeTo(mean('after'), 9) as number } } });
});

describe('options that a schema turns into something else', () => {
  // Neither schema takes what it makes of an option, so that options may be parsed but once.
  write('texts.ts', `
    import { defineReward } from '@heed/heed';
    import { z } from 'zod';
    import { starred } from './starred.ts';
    const whole = z.string().regex(/^[0-9]+$/).transform(Number);
    export const inText = { ...starred, name: 'in-text', options: z.strictObject({ best: whole }) };
    export const most = defineReward({
      name: 'most',
      options: z.strictObject({ of: whole }),
      open: async ({ of }) => ({
        name: \`most \${of + 1}\`, drawsLine: false,
        rate: async (items) => items.map(({ response }) => ({ value: of + 0.5 - response.length, reason: null })),
        close: async () => {},
      }),
    });
  `);

  it('reach a method as its schema made them, also where a run goes on', async () => {
    const best = 'method={ name: ./texts.ts#inText, best: "4" }';
    const own = ['train', 'starred.yaml', ...tiny(), best, 'run.dir=runs/in-text'];
    expect(await done(...own)).toMatchObject({ method: 'in-text', steps: 4 });
    expect(lines('runs/in-text/metrics.jsonl')[0]).toMatchObject({ weight: (4 + 2 + 4 + 1) / 4 / 4 });
    expect(await done(...own, '--resume')).toMatchObject({ steps: 4, resumedFrom: 4 });
    expect(await done('inspect', 'starred.yaml', ...tiny(), best)).toMatchObject({ doctor: { kind: 'starred' } });
    const wrong = await heed([...own.slice(0, -2), 'method={ name: ./texts.ts#inText, best: four }']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/"method\.best" is "four"/);
  });

  it('reach a reward, of training and of held-out answers', async () => {
    const reward = 'reward={ fn: { module: ./texts.ts#most, options: { of: "20" } } }';
    const sampling = ['generate.samples=24', 'generate.maxNewTokens=12', 'loop.iterations=1', 'run.dir=runs/most'];
    const summary = await done('align', 'brief.yaml', ...tiny(), reward, ...sampling);
    const lengths = lines('runs/most/samples.jsonl').filter(({ kind, when }) => kind === 'answer' && when === 'before')
      .map(({ response }) => (response as string).length);
    const mean = 20.5 - lengths.reduce((a, b) => a + b, 0) / lengths.length;
    expect(summary).toMatchObject({ before: { value: { mean: expect.closeTo(mean, 9) as number } } });
    expect(readFileSync('runs/most/work/reward.json', 'utf8')).toContain('most 21');
  });
});

it('a labeler asks a judge, both by a recipe', async () => {
  const summary = await done('label', 'polite.yaml');
  expect(summary).toMatchObject({ judge: 'pleased please', labeler: './polite.ts#polite', measures: { polite: 2 }, asking: { asked: 3 } });
  expect(lines('runs/polite/rows.jsonl').map(({ label }) => label)).toEqual([true, false, true]);
  // 0.9 for the polite ones, which is less than 0.95.
  const strict = await done('label', 'polite.yaml', 'label.least=0.95', 'run.dir=runs/strict');
  expect(strict).toMatchObject({ measures: { polite: 0 }, asking: { asked: 0, reused: 3 } });
});

it('an architecture, by a program', async () => {
  const other = join(folder, 'renamed');
  mkdirSync(other);
  cpSync(model, other, { recursive: true });
  const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as object;
  writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, model_type: 'my_llama' }));
  await expect(loadModel(other)).rejects.toThrow('the architecture is "my_llama"');
  const logProbs = await loadExport('./architecture.ts#logProbs') as (folder: string, prompt: string, response: string) => Promise<number>;
  const [row] = await scores([['Why?', 'So.']]);
  expect(await logProbs(other, 'Why?', 'So.')).toBeCloseTo(row!.reduce((a, x) => a + x), 4);
});
