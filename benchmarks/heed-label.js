// @ts-check
// `heed label` in a process of its own.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const heed = fileURLToPath(new URL('../packages/heed/bin/heed.js', import.meta.url));

/** Runs a recipe (an object: JSON is YAML); { report: its label report, seconds: from starting the process to its end }. */
export async function heedLabel(recipe, folder) {
  const file = join(folder, 'label.yaml');
  writeFileSync(file, JSON.stringify(recipe));
  const begin = performance.now();
  const child = spawn(process.execPath, [heed, 'label', file, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { complaints = (complaints + text).slice(-4000); });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`heed label ended with ${code}:\n${complaints}`);
  return { report: JSON.parse(out.trim().split('\n').at(-1)), seconds: (performance.now() - begin) / 1000 };
}
