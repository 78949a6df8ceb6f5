/** `heed evaluate`: how well a model's answers fare with a reward, with an adapter beside its base. */
import type { Command } from 'commander';

import type { Answer } from '../evaluate/answers.js';
import type { When } from '../evaluate/run.js';
import type { RewardInput } from '../reward/open.js';
import { UserError } from '../errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import {
  type ModelFlags, type SamplingFlags, loadAdaptedModel, modelFlags, number, requireWhole, samplingFlags, samplingOf,
} from './model-flags.js';

interface Options extends ModelFlags, SamplingFlags {
  readonly prompts: string;
  readonly reward?: string;
  readonly rewards?: string;
  readonly weights?: string;
  readonly judge?: string;
  readonly store?: string;
  readonly limit?: number;
  readonly output?: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  const command = program
    .command('evaluate')
    .description('have a reward rate the answers of a model, and of an adapter beside it')
    .addHelpText('after', examples('heed evaluate --prompts prompts.jsonl --reward rules:style.rules.yaml --adapter runs/cut'))
    .requiredOption('--prompts <file>', 'JSONL, CSV or Parquet with a column prompt (text or turns)')
    .option('--reward <reward>', 'what rates: rules:FILE, ./FILE.ts#NAME, or a section, such as "{ rewardModel: { adapter: FOLDER } }"')
    .option('--rewards <sections>', 'several by name, summed: "{ style: { rules: FILE }, short: { fn: ./FILE.ts#NAME, weight: 0.5 } }"')
    .option('--weights <file>', 'how much each of --rewards counts: a file that heed fit-rewards wrote')
    .option('--judge <reward>', 'the same as --reward')
    .option('--store <store>', 'where the replies of a model that is asked are kept (default: runs/labels.db)')
    .option('--limit <n>', 'use the first n prompts only', number)
    .option('-o, --output <file>', 'keep the answers with their ratings: JSONL rows that heed train takes')
    .option('--overwrite', 'replace the output file');
  samplingFlags(modelFlags(command), { maxTokens: 96, temperature: 0 }).action((options: Options) => evaluate(options, out));
}

async function evaluate(options: Options, out: Output): Promise<void> {
  const { prompts: file, reward, rewards, weights, judge, store, limit, output, overwrite = false, ...flags } = options;
  const [{ rowsFile }, { readPrompts }, { createProgress }, { onInterrupt }, { runEvaluation }, { renderEvaluation }] = await Promise.all([
    import('./rows-file.js'), import('./prompts.js'), import('../run/progress.js'), import('../run/signals.js'),
    import('../evaluate/run.js'), import('./render-evaluation.js'),
  ]);
  const spec = await rewardOf({ reward, rewards, weights, judge });
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  const sampling = await samplingOf(flags);
  const answersFile = output === undefined ? undefined : rowsFile(output, { overwrite, out });
  const { model, adapter } = await loadAdaptedModel(flags, out);
  const prompts = await readPrompts(file, model, { maxNewTokens: sampling.maxNewTokens, limit });

  const interrupt = onInterrupt((line) => out.note(line));
  try {
    const summary = await runEvaluation({ model, adapter, rows: prompts.rows, sampling, reward: spec, store }, {
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

/** The reward that the flags name, opened by nothing yet. */
async function rewardOf(flags: Pick<Options, 'reward' | 'rewards' | 'weights' | 'judge'>): Promise<RewardInput> {
  const [first, second] = (['reward', 'rewards', 'judge'] as const).filter((name) => flags[name] !== undefined);
  if (first === undefined) throw new UserError('Nothing says what rates the answers.', ['Name a reward: --reward rules:FILE']);
  if (second !== undefined) throw new UserError(`--${first} and --${second} name the same thing.`, ['Leave one of them out.']);
  if (flags.weights !== undefined && first !== 'rewards') {
    throw new UserError('--weights are those of several rewards, and there are no --rewards.', ['Leave --weights out.']);
  }
  const given = flags[first]!;
  const [{ parseYamlValue }, { describeReward }] = await Promise.all([
    import('../run/recipe-yaml.js'), import('../reward/open.js'),
  ]);
  const value = given.trimStart().startsWith('{') ? parseYamlValue(given, `--${first}`) : given;
  const spec = (first === 'rewards' ? { rewards: value, weights: flags.weights } : value) as RewardInput;
  // A reward that does not exist is found out about before a model is loaded.
  describeReward(spec);
  return spec;
}

/** A row that keeps an answer: judged where the reward draws a line, else scored. */
function rowOf(when: When, { row: { id }, rated, finish, tokens }: Answer, given: object): Record<string, unknown> {
  const said = 'failure' in rated
    ? { failure: rated.failure, detail: rated.detail }
    : {
      ...(rated.satisfied === undefined ? {} : { judgment: rated.reason, satisfied: rated.satisfied }),
      score: rated.value, parts: rated.parts, findings: rated.findings,
    };
  return { id, by: when === 'before' ? 'base' : 'adapter', ...given, ...said, finish, tokens: tokens.length };
}
