import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine } from '@heed/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { openGenerator } from '../../src/generate/open.js';
import { loadModel } from '../../src/model/load.js';
import { loadAdapter } from '../../src/model/peft.js';
import type { TrainSummary } from '../../src/loop/train-job.js';
import { selfCorrectionPrompt } from '../../src/text/self-correct.js';
import { startAdapter } from '../../src/loop/start.js';
import { heed, tinyChat } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { modelFixture, openTiny } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, heedStopped, log } from './interrupted.js';

// An adapter that is there is gone on with: from its numbers, in its shape, resumed to the last bit.
const { folder, write } = scratchFolder();
const rows = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `${JSON.stringify({ prompt: `${word} ${i % 4}?`, completion: `The answer is ${i * 7}.` })}\n`).join(
    '',
  );
const dirOf = (name: string): string => join(folder, name);
const adapterOf = (name: string): string => join(folder, name, 'adapter');
let model: string;
/** A random adapter of it, far from the identity. */
let random: string;
let recipe: string;
let first: TrainSummary;
const args = (name: string, ...more: string[]): string[] => ['train', recipe, `run.dir=${dirOf(name)}`, '--json', ...more];

beforeAll(async () => {
  ({ model, adapter: random } = await tinyChat(folder, { context: 512 }));
  recipe = write('recipe.yaml', `
model: ${model}
data: { path: ${write('train.jsonl', rows(10, 'Why'))}, eval: ${write('held.jsonl', rows(6, 'How'))} }
method: sft
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj], dropout: 0.1}
train: {steps: 4, batch: 4, learningRate: 1e-2, schedule: constant, checkpointEvery: 2}
run: {dir: unused}
`);
  const ran = await heed(args('first'));
  expect(ran.code, ran.err).toBe(0);
  first = ran.json();
});

