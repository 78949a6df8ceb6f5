import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type * as alignment from '../../src/cli/alignment.js';
import { scratchFolder } from '../support/scratch.js';
import { heed } from './support.js';

// What the command makes of a result; the run itself is somebody else's.
const { folder } = scratchFolder();
const given = vi.hoisted((): { after: number; run: string; runs: number } => ({ after: 0, run: '', runs: 0 }));
vi.mock('../../src/cli/alignment.js', async (original) => ({
  ...await original<typeof alignment>(),
  align: async (): Promise<alignment.Aligned> => {
    const estimate = (mean: number) => ({ mean, low: mean - 0.05, high: mean + 0.05, n: 80 });
    const fluency = { medianWords: 50, distinct2: 0.9, logprobPerToken: -0.8, unfinished: 0 };
    return {
      run: given.run, job: 'align', model: 'tiny', method: given.runs++ === 0 ? 'cut' : 'another', metric: 'share', rows: 80, skipped: 0,
      heldOut: 80, change: {}, rounds: [], alarms: [], steps: 0, seconds: 1, peakRssMb: 1000,
      before: { satisfied: estimate(0.1), findings: estimate(2), ...fluency },
      after: { satisfied: estimate(given.after), findings: estimate(1), ...fluency },
    };
  },
}));
const cwd = process.cwd();
afterAll(() => process.chdir(cwd));

const quickstart = (after: number, ...more: string[]) => {
  given.run = join(folder, `run-${after}`);
  given.after = after;
  given.runs = 0;
  mkdirSync(given.run, { recursive: true });
  writeFileSync(join(given.run, 'recipe.yaml'), 'model: m\n');
  return heed(['quickstart', ...more]);
};

describe('heed quickstart', () => {
  it('that does not show its promise ends with one result and no stack', async () => {
    const { code, out, err, json } = await quickstart(0.12, '--json');
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toHaveLength(1);
    const result = json<{ checks: { what: string; holds: boolean }[] }>();
    expect(result).toMatchObject({ ok: false, exitCode: 1, method: 'cut', after: { satisfied: { mean: 0.12 }, medianWords: 50 } });
    expect(result.checks.map(({ holds }) => holds)).toEqual([false, true, true, true, true]);
    expect(err).toContain('failed: The quickstart did not show what it promises: the gain lies outside the 95 % intervals (0.07 > 0.15).');
    expect(err).not.toContain('    at ');
    expect(JSON.parse(readFileSync(join(given.run, 'summary.json'), 'utf8'))).toMatchObject({ checks: result.checks });
  });

  it('that shows it ends well, with memory in megabytes of a million bytes', async () => {
    const { code, out } = await quickstart(0.5);
    expect(code).toBe(0);
    expect(out).toContain('peak memory 1,049 MB');
    expect(out).not.toContain('FAILED');
    expect((await quickstart(0.5, '--json')).json()).not.toHaveProperty('ok');
  });

  it('writes a report of all that it measured', async () => {
    const { code, json } = await quickstart(0.5, '--compare', '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      before: { satisfied: { mean: 0.1 }, findings: { mean: 2 } }, compared: { another: { findings: { mean: 1 } } },
    });
    const report = readFileSync(join(given.run, 'report.html'), 'utf8');
    expect(report.replaceAll(/<[^>]*>/g, '')).toContain('Better after training: the 95 % intervals do not overlap. Higher is better.');
    expect(report).toContain('<caption>compared</caption>');
    expect(report).toContain('<caption>checks</caption>');
  });
});
