/** `heed serve`: a model, and adapters on it, behind OpenAI's API. */
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, Option } from 'commander';

import { examples } from './help.js';
import type { FeedbackStore } from '../feedback/store.js';
import { named } from './named.js';
import type { Output } from './output.js';
import { type DeviceFlag, type PrecisionFlag, deviceFlag, number, precisionFlag, requireWhole } from './model-flags.js';

interface Options extends PrecisionFlag, DeviceFlag {
  readonly model?: string;
  readonly template?: 'chat' | 'alpaca';
  readonly adapter: readonly string[];
  readonly controller: readonly string[];
  readonly allowAdapters?: string;
  readonly host: string;
  readonly port: number;
  readonly batch: number;
  readonly queue: number;
  readonly maxBody: number;
  readonly grace: number;
  readonly quiet?: boolean;
  readonly feedback?: string;
  readonly keepDays?: number;
}

export function register(program: Command, out: Output): void {
  program
    .command('serve')
    .description("serve a model, and adapters on it, through OpenAI's API: chat completions, completions, models")
    .addHelpText(
      'after',
      examples('heed serve --adapter runs/cut terse=runs/terse-2', 'heed serve --feedback runs/feedback.db --keep-days 90'),
    )
    .option('--model <model>', 'a folder, a .gguf file or a hub id (default: the base of the adapters; without one, the default model)')
    .option('--adapter <[name=]folder...>', 'adapters, served as models of their own: NAME=FOLDER, or named as the run or folder is', [])
    .option(
      '--controller <[name=]folder...>',
      'controllers, served as models of their own, NAME-TASK where one knows several tasks: NAME=FOLDER, or named as the run is', [],
    )
    .option(
      '--allow-adapters <folder>',
      'let clients load and unload adapters that lie in this folder (POST /v1/load_lora_adapter, as vLLM has it); default: none',
    )
    .addOption(
      new Option('--template <name>', "how messages become tokens (default: as in the adapters' runs, else the model's own chat template)")
        .choices(['chat', 'alpaca']),
    )
    .addOption(precisionFlag())
    .addOption(deviceFlag())
    .option('--host <address>', 'where to listen; any but loopback needs HEED_SERVE_TOKEN in the environment', '127.0.0.1')
    .option('--port <n>', '0 takes a free one', number, 8321)
    .option('--batch <n>', 'answers that are worked on together', number, 16)
    .option('--queue <n>', 'answers being made or waited for, before clients are told to come back later', number, 256)
    .option('--max-body <bytes>', 'largest request', number, 4 * 2 ** 20)
    .option('--grace <seconds>', 'how long running requests may go on after Ctrl-C', number, 10)
    .option('--feedback <file>', 'keep chats in this database, and take feedback on them at POST /v1/feedback (default: nothing is kept)')
    .option('--keep-days <n>', 'with --feedback: remove chats that are older, at the start and each hour', number)
    .option('--quiet', 'no line for each request')
    .action((options: Options) => serve(options, out));
}

