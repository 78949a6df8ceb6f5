import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Ran { readonly code: number; readonly out: string; readonly err: string }

/** Runs a program of this repository by words for `node`, without data. It works in `folder`. */
export async function node(folder: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const all = { ...process.env, HEED_DATA: undefined, HEED_WORK: folder, ...env };
  const ran = promisify(execFile)(process.execPath, [...words], { cwd: ROOT, env: all });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, out: error.stdout, err: error.stderr }),
  );
}
