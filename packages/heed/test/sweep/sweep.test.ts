import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { planSweep } from '../../src/sweep/plan.js';
import { openProject } from '../../src/studio/project.js';
import { scratchFolder } from '../support/scratch.js';
import { PAIRS, dpoRecipe, expectSame, jsonl } from './support.js';

// A sweep of two settings, to which a seed is added. sweep.long.test.ts kills one.
const scratch = scratchFolder();
const dirOf = (name: string): string => join(scratch.folder, name);
const NAMES = ['beta=0.1,seed=0', 'beta=0.1,seed=1', 'beta=0.5,seed=0', 'beta=0.5,seed=1'];
let recipe: string;
let data: string;
const swept = (...settings: string[]) => heed(['sweep', recipe, `run.dir=${dirOf('sweep')}`, ...settings]);

interface Result {
  readonly settings: readonly { readonly values: object; readonly finished: number; readonly outcomes: Readonly<Record<string, object>> }[];
  readonly chosen: readonly string[];
  readonly runs: readonly {
    readonly name: string; readonly state: string; readonly error?: string;
    readonly summary?: { readonly after: Readonly<Record<string, number>> };
  }[];
}

beforeAll(async () => {
  ({ recipe, data } = await dpoRecipe(scratch));
  const ran = await swept('method.beta=0.1,0.5', 'train.seed=0');
  expect(ran.code, ran.err).toBe(0);
});

