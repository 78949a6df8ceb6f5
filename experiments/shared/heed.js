// @ts-check
// The command line, run as a user would run it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const MODEL = 'SmolLM2-135M-Instruct';

/** A word of a command as a shell wants it. @param {string} word */
export const quote = (word) => (/[\s{}[\]]/.test(word) ? `'${word}'` : word);

/**
 * Runs `heed` in the checkout; what it says goes on to this program's own stderr.
 *
 * @param {readonly string[]} args
 * @returns {Promise<{ result: any, said: string }>} The object that `--json` prints, and all that stood on stderr.
 * @throws Error where it does not end with 0
 */
export function heed(args) {
  const child = spawn(process.execPath, [join(ROOT, 'packages/heed/bin/heed.js'), ...args, '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    said += chunk;
    process.stderr.write(chunk);
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done({ result: JSON.parse(out.trim().split('\n').at(-1) ?? ''), said });
      else fail(new Error(`heed ${args.map(quote).join(' ')} ended with ${code}.`));
    });
  });
}