describe('adapter.from', () => {
  it('begins where the adapter is, in its shape, and learns from there; killed and resumed, to the last bit', async () => {
    const from = `adapter={ from: ${adapterOf('first')} }`;
    const ran = await heed(args('second', from));
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain(`Goes on from the adapter ${adapterOf('first')}`);
    const second = ran.json<TrainSummary>();
    expect(second.before).toEqual(first.after);
    expect(second.after!['loss']).toBeLessThan(first.after!['loss']!);
    const { checkpoint } = await loadModel(model);
    const [a, b] = [await loadAdapter(adapterOf('first'), checkpoint), await loadAdapter(adapterOf('second'), checkpoint)];
    expect(b.plan).toEqual(a.plan);
    expect(b.parameters).not.toEqual(a.parameters);

    const killed = await heedStopped(args('killed', from), { how: 'SIGKILL', on: 'line', matching: '^\\{"step":4' });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const resumed = await heed(args('killed', from, '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.json()).toMatchObject({ resumedFrom: 2, before: second.before, after: second.after, change: second.change });
    expect(log(dirOf('killed'))).toEqual(log(dirOf('second')));
    expect(adapterBytes(dirOf('killed')).equals(adapterBytes(dirOf('second')))).toBe(true);
  });

  it('takes what agrees beside it, and another dropout', async () => {
    const ran = await heed(
      args('agrees', `adapter={ from: ${adapterOf('first')}, rank: 2, alpha: 4, targets: [down_proj, q_proj], rslora: false, dropout: 0 }`),
    );
    expect(ran.code, ran.err).toBe(0);
    const { checkpoint } = await loadModel(model);
    expect((await loadAdapter(adapterOf('agrees'), checkpoint)).plan.options).toMatchObject({ rank: 2, alpha: 4, dropout: 0 });
  });

  it('names both values of everything that contradicts, all at once', async () => {
    const ran = await heed(
      args('contradicts', `adapter={ from: ${adapterOf('first')}, rank: 8, alpha: 16, targets: attention, rslora: true }`),
    );
    expect(ran.code).toBe(2);
    expect(ran.err).toContain("adapter.rank is 8, the adapter's is 2");
    expect(ran.err).toContain("adapter.alpha is 16, the adapter's is 4");
    expect(ran.err).toContain("adapter.rslora is true, the adapter's is false");
    expect(ran.err).toMatch(
      /adapter\.targets is q_proj, k_proj, v_proj, o_proj \(\d+ modules\), the adapter's are q_proj, down_proj \(\d+ modules\)/,
    );
    expect((await heed(args('unknown', `adapter={ from: ${adapterOf('first')}, ranc: 8 }`))).err).toMatch(
      /unknown key "adapter.ranc"; did you mean "adapter.rank"/,
    );
  });

  it('reads what PEFT wrote', async () => {
    const checkpoint = await openTiny('llama3');
    const folderOf = modelFixture('peft/list');
    const start = await startAdapter({ from: folderOf, rank: 4, alpha: 6 }, checkpoint);
    const { plan, parameters } = await loadAdapter(folderOf, checkpoint);
    expect(start).toEqual({ plan, parameters });
    const layers = ['0-1'];
    expect(await startAdapter({ from: folderOf, layers }, checkpoint)).toEqual(start);
    await expect(startAdapter({ from: folderOf, layers: [1] }, checkpoint)).rejects.toThrow("adapter.layers is 1, the adapter's is all");
    await expect(startAdapter({ from: folderOf, rank: 5 }, checkpoint)).rejects.toThrow(/adapter\.rank is 5, the adapter's is 4/);
  });

  it('gives a reward model a fresh head on it, and does not drop one', async () => {
    const pairs = write(
      'pairs.jsonl',
      Array.from({ length: 6 }, (_, i) => `${JSON.stringify({ prompt: 'Why?', chosen: `Because ${i}.`, rejected: `No ${i}.` })}\n`).join(
        '',
      ),
    );
    const reward = await heed(
      args('reward', `adapter={ from: ${adapterOf('first')}, dropout: 0 }`, 'method=reward-model', `data={ path: ${pairs} }`),
    );
    expect(reward.code, reward.err).toBe(0);
    expect(JSON.parse(log(dirOf('reward'))[0]!)).toMatchObject({ step: 1, loss: expect.closeTo(Math.LN2, 6) as number });
    const back = await heed(args('back', `adapter={ from: ${adapterOf('reward')} }`));
    expect(back.code).toBe(2);
    expect(back.err).toContain('the adapter has a head "score" of 1 number, the method trains none');
  });

  it('has rows written by the policy that it starts from, to learn from and held out', async () => {
    const negatives = (name: string): string =>
      write(
        name,
        ['Why', 'Who', 'Where', 'When']
          .map((word, i) => `${JSON.stringify({ prompt: `${word} ${name}?`, rejected: `No ${i}.`, positives: [`Yes ${i}.`] })}\n`)
          .join(''),
      );
    const data = `data={ path: ${negatives('learnt.jsonl')}, eval: ${negatives('kept.jsonl')} }`;
    const made = async (name: string, adapter: string): Promise<string[]> => {
      const ran = await heed(
        args(
          name,
          adapter,
          data,
          'method={ name: d2o, k: 1 }',
          'rows={ make: self-correct, samples: 1, maxNewTokens: 8, temperature: 0 }',
          'train.steps=1',
        ),
      );
      expect(ran.code, ran.err).toBe(0);
      return ['train', 'eval'].map((round) =>
        log(join(dirOf(name), 'work', 'rows', round), 'answers.jsonl')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as { row: number; text: string })
          .toSorted((a, b) => a.row - b.row)
          .map(({ text }) => text)
          .join('|'),
      );
    };
    const [fresh, from] = [await made('made-fresh', 'adapter={ rank: 2 }'), await made('made-from', `adapter={ from: ${random} }`)];
    const base = await loadModel(model);
    const engine = await startEngine({ threads: 1 });
    const generator = await openGenerator(engine, base, { batch: 4, adapter: await loadAdapter(random, base.checkpoint) });
    const said = await Promise.all(
      ['learnt.jsonl', 'kept.jsonl'].map(async (name) => {
        const requests = ['Why', 'Who', 'Where', 'When'].map((word, row) => ({
          prompt: base.template.prompt(selfCorrectionPrompt([{ role: 'user', content: `${word} ${name}?` }])),
          row,
        }));
        return (await generator.generate(requests, { maxNewTokens: 8, temperature: 0, seed: 0 }))
          .toSorted((a, b) => a.row - b.row)
          .map(({ text }) => text)
          .join('|');
      }),
    );
    await engine.close();
    expect(from).toEqual(said);
    for (const i of [0, 1]) expect(from[i]).not.toEqual(fresh[i]);
  });

  it('checks the first loss where a reference is that adapter', async () => {
    const pairs = write(
      'start-pairs.jsonl',
      Array.from(
        { length: 4 },
        (_, i) => `${JSON.stringify({ prompt: `Why ${i}?`, chosen: `The answer is ${i * 7}.`, rejected: `No ${i}.` })}\n`,
      ).join(''),
    );
    const ran = await heed(
      args(
        'dpo-own',
        `adapter={ from: ${random}, dropout: 0 }`,
        `method={ name: dpo, reference: ${random} }`,
        `data={ path: ${pairs} }`,
        'train.steps=1',
      ),
    );
    expect(ran.code, ran.err).toBe(0);
    expect((JSON.parse(log(dirOf('dpo-own'))[0]!) as { loss: number }).loss).toBeCloseTo(Math.LN2, 5);
  });

  it('leaves the reference `base` the model without an adapter', async () => {
    const pairs = write(
      'more-pairs.jsonl',
      Array.from(
        { length: 4 },
        (_, i) => `${JSON.stringify({ prompt: `Why ${i}?`, chosen: `The answer is ${i * 7}.`, rejected: `No ${i}.` })}\n`,
      ).join(''),
    );
    const loss = async (name: string, adapter: string): Promise<number> => {
      const ran = await heed(args(name, adapter, 'method=dpo', `data={ path: ${pairs} }`, 'train.steps=1'));
      expect(ran.code, ran.err).toBe(0);
      return (JSON.parse(log(dirOf(name))[0]!) as { loss: number }).loss;
    };
    expect(await loss('dpo-fresh', 'adapter={ rank: 2 }')).toBeCloseTo(Math.LN2, 5);
    expect(Math.abs((await loss('dpo-from', `adapter={ from: ${random} }`)) - Math.LN2)).toBeGreaterThan(1e-3);
  });

  it('refuses the folder that the run writes to, one that is not there, and another adapter when resuming', async () => {
    expect((await heed(args('same', `adapter={ from: ${adapterOf('same')} }`))).err).toMatch(/adapter_config\.json/);
    cpSync(adapterOf('first'), adapterOf('own'), { recursive: true });
    cpSync(adapterOf('first'), dirOf('copy'), { recursive: true });
    const from = `adapter={ from: ${dirOf('copy')} }`;
    const own = await heed(args('own', `adapter={ from: ${adapterOf('own')} }`, '--overwrite'));
    expect(own.code).toBe(2);
    const killed = await heedStopped(args('changed', from), { how: 'SIGKILL', on: 'line', matching: '^\\{"step":4' });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    cpSync(adapterOf('second'), dirOf('copy'), { recursive: true });
    const resumed = await heed(args('changed', from, '--resume'));
    expect(resumed.code).toBe(2);
    expect(resumed.err).toMatch(/The numbers of the adapter .*copy are not those that this run began with/);
  });

  it('in a loop: answers from the first round on are the adapter\'s', async () => {
    const talker = await tinyTalker(folder, { context: 1024 });
    const taught = await heed(args('talker', `model=${talker}`, 'train.learningRate=0.3', 'train.steps=12'));
    expect(taught.code, taught.err).toBe(0);
    const rules = write(
      'tiny.rules.yaml',
      "name: tiny\nrules:\n  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}\n",
    );
    const align = (name: string, ...more: string[]): string[] => [
      'align',
      write(
        'align.yaml',
        `
model: ${talker}
data: ${write('prompts.jsonl', rows(40, 'Why'))}
judge: rules:${rules}
generate: {maxNewTokens: 8}
loop: {iterations: 1}
evaluate: {prompts: ${write('held-prompts.jsonl', rows(8, 'How'))}, maxNewTokens: 6}
method: {name: cut, ratio: null}
train: {steps: 1, batch: 4, learningRate: 1e-9}
run: {dir: unused}
`), `run.dir=${dirOf(name)}`, '--json', ...more];
    const answers = (name: string): string[] => log(dirOf(name), 'samples.jsonl').filter((line) => line.includes('"when":"before"'));
    const fresh = await heed(align('align-fresh'));
    const from = await heed(align('align-from', `adapter={ from: ${adapterOf('talker')}, dropout: 0 }`));
    expect([fresh.code, from.code], fresh.err + from.err).toEqual([0, 0]);
    expect(answers('align-from')).not.toEqual(answers('align-fresh'));
  });
});
