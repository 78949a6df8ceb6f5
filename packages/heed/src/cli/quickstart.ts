/** `heed quickstart`: a real model gets better from written judgments, in minutes, with the numbers that show it. */
import { join, relative } from 'node:path';
import type { Command } from 'commander';

import type { Measured } from '../run/job.js';
import { percent } from '../run/numbers.js';
import { shipped } from '../run/shipped.js';
import type { Estimate } from '../run/statistics.js';
import type { Aligned } from './alignment.js';
import { EXIT, Reported } from './errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';

/** What must hold besides the gain: a better judged model must not write worse text. The README states these limits too. */
export const LIMITS = { wordsRatio: 0.7, logprobDrop: 0.5, distinct2Ratio: 0.7, unfinishedRise: 0.15 } as const;

export interface Check {
  readonly what: string;
  readonly holds: boolean;
}

const two = (value: number): string => value.toFixed(2);

/** Compares a result with the quickstart's promises. */
export function checksOf({ before, after }: Pick<Aligned, 'before' | 'after'>): Check[] {
  const [was, is] = [before['satisfied'] as Estimate, after['satisfied'] as Estimate];
  const [b, a] = [numbersOf(before), numbersOf(after)];
  return [
    {
      what: `the gain lies outside the 95 % intervals (${two(is.low)} > ${two(was.high)})`,
      holds: is.low > was.high,
    },
    {
      what: `median words ≥ ${LIMITS.wordsRatio} × the base's (${a('medianWords')} against ${b('medianWords')})`,
      holds: a('medianWords') >= LIMITS.wordsRatio * b('medianWords'),
    },
    {
      what:
        `log p a token under the base falls by at most ${LIMITS.logprobDrop} ` +
        `(${two(a('logprobPerToken'))} against ${two(b('logprobPerToken'))})`,
      holds: a('logprobPerToken') >= b('logprobPerToken') - LIMITS.logprobDrop,
    },
    {
      what: `distinct-2 ≥ ${LIMITS.distinct2Ratio} × the base's (${two(a('distinct2'))} against ${two(b('distinct2'))})`,
      holds: a('distinct2') >= LIMITS.distinct2Ratio * b('distinct2'),
    },
    {
      what:
        `answers cut off at the length limit rise by at most ${100 * LIMITS.unfinishedRise} points ` +
        `(${percent(a('unfinished'))} against ${percent(b('unfinished'))})`,
      holds: a('unfinished') <= b('unfinished') + LIMITS.unfinishedRise,
    },
  ];
}

/** The plain numbers of a summary, by name. */
const numbersOf = (of: Readonly<Record<string, Measured>>) => (name: string): number => {
  const measured = of[name];
  if (typeof measured !== 'number') throw new Error(`The summary has no number "${name}".`);
  return measured;
};

/** Where the recipe's data lies, seen from the folder where the command is run. The run itself goes there. */
const dataOf = (): string[] => [
  `data.path=${JSON.stringify(shipped('examples/house-style/train.jsonl'))}`,
  `judge=${JSON.stringify(`rules:${shipped('examples/house-style/house-style.rules.yaml')}`)}`,
  `evaluate.prompts=${JSON.stringify(shipped('examples/house-style/heldout.jsonl'))}`,
];

/** What else to train with --compare, at the same budget. */
const OTHERS = ['hindsight', 'sft'] as const;

export function register(program: Command, out: Output): void {
  program
    .command('quickstart')
    .description('align SmolLM2-135M to a house style from judgments, and show what it gained')
    .addHelpText('after', examples('heed quickstart --compare'))
    .argument('[overrides...]', 'recipe values: key=value, such as run.dir=runs/mine')
    .option('--compare', 'also train with hindsight, and with SFT on the satisfactory answers, at the same budget')
    .option('--resume', 'go on where an earlier quickstart stopped')
    .action(async (overrides: string[], { compare = false, resume = false }: { compare?: boolean; resume?: boolean }) => {
      const [{ align, renderAlignment }, { atomicWrite }, { writeReport }] = await Promise.all([
        import('./alignment.js'), import('../run/files.js'), import('../run/report/write.js'),
      ]);
      const file = shipped('recipes/quickstart.yaml');
      const given = [...dataOf(), ...overrides];
      out.note('Aligning SmolLM2-135M-Instruct to the house style of examples/house-style, from judgments of its own answers.');
      const results = [await align({ file, overrides: given, resume, overwrite: !resume, out })];
      for (const name of compare ? OTHERS : []) {
        const dir = join(results[0]!.run, `compare-${name}`);
        out.note(`The same budget with ${name}.`);
        const own = [...given, `method={name: ${name}}`, `run.dir=${dir}`];
        results.push(await align({ file, overrides: own, resume, overwrite: !resume, out }));
      }
      const [first, ...others] = results as [Aligned, ...Aligned[]];
      const { run, ...own } = first;
      const checks = checksOf(first);
      const summary = { ...own, compared: Object.fromEntries(others.map(({ method, after }) => [method, after])), checks };
      await atomicWrite(join(run, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
      await writeReport(run);
      const failed = checks.filter(({ holds }) => !holds);
      const shown = results.map((r) => ({ ...r, run: relative('.', r.run) }));
      const lines = checks.map(({ what, holds }) => `${holds ? 'ok    ' : 'FAILED'} ${what}`);
      out.result({
        ...(failed.length === 0 ? {} : { ok: false, exitCode: EXIT.failure }), run, ...summary,
      }, [renderAlignment(shown), '', ...lines].join('\n'));
      if (failed.length > 0) throw new Reported(`The quickstart did not show what it promises: ${failed.map((c) => c.what).join('; ')}.`);
    });
}
