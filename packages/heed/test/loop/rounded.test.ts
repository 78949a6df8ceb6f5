import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { twins } from '../model/packed-model.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
// Rounded weights are kept in the cache.
beforeAll(() => { vi.stubEnv('HEED_CACHE', `${folder}/cache`); });
afterAll(() => { vi.unstubAllEnvs(); });

it('heed align says what rounding the base loses, on the first answers', async () => {
  const { widened } = await twins(folder);
  const recipe = write('recipe.yaml', `
model: ${widened}
data: ${write('prompts.jsonl', promptLines(2, 'Why'))}
reward: {fn: '${write('length.ts', 'export const length = ({ completions }) => completions.map((text) => text.length);')}#length'}
generate: {maxNewTokens: 4, prompts: 2, samples: 2}
loop: {iterations: 1}
evaluate: {prompts: ${write('held.jsonl', promptLines(2, 'How'))}, maxNewTokens: 6}
method: {name: rloo}
run: {dir: '${folder}/run'}
`);
  const said = async (precision: string): Promise<string> => {
    const ran = await heed(['align', recipe, `precision=${precision}`, `run.dir=${folder}/${precision}`]);
    expect(ran.code, ran.err).toBe(0);
    return ran.err;
  };
  const [, divergence] = /^precision int8: KL to f32 (\S+) a token; the likeliest token is the same at \d+ % of \d+ tokens$/m
    .exec(await said('int8'))!;
  expect(Number(divergence)).toBeGreaterThan(0);
  expect(Number(divergence)).toBeLessThan(0.1);
  expect(await said('f32')).not.toContain('KL to f32');
});
