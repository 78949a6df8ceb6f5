/** `heed fit-rewards`: how much each of several rewards should count, so that together they agree with people. */
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import type { RewardsInput } from '../reward/open.js';
import type { Foresight } from '../reward/inferred/fit.js';
import type { FittedWeights } from '../reward/weights-file.js';
import { percent } from '../run/numbers.js';
import { examples } from './help.js';
import { number } from './model-flags.js';
import type { Output } from './output.js';
import { table } from './output.js';

interface Options {
  readonly rewards: string;
  readonly output: string;
  readonly prior: number;
  readonly store?: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  program
    .command('fit-rewards')
    .description('fit how much each of several rewards counts, to rows that people compared or voted on')
    .addHelpText('after', examples(
      'heed fit-rewards votes.jsonl --rewards "{ style: { rules: style.rules.yaml }, short: { fn: ./rewards.ts#short } }" -o weights.json',
    ))
    .argument('<rows...>', 'files of comparisons (chosen, rejected), demonstrations (completion, samples) and votes (completion, label)')
    .requiredOption('--rewards <sections>', 'the rewards by name: "{ style: { rules: FILE }, short: { fn: ./FILE.ts#NAME } }"')
    .requiredOption('-o, --output <file>', 'write the weights: JSON that a recipe takes beside rewards (weights: FILE)')
    .option('--prior <deviation>', 'standard deviation of each weight before any evidence; smaller shrinks more', number, 1)
    .option('--store <store>', 'where the replies of a model that is asked are kept (default: runs/labels.db)')
    .option('--overwrite', 'replace the output file')
    .action((files: string[], options: Options) => fitRewards(files, options, out));
}

async function fitRewards(files: readonly string[], options: Options, out: Output): Promise<void> {
  const { rewards: given, output, prior, store, overwrite } = options;
  if (!(prior > 0)) throw new UserError(`--prior is ${prior}; expected a number above 0.`);
  const [{ parseYamlValue }, { fitWeights }, { rowsFile }, { createProgress }] = await Promise.all([
    import('../run/recipe-yaml.js'), import('../reward/fit-weights.js'), import('./rows-file.js'), import('../run/progress.js'),
  ]);
  const file = rowsFile(output, { overwrite, out });
  try {
    const rewards = parseYamlValue(given, '--rewards') as RewardsInput;
    const weights = await fitWeights({ files, rewards, prior, store }, { progress: createProgress(), say: (line) => out.note(line) });
    file.append(weights);
    out.result({ ...weights, output }, [...render(weights), `weights:  ${output}`].join('\n'));
  } finally {
    file.close();
  }
}

function render({ rewards, evidence, foresight, alone }: FittedWeights): string[] {
  const { comparisons, demonstrations, votes, leftOut } = evidence;
  const lines = Object.entries(rewards).map(([name, { weight, deviation, centre, scale, applied }]) => [
    name, `${weight.toFixed(2)} ± ${deviation.toFixed(2)}`, centre.toPrecision(3), scale.toPrecision(3), String(applied),
    shown(alone[name]),
  ]);
  return [
    `${comparisons} comparisons, ${demonstrations} demonstrations, ${votes} votes${leftOut === 0 ? '' : `; ${leftOut} left out`}`,
    '',
    table([['reward', 'weight', 'centre', 'scale', 'responses', 'alone foresees'], ...lines]),
    '',
    foresight === undefined
      ? 'too few rows or prompts to see whether the weights foresee other choices'
      : `together, on prompts that the weights were not fitted to: ${shown(foresight)} of ${foresight.rows}, log p `
        + `${foresight.logProbability.toFixed(3)} a choice (at random ${foresight.atRandom.toFixed(3)})`,
  ];
}

const shown = (foresight: Foresight | undefined): string => (foresight === undefined ? '–' : percent(foresight.right));
