// @ts-check
// `heed train` over rows that are made for it.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const quote = (word) => (/[\s{}[\]]/.test(word) ? `'${word}'` : word);

/** Trains recipes/<recipe>.yaml; { adapter: its folder, command: as it is typed, summary }. */
export async function teach(recipe, rows, { work, set }) {
  const file = join(work, `${recipe}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const dir = join(work, recipe);
  const args = [`recipes/${recipe}.yaml`, ...set];
  const child = spawn(process.execPath, ['packages/heed/bin/heed.js', 'train', ...args, `data=${file}`, `run.dir=${dir}`, '--overwrite', '--json'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`heed train ${args.join(' ')} ended with ${code}.`);
  return { adapter: join(dir, 'adapter'), command: `heed train ${args.map(quote).join(' ')} data=<rows>`, summary: JSON.parse(out.trim().split('\n').at(-1)) };
}
