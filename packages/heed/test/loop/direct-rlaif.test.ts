import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { type Behaviour, chatTop, fail, faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// Direct RLAIF: the reward of a policy gradient is what a judge's log-probabilities expect, here of a server that follows a script.
const { folder, write } = scratchFolder();
const contentOf = (body: Readonly<Record<string, unknown>>): string => (body['messages'] as { content: string }[]).at(-1)!.content;
const sum = (text: string): number => [...text].reduce((n, c) => n + c.codePointAt(0)!, 0);
/** The judge gives "2" the probability p and "9" the rest: the rating that it expects is 2p + 9(1 − p). */
const p = (content: string): number => 0.1 + 0.1 * (sum(content) % 8);
const script: Behaviour = ({ body }) => chatTop({ 2: p(contentOf(body)), 9: 1 - p(contentOf(body)) });

let server: Awaited<ReturnType<typeof faultyServer>>;
let recipe: string;
beforeAll(async () => {
  server = await faultyServer(script);
  const model = await tinyTalker(folder, { context: 512 });
  const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', Array.from({ length: 4 }, (_, i) => `{"prompt": "Why ${i}?"}\n`).join(''))}
reward: { scores: { judge: { endpoint: { url: "${server.url}", model: scripted, retries: 2, backoff: 0.001, concurrency: 1 } } } }
generate: { prompts: 2, samples: 4, maxNewTokens: 8 }
loop: { iterations: 2 }
evaluate: { prompts: ${write('held.jsonl', '{"prompt": "How?"}\n')}, reward: 'rules:${rules}', maxNewTokens: 6 }
method: { name: reinforce }
adapter: { rank: 2, alpha: 4, targets: [q_proj] }
train: { batch: 2, learningRate: 1e-2 }
run: { dir: unused }
`);
});

const dirOf = (name: string): string => join(folder, name);
const align = async (name: string, ...more: string[]) =>
  heed(['align', recipe, `run.dir=${dirOf(name)}`, `store=${dirOf(`${name}.db`)}`, ...more]);
interface Kept { results: { value?: number; parts?: { rating: number } }[] }
const ratings = (name: string, k: number): Kept['results'] =>
  (JSON.parse(readFileSync(join(dirOf(name), 'work', `round-${k}`, 'ratings.json'), 'utf8')) as Kept).results;

describe('direct RLAIF by heed align', () => {
  it('pays the rating that the judge expects, mapped to −1 … 1', async () => {
    const ran = await align('whole');
    expect(ran.code, ran.err).toBe(0);
    const expected = server.asked.map(({ body }) => 2 * p(contentOf(body)) + 9 * (1 - p(contentOf(body))));
    const found = [1, 2].flatMap((k) => ratings('whole', k));
    expect(found.length).toBeGreaterThan(8);
    for (const { value, parts } of found) {
      expect(value).toBeCloseTo((parts!.rating - 5.5) / 4.5, 9);
      // Numbers that the server did not list have some 1e-7 of probability.
      expect(expected.some((rating) => Math.abs(rating - parts!.rating) < 1e-5)).toBe(true);
    }
  });

  it('stops where the server dies in mid-round, and resumed asks what is missing and ends at the same numbers', async () => {
    server.behave((asked, response, count) => (count < 5 ? script(asked, response, count) : fail(response, 503, 'down')));
    const down = await align('down');
    expect(down.code).toBe(2);
    expect(down.err).toMatch(/answers got no rating \(.*\): server-error \d+[^]*tried 3 times[^]*--resume/);
    const replied = new Set(server.asked.slice(0, 5).map(({ body }) => contentOf(body)));
    server.behave(script);
    const resumed = await align('down', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(server.asked.filter(({ body }) => replied.has(contentOf(body)))).toEqual([]);
    expect(log(dirOf('down'))).toEqual(log(dirOf('whole')));
    expect(adapterBytes(dirOf('down')).equals(adapterBytes(dirOf('whole')))).toBe(true);
  });
});
