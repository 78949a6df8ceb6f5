/** `heed quickstart`: a real model gets better from written judgments, in minutes, with the numbers that show it. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

import type { AlignmentSummary } from './alignment.js';
import { EXIT, Reported } from './errors.js';
import type { Output } from './output.js';
import type { Summary } from '../run/job.js';
import { percent } from '../run/numbers.js';

/** What must hold besides the gain: a better judged model must not write worse text. The README states these limits too. */
export const LIMITS = { wordsRatio: 0.7, logprobDrop: 0.5, distinct2Ratio: 0.7, unfinishedRise: 0.15 } as const;

export interface Check {
  readonly what: string;
  readonly holds: boolean;
}

const two = (value: number): string => value.toFixed(2);

/** Compares a result with the quickstart's promises. */
export function checksOf({ base, after, fluency }: Pick<AlignmentSummary, 'base' | 'after' | 'fluency'>): Check[] {
  const [b, a] = [fluency.base, fluency.after];
  return [
    {
      what: `the gain lies outside the 95 % intervals (${two(after.low)} > ${two(base.high)})`,
      holds: after.low > base.high,
    },
    {
      what: `median words ≥ ${LIMITS.wordsRatio} × the base's (${a.medianWords} against ${b.medianWords})`,
      holds: a.medianWords >= LIMITS.wordsRatio * b.medianWords,
    },
    {
      what:
        `log p a token under the base falls by at most ${LIMITS.logprobDrop} ` +
        `(${two(a.logprobPerToken)} against ${two(b.logprobPerToken)})`,
      holds: a.logprobPerToken >= b.logprobPerToken - LIMITS.logprobDrop,
    },
    {
      what: `distinct-2 ≥ ${LIMITS.distinct2Ratio} × the base's (${two(a.distinct2)} against ${two(b.distinct2)})`,
      holds: a.distinct2 >= LIMITS.distinct2Ratio * b.distinct2,
    },
    {
      what:
        `answers cut off at the length limit rise by at most ${100 * LIMITS.unfinishedRise} points ` +
        `(${percent(a.unfinished)} against ${percent(b.unfinished)})`,
      holds: a.unfinished <= b.unfinished + LIMITS.unfinishedRise,
    },
  ];
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The measurements on held-out prompts, before (`base`) or after. */
const measured = ({ findings, fluency, ...satisfied }: AlignmentSummary, when: 'base' | 'after'): Summary['before'] =>
  ({ satisfied: satisfied[when], findings: findings[when], ...fluency[when] });

/** What else to train with --compare, at the same budget. */
const OTHERS = ['hindsight', 'sft'] as const;

export function register(program: Command, out: Output): void {
  program
    .command('quickstart')
    .description('align SmolLM2-135M to a house style from judgments, and show what it gained')
    .argument('[overrides...]', 'recipe values: key=value')
    .option('--compare', 'also train with hindsight, and with SFT on the satisfactory answers, at the same budget')
    .option('--resume', 'go on where an earlier quickstart stopped')
    .action(async (overrides: string[], { compare = false, resume = false }: { compare?: boolean; resume?: boolean }) => {
      const [{ runAlignment, renderAlignment }, { atomicWrite }, { writeReport }] = await Promise.all([
        import('./alignment.js'), import('../run/files.js'), import('../run/report/write.js'),
      ]);
      process.chdir(ROOT);
      const file = join('recipes', 'quickstart.yaml');
      out.note('Aligning SmolLM2-135M-Instruct to the house style of examples/house-style, from judgments of its own answers.');
      const results = [await runAlignment({ file, overrides, resume, overwrite: !resume, out })];
      for (const name of compare ? OTHERS : []) {
        const dir = join(results[0]!.run, `compare-${name}`);
        out.note(`The same budget with ${name}.`);
        const own = [...overrides, `method={name: ${name}}`, `run.dir=${dir}`];
        results.push(await runAlignment({ file, overrides: own, resume, overwrite: !resume, out }));
      }
      const [first, ...others] = results as [AlignmentSummary, ...AlignmentSummary[]];
      const checks = checksOf(first);
      const compared = Object.fromEntries(others.map((result) => [result.method, measured(result, 'after')]));
      const summary = {
        job: 'align', method: first.method, metric: first.metric,
        before: measured(first, 'base'), after: measured(first, 'after'), compared, rounds: first.iterations, checks,
        seconds: first.seconds, peakRssMb: first.peakRssMb, resumedFrom: first.resumedFrom,
      };
      await atomicWrite(join(first.run, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
      await writeReport(first.run);
      const failed = checks.filter(({ holds }) => !holds);
      const shown = results.map((r) => ({ ...r, run: relative('.', r.run), report: relative('.', r.report) }));
      const lines = checks.map(({ what, holds }) => `${holds ? 'ok    ' : 'FAILED'} ${what}`);
      out.result({
        ...(failed.length === 0 ? {} : { ok: false, exitCode: EXIT.failure }), run: first.run, report: first.report, ...summary,
      }, [renderAlignment(shown), '', ...lines].join('\n'));
      if (failed.length > 0) throw new Reported(`The quickstart did not show what it promises: ${failed.map((c) => c.what).join('; ')}.`);
    });
}
