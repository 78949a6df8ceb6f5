/** Recipes of every kind of run, on a tiny random model, that are killed and resumed (`kills.ts`). */
import { mkdirSync } from 'node:fs';
import { expect } from 'vitest';
import { heed } from '../cli/support.js';
import { chatText, chatTop, faultyServer } from '../judge/faulty-server.js';
import { promptLines, sampleRows } from '../support/rows.js';
import { SMALL, writeAdversarial } from './adversarial.js';
import type { KillCase } from './kills.js';
import { tinyTalker } from './talkative.js';

type Write = (name: string, content: string) => string;

/** What the recipes name. */
interface Parts {
  readonly folder: string;
  readonly write: Write;
  readonly model: string;
  readonly rules: string;
  readonly rewards: string;
  /** Prompts to learn on, and held-out ones. */
  readonly prompts: (n: number) => string;
  readonly held: string;
}

/** Writes what recipes have in common. */
export async function killParts(folder: string, write: Write): Promise<Parts> {
  return {
    folder, write,
    model: await tinyTalker(folder, { context: 2048 }),
    rules: write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`),
    rewards: write('rewards.ts', `
type Given = { readonly completions: readonly string[] };
export const long = ({ completions }: Given): number[] => completions.map((text) => text.length / 8);
export const short = ({ completions }: Given): number[] => completions.map((text) => 1 - text.length / 8);
`),
    prompts: (n) => write(`prompts-${n}.jsonl`, promptLines(n, 'Why')),
    held: write('held.jsonl', promptLines(4, 'How')),
  };
}

/** Rows of a kind as lines of a file. */
const lines = (kind: 'judged' | 'negative'): string => sampleRows(kind).map((row) => {
  const { prompt } = row as unknown as { prompt: { content: string }[] };
  return `${JSON.stringify({ ...row, source: undefined, prompt: prompt[0]!.content, positives: undefined })}\n`;
}).join('');

/** An adapter, and a checkpoint every second step, older ones removed. */
const trained = (train: string, dropout = ', dropout: 0.1'): string => `
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]${dropout}}
train: {batch: 4, microBatch: 2, learningRate: 1e-2, schedule: cosine, warmup: 1, checkpointEvery: 2, keep: 1, ${train}}
run: {dir: unused}
`;
/** Of policy gradient: the recipe says how many rounds there are, not how many steps. */
const rolled = `
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {batch: 2, microBatch: 1, learningRate: 1e-2, schedule: cosine, warmup: 1, checkpointEvery: 3, keep: 1}
run: {dir: unused}
`;
const evaluate = ({ held, rules }: Parts): string => `evaluate: {prompts: ${held}, reward: 'rules:${rules}', maxNewTokens: 6}`;

/** Training on a file, on rows that the model writes, by judged answers, and by policy gradient with a value head and a constraint. */
export function mainRecipes(parts: Parts): Record<'train' | 'rows' | 'align' | 'rollouts', KillCase> {
  const { write, model, rules, rewards, prompts } = parts;
  const align = (name: string, text: string): KillCase => ({ verb: 'align', recipe: write(`${name}.yaml`, text) });
  const train = (name: string, text: string): KillCase => ({ verb: 'train', recipe: write(`${name}.yaml`, text) });
  return {
    train: train('train', `
model: ${model}
data: {path: ${write('judged.jsonl', lines('judged'))}, eval: 2}
method: {name: cut, ratio: null}
${trained('steps: 6')}`),
    rows: train('rows', `
model: ${model}
data: {path: ${write('negative.jsonl', lines('negative'))}, junk: skip}
method: {name: d2o, k: 1, rPlus: {every: 1, rate: 0.5}, rMinus: {every: 2, rate: 0.25}}
rows: {make: self-correct, every: 1, samples: 4, maxNewTokens: 8}
${trained('steps: 4')}`),
    align: align('align', `
