import { spawn } from 'node:child_process';

/** Characters of what a program said that are kept: the last ones. */
const KEPT = 8000;

/** How a program ended. */
export interface ProgramEnd {
  /** Whether it was started, and ended with 0. */
  readonly ok: boolean;
  /** Whether it could be started at all. */
  readonly started: boolean;
  /** The end of what it wrote on stdout and stderr; why it could not be started, where it was not. */
  readonly output: string;
}

/** Runs a program to its end. @param env Variables besides those of this process. */
export function runProgram(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let output = '';
    const keep = (chunk: Buffer): void => { output = (output + chunk.toString()).slice(-KEPT); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ ok: false, started: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, started: true, output }));
  });
}
