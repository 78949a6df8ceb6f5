/** `heed evaluate`: how a model fares on benchmarks or with a reward, with an adapter beside its base. */
import type { Command } from 'commander';

import type { Answer } from '../evaluate/answers.js';
import { type When, byWhom } from '../evaluate/when.js';
import { UserError } from '../errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import {
  type DeviceFlag, type ModelFlags, type SamplingFlags,
  deviceFlag, loadAdaptedModel, modelFlags, number, requireWhole, samplingFlags, samplingOf,
} from './model-flags.js';
import { type RewardFlags, requireReward, rewardFlags, rewardOf } from './reward-flags.js';

interface Options extends ModelFlags, DeviceFlag, SamplingFlags, RewardFlags {
  readonly prompts?: string;
  readonly limit?: number;
  readonly output?: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  const command = program
    .command('evaluate')
    .description('measure a model, and an adapter beside it: on the benchmarks of a recipe, or by a reward that rates its answers')
    .addHelpText('after', examples(
      'heed evaluate recipes/eval-choices.yaml adapter=runs/cut',
      'heed evaluate --prompts prompts.jsonl --reward rules:style.rules.yaml --adapter runs/cut',
    ))
    .argument('[recipe]', 'a YAML recipe with benchmarks, such as recipes/eval-choices.yaml; it takes the place of the options')
    .argument('[overrides...]', 'recipe values: key=value, such as adapter=runs/cut tasks.arc.data.limit=100')
    .option('--prompts <file>', 'JSONL, CSV or Parquet with a column prompt (text or turns)');
  rewardFlags(command)
    .option('--limit <n>', 'use the first n prompts only', number)
    .option('-o, --output <file>', 'keep the answers with their ratings: JSONL rows that heed train takes')
    .option('--overwrite', "replace the output file; with a recipe, remove the evaluation in run.dir first");
  samplingFlags(modelFlags(command).addOption(deviceFlag()), { maxTokens: 96, temperature: 0 })
    .action(async (recipe: string | undefined, overrides: string[], options: Options) => {
      if (recipe === undefined) return evaluate(options, out);
      requireNoOptions(command);
      const { evaluateRecipe } = await import('./benchmarks.js');
      return evaluateRecipe(recipe, overrides, { overwrite: options.overwrite ?? false, out });
    });
}

/** @throws UserError where an option stands beside a recipe, which says the same things */
function requireNoOptions(command: Command): void {
  const given = command.options.find((option) => {
    const name = option.attributeName();
    return !['overwrite', 'json'].includes(name) && command.getOptionValueSource(name) === 'cli';
  });
  if (given === undefined) return;
  throw new UserError(`${given.long} cannot be given with a recipe: the recipe says what is measured.`, [
    'Write it as a value of the recipe, key=value, or leave the recipe out.',
  ]);
}

async function evaluate(options: Options, out: Output): Promise<void> {
  const { prompts: file, reward, rewards, weights, judge, store, limit, output, overwrite = false, ...flags } = options;
  const [{ rowsFile }, { readPrompts }, { createProgress }, { onInterrupt }, { runEvaluation }, { renderEvaluation }] = await Promise.all([
    import('./rows-file.js'), import('./prompts.js'), import('../run/progress.js'), import('../run/signals.js'),
    import('../evaluate/run.js'), import('./render-evaluation.js'),
  ]);
  if (file === undefined) {
    throw new UserError('Nothing says what to measure.', [
      'Name a recipe with benchmarks: heed evaluate recipes/eval-choices.yaml',
      'Or prompts and a reward: --prompts FILE --reward rules:FILE',
    ]);
  }
  const spec = requireReward(await rewardOf({ reward, rewards, weights, judge }));
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  const sampling = await samplingOf(flags);
  const answersFile = output === undefined ? undefined : rowsFile(output, { overwrite, out });
  const { model, adapter } = await loadAdaptedModel(flags, out);
  const prompts = await readPrompts(file, model, { maxNewTokens: sampling.maxNewTokens, limit });

  const interrupt = onInterrupt((line) => out.note(line));
  try {
    const summary = await runEvaluation({ model, adapter, rows: prompts.rows, sampling, reward: spec, store, device: flags.device }, {
      progress: createProgress(), interrupt, say: (line) => out.note(line),
      onAnswers(when, answers) {
        for (const answer of answers) answersFile?.append(rowOf(when, answer, prompts.asGiven(answer.row, answer.response)));
      },
    });
    const kept = answersFile === undefined || answersFile.isStdout ? undefined : answersFile.name;
    const human = [renderEvaluation(summary), ...(kept === undefined ? [] : ['', `The answers are in ${kept}`])].join('\n');
    // stdout holds the answers and nothing else.
    if (answersFile?.isStdout === true) return out.note(human);
    out.result({ ...summary, adapter: flags.adapter, output: kept }, human);
  } finally {
    interrupt.dispose();
    answersFile?.close();
  }
}

/** A row that keeps an answer: judged where the reward draws a line, else scored. */
function rowOf(when: When, { row: { id }, rated, finish, tokens }: Answer, given: object): Record<string, unknown> {
  const said = 'failure' in rated
    ? { failure: rated.failure, detail: rated.detail }
    : {
      ...(rated.satisfied === undefined ? {} : { judgment: rated.reason, satisfied: rated.satisfied }),
      score: rated.value, parts: rated.parts, findings: rated.findings,
    };
  return { id, by: byWhom(when), ...given, ...said, finish, tokens: tokens.length };
}