model: ${model}
data: ${prompts(16)}
reward: rules:${rules}
generate: {maxNewTokens: 8, samples: 2}
loop: {iterations: 3}
${evaluate(parts)}
method: {name: cut, ratio: null}
${trained('steps: 3')}`),
    rollouts: align('rollouts', `
model: ${model}
data: ${prompts(6)}
reward: rules:${rules}
constraints: [{name: long, cost: {fn: '${rewards}#long'}, limit: 0.5}]
generate: {maxNewTokens: 8, prompts: 3, samples: 2}
loop: {iterations: 4}
${evaluate(parts)}
method: {name: ppo}
${rolled}`),
  };
}

const contentOf = (body: Readonly<Record<string, unknown>>): string => (body['messages'] as { content: string }[]).at(-1)!.content;
const sum = (text: string): number => [...text].reduce((n, c) => n + c.codePointAt(0)!, 0);

/** Loops in which a server is asked: for judgments, for revisions, for numbers. It answers by what it is shown. */
export async function askedRecipes(parts: Parts): Promise<Record<'judge' | 'constitutional' | 'direct-rlaif', KillCase>> {
  const { write, model, prompts } = parts;
  const judge = await faultyServer(({ body }) => chatText(sum(contentOf(body)) % 3 === 0 ? 'Perfect.' : 'It is wrong.'));
  const reviser = await faultyServer(({ body }) => {
    const content = contentOf(body);
    if (content.includes('Rewrite the response')) return chatText(`So: ${sum(content) % 100}.`);
    return chatText(sum(content) % 4 === 0 ? 'Nothing to mend.' : 'It is too long.');
  });
  const rater = await faultyServer(({ body }) => {
    const p = 0.1 + 0.1 * (sum(contentOf(body)) % 8);
    return chatTop({ 2: p, 9: 1 - p });
  });
  const endpoint = ({ url }: { readonly url: string }): string => `{ endpoint: { url: "${url}", model: scripted, concurrency: 1 } }`;
  const principles = write('principles.yaml', ['Short', 'Plain'].map((name) =>
    `- {name: ${name}, text: 'The answer is ${name}.', negation: 'The answer is not ${name}.'}\n`).join(''));
  const asked = (name: string, text: string): KillCase => ({ verb: 'align', recipe: write(`${name}.yaml`, text), asks: true });
  return {
    'judge': asked('judge', `
model: ${model}
data: ${prompts(12)}
judge: ${endpoint(judge)}
label: judgments
generate: {maxNewTokens: 8}
loop: {iterations: 2, fresh: true}
${evaluate(parts)}
method: {name: cut, ratio: null}
${trained('steps: 3')}`),
    'constitutional': asked('constitutional', `
model: ${model}
data: ${prompts(12)}
judge: ${endpoint(reviser)}
label: {name: revisions, principles: ${principles}, rounds: 1}
generate: {maxNewTokens: 8}
loop: {iterations: 2}
${evaluate(parts)}
method: {name: dpo}
${trained('steps: 2')}`),
    'direct-rlaif': asked('direct-rlaif', `
model: ${model}
data: ${prompts(4)}
reward: { scores: { judge: ${endpoint(rater)} } }
generate: {maxNewTokens: 8, prompts: 2, samples: 4}
loop: {iterations: 3}
${evaluate(parts)}
method: {name: reinforce}
${rolled}`),
  };
}

/** Loops whose rewards rate several answers to a prompt, and self-play. */
export function ratedRecipes(parts: Parts): Record<'pairs' | 'best-of-n' | 'spin' | 'rloo', KillCase> {
  const { write, model, rewards, prompts } = parts;
  const align = (name: string, text: string): KillCase => ({ verb: 'align', recipe: write(`${name}.yaml`, `
