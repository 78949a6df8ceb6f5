/** `heed generate`: a model answers prompts. */
import type { Command } from 'commander';

import type { Completion } from '../generate/request.js';
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

/** Completions that are worked on together. */
const BATCH = 32;

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
  const [{ rowsFile }, { readPrompts }, { openGenerator }] = await Promise.all([
    import('./rows-file.js'), import('./prompts.js'), import('../generate/open.js'),
  ]);
  const [{ openDeviceEngine }, { createProgress }, { Interrupted, onInterrupt }] = await Promise.all([
    import('../model/device.js'), import('../run/progress.js'), import('../run/signals.js'),
  ]);
  requireWhole('-n', samples, 1);
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  const sampling = await samplingOf(flags);
  const rows = rowsFile(output, { overwrite, out });
  const adapted = await loadAdaptedModel(flags, out);
  const { model, adapter } = adapted;
  const prompts = await readPrompts(file, model, { maxNewTokens: sampling.maxNewTokens, limit });

  const total = prompts.rows.length * samples;
  const counts = { written: 0, tokens: 0, stop: 0, length: 0 };
  const write = ({ row, sample, text, ids, logprobs, finish }: Completion): void => {
    const given = prompts.rows[row]!;
    const logprob = logprobs.reduce((a, b) => a + b, 0);
    const action = actions.get(row);
    rows.append({ id: given.id, ...prompts.asGiven(given, text), sample, finish, logprob, tokens: ids.length, action });
    counts.written++;
    counts.tokens += ids.length;
    counts[finish]++;
  };
  /** What the controller chose for each prompt, where there is one. */
  const actions = new Map<number, string>();
  // Short answers finish before long answers; the file keeps the order of the prompts.
  const early = new Map<number, Completion>();
  const place = ({ row, sample }: Completion): number => row * samples + sample;

  const progress = createProgress();
  const interrupt = onInterrupt((line) => out.note(line));
  const abort = new AbortController();
  const engine = await openDeviceEngine({ device: flags.device, say: (line) => out.note(line) });
  const started = performance.now();
  // Programs are compiled before the first tokens; the speed leaves that time out.
  let first: { readonly at: number; readonly tokens: number } | undefined;
  let perSecond = 0;
  try {
    const plain = await openGenerator(engine, model, { batch: BATCH, precision: flags.precision, adapter });
    const generator = await underController(flags, plain, engine, adapted, (row, { action }) => {
      if (!actions.has(row)) actions.set(row, action);
    });
    progress.start('answering', total, { unit: 'answers' });
    await generator.generate(prompts.tokens.map((prompt, row) => ({ prompt, row, samples })), sampling, {
      signal: abort.signal,
      onCompletion(completion) {
        early.set(place(completion), completion);
        for (let next; (next = early.get(counts.written)) !== undefined; ) {
          early.delete(counts.written);
          write(next);
        }
      },
      onProgress({ tokens, finished }) {
        const now = performance.now();
        first ??= { at: now, tokens };
        perSecond = tokens > first.tokens ? (1000 * (tokens - first.tokens)) / (now - first.at) : 0;
        progress.update(finished, `${Math.round(perSecond)} tokens/s`);
        if (interrupt.requested) abort.abort(new Interrupted());
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    for (const completion of [...early.values()].sort((a, b) => place(a) - place(b))) write(completion);
    throw new Interrupted(`Stopped: ${counts.written} of ${total} answers are in ${rows.name}.`);
  } finally {
    progress.stop();
    interrupt.dispose();
    rows.close();
    await engine.close();
  }

  const seconds = (performance.now() - started) / 1000;
  const { written, tokens, ...finish } = counts;
  const human = [
    `${written} answers to ${prompts.rows.length} prompts: ${tokens} tokens in ${seconds.toFixed(1)} s, ` +
      `${Math.round(perSecond)} tokens/s once compiled`,
    ...(finish.length > 0 ? [`${finish.length} were cut off at --max-tokens ${sampling.maxNewTokens}`] : []),
    ...(rows.isStdout ? [] : [`They are in ${rows.name}`]),
  ].join('\n');
  if (rows.isStdout) out.note(human);
  else {
    out.result({
      output: rows.name, model: model.checkpoint.id, adapter: flags.adapter, precision: flags.precision,
      prompts: prompts.rows.length, completions: written, tokens, seconds, tokensPerSecond: perSecond, finish,
    }, human);
  }
}
