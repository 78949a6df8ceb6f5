/** `heed infer`: what people value, inferred from what they chose, with its uncertainty; and what to ask them next. */
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import type { NextQuestion } from '../reward/inferred/infer.js';
import type { Values } from '../reward/inferred/values-file.js';
import { percent } from '../run/numbers.js';
import { examples } from './help.js';
import { number, requireWhole } from './model-flags.js';
import type { Output } from './output.js';
import { table } from './output.js';

interface Options {
  readonly output?: string;
  readonly features?: string;
  readonly prior: number;
  readonly candidates?: string;
  readonly ask?: number;
  readonly questions?: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  program
    .command('infer')
    .description('infer what people value from what they chose, wrote and voted for; and say what to ask them next')
    .addHelpText('after', examples('heed infer examples/values.jsonl -o values.json'))
    .argument('[rows...]', 'files of comparisons (chosen, rejected), demonstrations (completion, samples) and votes (completion, label)')
    .option('-o, --output <file>', 'write the values: JSON that a reward takes (inferred: FILE)')
    .option('--features <names>', 'what may be valued, with commas: names, or ./FILE.ts#NAME (default: all of docs/inferred-rewards.md)')
    .option('--prior <deviation>', 'standard deviation of each weight before any evidence', number, 1)
    .option('--candidates <file>', 'responses that people may be asked about: prompt and responses, or prompt and completion')
    .option('--ask <n>', 'choose the n pairs of candidates that tell most about the values', number)
    .option('--questions <file>', 'write those pairs: JSONL that heed label takes')
    .option('--overwrite', 'replace the output files')
    .action((files: string[], options: Options) => infer(files, options, out));
}

async function infer(files: readonly string[], options: Options, out: Output): Promise<void> {
  const { output, prior, candidates: path, ask, questions: file, overwrite = false } = options;
  if (!(prior > 0)) throw new UserError(`--prior is ${prior}; expected a number above 0.`);
  if (ask !== undefined) requireWhole('--ask', ask, 1);
  if ((ask === undefined) !== (file === undefined) || (ask !== undefined && path === undefined)) {
    throw new UserError('--ask, --candidates and --questions go together.', ['heed infer … --candidates FILE --ask 10 --questions FILE']);
  }
  const [{ readCandidates, readEvidence }, { openFeatures }, { inferValues }] = await Promise.all([
    import('../reward/inferred/evidence.js'), import('../reward/inferred/measure.js'), import('../reward/inferred/infer.js'),
  ]);
  const [{ rowsFile }, { listProblems }, { asTrl }] = await Promise.all([
    import('./rows-file.js'), import('../data/problem.js'), import('../label/material.js'),
  ]);
  const asked = file === undefined ? undefined : rowsFile(file, { overwrite, out });
  const valuesFile = output === undefined ? undefined : rowsFile(output, { overwrite, out });
  const features = await openFeatures(options.features?.split(',').map((name) => name.trim()));
  const { rows, skipped } = files.length === 0 ? { rows: [], skipped: [] } : await readEvidence(files);
  if (skipped.length > 0) out.note(`left out:\n${listProblems(skipped)}`);
  const candidates = path === undefined ? undefined : await readCandidates(path);
  const { values, questions } = await inferValues({ evidence: rows, features, prior, candidates, ask });

  valuesFile?.append(values);
  valuesFile?.close();
  for (const { prompt, responses, prediction } of questions) {
    asked?.append({ prompt: asTrl(prompt).prompt, responses, information: prediction.information, probability: prediction.probability });
  }
  asked?.close();
  const written = [output === undefined ? [] : `values:     ${output}`, file === undefined ? [] : `questions:  ${file}`].flat();
  out.result({ ...values, questions: questions.length, output, questionsFile: file }, [
    ...render(values), ...renderQuestions(questions, ask), ...written,
  ].join('\n'));
}

/** The two-sided 95 % quantile of the standard normal. */
const Z95 = 1.959963984540054;

/** Two digits behind the point, and no "-0.00". */
const digits = (x: number): string => x.toFixed(2).replace(/^-(0\.00)$/, '$1');

function render({ features, mean, covariance, evidence, unknown, threshold, foresight }: Values): string[] {
  const { comparisons, demonstrations, votes } = evidence;
  const rows = features.map(({ name }, k) => ({ name, weight: mean[k]!, deviation: Math.sqrt(covariance[k]![k]!) }))
    .sort((a, b) => Math.abs(b.weight / b.deviation) - Math.abs(a.weight / a.deviation));
  const lines = rows.map(({ name, weight, deviation }) => {
    const [low, high] = [weight - Z95 * deviation, weight + Z95 * deviation];
    return [name, digits(weight), digits(deviation), `[${digits(low)}, ${digits(high)}]`, signOf(low, high)];
  });
  return [
    `${comparisons} comparisons, ${demonstrations} demonstrations, ${votes} votes`,
    '',
    table([['feature', 'weight', 'sd', '95 % interval', 'people'], ...lines]),
    '',
    ...(threshold === undefined ? [] : [`called good from ${threshold.mean.toFixed(2)} ± ${threshold.deviation.toFixed(2)} on`]),
    ...(unknown.length === 0 ? [] : [`the same for all responses, so nothing is known of: ${unknown.join(', ')}`]),
    foresight === undefined
      ? 'too few rows or prompts to see whether the weights foresee other choices'
      : `choices on prompts that the weights were not fitted to: ${percent(foresight.right)} of ${foresight.rows} foreseen, log p `
        + `${foresight.logProbability.toFixed(3)} a choice (at random ${foresight.atRandom.toFixed(3)})`,
  ];
}

function signOf(low: number, high: number): string {
  if (low > 0) return 'like it';
  return high < 0 ? 'dislike it' : 'unclear';
}

function renderQuestions(questions: readonly NextQuestion[], wanted: number | undefined): string[] {
  if (wanted === undefined) return [];
  const [first] = questions;
  if (first === undefined) return ['', 'No pair of candidates would tell anything: all have the same features.'];
  const nats = questions.map(({ prediction }) => prediction.information.toFixed(3)).join(', ');
  return ['', `${questions.length} questions; nats that each answer is expected to tell: ${nats} (below 0.05 it is hardly worth asking)`];
}