describe('heed sweep', () => {
  it('runs values that are added and keeps what has finished; each run has the numbers that heed train gives alone', async () => {
    const summary = (name: string): string => readFileSync(join(dirOf('sweep'), name, 'summary.json'), 'utf8');
    const before = summary(NAMES[0]!);
    const ran = await swept('method.beta=0.1,0.5', 'train.seed=0,1', '--json');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain('4 runs, 2 of them finished');
    expect(summary(NAMES[0]!)).toBe(before);
    expect(readdirSync(dirOf('sweep')).sort()).toEqual([...NAMES, 'shared', 'sweep.csv', 'sweep.html', 'sweep.json']);
    const { runs } = JSON.parse(readFileSync(join(dirOf('sweep'), 'sweep.json'), 'utf8')) as { runs: object[] };
    expect(runs).toEqual(NAMES.map((name) => ({ name, state: 'finished' })));

    const alone = await heed(['train', recipe, 'method.beta=0.5', 'train.seed=1', `run.dir=${dirOf('alone')}`]);
    expect(alone.code, alone.err).toBe(0);
    expectSame(join(dirOf('sweep'), NAMES[3]!), dirOf('alone'));
    // Once for all runs: held-out rows by the fresh adapter and by the base, rows to learn from by the base, the base's two answers.
    const shared = readdirSync(join(dirOf('sweep'), 'shared')).map((name) => name.replace(/-.*/, ''));
    expect(shared.sort()).toEqual(['answers', 'scores', 'scores', 'scores']);

    expect(ran.err).toContain('The loss itself follows from method.beta');
    const { settings, chosen, runs: all } = ran.json<Result>();
    expect(settings.map(({ values, finished }) => ({ values, finished }))).toEqual([
      { values: { 'method.beta': '0.1' }, finished: 2 }, { values: { 'method.beta': '0.5' }, finished: 2 },
    ]);
    expect(chosen).toEqual(['loss']);
    // Of two seeds the interval is m ± 12.706 |a − b| / 2.
    const [a, b] = all.slice(0, 2).map((run) => run.summary!.after['loss']!) as [number, number];
    const { after } = settings[0]!.outcomes['loss'] as { after: { mean: number; low: number; high: number } };
    expect(after.mean).toBeCloseTo((a + b) / 2, 12);
    expect(after.high - after.mean).toBeCloseTo((12.706205 * Math.abs(a - b)) / 2, 6);
    expect(after.mean - after.low).toBeCloseTo(after.high - after.mean, 12);
  });

  it('shows what is there with another measurement', async () => {
    const ran = await swept('method.beta=0.1,0.5', 'train.seed=0,1', '--metric', 'accuracy,steps');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^accuracy, higher is better$/m);
    expect(ran.err).not.toContain('The loss');
    expect(ran.out).toMatch(/^0\.5 +2 +4$/m);
    expect(readFileSync(join(dirOf('sweep'), 'sweep.html'), 'utf8')).toContain('accuracy by setting');
  });

  it('refuses a measurement that no run has: before anything runs where each setting has been measured, else at the end', async () => {
    const known = await swept('method.beta=0.1,0.5', 'train.seed=0,1,2', '--metric', 'acuracy');
    const said = '--metric: No run has a measurement "acuracy"; did you mean "accuracy"?';
    expect([known.code, known.err]).toEqual([2, expect.stringContaining(said)]);
    expect(existsSync(join(dirOf('sweep'), 'beta=0.1,seed=2'))).toBe(false);
    const settings = ['train.steps=1', 'train.seed=0', `run.dir=${dirOf('unknown')}`];
    const late = await heed(['sweep', recipe, ...settings, '--metric', 'acuracy']);
    expect([late.code, late.err]).toEqual([1, expect.stringMatching(/did you mean "accuracy"\?[^]*no run has acuracy/)]);
    expect(late.out).toContain('page: ');
  });

  it('leaves runs that the studio finds', async () => {
    const project = await openProject(scratch.folder);
    const found = (await project.runs()).runs.map((run) => project.named(run));
    expect(found).toEqual(expect.arrayContaining(NAMES.map((name) => `sweep/${name}`)));
  });

  it.each([
    [['method.beta=0.1,0.5', 'train.seed=1,2'], /runs that are not among its values now: beta=0.1,seed=0; beta=0.5,seed=0/],
    [['method.beta=0.1,0.5', 'train.seed=0,1', 'train.epochs=1'], /train.epochs: 2 → 1/],
    [['method.beta=0.1,0.5'], /what varies: method.beta, train.seed → method.beta/],
  ])('refuses to become the sweep of %j, by name', async (settings, message) => {
    const { code, err } = await swept(...settings);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it('refuses to go on with other rows', async () => {
    writeFileSync(data, jsonl(PAIRS.toReversed()));
    const { code, err } = await swept('method.beta=0.1,0.5', 'train.seed=0,1,2');
    writeFileSync(data, jsonl(PAIRS));
    expect(code).toBe(2);
    expect(err).toContain('pairs.jsonl has another content');
  });

  it('lists its runs before it runs them', async () => {
    rmSync(join(dirOf('sweep'), NAMES[3]!), { recursive: true });
    const ran = await swept('method.beta=0.1,0.5', 'train.seed=0,1', '--dry-run');
    expect(ran.code, ran.err).toBe(0);
    expect(existsSync(join(dirOf('sweep'), NAMES[3]!))).toBe(false);
    const [, ...lines] = ran.out.trim().split('\n');
    // 10 pairs less 3 held out, two epochs in batches of 4.
    expect(lines.slice(0, 4).map((line) => line.split(/ {2,}/).slice(0, 6))).toEqual(
      NAMES.map((name, i) => [name, i === 3 ? 'to run' : 'finished', i < 2 ? '0.1' : '0.5', String(i % 2), '7', '4']));
    expect(ran.out).toMatch(/4 runs in .*, 1 of them to run: about 0:/);
    expect(ran.out).toMatch(/^Shared: .*sweep\/shared; 4 results are there\.$/m);
    // 5 rows, so ⌈10 / 4⌉ steps.
    const settings = ['method=dpo,simpo', 'train.seed=0,1', 'data.limit=8', `run.dir=${dirOf('dry')}`];
    const methods = await heed(['sweep', recipe, ...settings, '--dry-run']);
    expect(methods.out).toMatch(/^In every run: data\.limit=8$/m);
    expect(methods.out).toMatch(/^Also otherwise than in .*: .*method\.beta: 0\.1 → 2.* \(method=simpo,seed=0; method=simpo,seed=1\)$/m);
    expect(methods.out).toMatch(/^method=dpo,seed=1 +to run +dpo +1 +5 +3 /m);
  });

  it('goes on with the others when a run fails, and says so at the end', async () => {
    const missing = ['method.reference=/no/such/adapter,/nor/this', 'train.seed=0', `run.dir=${dirOf('fails')}`];
    const ran = await heed(['sweep', recipe, ...missing]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('2 of 2 runs have not finished');
    expect(ran.out).toMatch(/^failed: reference=-no-such-adapter~\w+,seed=0: .*\/no\/such\/adapter/m);
    const { runs } = JSON.parse(readFileSync(join(dirOf('fails'), 'sweep.json'), 'utf8')) as { runs: { state: string; error: string }[] };
    expect(runs.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(runs[1]!.error).toContain('/nor/this');
  });

  it("gives each method its own defaults: the recipe's options are those of its method, and the settings' are for all", async () => {
    const own = scratch.write('beta.yaml', readFileSync(recipe, 'utf8').replace('{name: dpo}', '{name: dpo, beta: 0.3}'));
    const { runs, notes } = await planSweep(own, ['method=dpo,simpo', 'train.seed=0']);
    expect(runs.map((run) => run.recipe.method)).toMatchObject([{ beta: 0.3 }, { beta: 2 }]);
    expect(notes).toEqual(['method=simpo: left out of the recipe, which is for dpo: method.beta.']);
    const named = await planSweep(own, ['method=dpo,simpo', 'method.beta=0.4', 'train.seed=0']);
    expect(named.runs.map((run) => run.recipe.method)).toMatchObject([{ beta: 0.4 }, { beta: 0.4 }]);
  });

  it.each([
    [['train.sed=0,1'], /train\.sed/],
    [['train.seed=0,zero'], /train\.seed/],
    [['method=dpo,{ name: dpo }', 'train.seed=0'], /are the same run/],
    // Later settings win, as for heed train.
    [['method.beta=0.1,0.2', 'method={ name: dpo }'], /beta=0.1 and beta=0.2 are the same run/],
  ])('refuses %j', async (settings, message) => {
    const { code, err } = await heed(['sweep', recipe, ...settings]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it('refuses a recipe of another verb', async () => {
    const other = scratch.write('label.yaml', 'label: preferences\ndata: x.jsonl\njudge: rules:x.yaml\n');
    const { code, err } = await heed(['sweep', other, 'train.seed=0,1']);
    expect(code).toBe(2);
    expect(err).toContain('no recipe of heed train or heed align');
  });
});
