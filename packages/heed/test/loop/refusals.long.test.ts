import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Ran, heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// What `heed align` cannot do is refused before anything is generated, with the method or the option named, and a way out.
const { folder, write } = scratchFolder();
let recipe: string;
let rules: string;
let fn: string;
beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512 });
  rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  fn = `${write('reward.ts', 'export const length = ({ completions }) => completions.map((text) => text.length);\n')}#length`;
  write('pairs.jsonl', `${JSON.stringify({ prompt: 'How?', completion: 'So.' })}\n`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', Array.from({ length: 12 }, (_, i) => `{"prompt": "Why ${i}?"}\n`).join(''))}
generate: {maxNewTokens: 8}
loop: {iterations: 1}
evaluate: {prompts: ${write('held.jsonl', '{"prompt": "How?"}\n')}, maxNewTokens: 6}
adapter: {rank: 2, alpha: 4, targets: [q_proj]}
run: {dir: unused}
`);
});

let runs = 0;
const align = async (...overrides: readonly string[]): Promise<Ran & { readonly dir: string }> => {
  const dir = join(folder, `run-${runs++}`);
  return { ...(await heed(['align', recipe, `run.dir=${dir}`, ...overrides])), dir };
};
const ruled = (): string => `reward=rules:${rules}`;

/** That a run was refused with these words, and that the model has not written anything. */
function expectRefused({ code, err, dir }: Awaited<ReturnType<typeof align>>, ...words: readonly RegExp[]): void {
  for (const word of words) expect(err).toMatch(word);
  expect(code).toBe(2);
  const left = existsSync(dir) ? readdirSync(dir, { recursive: true }).map(String) : [];
  expect(left.filter((name) => /answers|before|ratings|checkpoints.|adapter.|summary/.test(name))).toEqual([]);
}

describe('align refuses a method', () => {
  it.each([
    [
      'that learns from rows which answers cannot become', '{name: choice}',
      /choice learns from "choice" rows, which cannot be made from rated answers/,
      /Take a method that learns from one of these kinds/,
    ],
    [
      'that trains a head on texts', "{name: classifier, labels: ['good', 'bad']}",
      /classifier trains a head that scores texts/, /heed train/,
    ],
    ['that trains a head on pairs', '{name: reward-model}', /reward-model trains a head that scores texts/, /heed train/],
    [
      'of pairs with one answer to a prompt', '{name: dpo}',
      /dpo learns from 2 or more answers to one prompt, but generate\.samples is 1/, /Set generate\.samples to 2 or more/,
    ],
    [
      'of refinements that nothing writes', '{name: ilf}',
      /ilf learns from what the model writes after a judgment/, /Add rows: \{ make: refine \}/,
    ],
    [
      'of positives that nothing writes', '{name: d2o}',
      /d2o could not learn from a single row made of 1 answer to a prompt/, /let the model write what is missing \(rows:, rows\.samples\)/,
    ],
    [
      'of principles', '{name: principle-choice}',
      /principle-choice learns from "principled" rows, which cannot be made from rated answers/, /heed train/,
    ],
  ])('%s', async (_, method, ...words) => {
    expectRefused(await align(`method=${method}`, ruled()), ...words);
  });

  it('whose positives are fewer than it wants, even with several answers', async () => {
    const ran = await align('method={name: d2o, k: 4}', 'generate.samples=4', ruled());
    expectRefused(ran, /d2o could not learn from a single row made of 4 answers/, /generate\.samples/);
  });

  it('that says what kind of rows the model is to write, where it makes another kind', async () => {
    const ran = await align('method={name: ilf}', 'rows={make: self-correct}', ruled());
    const words = /rows\.make: self-correct makes rows of the kind "negative", but the method learns from "refined" rows/;
    expectRefused(ran, words, /Take another method/);
  });

  it('that sets completions under other prompts, where all prompts are one', async () => {
    const one = write('one.jsonl', '{"prompt": "Why?"}\n'.repeat(3));
    const ran = await align('method={name: kto}', `data=${one}`, 'generate.samples=4', ruled());
    expectRefused(ran, /kto could not learn from answers to these prompts.*all rows have the same prompt/, /loss: apo-zero/);
  });

  it.each(['cut', 'sft', 'kto', 'bco', 'unlikelihood', 'npo'])('%s, with a reward that draws no line', async (name) => {
    const ran = await align(`method={name: ${name}}`, `reward=${fn}`);
    const words = new RegExp(`${name} learns from good and bad answers, but the reward draws no line between them`);
    expectRefused(ran, words, /Give the reward a threshold/);
  });
});

describe('align refuses prompts', () => {
  // The model's context is 512 tokens, each a byte.
  const long = (): string => write('long.jsonl', `{"prompt": "Who?"}\n${JSON.stringify({ prompt: 'x'.repeat(600) })}\n`);

  it.each([['dpo', 'truncate-prompt-left'], ['rloo', 'error']])('that leave no room for an answer: %s, %s', async (method, onLong) => {
    const ran = await align(`method=${method}`, ruled(), 'generate.samples=2', `data=${long()}`, `data.onLong=${onLong}`);
    expectRefused(ran, /1 of 2 prompts leave no room/, /long\.jsonl:2 .*generate\.maxNewTokens = 8 are more than 512/);
  });

  it('that are held out and leave no room for an answer', async () => {
    const ran = await align('method=dpo', ruled(), 'generate.samples=2', `evaluate.prompts=${long()}`);
    expectRefused(ran, /1 of 2 prompts leave no room/, /long\.jsonl:2 .*evaluate\.maxNewTokens = 6 are more than 512/);
  });

  it('that are held out and learnt on too', async () => {
    const both = write('both.jsonl', '{"prompt": "New?"}\n{"prompt": " Why 3? "}\n');
    const ran = await align('method=dpo', ruled(), 'generate.samples=2', `evaluate.prompts=${both}`);
    expectRefused(ran, /1 of 2 held-out prompts are also prompts to learn on, the first in .*both\.jsonl:2/, /evaluate\.prompts/);
  });

  it.each(['rloo', 'grpo'])('with one answer each, for %s, which compares them', async (method) => {
    const ran = await align(`method=${method}`, ruled());
    expectRefused(ran, /generate\.samples is 1, and .* compares the answers to a prompt/, /Set it to 2 or more/);
  });
});

describe('align refuses a recipe', () => {
  it.each<[string, (given: { rules: string; fn: string; folder: string }) => string[], ...RegExp[]]>([
    ['that holds out rows in data.eval', ({ rules: r }) => [`reward=rules:${r}`, 'data.eval=0.5'], /data\.eval/, /evaluate\.prompts/],
    ['that keeps the order of the file', ({ rules: r }) => [`reward=rules:${r}`, 'data.shuffle=false'], /data\.shuffle/, /an order of its own/],
    ['with a section for the reward that names none', () => ['reward={}'], /reward.*expected exactly one of rules/],
    ['with a section for the judge that names none', () => ['judge={}'], /judge.*expected exactly one of/],
    ['with data.ties', ({ rules: r }) => [`reward=rules:${r}`, 'data.ties=skip'], /data\.ties/, /leave it out/],
    [
      'with a reward and a judge', ({ rules: r }) => [`reward=rules:${r}`, `judge=rules:${r}`],
      /reward.* stands beside judge; leave one of them out/,
    ],
    [
      'with several rewards and a judge', ({ rules: r, fn: f }) => [`rewards={ a: "${f}" }`, `judge=rules:${r}`],
      /rewards.* stands beside judge; leave one of them out/,
    ],
    ['with weights of no rewards', ({ rules: r }) => [`reward=rules:${r}`, 'weights=w.json'], /weights.*there is no section rewards/],
    ['with rewards that all weigh 0', ({ fn: f }) => [`rewards={ a: { fn: "${f}", weight: 0 } }`], /rewards.*every weight is 0/],
    [
      'of rewards that are each normalised, and of places that earn parts of them',
      ({ rules: r, fn: f }) => [
        `rewards={ a: "rules:${r}", b: "${f}" }`, 'method={ name: grpo, aggregation: normalize-then-sum }', 'credit={ by: spans }',
        'generate.samples=4',
      ],
      /method\.aggregation is normalize-then-sum, .* and credit\.by is spans/, /Leave one of them out/,
    ],
    ['with rewards that name none', () => ['rewards={}'], /rewards.*expected one reward or more/],
    [
      'with a model among several rewards and nobody else to rate what is held out',
      ({ rules: r }) => [`rewards={ a: "rules:${r}", b: { rewardModel: { adapter: none } } }`],
      /evaluate\.reward.*what teaches is a model/,
    ],
    [
      'whose held-out answers are rated by the model among several rewards',
      ({ rules: r }) => [
        `rewards={ a: "rules:${r}", b: { rewardModel: { adapter: none }, weight: 2 } }`,
        'evaluate.reward={ rewardModel: { adapter: none } }',
      ],
      /evaluate\.reward.*this is the judge that teaches/,
    ],
    ['with a store that nobody needs', ({ fn: f }) => [`rewards={ a: "${f}" }`, 'store=x.db'], /store.*because fn answers no questions/],
    ['with neither', () => [], /reward.* is missing; say what rates the answers, such as reward: rules:FILE/],
    [
      'with rows that are made anew as training goes on',
      ({ rules: r }) => [`reward=rules:${r}`, 'method={name: ilf}', 'rows={make: refine, every: 2}'],
      /rows\.every/, /leave it out/,
    ],
    [
      'with a judge that is asked and no label', ({ rules: r }) => ['judge={local: {}}', `evaluate.judge=rules:${r}`],
      /label/, /write label: judgments/,
    ],
    [
      'with held-out answers rated twice',
      ({ rules: r, fn: f }) => [`reward=rules:${r}`, `evaluate.reward=${f}`, `evaluate.judge=rules:${r}`],
      /evaluate\.reward.* stands beside evaluate\.judge/,
    ],
    ['with a reward of another kind in the section', () => ['reward={rulez: x}'], /reward.*rulez/],
  ])('%s', async (_, overrides, ...words) => {
    const given = overrides({ rules, fn, folder });
    const method = given.some((one) => one.startsWith('method=')) ? [] : ['method={name: sft}'];
    expectRefused(await align(...method, ...given), ...words);
  });
});

describe('align takes', () => {
  it('what is left of prompts, and lists what was left out', async () => {
    const some = write('some.jsonl', `{"prompt": "Who?"}\n{"prompt": ""}\n${JSON.stringify({ prompt: 'x'.repeat(600) })}\n`);
    const held = write('held-some.jsonl', '{"prompt": "So?"}\n{"prompt": " "}\n');
    const ran = await align(
      'method={name: reinforce, beta: 0}', ruled(), `data=${some}`, 'data.junk=skip', 'data.onLong=skip', `evaluate.prompts=${held}`,
    );
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/^prompts left out:\n.*some\.jsonl:2 .*prompt is empty[^\n]*\n.*some\.jsonl:3 .*are more than 512$/m);
    expect(ran.err).toMatch(/^held-out prompts left out:\n.*held-some\.jsonl:2 /m);
  });

  it('pairs that are to be further apart than 1', async () => {
    const far = `${write('far.ts', 'export const far = ({ completions }) => completions.map((text) => 10 * text.length);\n')}#far`;
    const ran = await align('method=dpo', 'rows={make: pairs, minGap: 5}', 'generate.samples=16', `reward=${far}`);
    expect(ran.code, ran.err).toBe(0);
  });

  it('a reward that draws no line where the method wants numbers or pairs', async () => {
    const ran = await align('method={name: dpo}', 'generate.samples=16', `reward=${fn}`);
    expect(ran.code, ran.err).toBe(0);
  });

  it('several rewards, of which one draws a line', async () => {
    const rewards = `rewards={ long: { fn: "${fn}", weight: 0.1 }, tiny: "rules:${rules}" }`;
    const ran = await align('method={name: npo}', 'generate.samples=4', rewards);
    expect(ran.code, ran.err).toBe(0);
  });

  it('bad answers alone with a method that needs no positives', async () => {
    const ran = await align('method={name: npo}', 'generate.samples=4', ruled());
    expect(ran.code, ran.err).toBe(0);
  });
});
