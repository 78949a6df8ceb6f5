/** `heed compose`: a weighted sum of adapters, or of some modules of them, as one adapter. */
import type { Command } from 'commander';

import type { Contributions } from '../evaluate/contributions.js';
import type { Composed, Part } from '../model/compose.js';
import type { Model } from '../model/load.js';
import { withInterval } from '../run/numbers.js';
import { examples } from './help.js';
import { type SamplingFlags, number, requireWhole, samplingFlags, samplingOf } from './model-flags.js';
import { type Output, table } from './output.js';

interface Options extends SamplingFlags {
  readonly model?: string;
  readonly adapter: readonly string[];
  readonly output: string;
  readonly prompts?: string;
  readonly reward?: string;
  readonly store?: string;
  readonly limit?: number;
}

export function register(program: Command, out: Output): void {
  const command = program
    .command('compose')
    .description('add adapters up, weighted, or take some layers and modules of each, and write the sum as one adapter')
    .addHelpText('after', examples(
      'heed compose --adapter "{ from: runs/one, weight: 0.5 }" --adapter "{ from: runs/two, weight: 0.5 }" -o runs/both',
    ))
    .option('--model <model>', 'the base: a folder, a .gguf file, a hub id (default: the default model)')
    .requiredOption(
      '--adapter <adapter>', 'a folder, or a section, such as "{ from: FOLDER, weight: 0.5, layers: [0-9], targets: mlp }"; once for each',
      (one: string, before: string[] = []) => [...before, one],
    )
    .requiredOption('-o, --output <folder>', 'the folder to write the adapter to; it must be empty, or not there yet')
    .option('--prompts <file>', 'with --reward: measure what each adapter contributes on these prompts, by leaving it out')
    .option('--reward <reward>', 'what rates the answers: rules:FILE, ./FILE.ts#NAME, or a section')
    .option('--store <store>', 'where the replies of a model that is asked are kept (default: runs/labels.db)')
    .option('--limit <n>', 'use the first n prompts only', number);
  samplingFlags(command, { maxTokens: 96, temperature: 0 }).action((options: Options) => compose(options, out));
}

async function compose(options: Options, out: Output): Promise<void> {
  const { model: name, adapter: given, output, prompts, reward, limit } = options;
  const [{ UserError }, { composeAdapters }, { loadModel }, { saveAdapter }, { readPart }, fs] = await Promise.all([
    import('../errors.js'), import('../model/compose.js'), import('../model/load.js'), import('../model/peft.js'),
    import('./compose-parts.js'), import('node:fs'),
  ]);
  if ((prompts === undefined) !== (reward === undefined)) {
    throw new UserError(`--${prompts === undefined ? 'reward' : 'prompts'} needs the other one too: --prompts FILE --reward rules:FILE`);
  }
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  if (fs.existsSync(output) && fs.readdirSync(output).length > 0)
    throw new UserError(`The folder ${output} is not empty.`, ['Remove it, or name another folder with --output.']);
  const model = await loadModel(name, { log: (line) => out.note(line) });
  const parts = await Promise.all(given.map((one) => readPart(one, model)));
  for (const { name: part, adapter: { plan: { heads } } } of parts) {
    if (heads.some(({ at }) => at === 'tokens')) out.note(`The value head of ${part} is left out: only training needs it.`);
  }
  const composed = composeAdapters(model.checkpoint, parts);
  await saveAdapter(output, { ...composed, checkpoint: model.checkpoint });
  const { options: { rank }, modules, size } = composed.plan;
  const summands = parts.map(({ name: part }) => part).join(' and ');
  const written = `The sum of ${summands} is in ${output}: rank ${rank} on ${modules.size} modules`;
  const measured = prompts === undefined ? undefined : await contributions(options, { model, composed, parts }, out);
  out.result(
    { output, model: model.checkpoint.id, rank, modules: modules.size, parameters: size, ...measured },
    measured === undefined ? written : `${written}\n\n${render(measured)}`,
  );
}

async function contributions(
  { prompts: file, reward, store, limit, ...flags }: Options,
  { model, composed, parts }: { readonly model: Model; readonly composed: Composed; readonly parts: readonly Part[] }, out: Output,
): Promise<Contributions> {
  const [{ readPrompts }, { measureContributions }, { createProgress }, { onInterrupt }, { parseYamlValue }] = await Promise.all([
    import('./prompts.js'), import('../evaluate/contributions.js'), import('../run/progress.js'), import('../run/signals.js'),
    import('../run/recipe-yaml.js'),
  ]);
  const sampling = await samplingOf(flags);
  const { rows } = await readPrompts(file!, model, { maxNewTokens: sampling.maxNewTokens, limit });
  const spec = (reward!.trimStart().startsWith('{') ? parseYamlValue(reward!, '--reward') : reward!) as string;
  const interrupt = onInterrupt((line) => out.note(line));
  try {
    return await measureContributions(
      { model, composed, parts: parts.map(({ name }) => name), rows, sampling, reward: spec, store },
      { progress: createProgress(), interrupt, say: (line) => out.note(line) },
    );
  } finally {
    interrupt.dispose();
  }
}

/** A line for each part, with what the sum loses without it. */
function render({ change, parts }: Contributions): string {
  const shown = (found: Contributions['change']): string => {
    const { value } = found;
    return value === undefined ? '–' : withInterval(value, (x) => x.toFixed(3));
  };
  return [
    'in reward, prompt by prompt; in brackets: 95 % intervals', '',
    table([
      ['', 'gain'], ['the whole, over the model alone', shown(change)], ...parts.map((one) => [`of it ${one.name}`, shown(one.change)]),
    ]),
  ].join('\n');
}
