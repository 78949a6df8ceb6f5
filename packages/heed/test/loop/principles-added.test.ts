import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPrinciples } from '../../src/judge/principle-file.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// SALMON: a principle is added when the reward is read, after a hack showed. Neither the reward model nor its labels change.
const { folder, write } = scratchFolder();
const principle = (name: string): string => `- {name: ${name}, text: 'It is ${name}.', negation: 'It is not ${name}.'}\n`;
const first = write('first.yaml', principle('Helpful') + principle('Honest'));
const against = write('against.yaml', principle('Humble'));

describe('principles of several files', () => {
  it('are those of one after the other, and may be chosen by name', async () => {
    const names = async (...only: string[]): Promise<string[]> =>
      (await readPrinciples([first, against], only.length === 0 ? undefined : only)).map(({ name }) => name);
    expect(await names()).toEqual(['Helpful', 'Honest', 'Humble']);
    expect(await names('Humble', 'Helpful')).toEqual(['Helpful', 'Humble']);
  });

  it('have different names, and only names that a file has', async () => {
    await expect(readPrinciples([first, write('twice.yaml', principle('Honest'))])).rejects.toThrow(/twice\.yaml has a principle "Honest"/);
    await expect(readPrinciples([first, against], ['Humbel'])).rejects.toThrow(/has no principle "Humbel"/);
  });
});

describe('heed align with a principle added', () => {
  let recipe: string;
  beforeAll(async () => {
    const model = await tinyTalker(folder, { context: 1024 });
    const pairs = Array.from({ length: 4 }, (_, i) => `${JSON.stringify({
      prompt: `Why ${i}?`, responses: ['So.', 'No.'],
      principles: [{ name: 'Helpful', text: 'It is Helpful.', negation: 'It is not Helpful.', score: 1 }],
    })}\n`).join('');
    const teacher = join(folder, 'teacher');
    const trained = await heed([
      'train', write('teach.yaml', `
model: ${model}
data: ${write('pairs.jsonl', pairs)}
method: { name: principle-reward-model, draws: 1 }
adapter: { rank: 2, alpha: 4, targets: [q_proj] }
train: { steps: 2, batch: 2, learningRate: 1e-2 }
run: { dir: ${teacher} }
`)]);
    expect(trained.code, trained.err).toBe(0);
    const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
    recipe = write('salmon.yaml', `
model: ${model}
data: ${write('train.jsonl', Array.from({ length: 4 }, (_, i) => `{"prompt": "Why ${i}?"}\n`).join(''))}
reward: { rewardModel: { model: ${model}, adapter: ${teacher}/adapter, principles: ${first} } }
generate: { prompts: 2, samples: 4, maxNewTokens: 8 }
loop: { iterations: 1 }
evaluate: { prompts: ${write('held.jsonl', '{"prompt": "How?"}\n')}, reward: 'rules:${rules}', maxNewTokens: 6 }
method: { name: rloo }
adapter: { rank: 2, alpha: 4, targets: [q_proj] }
train: { batch: 2, learningRate: 1e-2 }
run: { dir: unused }
`);
  });
  const dirOf = (name: string): string => join(folder, name);
  const align = async (name: string, ...more: string[]) => heed(['align', recipe, `run.dir=${dirOf(name)}`, ...more]);
  const more = `reward.rewardModel.principles=[${first}, ${against}]`;
  const heldTo = (name: string): string =>
    (JSON.parse(readFileSync(join(dirOf(name), 'work', 'round-1', 'ratings.json'), 'utf8')) as { reward: string }).reward;

  it('goes on from the adapter of the first run, and answers are held to the new principle too', async () => {
    const before = await align('salmon');
    expect(before.code, before.err).toBe(0);
    const after = await align('salmon-2', `adapter={ from: ${dirOf('salmon')}/adapter }`, more);
    expect(after.code, after.err).toBe(0);
    expect(heldTo('salmon')).toContain('held to Helpful, Honest [');
    expect(heldTo('salmon-2')).toContain('held to Helpful, Honest, Humble [');
  });

  it('does not resume a run with other principles: its rewards could not be compared', async () => {
    const ran = await align('salmon', '--resume', more);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/reward/);
  });
});
