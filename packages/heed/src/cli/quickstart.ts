/** `heed quickstart`: a real model gets better from written judgments, in minutes, with the numbers that show it. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

import type { AlignmentSummary } from './alignment.js';
import { EXIT, Reported } from './errors.js';
import type { Output } from './output.js';

/** What must hold besides the gain, so that good marks are not bought with worse text. The README states them too. */
export const LIMITS = { wordsRatio: 0.7, logprobDrop: 0.5, distinct2Ratio: 0.7, unfinishedRise: 0.15 } as const;

export interface Check {
  readonly what: string;
  readonly holds: boolean;
}

/** Holds a result against the quickstart's promises. */
export function checksOf({ base, after, fluency }: Pick<AlignmentSummary, 'base' | 'after' | 'fluency'>): Check[] {
  const [b, a] = [fluency.base, fluency.after];
  return [
    { what: `the gain lies outside the 95 % intervals (${after.low.toFixed(2)} > ${base.high.toFixed(2)})`, holds: after.low > base.high },
    { what: `median words ≥ ${LIMITS.wordsRatio} × the base's (${a.medianWords} against ${b.medianWords})`, holds: a.medianWords >= LIMITS.wordsRatio * b.medianWords },
    { what: `log p a token under the base falls by at most ${LIMITS.logprobDrop} (${a.logprobPerToken.toFixed(2)} against ${b.logprobPerToken.toFixed(2)})`, holds: a.logprobPerToken >= b.logprobPerToken - LIMITS.logprobDrop },
    { what: `distinct-2 ≥ ${LIMITS.distinct2Ratio} × the base's (${a.distinct2.toFixed(2)} against ${b.distinct2.toFixed(2)})`, holds: a.distinct2 >= LIMITS.distinct2Ratio * b.distinct2 },
    { what: `answers cut off at the length limit rise by at most ${100 * LIMITS.unfinishedRise} points (${(100 * a.unfinished).toFixed(0)} % against ${(100 * b.unfinished).toFixed(0)} %)`, holds: a.unfinished <= b.unfinished + LIMITS.unfinishedRise },
  ];
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export function register(program: Command, out: Output): void {
  program
    .command('quickstart')
    .description('align SmolLM2-135M to a house style from judgments, and show what it gained')
    .argument('[overrides...]', 'recipe values: key=value')
    .option('--compare', 'also train with hindsight, and with SFT on the satisfactory answers, at the same budget')
    .option('--resume', 'go on where an earlier quickstart stopped')
    .action(async (overrides: string[], { compare = false, resume = false }: { compare?: boolean; resume?: boolean }) => {
      const [{ runAlignment, renderAlignment }, { atomicWrite }] = await Promise.all([
        import('./alignment.js'), import('../run/files.js'),
      ]);
      process.chdir(ROOT);
      const file = join('recipes', 'quickstart.yaml');
      out.note('Aligning SmolLM2-135M-Instruct to the house style of examples/house-style, from judgments of its own answers.');
      const results = [await runAlignment({ file, overrides, resume, overwrite: !resume, out })];
      for (const [name, method] of compare ? [['hindsight', ['method={name: hindsight}']], ['sft', ['method={name: sft}']]] as const : []) {
        const dir = join(results[0]!.run, `compare-${name}`);
        out.note(`The same budget with ${name}.`);
        results.push(await runAlignment({ file, overrides: [...overrides, ...method, `run.dir=${dir}`], resume, overwrite: !resume, out }));
      }
      const [cut, ...others] = results as [AlignmentSummary, ...AlignmentSummary[]];
      const checks = checksOf(cut);
      const summary = {
        metric: cut.metric, base: cut.base, cut: cut.after, ...Object.fromEntries(others.map((r) => [r.method, r.after])),
        findings: { base: cut.findings.base, cut: cut.findings.after, ...Object.fromEntries(others.map((r) => [r.method, r.findings.after])) },
        fluency: { base: cut.fluency.base, cut: cut.fluency.after, ...Object.fromEntries(others.map((r) => [r.method, r.fluency.after])) },
        iterations: cut.iterations, seconds: cut.seconds, peakRssMb: cut.peakRssMb, checks,
        ...(cut.resumedFrom === undefined ? {} : { resumedFrom: cut.resumedFrom }),
      };
      await atomicWrite(join(cut.run, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
      const shown = results.map((r) => ({ ...r, run: relative('.', r.run), report: relative('.', r.report) }));
      const failed = checks.filter((c) => !c.holds);
      out.result({ ...(failed.length === 0 ? {} : { ok: false, exitCode: EXIT.failure }), run: cut.run, report: cut.report, ...summary }, [renderAlignment(shown), '', ...checks.map((c) => `${c.holds ? 'ok    ' : 'FAILED'} ${c.what}`)].join('\n'));
      if (failed.length > 0) throw new Reported(`The quickstart did not show what it promises: ${failed.map((c) => c.what).join('; ')}.`);
    });
}
