import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Comparison } from '../../src/evaluate/compare.js';
import type { EvaluationSummary } from '../../src/evaluate/run.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { saveAdapter } from '../../src/model/peft.js';
import { createRandom } from '../../src/run/random.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
const jsonl = (name: string, rows: readonly object[]): string => write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const RULES = 'name: r\nrules:\n  - { id: no-a, kind: forbidden-pattern, pattern: "[a-m]", message: "It uses {quotes}." }\n';
let tiny: Awaited<ReturnType<typeof tinyChat>>;
let other = '';
let prompts = '';
let rules = '';
const keep = join(folder, 'kept');
beforeAll(async () => {
  tiny = await tinyChat(folder);
  prompts = jsonl('prompts.jsonl', ['Hi there', 'Why?', '<b>"What", is that?</b>'].map((prompt, i) => ({ id: `p${i}`, prompt })));
  rules = write('r.rules.yaml', RULES);
  const checkpoint = await openCheckpoint(tiny.model);
  const plan = planAdapter(checkpoint.tensors.values(), { rank: 2, alpha: 8, targets: ['v_proj'], dropout: 0, rslora: false });
  const parameters = initialParameters(plan, 1);
  const random = createRandom('another adapter', 0);
  for (let i = 0; i < parameters.length; i++) parameters[i] = random.normal();
  other = join(folder, 'other');
  await saveAdapter(other, { plan, parameters, checkpoint });
});
const compare = (...argv: string[]) => heed(['compare', ...argv, '--max-tokens', '8', '--keep', keep]);
const rated = (): string[] => ['--prompts', prompts, '--reward', `rules:${rules}`];

