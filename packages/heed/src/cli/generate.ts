/** `heed generate`: a model answers prompts. */
import type { Command } from 'commander';

import { type ControllerFlags, checkControllerFlags, controllerFlags, underController } from './controller-flag.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import {
  type DeviceFlag, type ModelFlags, type PrecisionFlag, type SamplingFlags,
  deviceFlag, loadAdaptedModel, modelFlags, number, precisionFlag, requireWhole, samplingFlags, samplingOf,
} from './model-flags.js';

interface Options extends ModelFlags, PrecisionFlag, DeviceFlag, SamplingFlags, ControllerFlags {
  readonly prompts: string;
  readonly samples: number;
  readonly limit?: number;
  readonly output: string;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  const command = program
    .command('generate')
    .description('let a model, with an adapter or without, answer a file of prompts')
    .addHelpText('after', examples('heed generate --prompts prompts.jsonl -o answers.jsonl -n 4 --temperature 0.7 --adapter runs/cut'))
    .requiredOption('--prompts <file>', 'JSONL, CSV or Parquet with a column prompt (text or turns)')
    .requiredOption('-o, --output <file>', "where to: JSONL in TRL's columns, a row as soon as it is there; - for stdout")
    .option('-n, --samples <n>', 'answers to each prompt', number, 1)
    .option('--limit <n>', 'answer the first n prompts only', number)
    .option('--overwrite', 'replace the output file');
  const withModel = controllerFlags(modelFlags(command)).addOption(precisionFlag()).addOption(deviceFlag());
  samplingFlags(withModel, { maxTokens: 256, temperature: 0.7 })
    .action((options: Options) => {
      checkControllerFlags(options, command);
      return generate(options, out);
    });
}

async function generate({ prompts: file, samples, limit, output, overwrite = false, ...flags }: Options, out: Output): Promise<void> {
  const [{ rowsFile }, { readPrompts }, { runGeneration }, { createProgress }, { Interrupted, onInterrupt }] = await Promise.all([
    import('./rows-file.js'), import('./prompts.js'), import('../generate/run.js'),
    import('../run/progress.js'), import('../run/signals.js'),
  ]);
  requireWhole('-n', samples, 1);
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  const sampling = await samplingOf(flags);
  const rows = rowsFile(output, { overwrite, out });
  const adapted = await loadAdaptedModel(flags, out);
  const prompts = await readPrompts(file, adapted.model, { maxNewTokens: sampling.maxNewTokens, limit });

  /** What the controller chose for each prompt, where there is one. */
  const actions = new Map<number, string>();
  const interrupt = onInterrupt((line) => out.note(line));
  const made = await runGeneration({
    ...adapted, prompts: prompts.tokens, samples, sampling, precision: flags.precision, device: flags.device,
    under: (generator, engine) => underController(flags, generator, engine, adapted, (row, { action }) => {
      if (!actions.has(row)) actions.set(row, action);
    }),
  }, {
    progress: createProgress(), interrupt, say: (line) => out.note(line),
    onCompletion({ row, sample, text, ids, logprobs, finish }) {
      const given = prompts.rows[row]!;
      const logprob = logprobs.reduce((a, b) => a + b, 0);
      const action = actions.get(row);
      rows.append({ id: given.id, ...prompts.asGiven(given, text), sample, finish, logprob, tokens: ids.length, action });
    },
  }).finally(() => {
    interrupt.dispose();
    rows.close();
  });

  const { stopped, ...counts } = made;
  const { completions, tokens, finish, seconds, tokensPerSecond } = counts;
  const n = prompts.rows.length;
  if (stopped) throw new Interrupted(`Stopped: ${completions} of ${n * samples} answers are in ${rows.name}.`);
  const human = [
    `${completions} answers to ${n} prompts: ${tokens} tokens in ${seconds.toFixed(1)} s, ` +
      `${Math.round(tokensPerSecond)} tokens/s once compiled`,
    ...(finish.length > 0 ? [`${finish.length} were cut off at --max-tokens ${sampling.maxNewTokens}`] : []),
    ...(rows.isStdout ? [] : [`They are in ${rows.name}`]),
  ].join('\n');
  if (rows.isStdout) return out.note(human);
  out.result({
    output: rows.name, model: adapted.model.checkpoint.id, adapter: flags.adapter, precision: flags.precision, prompts: n, ...counts,
  }, human);
}
