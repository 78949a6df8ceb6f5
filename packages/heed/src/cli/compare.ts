/** `heed compare`: the answers of runs, adapters or the model alone to the same prompts, side by side and in numbers. */
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import type { Comparison } from '../evaluate/compare.js';
import type { PreferringJudge } from '../evaluate/preferred.js';
import type { PreferencesOptions } from '../label/preferences.js';
import type { ModelFlags } from './base.js';
import { examples } from './help.js';
import { type SamplingFlags, number, requireWhole, samplingFlags, samplingOf } from './model-flags.js';
import type { Output } from './output.js';
import { type RewardFlags, rewardFlags, rewardOf } from './reward-flags.js';

interface Options extends Pick<ModelFlags, 'model' | 'template'>, SamplingFlags, RewardFlags {
  readonly prompts?: string;
  readonly preferences?: string;
  readonly limit?: number;
  readonly show: number;
  readonly keep: string;
  readonly csv?: string;
  readonly html?: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  const command = program
    .command('compare')
    .description('compare runs, adapters or the model alone: their answers to the same prompts, side by side and in numbers')
    .argument('<first>', 'what the others are compared with: base, the folder of a run or of an adapter, or NAME=FOLDER')
    .argument('<others...>', 'one or more of the same; the folder of a sweep is a contender for each setting, its seeds together')
    .addHelpText('after', examples(
      'heed compare base runs/cut --reward rules:style.rules.yaml',
      'heed compare runs/cut runs/dpo --prompts prompts.jsonl --html compare.html',
    ))
    .option('--model <model>', 'a folder, a .gguf file or a hub id (default: the base of the adapters; without one, the default model)')
    .option('--template <name>', "chat or alpaca (default: as in the adapters' runs, else the model's own chat template)")
    .option('--prompts <file>', 'JSONL, CSV or Parquet with a column prompt (default: those that the first run held out)');
  rewardFlags(command)
    .option('--preferences <recipe>', 'in place of a reward: a recipe of heed label, whose judge is asked which of two answers is better')
    .option('--limit <n>', 'use the first n prompts only', number)
    .option('--show <n>', 'prompts to print with their answers, those that tell most first', number, 5)
    .option('--keep <folder>', 'where the answers are kept: nothing is answered twice', 'runs/compare')
    .option('--csv <file>', 'write all answers as a table')
    .option('--html <file>', 'write a page with all answers')
    .option('--overwrite', 'replace those files');
  samplingFlags(command, { maxTokens: 96, temperature: 0 })
    .action((first: string, others: string[], options: Options) => compare([first, ...others], options, out));
}

async function compare(specs: readonly string[], options: Options, out: Output): Promise<void> {
  const { prompts: file, preferences, limit, show, keep, csv, html, overwrite = false, store, ...flags } = options;
  const [{ createProgress }, { onInterrupt }, { runComparison }] = await Promise.all([
    import('../run/progress.js'), import('../run/signals.js'), import('../evaluate/compare.js'),
  ]);
  const [{ renderComparison }, { warningsOf }, { contendersOf, namedContenders }, { promptsOf }] = await Promise.all([
    import('./render-comparison.js'), import('../evaluate/comparison-words.js'), import('./contenders.js'),
    import('./compared-prompts.js'),
  ]);
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  requireWhole('--show', show, 0);
  const reward = await rewardOf(flags);
  const preferring = preferences === undefined ? undefined : await preferringOf(preferences, reward !== undefined);
  const sampling = await samplingOf(flags);
  for (const target of [csv, html]) if (target !== undefined) await requireFree(target, overwrite);
  const all = await namedContenders(specs, (line) => out.note(line));
  if (all.length < 2)
    throw new UserError(`There is one contender, ${all[0]!.name}, and nothing to compare it with.`, ['Name another, such as base.']);
  const several = all.find(({ runs }) => runs.length > 1);
  if (several !== undefined && preferring !== undefined) {
    throw new UserError(`--preferences compares single runs, and ${several.name} has ${several.runs.length}.`, [
      'Name the runs one by one, or rate the answers with --reward.',
    ]);
  }
  const { model, contenders } = await contendersOf(all, flags, out);
  const folders = all.flatMap(({ runs }) => runs.map(({ dir }) => dir));
  const rows = await promptsOf({ file, folders, model, maxNewTokens: sampling.maxNewTokens, limit });

  const interrupt = onInterrupt((line) => out.note(line));
  try {
    const found = await runComparison({ model, contenders, rows, sampling, reward, preferring, store, keptIn: keep }, {
      progress: createProgress(), interrupt, say: (line) => out.note(line),
    });
    const written = await write(found, { csv, html });
    const columns = out.terminal?.columns ?? 120;
    out.result({ ...found, warnings: warningsOf(found), csv, html }, [renderComparison(found, { show, columns }), ...written].join('\n'));
  } finally {
    interrupt.dispose();
  }
}

/** The judge of a recipe of `heed label`. @throws UserError where the recipe labels no preferences, or a reward is named too */
async function preferringOf(file: string, hasReward: boolean): Promise<PreferringJudge> {
  const { loadLabelRecipe } = await import('../label/recipe.js');
  if (hasReward) throw new UserError('--preferences stands in place of a reward.', ['Leave one of them out.']);
  const { recipe: { judge, label, store, leastMass } } = await loadLabelRecipe(file, []);
  if (label.name !== 'preferences')
    throw new UserError(`${file} labels ${label.name}; which of two answers is better is asked by label: preferences.`);
  return { judge, label: label as PreferencesOptions, store, leastMass };
}

/** @throws UserError where the file is there and may not be replaced */
async function requireFree(file: string, overwrite: boolean): Promise<void> {
  const { existsSync } = await import('node:fs');
  if (!existsSync(file) || overwrite) return;
  throw new UserError(`${file} is already there.`, ['Name another file, or replace it with --overwrite.']);
}

/** Writes the files that were asked for; a line for each. */
async function write(found: Comparison, { csv, html }: Pick<Options, 'csv' | 'html'>): Promise<string[]> {
  const [{ atomicWrite }, { comparisonCsv }, { comparisonPage }] = await Promise.all([
    import('../run/files.js'), import('../evaluate/comparison-csv.js'), import('../evaluate/comparison-page.js'),
  ]);
  if (csv !== undefined) await atomicWrite(csv, comparisonCsv(found));
  if (html !== undefined) await atomicWrite(html, comparisonPage(found));
  return [...(csv === undefined ? [] : [`All answers are in ${csv}`]), ...(html === undefined ? [] : [`The page is ${html}`])];
}