model: ${model}
loop: {iterations: 3}
${evaluate(parts)}
${text}`) });
  const rated = `reward: ${rewards}#long`;
  const demos = Array.from({ length: 8 }, (_, i) => `${JSON.stringify({ prompt: `Why ${i}?`, completion: 'zz yy' })}\n`).join('');
  return {
    'pairs': align('pairs', `
${rated}
data: ${prompts(8)}
rows: {make: pairs}
generate: {maxNewTokens: 24, samples: 4}
method: {name: dpo, reference: base}
${trained('steps: 2')}`),
    'best-of-n': align('best-of-n', `
${rated}
data: ${prompts(8)}
rows: {make: best-of-n}
generate: {maxNewTokens: 24, samples: 4}
method: {name: sft}
${trained('steps: 2')}`),
    'spin': align('spin', `
data: ${write('demos-of-spin.jsonl', demos)}
rows: {make: self-play}
generate: {maxNewTokens: 8, samples: 4}
method: {name: dpo, reference: round}
${trained('steps: 2', '')}`),
    'rloo': align('rloo', `
${rated}
data: ${prompts(6)}
generate: {maxNewTokens: 8, prompts: 3, samples: 2}
method: {name: rloo, beta: 0.02}
${rolled}`),
  };
}

/** A reward model that reads principles, against hacks of which the run may end; the adversarial loop; a controller. */
export async function learntRecipes(parts: Parts): Promise<Record<'salmon' | 'adversarial' | 'controller', KillCase>> {
  const { folder, write, model, rewards, prompts, held } = parts;
  const principle = { name: 'Helpful', text: 'It is helpful.', negation: 'It is not helpful.' };
  const pairs = Array.from({ length: 4 }, (_, i) => `${JSON.stringify({
    prompt: `Why ${i}?`, responses: ['So.', 'No.'], principles: [{ ...principle, score: 1 }],
  })}\n`).join('');
  const teacher = `${folder}/teacher`;
  const taught = await heed(['train', write('teach.yaml', `
model: ${model}
data: ${write('pairs.jsonl', pairs)}
method: {name: principle-reward-model, draws: 1}
adapter: {rank: 2, alpha: 4, targets: [q_proj]}
train: {steps: 2, batch: 2, learningRate: 1e-2}
run: {dir: ${teacher}}
`)]);
  expect(taught.code, taught.err).toBe(0);
  const principles = write('helpful.yaml', `[${JSON.stringify(principle)}]\n`);
  const own = `${folder}/adversarial`;
  mkdirSync(own);
  const adversarial = await writeAdversarial(own, (name, text) => write(`adversarial/${name}`, text));
  const task = (name: string): string => `  ${name}: { data: ${prompts(9)}, reward: '${rewards}#${name}', heldOut: ${held} }`;
  return {
    salmon: { verb: 'align', recipe: write('salmon.yaml', `
model: ${model}
data: ${prompts(6)}
reward: { rewardModel: { model: ${model}, adapter: ${teacher}/adapter, principles: ${principles} } }
watch: {stop: true}
generate: {maxNewTokens: 8, prompts: 3, samples: 2}
loop: {iterations: 3}
${evaluate(parts)}
method: {name: rloo, beta: 0.02}
${rolled}`) },
    adversarial: { verb: 'align', recipe: adversarial.recipe, set: SMALL },
    controller: { verb: 'control', recipe: write('control.yaml', `
model: ${model}
tasks:
${['long', 'short'].map(task).join('\n')}
actions:
  some: { temperature: 1, endBias: { add: 1000, after: 3 } }
  stop: { temperature: 1, endBias: { add: 1000, after: 1 } }
  go: { temperature: 1, endBias: { add: -1000, after: 0 } }
generate: { maxNewTokens: 8, prompts: 4, samples: 2 }
grid: { prompts: 0.3, samples: 2 }
learn: { rounds: 4, learningRate: 0.02, hidden: [8], components: 4, prior: 0.4 }
evaluate: { samples: 2 }
run: {dir: unused}
`) },
  };
}
