/** Errors → what is printed and the exit code. */
import { CommanderError } from 'commander';

import { UserError } from '../errors.js';
import { Interrupted, exitCodeOfSignal } from '../run/signals.js';
import { Waiting } from '../run/waiting.js';
import type { Output } from './output.js';

/** A failure that the verb has already printed as part of its result: only a line on stderr and the exit code are left to do. */
export class Reported extends Error {
  override readonly name = 'Reported';
}

/** Exit codes of every verb; one that was asked to stop ends with `exitCodeOfSignal`. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** Reports an error, on stderr for people and with --json also as the result object, and gives the exit code. */
export function reportError(error: unknown, out: Output): number {
  if (error instanceof CommanderError) {
    // commander has printed the message; --help and --version arrive here too
    if (error.exitCode !== 0) out.result({ ok: false, error: error.message.replace(/^error: /, ''), exitCode: EXIT.usage });
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof Interrupted) {
    out.note(out.styles.yellow(error.message));
    const exitCode = exitCodeOfSignal();
    out.result({ ok: false, error: error.message, interrupted: true, exitCode });
    return exitCode;
  }
  if (error instanceof Waiting) {
    out.result({ ok: true, waiting: error.message, exitCode: EXIT.ok }, error.message);
    return EXIT.ok;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Reported) {
    out.note(`${out.styles.red('failed:')} ${message}`);
    return EXIT.failure;
  }
  // CheckpointError is about the user's files too. It is recognised by name: importing it would load the model room for --help.
  if (error instanceof UserError || (error instanceof Error && error.name === 'CheckpointError')) {
    const hints = error instanceof UserError ? error.hints : [];
    out.note(`${out.styles.red('error:')} ${message}`);
    for (const hint of hints) out.note(`  ${out.styles.cyan('→')} ${hint}`);
    out.result({ ok: false, error: message, hints, exitCode: EXIT.usage });
    return EXIT.usage;
  }
  out.note(`${out.styles.red('failed:')} ${message}`);
  // A failure of the device is none of Heed. It is recognised by name, too: importing it would load the engine for --help.
  if (error instanceof Error && error.name === 'DeviceFailed') {
    const hints = ['Without the GPU: --device cpu, or HEED_DEVICE=cpu.'];
    for (const hint of hints) out.note(`  ${out.styles.cyan('→')} ${hint}`);
    out.result({ ok: false, error: message, hints, exitCode: EXIT.failure });
    return EXIT.failure;
  }
  // Any other error is a fault of Heed: the stack helps with a report.
  if (error instanceof Error && error.stack !== undefined) out.note(out.styles.dim(error.stack.split('\n').slice(1).join('\n')));
  out.result({ ok: false, error: message, exitCode: EXIT.failure });
  return EXIT.failure;
}