describe('heed compare', () => {
  it('gives the numbers of heed evaluate, and lays the answers beside each other', async () => {
    const evaluated = await heed(['evaluate', '--adapter', tiny.adapter, '--model', tiny.model, ...rated(), '--max-tokens', '8', '--json']);
    const ran = await compare('base', `tuned=${tiny.adapter}`, '--model', tiny.model, ...rated(), '--json');
    expect(ran.code, ran.err).toBe(0);
    const found = ran.json<Comparison>();
    const { before, after, change } = evaluated.json<EvaluationSummary>();
    // heed evaluate scores the answers under the base as well.
    const own = ({ measured }: Comparison['contenders'][number]) => ({ ...measured, logprobPerToken: expect.any(Number) as number });
    expect(found.contenders.map(own)).toEqual([before, after]);
    expect(found.duels[0]!.change).toEqual(change);
    expect(found).toMatchObject({ job: 'compare', rows: 3, reward: `rules:${rules}`, contenders: [{ name: 'base' }, { name: 'tuned' }] });
    const text = (await compare('base', `tuned=${tiny.adapter}`, '--model', tiny.model, ...rated())).out;
    expect(text).toContain('tuned against base: ');
    expect(text).toMatch(/base, -?[\d.]+ +│ tuned, /);
  });

  it('says of a folder that is not there that it is not there', async () => {
    const ran = await compare('base', `tuned=${tiny.adapter}`, 'gone=runs/gone', '--model', tiny.model, ...rated());
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('gone=runs/gone: there is no folder runs/gone')]);
  });

  it('answers nothing twice: a third is compared with answers that were kept', async () => {
    const before = readdirSync(keep).map((file) => statSync(join(keep, file)).mtimeMs);
    expect(before).toHaveLength(2);
    const third = (await compare('base', `tuned=${tiny.adapter}`, other, '--model', tiny.model, ...rated(), '--json')).json<Comparison>();
    expect(third.contenders.map(({ name, kept }) => [name, kept])).toEqual([['base', true], ['tuned', true], ['other', false]]);
    expect(third.duels.map(({ name, against }) => [name, against])).toEqual([['tuned', 'base'], ['other', 'base']]);
    expect(readdirSync(keep)).toHaveLength(3);
    // Another length, other prompts or another seed are other answers.
    const longer = await heed([
      'compare', 'base', other, '--model', tiny.model, '--prompts', prompts, '--max-tokens', '9', '--keep', keep, '--json',
    ]);
    expect(longer.json<Comparison>().contenders.map(({ kept }) => kept)).toEqual([false, false]);
  });

  it('writes a table and a page with all answers, those that tell most first on the page', async () => {
    const [csv, page] = [join(folder, 'c.csv'), join(folder, 'c.html')];
    const files = ['--csv', csv, '--html', page];
    const ran = await compare('base', `tuned=${tiny.adapter}`, '--model', tiny.model, ...rated(), ...files, '--json');
    const found = ran.json<Comparison>();
    const lines = parse<Record<string, string>>(readFileSync(csv, 'utf8'), { columns: true });
    expect(lines.map((line) => [line['id'], line['prompt'], line['base'], line['tuned'], line['tuned outcome']])).toEqual(
      found.prompts.map(({ row, answers, outcomes }) => [row.id, row.prompt[0]!.content, answers[0]!.text, answers[1]!.text, outcomes[0]]),
    );
    const html = readFileSync(page, 'utf8');
    expect(html).not.toContain('<b>');
    expect(html).toContain('&lt;b&gt;&quot;What&quot;');
    const distance = (id: string): number => {
      const [a, b] = found.prompts.find(({ row }) => row.id === id)!.answers.map(({ rated: one }) => (one as { value: number }).value);
      return Math.abs(a! - b!);
    };
    const order = [...html.matchAll(/class="id">(p\d)</g)].map(([, id]) => distance(id!));
    expect(order).toHaveLength(3);
    expect(order).toEqual([...order].sort((a, b) => b - a));
    const again = await compare('base', other, '--model', tiny.model, '--prompts', prompts, ...files);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining(`${csv} is already there.`)]);
  });

  it.each([
    ['a file of its own', 'eval: HELD'], ['a share of its rows', 'eval: 2, seed: 1'],
  ])('takes the prompts that the first run held out, in %s', async (what, held) => {
    const rows = Array.from({ length: 6 }, (_, i) => ({ question: `Why ${i}?`, answer: 'So.', comment: null }));
    const data = jsonl('judged.jsonl', rows);
    const heldOut = jsonl('held.jsonl', rows.slice(0, 2).map((row) => ({ ...row, question: `${row.question}!` })));
    const run = join(folder, what.includes('file') ? 'by-file' : 'by-share');
    mkdirSync(run);
    cpSync(tiny.adapter, join(run, 'adapter'), { recursive: true });
    write(`${run.slice(folder.length + 1)}/recipe.yaml`, [
      `model: ${tiny.model}`, 'method: cut', `run: { dir: ${run} }`, 'train: { steps: 1 }',
      `data: { path: ${data}, columns: { prompt: question, completion: answer, judgment: comment }, ${held.replace('HELD', heldOut)} }`, '',
    ].join('\n'));
    const ran = await compare(run, 'base', '--json');
    expect(ran.code, ran.err).toBe(0);
    const asked = ran.json<Comparison>().prompts.map(({ row }) => row.prompt[0]!.content);
    if (what.includes('file')) expect(asked).toEqual(['Why 0?!', 'Why 1?!']);
    else expect([asked.length, asked.every((one) => /^Why \d\?$/.test(one))]).toEqual([2, true]);
    expect(ran.json<Comparison>().duels[0]).toMatchObject({ name: 'base', change: {} });
  });

  it('warns of prompts that a contender learnt from, also where the run that it goes on from learnt them', async () => {
    const rows = Array.from({ length: 6 }, (_, i) => ({ prompt: `Why ${i}?`, completion: 'So.', judgment: 'Wrong.' }));
    const more = [{ prompt: ' New? ', completion: 'No.', judgment: 'Wrong.' }];
    const [data, added] = [jsonl('learnt.jsonl', rows), jsonl('added.jsonl', more)];
    const [first, second] = ['learnt', 'learnt-more'].map((name) => join(folder, name)) as [string, string];
    const recipe = (run: string, lines: string): void => {
      cpSync(tiny.adapter, join(run, 'adapter'), { recursive: true });
      const own = `model: ${tiny.model}\nmethod: cut\nrun: { dir: ${run} }\ntrain: { steps: 1 }\n`;
      write(join(run.slice(folder.length + 1), 'recipe.yaml'), own + lines);
    };
    recipe(first, `data: { path: ${data}, eval: 2, seed: 1 }\n`);
    recipe(second, `data: ${added}\nadapter: { from: ${first} }\n`);
    const asked = jsonl('asked.jsonl', [...rows, { prompt: 'New?' }, { prompt: 'Newer?' }].map(({ prompt }) => ({ prompt })));
    const page = join(folder, 'learnt.html');
    const argv = ['base', first, second, '--prompts', asked, '--html', page, '--overwrite'];
    const found = (await compare(...argv, '--json')).json<Comparison & { warnings: string[] }>();
    // 6 rows less 2 held out; and those with one row more.
    expect(found.contenders.map(({ trainedOn }) => trainedOn)).toEqual([undefined, 4, 5]);
    expect(found.warnings[1]).toContain('5 of 8 prompts are in the training data of learnt-more');
    expect(readFileSync(page, 'utf8')).toContain('4 of 8 prompts are in the training data of learnt');
    expect((await compare(...argv)).out).toMatch(/^warning: 4 of 8 prompts/m);
    // A file that is gone says nothing either way.
    rmSync(added);
    const gone = await compare(...argv);
    expect(gone.err).toMatch(/Whether prompts are in the training data of learnt-more cannot be told: .*added\.jsonl/);
    expect(gone.out).not.toContain('data of learnt-more');
  });

  it("takes a sweep's seeds as one contender, and runs of one name that differ in their seed alone", async () => {
    const sweep = join(folder, 'swept');
    const names = ['beta=0.1,seed=0', 'beta=0.1,seed=1', 'beta=0.5,seed=0'];
    for (const [i, name] of names.entries()) {
      cpSync([tiny.adapter, other, tiny.adapter][i]!, join(sweep, name, 'adapter'), { recursive: true });
      const options = `{ name: dpo, beta: ${i < 2 ? 0.1 : 0.5} }`;
      write(join('swept', name, 'recipe.yaml'), `model: ${tiny.model}\nmethod: ${options}\ntrain: { seed: ${i % 2} }\ndata: none.jsonl\n`);
    }
    write('swept/sweep.json', JSON.stringify({
      format: 1, recipe: 'dpo.yaml', common: {}, files: {},
      grid: [{ key: 'method.beta', values: ['0.1', '0.5'] }, { key: 'train.seed', values: ['0', '1'] }],
      runs: [...names, 'beta=0.5,seed=1'].map((name) => ({ name, state: names.includes(name) ? 'finished' : 'failed' })),
    }));
    const ran = await compare('base', `dpo=${sweep}`, ...rated(), '--model', tiny.model, '--json');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain('left out, because they have not finished: beta=0.5,seed=1');
    const { contenders, prompts: all, duels } = ran.json<Comparison>();
    expect(contenders.map(({ name, runs }) => [name, runs?.map((run) => run.name)]))
      .toEqual([['base', undefined], ['dpo beta=0.1', ['seed=0', 'seed=1']], ['dpo beta=0.5', undefined]]);
    const alone = (await compare('base', tiny.adapter, other, ...rated(), '--model', tiny.model, '--json')).json<Comparison>();
    const valueOf = (found: Comparison, i: number, k: number): number => (found.prompts[i]!.answers[k]!.rated as { value: number }).value;
    expect(all.map((_, i) => valueOf({ ...alone, prompts: all }, i, 1)))
      .toEqual(all.map((_, i) => (valueOf(alone, i, 1) + valueOf(alone, i, 2)) / 2));
    const [a, b] = alone.duels.map(({ change }) => change['value']!.mean) as [number, number];
    const { mean, high } = duels[0]!.changeOverSeeds!['value']!;
    expect(mean).toBeCloseTo((a + b) / 2, 12);
    expect(high - mean).toBeCloseTo((12.706205 * Math.abs(a - b)) / 2, 5);
    expect(contenders[1]!.overSeeds!['value']!.n).toBe(2);

    const [first, second, third] = names.map((name) => `own=${join(sweep, name)}`) as [string, string, string];
    const page = join(folder, 'seeds.html');
    const csv = join(folder, 'seeds.csv');
    const byName = await compare('base', first, second, ...rated(), '--model', tiny.model, '--html', page, '--csv', csv);
    expect(byName.code, byName.err).toBe(0);
    expect(byName.out).toContain('own is the mean of 2 runs; in brackets: 95 % intervals over prompts, and over seeds');
    expect(byName.out).toMatch(/reward, prompt by prompt: .*, seeds \[/);
    expect(readFileSync(page, 'utf8')).toContain('<h3>own seed=1</h3>');
    const [line] = parse<Record<string, string>>(readFileSync(csv, 'utf8'), { columns: true });
    expect(Object.keys(line!)).toEqual(expect.arrayContaining(['own seed=0', 'own seed=1', 'own outcome']));
    const differ = await compare('base', first, third, ...rated(), '--model', tiny.model);
    expect([differ.code, differ.err]).toEqual([2, expect.stringContaining('they differ in more than train.seed: method.beta: 0.1 → 0.5')]);
    const same = await compare('base', first, first, ...rated(), '--model', tiny.model);
    expect([same.code, same.err]).toEqual([2, expect.stringContaining('have the same train.seed, 0')]);
  });

  it('says beside the numbers that answers are degenerate, and so does heed evaluate', async () => {
    const argv = ['--model', tiny.model, ...rated(), '--max-tokens', '40'];
    const page = join(folder, 'signs.html');
    const ran = await heed(['compare', 'base', other, ...argv, '--keep', keep, '--html', page, '--json']);
    const { contenders, prompts: all } = ran.json<Comparison>();
    const cut = all.filter(({ answers }) => answers[0]!.finish === 'length').length;
    expect(cut).toBe(3);
    expect(contenders[0]!.signs).toContain('3 of 3 answers are cut off');
    expect(readFileSync(page, 'utf8')).toMatch(/class="alarm">Look at the answers of base \(!\) before its numbers: .*3 of 3 answers are cut off/);
    const text = (await heed(['compare', 'base', other, ...argv, '--keep', keep])).out;
    expect(text).toMatch(/^warning: Look at the answers of base \(!\)/m);
    expect(text).toMatch(/^reward +-?[\d.]+ .*\(!\)/m);
    const evaluated = await heed(['evaluate', '--adapter', other, ...argv]);
    expect(evaluated.out).toMatch(/^warning: Look at the answers of the base \(!\) before its numbers: .*3 of 3 answers are cut off/m);
    expect(evaluated.out).toMatch(/^reward +-?[\d.]+ .*\(!\)/m);
  });

  it('asks a judge which is better in both orders: one that names the first place always decides nothing', async () => {
    const module = write('first.ts', [
      "import { defineJudge } from '@heed/heed';", "import { z } from 'zod';", 'export const first = defineJudge({',
      "  name: 'first', options: z.strictObject({}),", '  open: async () => ({', "    name: 'first',",
      "    choose: async (questions) => questions.map(() => ({ logprobs: [-0.1, -3], mass: 1, source: 'logprobs' as const })),",
      '    write: async () => [], close: async () => {},', '  }),', '});',
    ].join('\n'));
    const recipe = write('p.yaml', [
      `data: ${prompts}`, `judge: ${module}#first`, 'label: preferences', `store: ${join(folder, 'labels.db')}`, 'run: { dir: x }', '',
    ].join('\n'));
    const pair = ['base', `tuned=${tiny.adapter}`, '--model', tiny.model, '--prompts', prompts];
    const ran = await compare(...pair, '--preferences', recipe, '--json');
    expect(ran.code, ran.err).toBe(0);
    const found = ran.json<Comparison>();
    const { same, outcomes, followedPlace } = found.duels[0]!;
    expect([outcomes, followedPlace]).toEqual([{ win: 0, loss: 0, tie: 3, unrated: 0 }, 3 - same]);
    expect(found.judge).toContain('#first');
    const both = await compare(...pair, '--preferences', recipe, '--reward', `rules:${rules}`);
    expect([both.code, both.err]).toEqual([2, expect.stringContaining('--preferences stands in place of a reward.')]);
  });

  it.each([
    ['two of one name', () => [tiny.adapter, tiny.adapter, '--prompts', prompts], /Two contenders are named adapter-256[^]*NAME=FOLDER/],
    ['no prompts', () => ['base', tiny.adapter], /none of these is a run[^]*--prompts FILE/],
    ['prompts under another name', () => ['base', tiny.adapter, '--prompts', jsonl('q.jsonl', [{ question: 'Why?' }])],
      /has no column prompt[^]*Columns in the data: question\.[^]*Change it in the file/],
    ['a measurement to choose', () => ['base', tiny.adapter, '--metric', 'valu'], /unknown option '--metric'/],
    ['weights of no rewards', () => ['base', tiny.adapter, '--weights', 'w.json'], /there are no --rewards/],
  ])('refuses %s', async (_, argv, message) => {
    const ran = await compare(...argv(), '--model', tiny.model);
    expect([ran.code, ran.err]).toEqual([2, expect.stringMatching(message)]);
    expect(ran.err).not.toContain('data.columns');
  });
});
