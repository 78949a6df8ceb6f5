/** `heed studio`: runs in the browser. */
import type { Command } from 'commander';

import { examples } from './help.js';
import { number, requireWhole } from './model-flags.js';
import type { Output } from './output.js';

interface Options { readonly host: string; readonly port: number; readonly open?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('studio')
    .description('a page in the browser: the runs of a folder with their curves and answers, and how they compare')
    .addHelpText('after', examples('heed studio', 'heed studio runs --port 0 --open'))
    .argument('[folder]', 'the project folder; everything beneath it is seen, and nothing else', '.')
    .option('--host <address>', 'where to listen; any but loopback needs HEED_STUDIO_TOKEN in the environment', '127.0.0.1')
    .option('--port <n>', '0 takes a free one', number, 8322)
    .option('--open', 'open the page in the browser')
    .action((folder: string, options: Options) => studio(folder, options, out));
}

async function studio(folder: string, { host, port, open = false }: Options, out: Output): Promise<void> {
  const [{ UserError }, { startStudio }, { onInterrupt }] = await Promise.all([
    import('../errors.js'), import('../studio/server.js'), import('../run/signals.js'),
  ]);
  requireWhole('--port', port, 0);
  if (port > 65535) throw new UserError(`--port is ${port}; expected at most 65535.`);
  const running = await startStudio(folder, { host, port, token: process.env['HEED_STUDIO_TOKEN'], log: (line) => out.note(line) });
  out.note(`The studio of ${running.folder} is at ${running.url}\nCtrl-C ends it; runs that it started go on.`);
  if (open) await openInBrowser(running.url, out);
  let interrupted = (): void => undefined;
  const ended = new Promise<void>((settle) => { interrupted = settle; });
  const interrupt = onInterrupt(() => interrupted());
  try {
    await ended;
    await running.stop();
  } finally {
    interrupt.dispose();
  }
  out.result({ url: running.url, folder: running.folder }, 'The studio has ended.');
}

/** How each system opens an address. */
const OPENERS: Readonly<Record<string, readonly string[]>> = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] };

async function openInBrowser(url: string, out: Output): Promise<void> {
  const { spawn } = await import('node:child_process');
  const [program, ...first] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program!, [...first, url], { stdio: 'ignore', detached: true });
  child.once('error', () => out.note(`No browser could be opened here: open ${url} yourself.`));
  child.unref();
}