async function serve(
  {
    model: given, template, adapter: specs, controller: steered, precision, device, host, port, batch, queue, maxBody, grace, quiet = false,
    feedback: file, keepDays, allowAdapters,
  }: Options,
  out: Output,
): Promise<void> {
  const [{ UserError }, { loadBase }, { loadAdapter }, { openDeviceEngine }, { openVoices }] = await Promise.all([
    import('../errors.js'), import('./base.js'), import('../model/peft.js'), import('../model/device.js'), import('../serve/voices.js'),
  ]);
  const [{ checkExposure, startServer }, { onInterrupt }, { foreseeWriting }] = await Promise.all([
    import('../serve/server.js'), import('../run/signals.js'), import('../generate/memory.js'),
  ]);
  requireWhole('--port', port, 0);
  requireWhole('--batch', batch, 1);
  requireWhole('--queue', queue, 1);
  requireWhole('--max-body', maxBody, 1);
  requireWhole('--grace', grace, 0);
  if (keepDays !== undefined) requireWhole('--keep-days', keepDays, 1);
  if (keepDays !== undefined && file === undefined)
    throw new UserError('--keep-days says how long --feedback keeps chats, and --feedback is not given.');
  if (port > 65535) throw new UserError(`--port is ${port}; expected at most 65535.`);
  // Known before the model is loaded, which takes its time.
  if (allowAdapters !== undefined && !statSync(allowAdapters, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`--allow-adapters is ${allowAdapters}, which is no folder; expected the folder that holds the runs, such as runs.`);
  const token = process.env['HEED_SERVE_TOKEN'];
  checkExposure(host, token);
  const { model, name: base } = await loadBase({ model: given, template, precision }, named(specs).map(([, folder]) => folder), out);
  const adapters: Record<string, Awaited<ReturnType<typeof loadAdapter>>> = {};
  for (const [name, folder] of named(specs)) {
    if (Object.hasOwn(adapters, name)) throw new UserError(`Two adapters are named ${name}.`, ['Name them: --adapter NAME=FOLDER.']);
    adapters[name] = await loadAdapter(folder, model.checkpoint);
  }
  const controllers: Record<string, string> = {};
  for (const [name, folder] of named(steered)) {
    if (Object.hasOwn(controllers, name))
      throw new UserError(`Two controllers are named ${name}.`, ['Name them: --controller NAME=FOLDER.']);
    controllers[name] = folder;
  }

  const engine = await openDeviceEngine({ device, say: (line) => out.note(line) });
  try {
    // A model from a folder goes by the folder's name, one from elsewhere by its id.
    const name = base === undefined || !existsSync(base) ? model.checkpoint.id : basename(resolve(base));
    // What clients will ask is not known: as if all asked for answers of a thousand tokens in all.
    const asked = { model, precision, batch, prompts: Array<number>(batch).fill(512), maxNewTokens: 512 };
    const setups = [undefined, ...Object.values(adapters)].map((adapter) => ({ ...asked, plan: adapter?.plan }));
    foreseeWriting(engine, setups, { batch: '--batch ', precision: '--precision ' }, (line) => out.note(line));
    const voices = await openVoices(engine, model, { name, adapters, controllers, batch, precision });
    const keeping = file === undefined ? undefined : await openKeeping(file, keepDays, (line) => out.note(line));
    let interrupted = (): void => undefined;
    const ended = new Promise<void>((settle) => { interrupted = settle; });
    let answered = 0;
    const server = await startServer(voices, {
      host, port, queue, maxBody, grace: 1000 * grace, token, feedback: keeping?.store, adapters: allowAdapters,
      log: (line, kind) => {
        if (kind === 'request') answered++;
        if (kind === 'failure' || !quiet) out.note(line);
      },
    });
    const interrupt = onInterrupt(() => {
      out.note(`\nRunning requests have ${grace} s to finish. Press Ctrl-C again to stop at once.`);
      interrupted();
    });
    try {
      out.note(`${[...voices.all.keys()].join(', ')} at ${server.url}/v1${token === undefined || token === '' ? '' : ', with a token'}`);
      await ended;
      await server.stop();
    } finally {
      interrupt.dispose();
      keeping?.close();
    }
    out.result({ url: server.url, models: [...voices.all.keys()], requests: answered }, `${answered} requests answered`);
  } finally {
    await engine.close();
  }
}

/** The store of chats and feedback, cleared of what is too old. */
async function openKeeping(
  file: string, days: number | undefined, say: (line: string) => void,
): Promise<{ readonly store: FeedbackStore; close(): void }> {
  const { openFeedback } = await import('../feedback/store.js');
  const store = await openFeedback(file);
  say(`Chats are kept in ${store.name}${days === undefined ? '' : ` for ${days} days`}, for feedback at POST /v1/feedback.`);
  const clear = async (): Promise<void> => {
    const { answers } = await store.prune({ olderThanDays: days! });
    if (answers > 0) say(`${answers} chats older than ${days} days were removed from ${store.name}.`);
  };
  if (days === undefined) return { store, close: () => store.close() };
  await clear();
  const timer = setInterval(() => void clear().catch((error: unknown) => say(String(error))), 60 * 60 * 1000);
  return { store, close() { clearInterval(timer); store.close(); } };
}
